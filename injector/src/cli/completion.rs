//! `completion` and `man`: what shells and `man` know of the command line, made of its own definition.

use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::Resettable;
use clap::{Args, Command, CommandFactory, ValueEnum};
use clap_complete::Shell as Known;

use crate::cli::{Cli, Failure, write_out};
use crate::files::replace::{Access, replace};

const NAME: &str = "sidecar-injector";

/// Flags of `completion`.
#[derive(Debug, Args)]
#[command(after_help = crate::cli::examples::COMPLETION)]
pub struct Completion {
    /// The shell.
    pub shell: Shell,
}

/// A shell that completes what is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Shell {
    /// With the package bash-completion, or without.
    Bash,
    /// As `compinit` loads it.
    Zsh,
    /// As fish loads it.
    Fish,
}

/// Flags of `man`.
#[derive(Debug, Args)]
#[command(after_help = crate::cli::examples::MAN)]
pub struct Man {
    /// Directory to write the pages to, one a command; it is made if it is not there.
    #[arg(value_name = "DIRECTORY")]
    pub directory: PathBuf,
}

impl Completion {
    /// Prints the shell's script.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn run(&self) -> Result<(), Failure> {
        let shell = match self.shell {
            Shell::Bash => Known::Bash,
            Shell::Zsh => Known::Zsh,
            Shell::Fish => Known::Fish,
        };
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
        let script = String::from_utf8_lossy(&script);
        let script = match self.shell {
            Shell::Bash => with_values_behind_equals(&with_one_name(&script)),
            Shell::Zsh => script.into_owned(),
            Shell::Fish => script.into_owned() + &shells_for_fish(),
        };
        write_out(script.as_bytes())
    }
}

/// clap_complete writes a program's name with a hyphen in two ways, so that in bash nothing completes after a command
/// (https://github.com/clap-rs/clap/issues/6421). Where it does no longer, this changes nothing.
fn with_one_name(script: &str) -> String {
    script.replace("sidecar__subcmd__injector__subcmd__", "sidecar__injector__subcmd__")
}

/// For bash, `=` is a word of its own, and what is before it is the flag.
fn with_values_behind_equals(script: &str) -> String {
    const PREVIOUS: &str = "    prev=\"$3\"\n";
    const BEHIND_EQUALS: &str = r#"    if [[ "${COMP_WORDS[COMP_CWORD]}" == "=" ]]; then
        cur=""
        prev="${COMP_WORDS[COMP_CWORD-1]}"
    elif [[ "${COMP_CWORD}" -gt 1 && "${COMP_WORDS[COMP_CWORD-1]}" == "=" ]]; then
        prev="${COMP_WORDS[COMP_CWORD-2]}"
    fi
"#;
    script.replacen(PREVIOUS, &format!("{PREVIOUS}{BEHIND_EQUALS}"), 1)
}

/// clap_complete offers fish no values of arguments without a flag.
fn shells_for_fish() -> String {
    let names = Shell::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let names: Vec<String> = names.map(|value| value.get_name().to_owned()).collect();
    let condition = "__fish_sidecar_injector_using_subcommand completion";
    format!("complete -c {NAME} -n \"{condition}\" -f -a \"{}\"\n", names.join(" "))
}

impl Man {
    /// Writes a page for the program and for each of its commands, as `sidecar-injector-webhook-apply.1`.
    ///
    /// # Errors
    /// When the directory cannot be made, or a page cannot be written.
    pub fn run(&self) -> Result<(), Failure> {
        let mut program = Cli::command().disable_help_subcommand(true);
        program.build();
        fs::create_dir_all(&self.directory)
            .map_err(|error| Failure { messages: vec![format!("{}: {error}", self.directory.display())] })?;
        write_pages(&program, &self.directory)
    }
}

fn write_pages(command: &Command, directory: &Path) -> Result<(), Failure> {
    for next in command.get_subcommands().filter(|next| !next.is_hide_set()) {
        write_pages(next, directory)?;
    }
    // What is shown at the end of `--help` has sections of its own here.
    let end = command.get_after_help().map(|help| sections(&help.to_string())).unwrap_or_default();
    let page = clap_mangen::Man::new(command.clone().after_help(Resettable::Reset));
    let mut text = Vec::new();
    page.render(&mut text).map_err(|error| Failure::of(&error))?;
    let text = String::from_utf8_lossy(&text) + &*end;
    let path = directory.join(page.get_filename());
    replace(&path, &mut text.as_bytes(), Access::Shared).map(drop).map_err(|error| Failure::of(&error))
}

/// The end of a help as sections of a manual page: examples as they are typed, exit codes as a paragraph.
fn sections(after_help: &str) -> String {
    let mut text = String::new();
    for part in after_help.split("\n\n") {
        if let Some(examples) = part.strip_prefix("Examples:\n") {
            let lines = examples.lines().map(|line| roff(line.strip_prefix("  ").unwrap_or(line)));
            text.push_str(&format!(".SH EXAMPLES\n.nf\n{}.fi\n", lines.collect::<String>()));
        } else if let Some(codes) = part.strip_prefix("Exit codes: ") {
            text.push_str(&format!(".SH \"EXIT STATUS\"\n{}", roff(codes)));
        } else {
            text.push_str(&format!(".PP\n{}", part.lines().map(roff).collect::<String>()));
        }
    }
    text
}

/// A line of text, in which nothing is a request of the formatter.
fn roff(line: &str) -> String {
    let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
    format!("{guard}{}\n", line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq"))
}
