//! What people read of the command line, made of its definition: docs/cli.md, completions, manual pages.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]
#![expect(clippy::print_stdout, reason = "says what is passed over where a shell is not there")]
#![expect(clippy::disallowed_methods, reason = "runs the program, and reads what it wrote")]

mod markdown;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use clap::CommandFactory;
use sidecar_injector::cli::Cli;
use sidecar_test_support::golden;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sidecar-injector")).args(arguments).output().unwrap()
}

/// Whether `program` is there; says so where it is not.
fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        println!("{program} is not there, and its part of the test is passed over");
    }
    found
}

/// The command with all that clap adds to it, and every command below it, with its whole name.
fn commands() -> Vec<(String, clap::Command)> {
    fn below(command: &clap::Command, name: &str, all: &mut Vec<(String, clap::Command)>) {
        all.push((name.to_owned(), command.clone()));
        for next in command.get_subcommands() {
            below(next, &format!("{name} {}", next.get_name()), all);
        }
    }
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let mut all = Vec::new();
    below(&root, "sidecar-injector", &mut all);
    all
}

#[test]
fn the_page_on_the_command_line_is_what_the_program_says() {
    let page = markdown::page(&commands());
    // What is built by default; a feature adds flags of its own.
    let is_of_feature = |line: &&str| cfg!(feature = "otlp") && line.starts_with("| `--otlp-");
    let page: String = page.split_inclusive('\n').filter(|line| !is_of_feature(line)).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    if let Err(mismatch) = golden::check(&path, &page) {
        panic!(
            "docs/cli.md is not what the flags say; write it anew with\n  UPDATE_GOLDEN=1 cargo test -p sidecar-injector --test documentation\n{mismatch}"
        );
    }
}

#[test]
fn every_command_and_flag_is_explained() {
    for (name, command) in commands() {
        assert!(command.get_about().is_some(), "`{name}` does not say what it does");
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            assert!(argument.get_help().is_some(), "`{name}` does not say what {} is", argument.get_id());
        }
    }
}

#[test]
fn whoever_asks_for_help_gets_examples_that_the_program_takes() {
    for (name, command) in commands() {
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for line in after.lines().filter(|line| line.starts_with("  ") && !line.trim_start().starts_with('#')) {
            let calls = line.split(['|', '>', '&']).map(str::trim).filter(|part| part.starts_with("sidecar-injector "));
            for call in calls {
                let parsed = Cli::command().try_get_matches_from(call.split_whitespace());
                assert!(parsed.is_ok(), "`{name} --help` shows `{call}`: {}", parsed.unwrap_err());
            }
        }
    }
    for name in ["kube-inject", "uninject", "check", "config", "webhook", "serve", "completion", "man"] {
        let help = run(&[name, "--help"]);
        assert!(String::from_utf8_lossy(&help.stdout).contains("Examples:"), "{name}");
    }
}

#[test]
fn shells_take_their_completions() {
    for (shell, check, expected) in [
        ("bash", "-n", "complete -F _sidecar__injector"),
        ("zsh", "-n", "#compdef sidecar-injector"),
        ("fish", "--no-execute", "complete -c sidecar-injector"),
    ] {
        let script = run(&["completion", shell]);
        let text = String::from_utf8(script.stdout).unwrap();
        assert!(script.status.success() && text.contains(expected), "{shell}");
        for name in ["kube-inject", "valuesFile", "webhook"] {
            assert!(text.contains(name), "the script for {shell} does not know {name}");
        }
        if !is_there(shell) {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("script");
        fs::write(&path, &text).unwrap();
        let checked = Command::new(shell).arg(check).arg(&path).output().unwrap();
        assert!(checked.status.success(), "{shell}: {}", String::from_utf8_lossy(&checked.stderr));
    }
    assert_eq!(run(&["completion", "tcsh"]).status.code(), Some(2));
}

#[test]
fn bash_completes_commands_and_flags() {
    if !is_there("bash") {
        return;
    }
    let script = String::from_utf8(run(&["completion", "bash"]).stdout).unwrap();
    let completed = |words: &str| {
        let count = words.split(' ').count();
        let ask = format!(
            "{script}\nCOMP_WORDS=({words}{}); COMP_CWORD={}; _sidecar__injector sidecar-injector \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"; echo \"${{COMPREPLY[@]}}\"",
            if words.ends_with(' ') { "''" } else { "" },
            count - 1,
        );
        String::from_utf8(Command::new("bash").arg("-c").arg(ask).output().unwrap().stdout).unwrap()
    };
    assert_eq!(completed("sidecar-injector kube").trim(), "kube-inject");
    assert_eq!(completed("sidecar-injector kube-inject --values").trim(), "--valuesFile");
    assert_eq!(completed("sidecar-injector config render --st").trim(), "--stage");
    assert_eq!(completed("sidecar-injector config render --sample na").trim(), "native");
    // For bash, = is a word of its own.
    assert_eq!(completed("sidecar-injector kube-inject --nativeSidecars =").trim(), "true false auto");
    assert_eq!(completed("sidecar-injector kube-inject --nativeSidecars = t").trim(), "true");
}

#[test]
fn fish_completes_the_names_of_shells() {
    if !is_there("fish") {
        return;
    }
    let script = String::from_utf8(run(&["completion", "fish"]).stdout).unwrap();
    let ask = format!("{script}\ncomplete -C 'sidecar-injector completion '");
    let output = Command::new("fish").args(["--no-config", "-c", &ask]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "bash\nfish\nzsh");
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let written = run(&["man", pages.to_str().unwrap()]);
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let mut found: Vec<String> =
        fs::read_dir(&pages).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let mut expected: Vec<String> =
        commands().iter().map(|(name, _)| format!("{}.1", name.replace(' ', "-"))).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    for page in found {
        let path = pages.join(&page);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(".TH ") && text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"), "{page}");
        assert!(!text.contains("EXTRA") && !text.contains("[default: ]"), "{page}");
        let has_examples = text.contains("\n.SH EXAMPLES\n.nf\n# ") && text.contains("\n.SH \"EXIT STATUS\"\n0 ");
        assert!(has_examples || page != "sidecar-injector-check.1", "{text}");
        if is_there("groff") {
            let shown =
                Command::new("groff").args(["-K", "utf8", "-man", "-Tutf8", "-ww", "-z"]).arg(&path).output().unwrap();
            let warnings = String::from_utf8_lossy(&shown.stderr);
            assert!(shown.status.success() && warnings.is_empty(), "{page}: {warnings}");
        }
    }
}
