//! Decisions one by one, and replicas whose requests are late, lost or half lost, and whose clocks run differently.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn record(holder: &str, renewed: u64) -> Record {
    Record { holder: holder.to_owned(), duration: LEASE_DURATION, renewed: renewed.to_string(), transitions: 3 }
}

#[test]
fn a_lease_is_taken_when_it_is_free_or_has_not_changed_for_its_duration() {
    let mut election = Election::new("a".to_owned());
    assert_eq!(election.read(None, SECOND), Step::Take { transitions: 0 });
    assert_eq!(election.read(Some(record("", 1)), SECOND), Step::Take { transitions: 4 });
    assert_eq!(election.read(Some(record("b", 1)), SECOND), Step::Wait);
    assert_eq!(election.read(Some(record("b", 2)), SECOND * 10), Step::Wait);
    assert_eq!(election.read(Some(record("b", 2)), SECOND * 24), Step::Wait);
    assert_eq!(election.read(None, SECOND * 24), Step::Wait, "deleted under its holder");
    assert_eq!(election.read(Some(record("b", 2)), SECOND * 25), Step::Take { transitions: 4 });
}

#[test]
fn leadership_lasts_from_the_beginning_of_a_renewal_and_ends_with_another_holder() {
    let mut election = Election::new("a".to_owned());
    election.written(record("a", 1), SECOND);
    assert!(election.is_leader(SECOND * 10));
    assert!(!election.is_leader(SECOND * 11));
    assert_eq!(election.read(Some(record("a", 1)), SECOND * 12), Step::Renew);
    election.written(record("a", 2), SECOND * 12);
    assert_eq!(election.read(Some(record("b", 3)), SECOND * 13), Step::Wait);
    assert!(!election.is_leader(SECOND * 13));
}

#[test]
fn durations_without_sense_are_not_believed() {
    let mut election = Election::new("a".to_owned());
    let with = |duration| Record { duration, ..record("b", 1) };
    assert_eq!(election.read(Some(with(Duration::ZERO)), SECOND), Step::Wait);
    assert_eq!(election.read(Some(with(Duration::ZERO)), SECOND * 16), Step::Take { transitions: 4 });
    assert_eq!(election.read(Some(with(Duration::from_secs(1 << 31))), SECOND * 20), Step::Wait);
    assert_eq!(election.read(Some(with(Duration::from_secs(1 << 31))), SECOND * 140), Step::Take { transitions: 4 });
}

/// Random numbers that are the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// A replica's attempt: the Lease is read at one time, written at another, and the answer comes later still, or never.
#[derive(Clone, Debug)]
enum Attempt {
    Sleeping { until: u64 },
    Reading { at: u64 },
    Answering { at: u64, read: Option<(Record, u64)> },
    Writing { at: u64, began: Duration, record: Record, version: u64 },
    Written { at: u64, began: Duration, record: Option<Record> },
}

struct Replica {
    election: Election,
    attempt: Attempt,
    /// Its clock, in thousandths of true time.
    rate: u64,
    offset: u64,
}

impl Replica {
    fn clock(&self, time: u64) -> Duration {
        Duration::from_millis(self.offset + time * self.rate / 1000)
    }
}

#[derive(Default)]
struct Server {
    lease: Option<(Record, u64)>,
    version: u64,
}

impl Server {
    fn write(&mut self, record: &Record, version: u64) -> bool {
        let is_current = self.lease.as_ref().map_or(0, |(_, version)| *version) == version;
        if is_current {
            self.version += 1;
            self.lease = Some((record.clone(), self.version));
        }
        is_current
    }
}

fn step(replica: &mut Replica, server: &mut Server, time: u64, random: &mut Random) {
    // Mostly fast, at times seconds late.
    let delay = |random: &mut Random| if random.below(6) == 0 { random.below(9_000) } else { random.below(60) };
    let now = replica.clock(time);
    let next = match replica.attempt.clone() {
        Attempt::Sleeping { until } if time >= until => Attempt::Reading { at: time + delay(random) },
        Attempt::Reading { at } if time >= at => {
            Attempt::Answering { at: time + delay(random), read: server.lease.clone() }
        }
        Attempt::Answering { at, read } if time >= at => {
            let (last, version) = read.map_or((None, 0), |(record, version)| (Some(record), version));
            let transitions = last.as_ref().map_or(0, |last| last.transitions);
            let transitions = match replica.election.read(last, now) {
                Step::Wait => None,
                Step::Take { transitions } => Some(transitions),
                Step::Renew => Some(transitions),
            };
            match transitions {
                None => Attempt::Sleeping { until: time + 2_000 + random.below(1_000) },
                Some(transitions) => {
                    let (holder, renewed) =
                        (replica.election.identity.clone(), format!("{holder}{time}", holder = replica.offset));
                    let record = Record { holder, duration: LEASE_DURATION, renewed, transitions };
                    Attempt::Writing { at: time + delay(random), began: now, record, version }
                }
            }
        }
        Attempt::Writing { at, began, record, version } if time >= at => {
            // Lost on the way, refused, or written and the answer lost.
            let is_written = random.below(12) != 0 && server.write(&record, version);
            let record = (is_written && random.below(12) != 0).then_some(record);
            Attempt::Written { at: time + delay(random), began, record }
        }
        Attempt::Written { at, began, record } if time >= at => {
            if let Some(record) = record {
                replica.election.written(record, began);
            }
            Attempt::Sleeping { until: time + 2_000 + random.below(1_000) }
        }
        other => other,
    };
    replica.attempt = next;
}

#[test]
fn there_are_never_two_leaders_and_mostly_one() {
    for seed in 0..60 {
        let random = &mut Random(seed);
        let mut server = Server::default();
        let mut replicas: Vec<_> = ["a", "b", "c"]
            .map(|name| Replica {
                election: Election::new(name.to_owned()),
                attempt: Attempt::Sleeping { until: random.below(3_000) },
                rate: 950 + random.below(100),
                offset: random.below(1_000_000),
            })
            .into();
        let (mut led, mut paused) = (0, None);
        let steps = 60_000;
        for time in (0..steps * 10).step_by(10) {
            // One replica at a time stands still for a while, as a process does that gets no processor.
            if random.below(4_000) == 0 {
                paused = Some((random.below(3), time + random.below(40_000)));
            }
            for (number, replica) in (0..).zip(&mut replicas) {
                if paused.is_none_or(|(paused, until)| paused != number || time > until) {
                    step(replica, &mut server, time, random);
                }
            }
            let leaders: Vec<_> = replicas
                .iter()
                .filter(|replica| replica.election.is_leader(replica.clock(time)))
                .map(|replica| &replica.election.identity)
                .collect();
            assert!(leaders.len() < 2, "seed {seed}, at {time} ms: {leaders:?}");
            led += u64::from(!leaders.is_empty());
        }
        assert!(led > steps / 3, "seed {seed}: led {led} of {steps}");
    }
}
