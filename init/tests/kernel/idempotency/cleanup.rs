//! `--cleanup-only`: the namespace is as it was found.

use super::leftovers::OTHERS;
use super::{RICH, SETS};
use crate::backend::with_each_backend;
use crate::footprint::Footprint;
use crate::pod::Pod;

/// Applies and cleans up, and says what is different then.
fn there_and_back(pod: &Pod, flags: &str, cleanup: &str) -> Option<String> {
    let found = Footprint::of(pod);
    pod.succeed_init(flags);
    let output = pod.init(cleanup);
    let difference = found.difference(&Footprint::of(pod));
    let is_back = output.status.success() && difference.is_empty();
    (!is_back).then(|| format!("`{flags}`, `{cleanup}`: {}\n{difference}", output.stderr))
}

#[test]
fn a_fresh_namespace_is_as_fresh_as_before() {
    with_each_backend(|backend| {
        let pod = Pod::with(backend);
        let round_trip = |flags: &&str| there_and_back(&pod, flags, &format!("{flags} --cleanup-only"));
        let mut failures: Vec<String> = SETS.iter().filter_map(round_trip).collect();
        if !Footprint::of(&pod).is_clean() {
            failures.push("something of ours is left".to_owned());
        }
        // Nor even an empty table.
        let ruleset = pod.succeed(&["nft", "list", "ruleset"]);
        if !ruleset.is_empty() {
            failures.push(format!("nf_tables are not as empty as before:\n{ruleset}"));
        }
        failures
    });
}

#[test]
fn the_flags_need_not_be_those_of_the_run() {
    with_each_backend(|backend| {
        let pod = Pod::with(backend);
        let cleanups = ["--cleanup-only", "--cleanup-only -b * -i * -o 80", "--cleanup-only -m TPROXY -b *"];
        let flags = RICH.iter().chain(&SETS[..3]);
        flags.flat_map(|flags| cleanups.iter().filter_map(|cleanup| there_and_back(&pod, flags, cleanup))).collect()
    });
}

#[test]
fn a_second_time_there_is_nothing_to_do() {
    with_each_backend(|backend| {
        let pod = Pod::with(backend);
        let found = Footprint::of(&pod);
        pod.succeed_init("--cleanup-only");
        pod.succeed_init(RICH[0]);
        pod.succeed_init("--cleanup-only");
        pod.succeed_init("--cleanup-only");
        let difference = found.difference(&Footprint::of(&pod));
        if difference.is_empty() { vec![] } else { vec![difference] }
    });
}

#[test]
fn rules_of_others_stay() {
    with_each_backend(|backend| {
        let pod = Pod::with(backend);
        pod.succeed(&["sh", "-c", OTHERS]);
        SETS.iter().filter_map(|flags| there_and_back(&pod, flags, "--cleanup-only")).collect()
    });
}

#[test]
fn our_rules_go_from_every_backend() {
    with_each_backend(|backend| {
        let pod = Pod::with(backend);
        let found = Footprint::of(&pod);
        pod.succeed_init(RICH[0]);
        let pod = pod.without_choice();
        pod.succeed_init("--cleanup-only");
        let difference = found.difference(&Footprint::of(&pod));
        if difference.is_empty() { vec![] } else { vec![difference] }
    });
}
