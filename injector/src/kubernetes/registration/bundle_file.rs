//! A CA bundle that somebody keeps in a file.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;

use crate::certificates::CaBundle;
use crate::files;
use crate::registration::bundle;

/// A bundle overlaps with the next for much longer.
const INTERVAL: Duration = Duration::from_secs(10);

/// Reads the file again and again, for ever, and passes on what changed. What cannot be read or used is logged, and the
/// last bundle stays.
pub async fn follow_bundle_file(path: PathBuf, bundle: watch::Sender<Option<CaBundle>>) -> Infallible {
    let mut last_problem = String::new();
    loop {
        let read = {
            let path = path.clone();
            tokio::task::spawn_blocking(move || files::read(&path)).await
        };
        let checked = match read {
            Ok(Ok(pem)) => bundle::check(&pem).map(|()| CaBundle { pem }).map_err(|error| error.to_string()),
            Ok(Err(error)) => Err(format!("{error}: {}", error.source)),
            Err(error) => Err(error.to_string()),
        };
        match checked {
            Ok(read) => {
                last_problem.clear();
                bundle.send_if_modified(|known| {
                    let is_new = known.as_ref() != Some(&read);
                    *known = Some(read);
                    is_new
                });
            }
            Err(problem) if problem != last_problem => {
                tracing::warn!(file = %path.display(), %problem, "the CA bundle stays as it was");
                last_problem = problem;
            }
            Err(_) => {}
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
