//! `derivePassword`: a site's password from a master password, by the algorithm of Master Password.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::function::FunctionError;
use crate::limits::Budget;
use crate::text::Str;

const SEED: &str = "com.lyndir.masterpassword";
/// What the key takes, in steps: about a tenth of a second.
const STEPS: u64 = 10_000_000;

/// Derives the password of `site`. Its kind is one of `maximum`, `long`, `medium`, `short`, `basic` and `pin`; another
/// gives the error's text as the result, as in sprig.
pub(super) fn derive(
    budget: &Budget,
    counter: u32,
    kind: Str,
    password: Str,
    user: Str,
    site: Str,
) -> Result<Str, FunctionError> {
    let Some(patterns) = patterns(&kind) else {
        return Ok([b"cannot find password template ", kind.as_bytes()].concat().into());
    };
    budget.work(STEPS)?;
    let salt = [SEED.as_bytes(), &length(&user), &user].concat();
    let mut key = [0; 64];
    let failed = |error: &dyn std::fmt::Display| FunctionError::new(format!("failed to derive password: {error}"));
    let parameters = scrypt::Params::new(15, 8, 2).map_err(|error| failed(&error))?;
    scrypt::scrypt(&password, &salt, &parameters, &mut key).map_err(|error| failed(&error))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|error| failed(&error))?;
    for part in [SEED.as_bytes(), &length(&site), &site, &counter.to_be_bytes()] {
        mac.update(part);
    }
    Ok(spell(patterns, &mac.finalize().into_bytes()).into())
}

fn length(text: &[u8]) -> [u8; 4] {
    (text.len() as u32).to_be_bytes()
}

/// The first byte of the seed chooses a pattern, each further one a character for one of its signs.
fn spell(patterns: &[&str], seed: &[u8]) -> String {
    let mut seed = seed.iter().copied().map(usize::from);
    let chosen = seed.next().unwrap_or_default() % patterns.len().max(1);
    let pattern = patterns.get(chosen).copied().unwrap_or_default();
    pattern
        .chars()
        .zip(seed)
        .filter_map(|(sign, number)| {
            let choice = characters(sign);
            choice.chars().nth(number % choice.len().max(1))
        })
        .collect()
}

fn patterns(kind: &[u8]) -> Option<&'static [&'static str]> {
    Some(match kind {
        b"maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        b"long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        b"medium" => &["CvcnoCvc", "CvcCvcno"],
        b"short" => &["Cvcn"],
        b"basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        b"pin" => &["nnnn"],
        _ => return None,
    })
}

/// What a sign of a pattern stands for.
fn characters(sign: char) -> &'static str {
    match sign {
        'V' => "AEIOU",
        'C' => "BCDFGHJKLMNPQRSTVWXYZ",
        'v' => "aeiou",
        'c' => "bcdfghjklmnpqrstvwxyz",
        'A' => "AEIOUBCDFGHJKLMNPQRSTVWXYZ",
        'a' => "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        'n' => "0123456789",
        'o' => "@&%?,=[]_:-+*$#!'^~;()/.",
        'x' => "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_stand_for_characters() {
        assert_eq!(spell(&["Cvcn", "nnnn"], &[0, 0, 1, 2, 3]), "Bed3");
        assert_eq!(spell(&["Cvcn", "nnnn"], &[3, 0, 11, 2, 13]), "0123");
        let unknown = derive(&Budget::default(), 1, "x".into(), "p".into(), "u".into(), "s".into()).unwrap();
        assert_eq!(unknown, "cannot find password template x");
    }
}
