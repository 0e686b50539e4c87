//! Functions that are not there, since they reach outside or give something else at each call.

use crate::function::Functions;

const LEFT_OUT: &[(&str, &[&str])] = &[
    ("it reads the clock", &["ago", "now"]),
    ("it reads the environment", &["env", "expandenv"]),
    ("it asks the network", &["getHostByName"]),
    (
        "it is random",
        &["randAlpha", "randAlphaNum", "randAscii", "randBytes", "randInt", "randNumeric", "shuffle", "uuidv4"],
    ),
    ("its result is random", &["bcrypt", "encryptAES", "htpasswd"]),
    (
        "it makes keys",
        &[
            "buildCustomCert",
            "genCA",
            "genCAWithKey",
            "genPrivateKey",
            "genSelfSignedCert",
            "genSelfSignedCertWithKey",
            "genSignedCert",
            "genSignedCertWithKey",
        ],
    ),
];

pub(super) fn add(functions: &mut Functions) {
    for (reason, names) in LEFT_OUT {
        for name in *names {
            functions.leave_out(*name, reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_not_there() {
        let functions = Functions::sprig();
        for name in LEFT_OUT.iter().flat_map(|(_, names)| *names) {
            assert!(functions.get(name.as_bytes()).is_none(), "{name}");
            assert!(functions.why_left_out(name.as_bytes()).is_some(), "{name}");
        }
    }
}
