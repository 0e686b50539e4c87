//! The program from outside: what it says, and how it exits.

#![cfg(test)]

use std::net::TcpListener;
use std::process::{Command, Output};

fn run(flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sidecar-proxy")).args(flags).output().unwrap()
}

#[test]
fn help_documents_the_exit_codes() {
    let output = run(&["--help"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for line in ["Exit codes:", "  0  ", "  1  ", "  2  "] {
        assert!(text.lines().any(|have| have.starts_with(line)), "no `{line}` in\n{text}");
    }
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    let output = run(&["--drain-duration=soon"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--drain-duration"));
}

#[test]
fn a_port_in_use_exits_with_1_and_says_which() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let flags = ["--inbound-port=0", "--health-port=0", "--prometheus-port=0"];
    let output = run(&[&flags[..], &[&format!("--outbound-port={}", address.port())]].concat());
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in ["virtualOutbound", &address.to_string(), "--outbound-port"] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    assert!(output.stdout.is_empty());
}
