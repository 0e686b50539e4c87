//! Waiting for something to become true, without a fixed sleep.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// It did not come true in time. Carries what the last attempt found.
#[derive(Debug, thiserror::Error)]
#[error("not within {patience:?}: {last}")]
pub struct NotInTime<E: fmt::Display> {
    /// How long was waited.
    pub patience: Duration,
    /// Why the last attempt was not good enough.
    pub last: E,
}

/// Tries until an attempt is `Ok`, at least once, and gives up when `patience` has passed.
///
/// # Errors
/// [`NotInTime`] with the error of the last attempt.
pub fn eventually<T, E: fmt::Display>(
    patience: Duration,
    mut attempt: impl FnMut() -> Result<T, E>,
) -> Result<T, NotInTime<E>> {
    let deadline = Instant::now() + patience;
    loop {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(last) if Instant::now() >= deadline => return Err(NotInTime { patience, last }),
            Err(_) => thread::sleep(PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_the_first_value_that_is_good_enough() {
        let mut count = 0;
        let found = eventually(Duration::from_secs(10), || {
            count += 1;
            if count < 3 { Err(format!("only {count}")) } else { Ok(count) }
        });
        assert_eq!(found.unwrap(), 3);
    }

    #[test]
    fn gives_up_with_what_the_last_attempt_found() {
        let mut count = 0;
        let error = eventually(Duration::from_millis(50), || {
            count += 1;
            Err::<(), _>(format!("attempt {count}"))
        })
        .unwrap_err();
        assert!(count > 1, "tried once only");
        assert_eq!(error.to_string(), format!("not within 50ms: attempt {count}"));
    }

    #[test]
    fn tries_once_even_without_patience() {
        assert_eq!(eventually(Duration::ZERO, || Ok::<_, String>(7)).unwrap(), 7);
    }
}
