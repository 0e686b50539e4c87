//! The ways in which rules come into the kernel, as a test names them.

use std::thread;

use crate::pod::may_run;

/// One way, and the flags that ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// A netlink batch in the layout of iptables-nft.
    Nft,
    /// iptables-legacy-restore.
    Legacy,
    /// A netlink batch of `inet` tables, without anything of xtables.
    Native,
}

pub(crate) const BACKENDS: [Backend; 3] = [Backend::Nft, Backend::Legacy, Backend::Native];

impl Backend {
    /// The kind of iptables that shows its rules, or for the last, those of others.
    pub(crate) fn tools(self) -> &'static str {
        if self == Self::Legacy { "legacy" } else { "nft" }
    }

    pub(crate) fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Nft => &["--force-iptables-binary", "nft"],
            Self::Legacy => &["--force-iptables-binary", "legacy"],
            Self::Native => &["--native-nftables"],
        }
    }
}

/// Runs `check` for all backends at once, and fails with what all of them have found.
pub(crate) fn with_each_backend(check: impl Fn(Backend) -> Vec<String> + Sync) {
    if !may_run() {
        return;
    }
    let failures: Vec<String> = thread::scope(|scope| {
        let check = &check;
        let running = BACKENDS.map(|backend| (backend, scope.spawn(move || check(backend))));
        let found = running.into_iter().flat_map(|(backend, thread)| {
            // The panic's own message has been printed by then.
            let failures = thread.join().unwrap_or_else(|_| vec!["panicked, see above".to_owned()]);
            failures.into_iter().map(move |failure| format!("{backend:?}: {failure}"))
        });
        found.collect()
    });
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}
