//! What would take for ever, or all memory: refused or bounded, with the reason.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::{Folder, POD, Ran, SERVICE};

/// Others use the machine too.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs on one file, which has to be refused in time.
#[track_caller]
fn refused(text: &str, expected: &str) {
    let folder = Folder::of(&[("bad.yaml", text)]);
    let started = Instant::now();
    folder.kube_inject(&["-f", "bad.yaml"]).exits(1, &["bad.yaml", expected]);
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
}

#[test]
fn deep_nesting_is_refused() {
    refused(&"[".repeat(10_000), "not YAML");
    refused(&format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000)), "not YAML");
    refused(&(0..10_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>(), "not YAML");
    refused(&"{\"a\":".repeat(10_000), "not YAML");
}

#[test]
fn a_billion_laughs_are_refused() {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    refused(&text, "too many aliases");
}

#[test]
fn a_line_of_two_gigabytes_is_refused() {
    let folder = Folder::of(&[]);
    // A file with a hole: it takes no room.
    File::create(folder.path().join("line.yaml")).unwrap().set_len(2 << 30).unwrap();
    let ran = folder.kube_inject(&["-f", "line.yaml"]);
    ran.exits(1, &["line.yaml:1: document 1: has more than 64 MiB"]);
}

#[test]
fn endless_input_is_refused() {
    let folder = Folder::of(&[]);
    folder.kube_inject(&["-f", "/dev/zero"]).exits(1, &["/dev/zero:1: document 1: has more"]);
}

#[test]
fn loops_are_refused_and_so_are_pipes_without_a_writer() {
    let folder = Folder::of(&[("d/a.yaml", SERVICE)]);
    let directory = folder.path().join("d");
    symlink(&directory, directory.join("again")).unwrap();
    folder.kube_inject(&["-R", "-f", "d"]).exits(1, &["d/again: is not followed: it leads back"]);
    mkfifo(&folder.path().join("pipe"), Mode::S_IRWXU).unwrap();
    folder.kube_inject(&["-f", "pipe"]).exits(1, &["pipe: cannot be opened: it is a pipe that nobody writes to"]);
    symlink("self", folder.path().join("self")).unwrap();
    folder.kube_inject(&["-f", "self"]).exits(1, &["self: cannot be opened"]);
}

#[test]
fn no_command_waits_for_a_pipe_that_nobody_writes_to() {
    let folder = Folder::of(&[("a.yaml", POD)]);
    mkfifo(&folder.path().join("pipe"), Mode::S_IRWXU).unwrap();
    let started = [
        &["check", "-f", "pipe"][..],
        &["config", "lint", "-f", "pipe"],
        &["config", "render", "-f", "pipe"],
        &["config", "render", "--injectConfigFile", "pipe"],
        &["kube-inject", "-f", "a.yaml", "--valuesFile", "pipe"],
        &["kube-inject", "-f", "a.yaml", "--meshConfigFile", "pipe"],
    ]
    .map(|arguments| {
        let mut command = folder.command(arguments[0], &arguments[1..]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    });
    for child in started {
        let ran = Ran::from(child.wait_with_output().unwrap());
        ran.exits(1, &["pipe: cannot be opened: it is a pipe that nobody writes to"]);
    }
}

#[test]
fn a_pipe_of_a_shell_is_read() {
    let folder = Folder::of(&[("a.yaml", SERVICE)]);
    let program = env!("CARGO_BIN_EXE_sidecar-injector");
    let script = format!("'{program}' kube-inject -f <(sleep 3; cat a.yaml)");
    let mut bash = std::process::Command::new("bash");
    let ran = Ran::from(bash.args(["-c", &script]).current_dir(folder.path()).output().unwrap());
    assert_eq!(ran.exits(0, &[]).stdout, SERVICE);
}

#[test]
fn a_reader_that_goes_ends_it_quietly() {
    let folder = Folder::of(&[]);
    fs::write(folder.path().join("many.yaml"), format!("{POD}---\n").repeat(2_000)).unwrap();
    let mut command = folder.command("kube-inject", &["-f", "many.yaml", "--report=none"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.exits(0, &[]).stderr, "");
}

#[test]
fn a_full_disk_leaves_the_file_alone() {
    let folder = Folder::of(&[("a.yaml", POD)]);
    let mut full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert!(full.write_all(b"x").is_err());
    folder.kube_inject(&["-f", "a.yaml", "-o", "/dev/full"]).exits(1, &["/dev/full: cannot be written: No space left"]);
    assert_eq!(folder.text("a.yaml"), POD);
}

#[test]
fn a_full_disk_leaves_the_report_alone() {
    let folder = Folder::of(&[("a.yaml", POD), ("bad.yaml", "a: [\n")]);
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let arguments = ["-f", "a.yaml", "bad.yaml", "--keep-going"];
    let ran = folder.command("kube-inject", &arguments).stdout(full()).output().unwrap();
    let expected = ["would inject Pod a", "bad.yaml:1: not YAML", "error: standard output: No space left"];
    Ran::from(ran).exits(1, &expected);
    let ran = folder.command("kube-inject", &["-f", "a.yaml"]).stdout(full()).stderr(full()).status().unwrap();
    assert_eq!(ran.code(), Some(1));
    let ran = folder.command("kube-inject", &["-f", "a.yaml", "--valuesFile", "none"]).stderr(full()).status().unwrap();
    assert_eq!(ran.code(), Some(1));
}

#[test]
fn where_no_temporary_file_can_be_the_results_wait_in_memory() {
    let many = format!("{SERVICE}---\n").repeat(30_000);
    let folder = Folder::of(&[("many.yaml", &many)]);
    let mut command = folder.command("kube-inject", &["-f", "many.yaml", "--report", "none"]);
    let ran = Ran::from(command.env("TMPDIR", "/nonexistent").output().unwrap());
    assert!(ran.exits(0, &[]).stdout == many);
}
