//! Files that change in every way that files are changed.
#![expect(clippy::disallowed_methods, reason = "tests write the files that are watched")]

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

/// Long for a notification, short for the backstop.
const SOON: Duration = Duration::from_secs(5);

async fn is_noticed(watch: &mut FileWatch) -> bool {
    tokio::time::timeout(SOON, watch.changed()).await.is_ok()
}

#[tokio::test]
async fn a_write_is_noticed_and_quiet_is_quiet() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tls.crt");
    let mut watch = FileWatch::new([file.clone()]);
    fs::write(&file, "one").unwrap();
    assert!(is_noticed(&mut watch).await, "made");
    fs::write(&file, "two").unwrap();
    fs::write(&file, "three").unwrap();
    assert!(is_noticed(&mut watch).await, "written");
    let quiet = tokio::time::timeout(Duration::from_millis(500), watch.changed()).await;
    assert!(quiet.is_err(), "two writes are one change");
}

#[tokio::test]
async fn a_rename_over_the_file_and_a_removal_are_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let (file, new) = (directory.path().join("tls.crt"), directory.path().join("new"));
    fs::write(&file, "one").unwrap();
    fs::write(&new, "two").unwrap();
    let mut watch = FileWatch::new([file.clone()]);
    fs::rename(&new, &file).unwrap();
    assert!(is_noticed(&mut watch).await);
    fs::remove_file(&file).unwrap();
    assert!(is_noticed(&mut watch).await);
}

/// `tls.crt` → `..data/tls.crt`, `..data` → a directory with a date for its name.
#[tokio::test]
async fn a_swap_as_kubernetes_does_it_is_noticed_each_time() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let publish = |version: &str| {
        fs::create_dir(at(version)).unwrap();
        fs::write(at(version).join("tls.crt"), version).unwrap();
        symlink(version, at("..data_tmp")).unwrap();
        fs::rename(at("..data_tmp"), at("..data")).unwrap();
    };
    publish("..1");
    symlink("..data/tls.crt", at("tls.crt")).unwrap();
    let mut watch = FileWatch::new([at("tls.crt")]);
    for version in ["..2", "..3"] {
        publish(version);
        assert!(is_noticed(&mut watch).await, "{version}");
        assert_eq!(fs::read_to_string(at("tls.crt")).unwrap(), version);
    }
    fs::remove_dir_all(at("..1")).unwrap();
    assert!(is_noticed(&mut watch).await);
}

#[tokio::test]
async fn a_link_to_another_directory_is_followed() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("real")).unwrap();
    fs::write(at("real/tls.crt"), "one").unwrap();
    fs::create_dir(at("links")).unwrap();
    symlink("../real/tls.crt", at("links/tls.crt")).unwrap();
    let mut watch = FileWatch::new([at("links/tls.crt")]);
    fs::write(at("real/tls.crt"), "two").unwrap();
    assert!(is_noticed(&mut watch).await);
}

#[tokio::test(start_paused = true)]
async fn without_notifications_there_is_the_backstop() {
    let mut watch = FileWatch::new([PathBuf::from("/nonexistent/directory/file")]);
    watch.notifications = None;
    let began = Instant::now();
    for _ in 0..3 {
        watch.changed().await;
    }
    assert!(began.elapsed() >= BACKSTOP * 3);
}

#[test]
fn links_that_lead_nowhere_or_in_circles_end() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    symlink("b", at("a")).unwrap();
    symlink("a", at("b")).unwrap();
    assert_eq!(directories(&at("a")), BTreeSet::from([directory.path().to_owned()]));
    assert_eq!(directories(Path::new("tls.crt")), BTreeSet::from([PathBuf::from(".")]));
    assert_eq!(directories(Path::new("/")), BTreeSet::new());
}
