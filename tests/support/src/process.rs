//! A running process as a guard: its output is collected line by line, and it is gone when the guard is.

use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::eventually::eventually;

/// How long the output of an ended process may take to arrive. A grandchild can hold a pipe open for ever.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

/// A process that was not started, did not end, or ended badly.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system could not start it.
    #[error("cannot start `{what}`; is the package installed that brings it?")]
    NotStarted {
        /// The command line.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// It ended with another code than 0.
    #[error("`{what}` ended with {status}: {output}")]
    Failed {
        /// The command line.
        what: String,
        /// How it ended.
        status: ExitStatus,
        /// Its standard error, else its standard output.
        output: String,
    },
    /// It was given up on.
    #[error("`{what}` still runs after {patience:?}: {output}")]
    StillRunning {
        /// The command line.
        what: String,
        /// How long was waited.
        patience: Duration,
        /// Its standard error so far.
        output: String,
    },
    /// The system could not tell about it or signal it.
    #[error("cannot signal or wait for `{what}`")]
    Lost {
        /// The command line.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

/// What a process that ended wrote.
#[derive(Clone, Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output, with `\n` after each line.
    pub stdout: String,
    /// Standard error, with `\n` after each line.
    pub stderr: String,
}

/// A running process. Dropped, it is killed by its id and waited for.
#[derive(Debug)]
pub struct Process {
    child: Child,
    what: String,
    stdout: Collector,
    stderr: Collector,
}

impl Process {
    /// Starts `command` in a process group of its own, so that a Ctrl-C in the terminal reaches it only through us.
    ///
    /// # Errors
    /// [`Error::NotStarted`].
    pub fn start(command: Command) -> Result<Self, Error> {
        Self::start_with(command, Stdio::null())
    }

    /// Like [`start`](Self::start), but its standard input is open until the guard is dropped or this process has
    /// ended, however that came. A program that waits for that outlives nobody, whichever thread has started it.
    ///
    /// # Errors
    /// [`Error::NotStarted`].
    pub fn start_held(command: Command) -> Result<Self, Error> {
        Self::start_with(command, Stdio::piped())
    }

    fn start_with(mut command: Command, stdin: Stdio) -> Result<Self, Error> {
        let what = describe(&command);
        command.process_group(0).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        match command.spawn() {
            Ok(mut child) => Ok(Self {
                stdout: Collector::start(child.stdout.take()),
                stderr: Collector::start(child.stderr.take()),
                child,
                what,
            }),
            Err(source) => Err(Error::NotStarted { what, source }),
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The lines it has written to standard output so far.
    pub fn stdout(&self) -> Vec<String> {
        self.stdout.lines().clone()
    }

    /// The lines it has written to standard error so far.
    pub fn stderr(&self) -> Vec<String> {
        self.stderr.lines().clone()
    }

    /// How it ended, `None` while it runs.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub fn ended(&mut self) -> Result<Option<ExitStatus>, Error> {
        self.child.try_wait().map_err(|source| Error::Lost { what: self.what.clone(), source })
    }

    /// Asks it to end, as the kubelet does: SIGTERM.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub fn terminate(&mut self) -> Result<(), Error> {
        self.signal(Signal::SIGTERM)
    }

    /// Asks it to end, as Ctrl-C does: SIGINT.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub fn interrupt(&mut self) -> Result<(), Error> {
        self.signal(Signal::SIGINT)
    }

    /// Waits for its end and the rest of its output.
    ///
    /// # Errors
    /// [`Error::StillRunning`] when `patience` has passed; the process runs on.
    pub fn wait(&mut self, patience: Duration) -> Result<Output, Error> {
        let outcome = eventually(patience, || match self.ended() {
            Ok(Some(status)) => Ok(Ok(status)),
            Ok(None) => Err("it runs"),
            Err(lost) => Ok(Err(lost)),
        });
        let Ok(status) = outcome else {
            return Err(Error::StillRunning { what: self.what.clone(), patience, output: text(&self.stderr()) });
        };
        let status = status?;
        self.stdout.finish();
        self.stderr.finish();
        Ok(Output { status, stdout: text(&self.stdout()), stderr: text(&self.stderr()) })
    }

    /// Waits for its end and requires exit code 0.
    ///
    /// # Errors
    /// [`Error::StillRunning`], or [`Error::Failed`] with what it wrote.
    pub fn succeed(&mut self, patience: Duration) -> Result<Output, Error> {
        let output = self.wait(patience)?;
        if output.status.success() {
            return Ok(output);
        }
        let said = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
        Err(Error::Failed { what: self.what.clone(), status: output.status, output: said.trim_end().to_owned() })
    }

    fn signal(&mut self, signal: Signal) -> Result<(), Error> {
        // An ended process has been waited for, and its id may by now be another's.
        if self.ended()?.is_some() {
            return Ok(());
        }
        kill(Pid::from_raw(self.pid().cast_signed()), signal)
            .map_err(|errno| Error::Lost { what: self.what.clone(), source: errno.into() })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only for a process that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads one output of a process to its end, in a thread, so that the process never waits for us.
#[derive(Debug)]
struct Collector {
    lines: Arc<Mutex<Vec<String>>>,
    reader: JoinHandle<()>,
}

impl Collector {
    fn start(source: Option<impl Read + Send + 'static>) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let reader = thread::spawn(move || {
            let Some(source) = source else { return };
            for line in BufReader::new(source).split(b'\n').map_while(Result::ok) {
                lock(&sink).push(String::from_utf8_lossy(&line).into_owned());
            }
        });
        Self { lines, reader }
    }

    fn lines(&self) -> MutexGuard<'_, Vec<String>> {
        lock(&self.lines)
    }

    fn finish(&self) {
        // Late output is no reason to fail: the caller asserts on what arrived.
        let _ = eventually(LAST_OUTPUT, || if self.reader.is_finished() { Ok(()) } else { Err("still reading") });
    }
}

