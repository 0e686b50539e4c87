//! Hashes, a password made from one, and what was encrypted with AES.

mod decrypt;
mod password;

use data_encoding::HEXLOWER;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::function::Functions;
use crate::text::Str;

pub(super) fn add(functions: &mut Functions) {
    functions
        .add("sha1sum", |bytes: Str| HEXLOWER.encode(&Sha1::digest(&bytes)))
        .add("sha256sum", |bytes: Str| HEXLOWER.encode(&Sha256::digest(&bytes)))
        .add("sha512sum", |bytes: Str| HEXLOWER.encode(&Sha512::digest(&bytes)))
        .add("adler32sum", |bytes: Str| adler2::adler32_slice(&bytes).to_string())
        .add("derivePassword", password::derive)
        .add("decryptAES", decrypt::decrypt);
}

#[cfg(test)]
mod tests {
    use crate::limits::Budget;
    use crate::{Functions, Value};

    #[test]
    fn hashes_are_in_hexadecimal() {
        for (name, expected) in [
            ("sha1sum", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("sha256sum", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("adler32sum", "38600999"),
        ] {
            let function = Functions::sprig().get(name.as_bytes()).cloned().unwrap();
            let hash = function.call(&Budget::default(), &["abc".into()]).unwrap();
            assert!(matches!(hash, Value::String(hash) if hash == expected), "{name}");
        }
    }
}
