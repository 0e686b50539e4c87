//! The demo tells its story to the end, and leaves nothing behind, however it ends.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sidecar_test_support::binary::binary;
use sidecar_test_support::eventually::eventually;
use sidecar_test_support::privilege::require_root;
use sidecar_test_support::process::Process;

const REASON: &str = "it makes network namespaces and writes iptables rules";
const PATIENCE: Duration = Duration::from_secs(60);

fn start(options: &[&str]) -> Process {
    let mut command = Command::new(binary("demo").unwrap());
    command.args(options).arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/httpbin.yaml"));
    Process::start(command).unwrap()
}

/// Names of the namespaces that the demo with this process id made.
fn namespaces(pid: u32) -> Vec<String> {
    let listed = Command::new("ip").args(["netns", "list"]).output().unwrap();
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    let first_words = names.lines().filter_map(|line| line.split(' ').next());
    first_words.filter(|name| name.contains(&format!("-{pid}-"))).map(str::to_owned).collect()
}

/// Ids of the processes in these namespaces.
fn processes(namespaces: &[String]) -> Vec<u32> {
    let listed = namespaces.iter().map(|name| Command::new("ip").args(["netns", "pids", name]).output().unwrap());
    listed
        .flat_map(|output| String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|line| line.trim().parse().ok())
        .collect()
}

/// Names of this machine's own interfaces.
fn interfaces() -> Vec<String> {
    let entries = fs::read_dir("/sys/class/net").unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn the_demo_tells_its_story_to_the_end_and_leaves_nothing() {
    if !require_root(REASON) {
        return;
    }
    let before = interfaces();
    let mut demo = start(&[]);
    let pid = demo.pid();
    let story = demo.succeed(PATIENCE).unwrap().stdout;
    for part in [
        "httpbin",
        "Chain ISTIO_REDIRECT",
        "redir ports 15001",
        "asked by 127.0.0.6:",
        "asked by [::6]:",
        "asked by 10.44.0.2:",
        "asked by [fd44::2]:",
        "connections in:  2",
        "connections out: 2",
        "== Done",
    ] {
        assert!(story.contains(part), "no `{part}` in\n{story}");
    }
    assert_eq!(namespaces(pid), Vec::<String>::new());
    assert_eq!(interfaces(), before);
}

#[test]
fn an_interrupted_demo_leaves_no_namespace_process_or_interface() {
    if !require_root(REASON) {
        return;
    }
    let before = interfaces();
    // Early, with rules written, while containers start, and with everything up.
    for (options, heading, by_keyboard, code) in [
        (&[][..], "== 2.", true, 130),
        (&[], "== 3.", false, 143),
        (&[], "== 4.", true, 130),
        (&["--stay"], "== Look around", true, 0),
    ] {
        let mut demo = start(options);
        eventually(PATIENCE, || {
            let told = demo.stdout();
            let there = told.iter().any(|line| line.starts_with(heading)) || demo.ended().unwrap().is_some();
            if there { Ok(()) } else { Err(told.join("\n")) }
        })
        .unwrap();
        let made = namespaces(demo.pid());
        let running = processes(&made);
        if by_keyboard {
            demo.interrupt().unwrap();
        } else {
            demo.terminate().unwrap();
        }
        let ended = demo.wait(PATIENCE).unwrap();
        assert_eq!(ended.status.code(), Some(code), "at {heading}: {}", ended.stderr);
        assert_eq!(namespaces(demo.pid()), Vec::<String>::new(), "at {heading}");
        let left: Vec<&u32> = running.iter().filter(|pid| fs::metadata(format!("/proc/{pid}/exe")).is_ok()).collect();
        assert!(left.is_empty(), "at {heading}, still running: {left:?}");
        assert_eq!(interfaces(), before, "at {heading}");
    }
}
