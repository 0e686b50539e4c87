//! Rules that are swapped while connections are made: none goes past the proxy, and none has to wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sidecar_test_support::process::Output;

use super::scene::{Addresses, FAMILIES, Scene};
use super::{APP, Row, by, remote};
use crate::backend::{Backend, with_each_backend};
use crate::pod::{BINARY, DEFAULT};

const SWAPS: usize = 10;
/// Between two swaps, so that connections are also made with the rules at rest.
const PAUSE: Duration = Duration::from_millis(80);
/// A packet that is dropped is sent again after a second; anything shorter is the machine's doing.
const STALL: Duration = Duration::from_millis(500);
/// How often a stall is measured again, since a busy machine makes threads wait too.
const ATTEMPTS: usize = 3;

/// What clients have seen.
#[derive(Debug, Default)]
struct Tally {
    connections: usize,
    slowest: Duration,
    stalled: usize,
    /// Answers of the wrong listener.
    astray: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.connections += other.connections;
        self.slowest = self.slowest.max(other.slowest);
        self.stalled += other.stalled;
        self.astray.extend(other.astray);
    }
}

/// The connections that one client makes over and over again.
fn clients(a: &Addresses) -> [Row; 4] {
    [
        by(APP, (a.outside, 80)).arrives("outbound"),
        by(APP, (a.outside, 5000)).arrives("outbound"),
        by(APP, (a.peer, 80)).arrives("outbound"),
        remote((a.pod, 8080)).arrives("inbound"),
    ]
}

/// Connects until told to stop.
fn hammer(scene: &Scene, row: &Row, is_over: &AtomicBool) -> Tally {
    let namespace = if row.is_remote { &scene.peer } else { scene.pod.namespace() };
    let connect = || {
        let mut tally = Tally::default();
        while !is_over.load(Ordering::Relaxed) {
            let begin = Instant::now();
            let answered = row.dial.answered_by();
            let took = begin.elapsed();
            tally.connections += 1;
            tally.slowest = tally.slowest.max(took);
            tally.stalled += usize::from(took > STALL);
            if answered != row.arrives {
                tally.astray.push(format!("{}: wanted {}, got {answered}", row.dial, row.arrives));
            }
        }
        tally
    };
    namespace.enter(connect).unwrap()
}

/// A run of the program.
type Run<'a> = (Backend, &'a str);

fn run(scene: &Scene, (backend, flags): Run<'_>) -> Output {
    let words = [BINARY].into_iter().chain(backend.flags().iter().copied()).chain(flags.split_whitespace());
    scene.pod.run(&words.collect::<Vec<_>>())
}

fn swap_under_load(scene: &Scene, one: Run<'_>, other: Run<'_>) -> Tally {
    let is_over = AtomicBool::new(false);
    let rows: Vec<Row> = FAMILIES.iter().flat_map(clients).collect();
    thread::scope(|scope| {
        let running: Vec<_> = rows.iter().map(|row| scope.spawn(|| hammer(scene, row, &is_over))).collect();
        let mut tally = Tally::default();
        for next in [other, one].iter().cycle().take(SWAPS) {
            thread::sleep(PAUSE);
            let output = run(scene, *next);
            if !output.status.success() {
                // The clients have to be told before anything fails, or they would go on for ever.
                tally.astray.push(output.stderr);
            }
        }
        thread::sleep(PAUSE);
        is_over.store(true, Ordering::Relaxed);
        running.into_iter().for_each(|thread| tally.add(thread.join().unwrap()));
        tally
    })
}

fn check(one: Run<'_>, other: Run<'_>) -> Vec<String> {
    let scene = Scene::with_redirect(one.0);
    scene.pod.succeed_init(one.1);
    let mut stalls = Vec::new();
    for _ in 0..ATTEMPTS {
        let tally = swap_under_load(&scene, one, other);
        if !tally.astray.is_empty() || tally.connections < 8 * SWAPS {
            return vec![format!(
                "{} of {} went astray: {:?}",
                tally.astray.len(),
                tally.connections,
                tally.astray.first()
            )];
        }
        if tally.stalled == 0 {
            return vec![];
        }
        stalls.push(format!(
            "{} of {} took longer than {STALL:?}, up to {:?}",
            tally.stalled, tally.connections, tally.slowest
        ));
    }
    stalls
}

#[test]
fn swapping_rules_under_load_loses_and_stalls_no_connection() {
    let other = format!("{DEFAULT} -o 5432");
    with_each_backend(|backend| check((backend, DEFAULT), (backend, &other)));
}

#[test]
fn so_does_moving_them_to_another_backend() {
    with_each_backend(|backend| {
        let other = if backend == Backend::Legacy { Backend::Nft } else { Backend::Legacy };
        check((backend, DEFAULT), (other, DEFAULT))
    });
}
