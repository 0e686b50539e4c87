//! A queue between those who log and the one thread that writes: a reader that stalls holds up nobody.
//!
//! What finds the queue full is dropped and counted; the log itself says how much, once it is read again.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait to be written: with access lines, some four megabytes.
const LINES: usize = 8192;

/// Between two reports of dropped lines.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// How long the end of a process may be held up by what is still to be written.
const FLUSH_DEADLINE: Duration = Duration::from_secs(1);

/// Between two tries to get into a full queue.
const PAUSE: Duration = Duration::from_millis(10);

/// The end that is logged to. Clones share the queue.
#[derive(Clone, Debug)]
pub(crate) struct LogQueue {
    entries: SyncSender<Entry>,
    dropped: Arc<AtomicU64>,
}

/// Dropped, it waits until what was logged has been written, but no longer than a second.
#[derive(Debug)]
#[must_use = "what is logged last is lost when nobody waits for it"]
pub struct Flush(pub(crate) Option<LogQueue>);

#[derive(Debug)]
enum Entry {
    Line(Vec<u8>),
    /// Everything before this has been written when it is answered.
    Flush(SyncSender<()>),
}

impl LogQueue {
    /// Starts the thread that writes to `sink`. `report` is called by it with a number of lines that were dropped, and
    /// logs that.
    pub(crate) fn start(sink: impl Write + Send + 'static, report: fn(u64)) -> io::Result<Self> {
        Self::with_room(LINES, sink, report)
    }

    fn with_room(lines: usize, sink: impl Write + Send + 'static, report: fn(u64)) -> io::Result<Self> {
        let (entries, queue) = sync_channel(lines);
        let dropped = Arc::new(AtomicU64::new(0));
        let writer = Writer { queue, sink, dropped: dropped.clone(), report, reported: None };
        thread::Builder::new().name("log".to_owned()).spawn(move || writer.run())?;
        Ok(Self { entries, dropped })
    }
}

impl Write for LogQueue {
    /// Takes one line, as the formatter writes it. Never waits, never fails.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.entries.try_send(Entry::Line(line.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogQueue {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        let Some(LogQueue { entries, .. }) = &self.0 else { return };
        let deadline = Instant::now() + FLUSH_DEADLINE;
        let (written, wait) = sync_channel(1);
        let mut entry = Entry::Flush(written);
        while let Err(TrySendError::Full(back)) = entries.try_send(entry) {
            if Instant::now() >= deadline {
                return;
            }
            thread::sleep(PAUSE);
            entry = back;
        }
        // Whether it was in time or not, there is nothing more to be done.
        let _ = wait.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

struct Writer<W> {
    queue: Receiver<Entry>,
    sink: W,
    dropped: Arc<AtomicU64>,
    report: fn(u64),
    reported: Option<Instant>,
}

impl<W: Write> Writer<W> {
    fn run(mut self) {
        loop {
            match self.queue.recv_timeout(self.until_report()) {
                Ok(Entry::Line(line)) => self.write(&line),
                Ok(Entry::Flush(written)) => self.finish(&written),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.until_report().is_zero() {
                self.report();
            }
        }
    }

    /// For ever, as long as nothing was dropped.
    fn until_report(&self) -> Duration {
        match (self.dropped.load(Ordering::Relaxed), self.reported) {
            (0, _) => Duration::MAX,
            (_, None) => Duration::ZERO,
            (_, Some(reported)) => REPORT_INTERVAL.saturating_sub(reported.elapsed()),
        }
    }

    fn report(&mut self) {
        self.reported = Some(Instant::now());
        match self.dropped.swap(0, Ordering::Relaxed) {
            0 => {}
            lines => (self.report)(lines),
        }
    }

    fn finish(&mut self, written: &SyncSender<()>) {
        self.report();
        while let Ok(entry) = self.queue.try_recv() {
            if let Entry::Line(line) = entry {
                self.write(&line);
            }
        }
        // Nobody waits any more when it took too long.
        let _ = written.send(());
    }

    fn write(&mut self, line: &[u8]) {
        if self.sink.write_all(line).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::mpsc::{Sender, channel};

    /// Writes a line for each permission, and keeps what it wrote.
    struct Slow {
        permissions: Receiver<()>,
        written: Arc<Mutex<String>>,
    }

    impl Write for Slow {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            // Without anybody left to give permission, everything may be written.
            let _ = self.permissions.recv();
            self.written.lock().unwrap().push_str(std::str::from_utf8(line).unwrap());
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow(lines: usize, report: fn(u64)) -> (LogQueue, Sender<()>, Arc<Mutex<String>>) {
        let (permit, permissions) = channel();
        let written = Arc::new(Mutex::new(String::new()));
        let queue = LogQueue::with_room(lines, Slow { permissions, written: written.clone() }, report).unwrap();
        (queue, permit, written)
    }

    #[test]
    fn what_was_logged_before_the_end_is_written_in_order() {
        let (mut queue, permit, written) = slow(10, |_| ());
        drop(permit);
        for line in ["one\n", "two\n", "three\n"] {
            queue.write_all(line.as_bytes()).unwrap();
        }
        drop(Flush(Some(queue)));
        assert_eq!(*written.lock().unwrap(), "one\ntwo\nthree\n");
    }

    #[test]
    fn a_reader_that_stalls_holds_up_nobody_and_the_end_only_for_so_long() {
        let (mut queue, _permit, written) = slow(10, |_| ());
        let begun = Instant::now();
        for _ in 0..1000 {
            queue.write_all(b"line\n").unwrap();
        }
        assert!(begun.elapsed() < FLUSH_DEADLINE, "{:?}", begun.elapsed());
        drop(Flush(Some(queue)));
        assert!(begun.elapsed() < 10 * FLUSH_DEADLINE, "{:?}", begun.elapsed());
        assert!(written.lock().unwrap().is_empty());
    }

    #[test]
    fn lines_that_were_dropped_are_reported_when_the_reader_is_back() {
        static REPORTED: AtomicU64 = AtomicU64::new(0);
        let (mut queue, permit, written) = slow(10, |lines| {
            REPORTED.fetch_add(lines, Ordering::Relaxed);
        });
        for _ in 0..1000 {
            queue.write_all(b"line\n").unwrap();
        }
        drop(permit);
        drop(Flush(Some(queue)));
        let written = written.lock().unwrap().lines().count() as u64;
        // Ten in the queue, and perhaps one in the writer's hand.
        assert!((10..=11).contains(&written), "{written}");
        assert_eq!(REPORTED.load(Ordering::Relaxed), 1000 - written);
    }
}
