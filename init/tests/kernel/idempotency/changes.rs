//! From each set of flags to each other.

use super::{Fresh, SETS};
use crate::backend::with_each_backend;
use crate::pod::Pod;

/// Walks over all ordered pairs of different numbers below `count`, each once, and comes back to 0.
fn tour(count: usize) -> Vec<usize> {
    // Hierholzer: go on while there is a way, and on the way back write down where one was.
    let mut unused: Vec<Vec<usize>> = (0..count).map(|from| (0..count).filter(|to| *to != from).collect()).collect();
    let (mut path, mut done) = (vec![0], vec![]);
    while let Some(&at) = path.last() {
        match unused[at].pop() {
            Some(next) => path.push(next),
            None => done.extend(path.pop()),
        }
    }
    done
}

#[test]
fn a_tour_visits_every_pair_once() {
    let tour = tour(5);
    let mut pairs: Vec<_> = tour.windows(2).map(|pair| (pair[0], pair[1])).collect();
    pairs.sort_unstable();
    pairs.dedup();
    assert_eq!((tour.len(), pairs.len()), (21, 20));
}

#[test]
fn every_change_of_flags_leads_to_what_a_fresh_pod_would_have() {
    with_each_backend(|backend| {
        let pod = Pod::with(backend);
        let mut fresh = Fresh::new(backend);
        let tour = tour(SETS.len());
        let mut failures: Vec<String> = fresh.check(&pod, SETS[tour[0]], "nothing there").into_iter().collect();
        for pair in tour.windows(2) {
            let situation = format!("`{}` before", SETS[pair[0]]);
            failures.extend(fresh.check(&pod, SETS[pair[1]], &situation));
        }
        failures
    });
}
