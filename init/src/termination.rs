//! Leaves the reason of a failure where Kubernetes shows it: in the status of the container.
#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "reads what was left"))]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// The file that the kubelet makes for each container (`terminationMessagePath`).
pub const LOG: &str = "/dev/termination-log";
/// What is kept short enough to be read in a line of `kubectl get pod`; Kubernetes itself cuts at 4096.
const MAX_BYTES: usize = 1024;

/// Writes the beginning of `reason` to `log`, if there is such a file and it can be written. Elsewhere nobody waits for
/// it, and a failure here must not hide the one that is told.
pub fn leave(log: &Path, reason: &str) {
    let Ok(mut file) = OpenOptions::new().write(true).truncate(true).open(log) else { return };
    if let Err(error) = file.write_all(short(reason).as_bytes()) {
        tracing::debug!("cannot write {}: {error}", log.display());
    }
}

fn short(reason: &str) -> String {
    if reason.len() <= MAX_BYTES {
        return reason.to_owned();
    }
    const MORE: &str = " …";
    let end = reason.floor_char_boundary(MAX_BYTES - MORE.len());
    format!("{}{MORE}", &reason[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_cut_between_characters_and_written_only_where_there_is_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        leave(&log, "no");
        assert!(!log.exists());
        std::fs::write(&log, "of an earlier run, which was longer").unwrap();
        leave(&log, "short");
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "short");
        leave(&log, &"ß".repeat(600));
        let left = std::fs::read_to_string(&log).unwrap();
        assert!(left.len() <= 1024 && left.len() > 1000 && left.ends_with("ß …"), "{left}");
    }
}
