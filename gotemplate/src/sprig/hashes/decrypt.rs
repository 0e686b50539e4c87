//! `decryptAES`: AES-256 in CBC mode, with the password itself as the key.

use aes::Aes256;
use aes::cipher::{Array, BlockCipherDecrypt, KeyInit};

use crate::function::FunctionError;
use crate::limits::Budget;
use crate::sprig::encoding::decode_base64;
use crate::sprig::text::text;
use crate::text::Str;

const BLOCK: usize = 16;
const KEY: usize = 32;

/// Decrypts base64 of an initialization vector and blocks, the last of which says how much of it is padding. The
/// password is cut or filled with zeros to the length of the key.
pub(super) fn decrypt(budget: &Budget, password: Str, encrypted: Str) -> Result<Str, FunctionError> {
    if encrypted.is_empty() {
        return Ok(encrypted);
    }
    let out_of_range = |bounds: String| FunctionError::new(format!("runtime error: {bounds}"));
    let bytes = decode_base64(&encrypted)?;
    let Some((vector, content)) = bytes.split_at_checked(BLOCK) else {
        let capacity = encrypted.len() / 4 * 3;
        return Err(out_of_range(format!("slice bounds out of range [:{BLOCK}] with capacity {capacity}")));
    };
    let mut plain = decrypt_blocks(&key(&password), vector, content)?;
    let Some(padding) = plain.last().copied().map(usize::from) else {
        return Err(out_of_range("index out of range [-1]".to_owned()));
    };
    let Some(length) = plain.len().checked_sub(padding) else {
        return Err(out_of_range(format!("slice bounds out of range [:-{}]", padding - plain.len())));
    };
    plain.truncate(length);
    text(budget, plain)
}

fn key(password: &[u8]) -> [u8; KEY] {
    let mut key = [0; KEY];
    for (byte, given) in key.iter_mut().zip(password) {
        *byte = *given;
    }
    key
}

fn decrypt_blocks(key: &[u8; KEY], vector: &[u8], content: &[u8]) -> Result<Vec<u8>, FunctionError> {
    let (blocks, []) = content.as_chunks::<BLOCK>() else {
        return Err("crypto/cipher: input not full blocks".into());
    };
    let cipher = Aes256::new(&Array::from(*key));
    let mut plain = Vec::with_capacity(content.len());
    let mut previous = vector;
    for encrypted in blocks {
        let mut block = Array::from(*encrypted);
        cipher.decrypt_block(&mut block);
        plain.extend(block.iter().zip(previous).map(|(byte, mask)| byte ^ mask));
        previous = encrypted;
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decrypted(password: &str, encrypted: &str) -> Result<String, String> {
        let plain = decrypt(&Budget::default(), password.into(), encrypted.into());
        plain.map(|text| text.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_encrypted_is_an_error() {
        assert_eq!(decrypted("secret", ""), Ok(String::new()));
        for (encrypted, expected) in [
            ("AAAA", "runtime error: slice bounds out of range [:16] with capacity 3"),
            ("AAAAAAAAAAAAAAAAAAAAAA==", "runtime error: index out of range [-1]"),
            ("AAAAAAAAAAAAAAAAAAAAAAAA", "crypto/cipher: input not full blocks"),
            ("*", "illegal base64 data at input byte 0"),
        ] {
            assert_eq!(decrypted("secret", encrypted), Err(expected.to_owned()));
        }
    }
}
