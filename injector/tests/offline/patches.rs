//! What `--diff` prints is a patch, for `patch` and for git.

use std::fs;
use std::process::{Command, Output};

use sidecar_test_support::command::{is_there, skip};

use crate::{Folder, OUT, POD, SERVICE};

/// Applies `difference` in the folder.
#[track_caller]
fn apply(folder: &Folder, program: &str, difference: &str) {
    fs::write(folder.path().join("change.patch"), difference).unwrap();
    let arguments: &[&str] = match program {
        "git" => &["apply", "change.patch"],
        _ => &["-p1", "--fuzz=0", "--no-backup-if-mismatch", "-i", "change.patch"],
    };
    let ran = Command::new(program).args(arguments).current_dir(folder.path()).output().unwrap();
    let Output { status, stdout, stderr } = &ran;
    let said = format!("{}{}", String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr));
    assert!(status.success() && !said.contains("offset") && !said.contains("fuzz"), "{program}: {said}\n{difference}");
}

/// Whether the patches of injecting these files, and of taking that back, do what the program itself does.
#[track_caller]
fn patches_do_the_same(files: &[(&str, &str)]) {
    let names: Vec<&str> = files.iter().flat_map(|(name, _)| ["-f", name]).collect();
    for program in ["patch", "git"] {
        if !is_there(program) {
            skip(&format!("there is no command {program} here"));
            continue;
        }
        let (patched, replaced) = (Folder::of(files), Folder::of(files));
        for command in ["kube-inject", "uninject"] {
            let run = |folder: &Folder, flag| -> crate::Ran {
                let arguments: Vec<&str> = names.iter().copied().chain([flag]).collect();
                folder.command(command, &arguments).output().unwrap().into()
            };
            let difference = run(&patched, "--diff");
            apply(&patched, program, &difference.exits(0, &[]).stdout);
            run(&replaced, "--in-place").exits(0, &[]);
            for (name, _) in files {
                assert_eq!(patched.text(name), replaced.text(name), "{command} {name}, {program}");
            }
        }
        files.iter().for_each(|(name, text)| assert_eq!(&patched.text(name), text, "{program}"));
    }
}

#[test]
fn in_streams_every_change_is_at_its_place() {
    let alike = format!("{POD}---\n").repeat(5);
    let mixed = format!("{SERVICE}---\n{POD}---\n{OUT}---\n# c\n{POD}...\n{SERVICE}");
    let crowded = format!("# head\n{SERVICE}---\n{POD}---\n{POD}---\n{SERVICE}---\n{}", POD.trim_end());
    patches_do_the_same(&[("d/alike.yaml", &alike), ("d/mixed.yaml", &mixed), ("./crowded.yaml", &crowded)]);
}

#[test]
fn line_ends_of_all_kinds_are_kept() {
    let windows = format!("\u{feff}{SERVICE}---\n{POD}---\n{OUT}---\n{POD}").replace('\n', "\r\n");
    patches_do_the_same(&[("windows.yaml", &windows), ("none.yaml", POD.trim_end())]);
}

#[test]
fn files_of_any_name_are_found() {
    patches_do_the_same(&[("a b/c d.yaml", POD), ("e/../e/./f.yaml", POD), ("g\"\n\u{e9}.yaml", POD)]);
}

#[test]
fn a_document_that_is_left_out_stays_in_the_file() {
    let folder = Folder::of(&[("a.yaml", &format!("{POD}---\na: [\n---\n{POD}---\n{SERVICE}"))]);
    let difference = folder.kube_inject(&["-f", "a.yaml", "--diff", "--keep-going"]);
    apply(&folder, "git", &difference.exits(1, &["a.yaml:9: document 2: not YAML"]).stdout);
    let text = folder.text("a.yaml");
    assert!(text.contains("---\na: [\n---\n") && text.matches("name: istio-proxy").count() == 2, "{text}");
}

#[test]
fn no_patch_is_made_that_would_not_fit() {
    let folder = Folder::of(&[("a.yaml", POD), ("b.yaml", POD)]);
    fs::write(folder.path().join("b.yaml"), [POD.as_bytes(), b"---\na: \xff\n---\n", POD.as_bytes()].concat()).unwrap();
    let difference = folder.kube_inject(&["-f", ".", "--diff", "--keep-going"]);
    let patch = &difference.exits(1, &["b.yaml:9: document 2: not UTF-8"]).stdout;
    assert!(patch.contains("+++ b/a.yaml") && !patch.contains("b.yaml"), "{patch}");
}

#[test]
fn a_terminal_is_not_steered_by_what_it_shows() {
    let folder = Folder::of(&[("a.yaml", &POD.replace('\n', "\r\n"))]);
    let shown = folder.kube_inject(&["-f", "a.yaml", "--diff", "--color=always"]).exits(0, &[]).stdout.clone();
    assert!(shown.contains("\u{1b}[32m+") && !shown.contains('\r') && !shown.contains("app?"), "{shown}");
    assert!(!folder.kube_inject(&["-f", "a.yaml", "--diff"]).stdout.contains('\u{1b}'));
}
