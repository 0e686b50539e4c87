//! What redirecting a pod takes, next to other ways to write the same rules: whole processes, each in a network namespace
//! of its own, in one run on one machine.
//!
//! `cargo bench -p sidecar-init --bench redirection` as root. `SIDECAR_INIT` names another build of the program, such as
//! the static one of the image; `-- --rounds 50` asks for more than 20 rounds.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]
#![expect(clippy::disallowed_methods, reason = "which program is measured comes from the environment")]

mod measure;
mod ways;

use std::error::Error;

use measure::{MODE, Measured, measure};
use sidecar_test_support::namespace::Namespace;
use sidecar_test_support::privilege::require_root;
use ways::{Configuration, Way};

const DEFAULT_ROUNDS: usize = 20;
/// One process a rule takes a second for 500 ranges, and it is clear by then.
const SLOW_ROUNDS: usize = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, rest @ ..] = arguments.as_slice()
        && mode == MODE
    {
        return measure::run_and_report(rest);
    }
    if !require_root("network namespaces") {
        return Ok(());
    }
    let rounds = arguments.iter().skip_while(|word| *word != "--rounds").nth(1).map(|word| word.parse());
    let rounds = rounds.transpose()?.unwrap_or(DEFAULT_ROUNDS);
    let program = std::env::var("SIDECAR_INIT").unwrap_or_else(|_| env!("CARGO_BIN_EXE_sidecar-init").to_owned());
    let size = std::fs::metadata(&program)?.len();
    println!("{program}: {:.2} MB; {rounds} rounds, IPv4 and IPv6; milliseconds\n", size as f64 / 1e6);

    let folder = tempfile::tempdir()?;
    println!("| what | median | least | CPU | memory |\n|---|---|---|---|---|");
    let floor = measure(rounds, |_| Ok(vec![vec!["/bin/true".to_owned()]]))?;
    print_row("no rules: /bin/true", &floor);
    for configuration in [Configuration::Default, Configuration::Ranges(500)] {
        for way in ways::all(&program, folder.path()) {
            let rounds = if way.is_slow(configuration) { SLOW_ROUNDS } else { rounds };
            let fresh = measure(rounds, |namespace| way.commands(configuration, namespace))?;
            print_row(&format!("{way}, {configuration}, fresh"), &fresh);
            if way.is_ours() {
                let again = measure(rounds, |namespace| apply_first(&way, configuration, namespace))?;
                print_row(&format!("{way}, {configuration}, again"), &again);
            }
        }
    }
    Ok(())
}

/// The commands, after they have been run once.
fn apply_first(
    way: &Way,
    configuration: Configuration,
    namespace: &Namespace,
) -> Result<Vec<Vec<String>>, Box<dyn Error>> {
    let commands = way.commands(configuration, namespace)?;
    measure::run(namespace, &commands)?;
    Ok(commands)
}

fn print_row(what: &str, measured: &Measured) {
    let Measured { median, least, cpu, memory } = measured;
    println!("| {what} | {median:.2} | {least:.2} | {cpu:.2} | {memory:.1} MB |");
}
