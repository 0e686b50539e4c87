//! Files that are replaced: all or none.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Stdio;

use crate::{Folder, POD, Ran, SERVICE};

#[test]
fn files_are_replaced_in_place_and_back() {
    let both = format!("# both\n{POD}---\n{SERVICE}");
    let folder = Folder::of(&[("d/a.yaml", &both), ("d/b.yaml", SERVICE), ("elsewhere.yaml", POD)]);
    let path = |name: &str| folder.path().join(name);
    fs::set_permissions(path("d/a.yaml"), Permissions::from_mode(0o640)).unwrap();
    symlink(path("elsewhere.yaml"), path("d/link.yaml")).unwrap();
    let untouched = fs::metadata(path("d/b.yaml")).unwrap();
    let ran = folder.kube_inject(&["-f", "d", "--in-place"]);
    ran.exits(0, &["d/a.yaml: injected Pod a", "d/link.yaml: injected Pod a"]);
    assert_eq!(ran.stdout, "");
    assert!(folder.text("d/a.yaml").starts_with("# both\napiVersion: v1\nkind: Pod\nmetadata:\n  name: a # mine\n"));
    assert!(folder.text("elsewhere.yaml").contains("istio-proxy"));
    assert!(fs::symlink_metadata(path("d/link.yaml")).unwrap().is_symlink());
    assert_eq!(fs::metadata(path("d/a.yaml")).unwrap().permissions().mode() & 0o777, 0o640);
    let after = fs::metadata(path("d/b.yaml")).unwrap();
    assert_eq!((after.ino(), after.mtime_nsec()), (untouched.ino(), untouched.mtime_nsec()));
    folder.kube_inject(&["-f", "d", "--in-place", "--check"]).exits(0, &["it has this very sidecar already"]);
    folder.uninject(&["-f", "d", "--in-place"]).exits(0, &["d/a.yaml: uninjected Pod a"]);
    assert_eq!((folder.text("d/a.yaml"), folder.text("elsewhere.yaml")), (both, POD.to_owned()));
    assert_eq!(fs::read_dir(path("d")).unwrap().count(), 3, "no temporary file is left");
}

#[test]
fn what_cannot_be_kept_is_told() {
    let folder = Folder::of(&[("a.yaml", POD)]);
    fs::hard_link(folder.path().join("a.yaml"), folder.path().join("b.yaml")).unwrap();
    let ran = folder.kube_inject(&["-f", ".", "--in-place"]);
    ran.exits(
        0,
        &["./a.yaml: injected Pod a", "warning ./a.yaml: it has other names (hard links), which keep the old"],
    );
    assert_eq!(folder.text("b.yaml"), POD);
    fs::hard_link(folder.path().join("b.yaml"), folder.path().join("c.yaml")).unwrap();
    let ran = folder.kube_inject(&["-f", "c.yaml", "--in-place", "--report", "json"]);
    ran.exits(0, &["{\"action\":\"warning\",\"message\":\"c.yaml: it has other names"]);
}

#[test]
fn pipes_are_refused() {
    let folder = Folder::of(&[("a.yaml", POD)]);
    let mut command = folder.command("kube-inject", &["-f", "a.yaml", "/dev/stdin", "--in-place"]);
    let ran = Ran::from(command.stdin(Stdio::piped()).output().unwrap());
    ran.exits(2, &["error: --in-place is for files"]);
    assert_eq!(folder.text("a.yaml"), POD);
}
