//! How much of everything: workers, connections, bytes a read.

use std::num::NonZeroUsize;

/// Workers when nobody said how many. Istio's default too: a sidecar should not take a node's cores.
const DEFAULT_WORKERS: usize = 2;

/// File descriptors kept for everything but connections: health and metrics with their connections, connections that
/// are accepted to be refused, standard error.
const RESERVED_FILES: u64 = 240;

/// Listening sockets of each direction and family, event queue and wake-up.
const FILES_A_WORKER: u64 = 8;

/// Downstream and upstream socket.
const FILES_A_CONNECTION: u64 = 2;

const DIRECTIONS: u64 = 2;

/// The longest read. From here on a larger buffer no longer pays in bulk transfer.
pub const LONGEST_READ: usize = 256 * KIB;

const KIB: usize = 1024;
const MIB: u64 = 1024 * 1024;

/// How many workers to run.
///
/// `concurrency` is what was asked: `None` for the default, 0 for one worker a core, as in Istio. `cores` is what the
/// process may use, cgroup quota included.
pub fn workers(concurrency: Option<u16>, cores: NonZeroUsize) -> NonZeroUsize {
    match concurrency {
        None => cores.min(NonZeroUsize::MIN.saturating_add(DEFAULT_WORKERS - 1)),
        Some(asked) => NonZeroUsize::new(usize::from(asked)).unwrap_or(cores),
    }
}

/// How many connections may be open at once in each direction, given how many file descriptors the process may have. At
/// least one.
pub fn connections(asked: u32, file_limit: u64, workers: usize) -> usize {
    let reserved = RESERVED_FILES + FILES_A_WORKER * workers as u64;
    let affordable = file_limit.saturating_sub(reserved) / FILES_A_CONNECTION / DIRECTIONS;
    let connections = u64::from(asked).min(affordable).max(1);
    usize::try_from(connections).unwrap_or(usize::MAX)
}

/// What a worker may hold for slow peers before it reads little.
pub const MOST_HELD: usize = 16 * 1024 * KIB;

/// How many bytes to read at once from a peer that has sent `moved` bytes so far, at most [`LONGEST_READ`], by a worker
/// that holds `held` bytes for peers that have not taken them yet.
///
/// What is read may have to be held too, so this is also what one direction of a connection can cost. Few connections
/// ever move much; those that do earn longer reads, as long as little is held. A worker holds at most [`MOST_HELD`],
/// and beyond that 1 KiB for each direction of a connection.
pub const fn read_size(moved: u64, held: usize) -> usize {
    if held >= MOST_HELD - LONGEST_READ {
        KIB
    } else if moved < MIB / 4 || held >= MOST_HELD / 2 {
        16 * KIB
    } else if moved < 8 * MIB {
        64 * KIB
    } else {
        LONGEST_READ
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_workers_unless_there_is_less_or_more_is_asked() {
        for (concurrency, cores, expected) in
            [(None, 1, 1), (None, 2, 2), (None, 64, 2), (Some(0), 64, 64), (Some(1), 64, 1), (Some(8), 2, 8)]
        {
            let cores = NonZeroUsize::new(cores).unwrap();
            assert_eq!(workers(concurrency, cores).get(), expected, "{concurrency:?} of {cores}");
        }
    }

    #[test]
    fn connections_fit_the_file_descriptor_limit() {
        for (asked, file_limit, workers, expected) in [
            (10_000, 1_048_576, 2, 10_000),
            (10_000, 1024, 2, 192),
            (10_000, 1024, 64, 68),
            (10, 1024, 2, 10),
            (10_000, 100, 2, 1),
            (1, u64::MAX, 256, 1),
        ] {
            let connections = connections(asked, file_limit, workers);
            assert_eq!(connections, expected, "{asked} with {file_limit} files and {workers} workers");
        }
    }

    #[test]
    fn reads_grow_with_what_has_been_moved() {
        let sizes = [0, MIB / 4, 8 * MIB, u64::MAX].map(|moved| read_size(moved, 0));
        assert!(sizes.is_sorted(), "{sizes:?}");
        assert_eq!((sizes[0], sizes[3]), (16 * KIB, LONGEST_READ));
    }

    #[test]
    fn reads_shrink_with_what_is_held() {
        let sizes = [0, MOST_HELD / 2, MOST_HELD, usize::MAX].map(|held| read_size(u64::MAX, held));
        assert_eq!(sizes, [LONGEST_READ, 16 * KIB, KIB, KIB]);
        // The last long read still fits.
        let last = (MOST_HELD - LONGEST_READ..MOST_HELD).find(|held| held + read_size(u64::MAX, *held) > MOST_HELD);
        assert!(last.is_none_or(|held| read_size(u64::MAX, held) == KIB), "{last:?}");
    }
}
