//! docs/cli.md, from clap's definitions.

use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command};

const HEAD: &str = "\
# The command line

Made from the program's own definitions, which `--help` prints too; do not edit it. After a change of flags:

```sh
UPDATE_GOLDEN=1 cargo test -p sidecar-injector --test documentation
```

A flag wins over its environment variable, and that over the default. Files go in by flags named as istioctl names them,
so some are in camelCase. `-` as a file is standard input.

";

/// The whole page.
pub(crate) fn page(commands: &[(String, Command)]) -> String {
    let mut page = HEAD.to_owned();
    for (name, command) in commands {
        let _ = writeln!(page, "- [`{name}`](#{}): {}", anchor(name), first_sentence(command));
    }
    for (name, command) in commands {
        section(&mut page, name, command);
    }
    page
}

fn section(page: &mut String, name: &str, command: &Command) {
    let _ = writeln!(page, "\n## {name}\n\n{}\n", text(command.get_long_about().or(command.get_about())));
    let usage = command.clone().render_usage().to_string();
    let _ = writeln!(page, "```\n{}\n```", usage.trim_start_matches("Usage:").trim());
    let shown: Vec<&Arg> = command.get_arguments().filter(|argument| !argument.is_hide_set()).collect();
    // What every command has is told once.
    let is_own = |argument: &&&Arg| {
        let is_everywhere = argument.is_global_set() || matches!(argument.get_id().as_str(), "help" | "version");
        !is_everywhere || !name.contains(' ')
    };
    let own: Vec<&&Arg> = shown.iter().filter(is_own).collect();
    if !own.is_empty() {
        page.push_str("\n| flag | meaning | default | environment |\n|---|---|---|---|\n");
    }
    for argument in own {
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} |",
            flag(argument),
            meaning(argument),
            default(argument),
            argument.get_env().map(|name| format!("`{}`", name.to_string_lossy())).unwrap_or_default(),
        );
    }
    if let Some(after) = command.get_after_help() {
        after_help(page, &after.to_string());
    }
}

/// Examples as a block of code, exit codes as a sentence.
fn after_help(page: &mut String, after: &str) {
    for part in after.split("\n\n") {
        match part.strip_prefix("Examples:\n") {
            Some(examples) => {
                let lines: Vec<&str> = examples.lines().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
                let _ = writeln!(page, "\n```sh\n{}\n```", lines.join("\n"));
            }
            None => {
                let _ = writeln!(page, "\n{}", part.trim());
            }
        }
    }
}

fn flag(argument: &Arg) -> String {
    let names =
        [argument.get_short().map(|short| format!("-{short}")), argument.get_long().map(|long| format!("--{long}"))];
    let names: Vec<String> = names.into_iter().flatten().collect();
    let value = match argument.get_action() {
        ArgAction::Set | ArgAction::Append => {
            argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string)
        }
        _ => None,
    };
    let joint = if argument.is_require_equals_set() { "=" } else { " " };
    let written = match (names.is_empty(), value) {
        (true, value) => value.unwrap_or_default(),
        (false, Some(value)) => format!("{}{joint}{value}", names.join(", ")),
        (false, None) => names.join(", "),
    };
    format!("`{written}`")
}

fn meaning(argument: &Arg) -> String {
    let mut meaning = text(argument.get_long_help().or(argument.get_help()));
    let values = argument.get_possible_values();
    let values: Vec<_> = values.iter().filter(|value| !value.is_hide_set()).collect();
    let is_switch = matches!(argument.get_action(), ArgAction::SetTrue | ArgAction::SetFalse);
    if !values.is_empty() && !is_switch {
        let value = |value: &&clap::builder::PossibleValue| match value.get_help() {
            Some(help) => format!("`{}`: {help}", value.get_name()),
            None => format!("`{}`", value.get_name()),
        };
        let _ = write!(meaning, " One of {}.", values.iter().map(value).collect::<Vec<_>>().join("; "));
    }
    if argument.is_required_set() {
        meaning.push_str(" Required.");
    }
    if matches!(argument.get_action(), ArgAction::Append) {
        meaning.push_str(" May be given several times.");
    }
    meaning.replace('|', "\\|").replace(['\n', '\r'], " ")
}

fn default(argument: &Arg) -> String {
    if matches!(argument.get_action(), ArgAction::SetTrue | ArgAction::SetFalse) || argument.is_hide_default_value_set()
    {
        return String::new();
    }
    let values: Vec<String> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    if values.iter().all(String::is_empty) { String::new() } else { format!("`{}`", values.join(" ")) }
}

/// Clap takes the full stop of a single sentence away.
fn text(styled: Option<&StyledStr>) -> String {
    let text = styled.map(ToString::to_string).unwrap_or_default();
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', '!', '?', ':']) { text.to_owned() } else { format!("{text}.") }
}

fn first_sentence(command: &Command) -> String {
    text(command.get_about())
}

/// As GitHub makes it of a heading.
fn anchor(name: &str) -> String {
    name.replace(' ', "-")
}
