//! `certificate`: what it writes, says and refuses.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use sidecar_injector::server::certificate::server_config;

fn certificate(directory: &Path, args: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidecar-injector"));
    let output = command.arg("certificate").arg("--output-directory").arg(directory).args(args).output().unwrap();
    assert!(output.stdout.is_empty());
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

fn read(directory: &Path) -> [String; 3] {
    ["ca.crt", "tls.crt", "tls.key"].map(|name| std::fs::read_to_string(directory.join(name)).unwrap())
}

#[test]
fn writes_a_set_that_fits_together_and_says_until_when() {
    let directory = tempfile::tempdir().unwrap();
    let (done, said) = certificate(directory.path(), &[]);
    assert!(done && said.contains("wrote ca.crt, tls.crt and tls.key") && said.contains("valid until 2"), "{said}");
    let [ca, certificate, key] = read(directory.path());
    assert!(certificate.ends_with(&ca));
    server_config(&certificate, &key).unwrap();
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 3, "nothing else is left");
}

#[test]
fn replaces_what_is_there_only_by_force() {
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("tls.key");
    std::fs::write(&key, "precious").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (done, said) = certificate(directory.path(), &[]);
    assert!(!done && said.contains("tls.key: exists; use --force"), "{said}");
    assert_eq!(std::fs::read_to_string(&key).unwrap(), "precious");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is written");
    assert!(certificate(directory.path(), &["--force"]).0);
    let [_, certificate, private] = read(directory.path());
    server_config(&certificate, &private).unwrap();
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn leaves_the_old_set_when_it_cannot_write_a_new_one() {
    let directory = tempfile::tempdir().unwrap();
    assert!(certificate(directory.path(), &[]).0);
    let before = read(directory.path());
    let (done, said) = certificate(directory.path(), &["--force", "--dns-name", "no name"]);
    assert!(!done && said.contains("`no name`"), "{said}");
    assert_eq!(read(directory.path()), before);
    std::fs::remove_file(directory.path().join("ca.crt")).unwrap();
    std::fs::create_dir(directory.path().join("ca.crt")).unwrap();
    let (done, said) = certificate(directory.path(), &["--force"]);
    assert!(!done && said.contains("ca.crt: cannot be replaced"), "{said}");
    assert_eq!(std::fs::read_to_string(directory.path().join("tls.key")).unwrap(), before[2]);
}
