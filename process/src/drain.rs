//! Ending in stages: say so while work is still taken, stop taking work, wait for what is under way until a deadline, then
//! cut it off.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long work that was told to let go may take to do so.
const LETTING_GO: Duration = Duration::from_secs(1);

/// Starts a drain and waits for its end. The other half is [`DrainWatch`].
#[derive(Debug)]
pub struct Drain {
    watch: DrainWatch,
}

/// Held by everything that takes work: tells when to stop, and when to let go. Clones share the state.
#[derive(Clone, Debug)]
pub struct DrainWatch {
    announced: CancellationToken,
    stopping: CancellationToken,
    forced: CancellationToken,
    tasks: TaskTracker,
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// All work was done before the deadline.
    Finished,
    /// At the deadline this many tasks were still at work, and were told to let go. Those that did not within a second
    /// are left to themselves, and the log says how many.
    Forced(usize),
}

impl Drain {
    /// A drain that has not begun.
    pub fn new() -> (Self, DrainWatch) {
        let watch = DrainWatch {
            announced: CancellationToken::new(),
            stopping: CancellationToken::new(),
            forced: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        (Self { watch: watch.clone() }, watch)
    }

    /// Tells everybody that the end is near. Work is still taken; who brings it is to go elsewhere with the next.
    pub fn announce(&self) {
        self.watch.announced.cancel();
    }

    /// Tells everybody to stop taking work, waits for tracked work until `deadline` has passed, then forces the rest.
    pub async fn run(self, deadline: Duration) -> Drained {
        let DrainWatch { announced, stopping, forced, tasks } = self.watch;
        announced.cancel();
        stopping.cancel();
        tasks.close();
        if tokio::time::timeout(deadline, tasks.wait()).await.is_ok() {
            return Drained::Finished;
        }
        let remaining = tasks.len();
        forced.cancel();
        if tokio::time::timeout(LETTING_GO, tasks.wait()).await.is_err() {
            tracing::warn!(tasks = tasks.len(), "what was told to let go did not; it is abandoned");
        }
        Drained::Forced(remaining)
    }
}

impl DrainWatch {
    /// Whether the end is near, or has come.
    pub fn is_announced(&self) -> bool {
        self.announced.is_cancelled()
    }

    /// Completes when no more work may be taken.
    pub async fn stopping(&self) {
        self.stopping.cancelled().await;
    }

    /// Whether no more work may be taken.
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// Makes a drain wait for a piece of work from this call on, even while nobody polls it. The future that does the
    /// work gives `None` when the deadline cut it off.
    pub fn track<F: Future>(&self, work: F) -> impl Future<Output = Option<F::Output>> + use<F> {
        let forced = self.forced.clone();
        self.tasks.track_future(async move { forced.run_until_cancelled(work).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_for_work_that_ends_in_time() {
        let (drain, watch) = Drain::new();
        let work = tokio::spawn(watch.track(tokio::time::sleep(Duration::from_secs(3))));
        assert_eq!(drain.run(Duration::from_secs(5)).await, Drained::Finished);
        assert_eq!(work.await.unwrap(), Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn waits_for_work_that_was_handed_over_and_has_not_begun() {
        let (drain, watch) = Drain::new();
        let work = watch.track(std::future::ready("done"));
        let draining = tokio::spawn(drain.run(Duration::from_secs(5)));
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(!draining.is_finished());
        assert_eq!(work.await, Some("done"));
        assert_eq!(draining.await.unwrap(), Drained::Finished);
    }

    #[tokio::test(start_paused = true)]
    async fn cuts_off_work_at_the_deadline_and_counts_it() {
        let (drain, watch) = Drain::new();
        let work = tokio::spawn(watch.track(std::future::pending::<()>()));
        assert_eq!(drain.run(Duration::from_secs(5)).await, Drained::Forced(1));
        assert_eq!(work.await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_does_not_let_go_is_abandoned() {
        let (drain, watch) = Drain::new();
        let mut stuck = Box::pin(watch.track(std::future::pending::<()>()));
        // Begun, and then never looked at again, as behind a call that blocks.
        assert!(tokio::time::timeout(Duration::from_millis(1), &mut stuck).await.is_err());
        let drained = tokio::time::timeout(Duration::from_secs(60), drain.run(Duration::from_secs(5))).await;
        assert_eq!(drained, Ok(Drained::Forced(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn tells_everybody_to_stop_taking_work_first() {
        let (drain, watch) = Drain::new();
        assert!(!watch.is_announced());
        drain.announce();
        assert!(watch.is_announced() && !watch.is_stopping());
        let listener = watch.clone();
        let stopped = tokio::spawn(async move { listener.stopping().await });
        assert_eq!(drain.run(Duration::ZERO).await, Drained::Finished);
        assert!(watch.is_stopping());
        stopped.await.unwrap();
    }
}