fn lock(lines: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    // A list of lines is valid after every push, so a panic elsewhere cannot have left it half-changed.
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

fn text(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn shell(script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::start(command).unwrap()
    }

    #[test]
    fn both_outputs_are_collected_to_the_end() {
        let output = shell("echo one; echo two >&2; printf three").wait(PATIENCE).unwrap();
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("one\nthree\n", "two\n"));
    }

    #[test]
    fn a_bad_end_is_an_error_with_what_was_said() {
        let error = shell("echo no such rule >&2; exit 3").succeed(PATIENCE).unwrap_err().to_string();
        assert!(error.contains("no such rule") && error.contains('3'), "{error}");
    }

    #[test]
    fn patience_ends_without_ending_the_process() {
        let mut process = shell("echo waiting >&2; exec sleep 60");
        let error = process.wait(Duration::from_millis(300)).unwrap_err().to_string();
        assert!(error.contains("still runs") && error.contains("waiting"), "{error}");
        assert!(process.ended().unwrap().is_none());
    }

    #[test]
    fn signals_reach_it() {
        let mut process = shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done");
        eventually(PATIENCE, || if process.stdout().is_empty() { Err("silent") } else { Ok(()) }).unwrap();
        process.terminate().unwrap();
        assert_eq!(process.wait(PATIENCE).unwrap().status.code(), Some(7));
        process.terminate().unwrap();
    }

    #[test]
    fn a_dropped_process_is_gone() {
        let process = shell("exec sleep 60");
        let entry = format!("/proc/{}", process.pid());
        assert!(Path::new(&entry).exists());
        drop(process);
        assert!(!Path::new(&entry).exists());
    }

    #[test]
    fn standard_input_is_empty_or_held_open() {
        let mut command = Command::new("cat");
        assert!(Process::start(command).unwrap().wait(PATIENCE).is_ok());
        command = Command::new("cat");
        let mut held = Process::start_held(command).unwrap();
        assert!(held.wait(Duration::from_millis(100)).is_err());
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let error = Process::start(Command::new("/no/such/program")).unwrap_err().to_string();
        assert!(error.contains("/no/such/program"), "{error}");
    }
}
