//! Runs commands one after another in a new network namespace, and says what that took.

use std::error::Error;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use sidecar_test_support::namespace::Namespace;

/// The first argument with which this program runs other programs for itself: what children have used is known for all
/// children of a process together.
pub(crate) const MODE: &str = "--run-and-report";

/// What a list of commands took.
pub(crate) struct Measured {
    /// Milliseconds until the last has ended.
    pub(crate) median: f64,
    /// The same, in the best round.
    pub(crate) least: f64,
    /// Milliseconds of user and system, in the median.
    pub(crate) cpu: f64,
    /// Megabytes, of the largest process in any round. Not less than what the process that starts it has, about 2.
    pub(crate) memory: f64,
}

/// Takes the commands of a namespace, and runs and measures them, over and over again in new ones.
pub(crate) fn measure(
    rounds: usize,
    commands: impl Fn(&Namespace) -> Result<Vec<Vec<String>>, Box<dyn Error>>,
) -> Result<Measured, Box<dyn Error>> {
    let (mut walls, mut cpus, mut memory) = (Vec::new(), Vec::new(), 0.0_f64);
    for _ in 0..rounds {
        let namespace = Namespace::create("bench")?;
        let commands = commands(&namespace)?;
        let (wall, cpu, peak) = run(&namespace, &commands)?;
        walls.push(wall);
        cpus.push(cpu);
        memory = memory.max(peak);
    }
    walls.sort_by(f64::total_cmp);
    cpus.sort_by(f64::total_cmp);
    Ok(Measured { median: walls[walls.len() / 2], least: walls[0], cpu: cpus[cpus.len() / 2], memory })
}

/// Milliseconds, milliseconds of CPU, and megabytes.
pub(crate) fn run(namespace: &Namespace, commands: &[Vec<String>]) -> Result<(f64, f64, f64), Box<dyn Error>> {
    let mut reporter = Command::new(std::env::current_exe()?);
    reporter.arg(MODE);
    for words in commands {
        reporter.args(words).arg(";");
    }
    let output = namespace.enter(|| reporter.output())??;
    let report = String::from_utf8(output.stdout)?;
    let numbers: Vec<f64> = report.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match numbers[..] {
        [wall, cpu, memory] if output.status.success() => Ok((wall, cpu, memory)),
        _ => Err(format!("{commands:?}: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// The other side of [`run`]. A word that begins with `<` names the file that is a command's input.
pub(crate) fn run_and_report(words: &[String]) -> Result<(), Box<dyn Error>> {
    let begin = Instant::now();
    for command in words.split(|word| word == ";").filter(|command| !command.is_empty()) {
        let (input, command): (Vec<&String>, Vec<&String>) = command.iter().partition(|word| word.starts_with('<'));
        let stdin = match input.first() {
            Some(path) => Stdio::from(std::fs::File::open(&path[1..])?),
            None => Stdio::null(),
        };
        let quiet = Command::new(command[0]).args(&command[1..]).stdin(stdin).stderr(Stdio::null()).status()?;
        if !quiet.success() {
            return Err(format!("{command:?}: {quiet}").into());
        }
    }
    let wall = begin.elapsed().as_secs_f64() * 1e3;
    let used = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = (used.user_time() + used.system_time()).num_microseconds() as f64 / 1e3;
    println!("{wall} {cpu} {}", used.max_rss() as f64 / 1e3);
    Ok(())
}
