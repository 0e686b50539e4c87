//! Run again, and again after whatever happened in between: the state is that of one run in a fresh pod.

mod changes;
mod cleanup;
mod damage;
mod leftovers;

use std::collections::HashMap;

use crate::backend::Backend;
use crate::footprint::Footprint;
use crate::pod::Pod;

/// Flags that between them use every table, chain and kind of rule.
const SETS: [&str; 8] = [
    "-b * -i * -d 15090,15021,15020",
    "-b * -i * -o 5432 -x 10.0.0.0/8,fd00::/8",
    "-b 8080,9000:9010 -i 10.1.0.0/16,fd01::/16 -q 443 -c eth1 -k vnet0",
    "-b * -i * -m TPROXY -d 15021",
    "-b * -i * -m TPROXY --redirect-dns --capture-all-dns -c eth1",
    "-b * -i * --redirect-dns --dns-servers 203.0.113.9,2001:db8:9::9 --drop-invalid",
    "-b * -i * --ip-families v4",
    "-u 1337,2000 -g 1337",
];
/// The two of them that have the most rules.
const RICH: [&str; 2] = [SETS[4], SETS[5]];

/// What a set of flags makes of a fresh pod, once per backend and set.
struct Fresh {
    backend: Backend,
    known: HashMap<String, Footprint>,
}

impl Fresh {
    fn new(backend: Backend) -> Self {
        Self { backend, known: HashMap::new() }
    }

    fn footprint(&mut self, flags: &str) -> &Footprint {
        let make = || {
            let pod = Pod::with(self.backend);
            pod.succeed_init(flags);
            Footprint::of(&pod)
        };
        self.known.entry(flags.to_owned()).or_insert_with(make)
    }

    /// Runs the program, which must succeed, and compares with the fresh pod. Then runs it again: nothing may be written.
    fn check(&mut self, pod: &Pod, flags: &str, situation: &str) -> Option<String> {
        let output = pod.init(flags);
        if !output.status.success() {
            return Some(format!("{situation}; `{flags}` failed: {}", output.stderr));
        }
        let found = Footprint::of(pod);
        let difference = self.footprint(flags).difference(&found);
        if !difference.is_empty() {
            return Some(format!("{situation}; `{flags}` differs from a fresh pod:\n{difference}"));
        }
        let before = pod.generation();
        let again = pod.init(flags);
        // Of iptables-legacy it cannot be seen whether it was written; the program says so.
        let says_so = again.stderr.contains("\"unchanged\"") && !again.stderr.contains("\"replaced\"");
        let is_quiet = again.status.success() && says_so && pod.generation() == before && Footprint::of(pod) == found;
        (!is_quiet).then(|| format!("{situation}; `{flags}` a second time wrote something: {}", again.stderr))
    }
}
