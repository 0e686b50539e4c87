//! `completion` and `man`: what shells and `man` know of the command line, made of its own definition.

use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::Shell as Known;

use crate::cli::{Cli, Failure, write_out};

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
        if matches!(self.shell, Shell::Bash) {
            script = with_one_name(&String::from_utf8_lossy(&script)).into_bytes();
        }
        write_out(&script)
    }
}

/// clap_complete writes a program's name with a hyphen in two ways, so that in bash nothing completes after a command
/// (https://github.com/clap-rs/clap/issues/6421). Where it does no longer, this changes nothing.
fn with_one_name(script: &str) -> String {
    script.replace("sidecar__subcmd__injector__subcmd__", "sidecar__injector__subcmd__")
}

impl Man {
    /// Writes a page for the program and for each of its commands, as `sidecar-injector-webhook-apply.1`.
    ///
    /// # Errors
    /// When the directory cannot be made, or a page cannot be written.
    pub fn run(&self) -> Result<(), Failure> {
        let made = fs::create_dir_all(&self.directory);
        made.and_then(|()| clap_mangen::generate_to(Cli::command(), &self.directory))
            .map_err(|error| Failure { messages: vec![format!("{}: {error}", self.directory.display())] })
    }
}
