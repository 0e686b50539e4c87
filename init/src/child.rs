//! Runs a program with limits on its time and on its output, so that a stuck tool cannot hold a pod up for ever.

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// What a program may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until it has ended; then it is killed.
    pub time: Duration,
    /// Bytes on standard output, and as many again on standard error.
    pub output: u64,
}

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its standard output; what is not UTF-8 is replaced.
    pub output: String,
    /// Its standard error, likewise.
    pub complaint: String,
}

/// A program that did not end by itself, or did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no program of that name.
    #[error("it is not on the PATH")]
    Missing,
    /// It could not be started or waited for.
    #[error("it could not be run")]
    Run(#[source] io::Error),
    /// It took too long.
    #[error("it did not end within {0:?} and was killed")]
    Time(Duration),
    /// It said too much.
    #[error("it printed more than {0} bytes")]
    Output(u64),
}

/// Starts `command`, gives it `input` and waits for its end.
///
/// # Errors
/// When it does not start, or breaks a limit. An exit status other than 0 is not an error here.
pub fn run(command: &mut Command, input: String, limits: Limits) -> Result<Ended, Error> {
    let deadline = Instant::now() + limits.time;
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::Missing,
        _ => Error::Run(error),
    })?;
    let ended = attend(&mut child, input, limits, deadline);
    if ended.is_err() {
        // It may have ended meanwhile, which is as good.
        let _ = child.kill();
        let _ = child.wait();
    }
    ended
}

fn attend(child: &mut Child, input: String, limits: Limits, deadline: Instant) -> Result<Ended, Error> {
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends without reading all of its input says why by its status.
        thread::spawn(move || stdin.write_all(input.as_bytes()));
    }
    let output = child.stdout.take().map(|stream| collect(stream, limits.output));
    let complaint = child.stderr.take().map(|stream| collect(stream, limits.output));
    let output = received(output, limits, deadline)?;
    let complaint = received(complaint, limits, deadline)?;
    let status = wait(child, limits, deadline)?;
    Ok(Ended { status, output, complaint })
}

/// Reads on a thread of its own, which is left behind at the deadline: a grandchild, as the one that loads a kernel
/// module, may hold the pipe open after the child was killed.
fn collect(stream: impl Read + Send + 'static, limit: u64) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let result = stream.take(limit + 1).read_to_end(&mut bytes).map(|_| bytes);
        // Nobody listens any more after the deadline.
        let _ = sender.send(result);
    });
    receiver
}

fn received(
    receiver: Option<Receiver<io::Result<Vec<u8>>>>,
    limits: Limits,
    deadline: Instant,
) -> Result<String, Error> {
    let Some(receiver) = receiver else { return Ok(String::new()) };
    let left = deadline.saturating_duration_since(Instant::now());
    let bytes = receiver.recv_timeout(left).map_err(|_| Error::Time(limits.time))?.map_err(Error::Run)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > limits.output) {
        return Err(Error::Output(limits.output));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Asks again and again, since the standard library cannot wait with a limit. As a rule the first answer is the last:
/// the child has closed its output.
fn wait(child: &mut Child, limits: Limits, deadline: Instant) -> Result<ExitStatus, Error> {
    loop {
        if let Some(status) = child.try_wait().map_err(Error::Run)? {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            return Err(Error::Time(limits.time));
        }
        thread::sleep(Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { time: Duration::from_secs(20), output: 1 << 20 };

    fn shell(script: &str, input: &str, limits: Limits) -> Result<Ended, Error> {
        run(Command::new("/bin/sh").args(["-c", script]), input.to_owned(), limits)
    }

    #[test]
    fn input_output_and_status_arrive() {
        let ended = shell("cat; echo no >&2; exit 3", "yes", LIMITS).unwrap();
        assert_eq!((ended.status.code(), &*ended.output, &*ended.complaint), (Some(3), "yes", "no\n"));
    }

    #[test]
    fn a_program_that_does_not_read_its_input_still_ends() {
        let ended = shell("exit 2", &"x".repeat(1 << 20), LIMITS).unwrap();
        assert_eq!(ended.status.code(), Some(2));
    }

    #[test]
    fn a_program_that_hangs_is_killed() {
        let limits = Limits { time: Duration::from_millis(100), ..LIMITS };
        let begin = Instant::now();
        assert!(matches!(shell("exec sleep 60", "", limits), Err(Error::Time(_))));
        // The same with the output held open by a grandchild, and with it closed.
        assert!(matches!(shell("sleep 5; true", "", limits), Err(Error::Time(_))));
        assert!(matches!(shell("exec >&- 2>&-; exec sleep 60", "", limits), Err(Error::Time(_))));
        assert!(begin.elapsed() < Duration::from_secs(4));
    }

    #[test]
    fn a_program_that_says_too_much_is_cut_off() {
        let limits = Limits { output: 1000, ..LIMITS };
        assert!(matches!(shell("yes", "", limits), Err(Error::Output(1000))));
    }

    #[test]
    fn a_program_that_is_not_there_is_said_to_be_missing() {
        let error = run(&mut Command::new("sidecar-no-such-program"), String::new(), LIMITS).unwrap_err();
        assert!(matches!(error, Error::Missing));
    }
}
