//! Two replicas, a Secret and API servers, over years.

use super::*;

/// How long a bundle takes to every API server at most.
const DELAY: u64 = 60;

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn one_in(&mut self, number: u64) -> bool {
        self.below(number) == 0
    }
}

#[derive(Default)]
struct Replica {
    seen: Option<(Option<Data>, u64)>,
    bundle: (String, u64),
    last: Option<Material>,
    serving: Option<Pair>,
    /// Sees nothing until then.
    blind_until: u64,
}

struct World {
    /// By a clock that nobody sets.
    seconds: u64,
    wall: SystemTime,
    secret: Option<Data>,
    version: u64,
    replicas: [Replica; 2],
    /// Bundles with the time at which the next one reached everybody.
    bundles: Vec<(String, u64)>,
}

impl Replica {
    fn see(&mut self, secret: Option<Data>, version: u64, seconds: u64) {
        if let Some(data) = &secret {
            let (material, problems) = Material::read(data);
            if self.bundle.0 != material.bundle() {
                self.bundle = (material.bundle(), seconds);
            }
            let names = settings().names;
            let pair = material.serving.clone().filter(|pair| pair.is_signed_by(&material.authorities, &names));
            if let Some(pair) = pair {
                self.serving = Some(pair);
                if problems.is_empty() && material.authority_of(material.signer.as_ref()).is_some() {
                    self.last = Some(material);
                }
            }
        }
        self.seen = Some((secret, version));
    }
}

impl World {
    fn new() -> Self {
        let replicas = Default::default();
        Self { seconds: 0, wall: start(), secret: None, version: 0, replicas, bundles: Vec::new() }
    }

    fn pass(&mut self, seconds: u64) {
        self.seconds += seconds;
        self.wall += Duration::from_secs(seconds);
    }

    fn watch(&mut self) {
        for replica in &mut self.replicas {
            if self.seconds >= replica.blind_until {
                replica.see(self.secret.clone(), self.version, self.seconds);
            }
        }
    }

    /// The leader plans and writes, unless it crashes before.
    fn lead(&mut self, leader: usize, is_published_known: bool, crashes: bool) {
        let replica = &mut self.replicas[leader];
        replica.see(self.secret.clone(), self.version, self.seconds);
        let Some((present, version)) = replica.seen.clone() else { return };
        let situation = Situation {
            now: self.wall,
            bundle_age: Duration::from_secs(self.seconds - replica.bundle.1),
            published: self.bundles.last().map(|(bundle, _)| bundle.as_str()).filter(|_| is_published_known),
            last: replica.last.as_ref(),
        };
        let plan = plan(present.as_ref(), &settings(), situation).unwrap();
        if plan.is_changed && !crashes && version == self.version {
            self.version += 1;
            self.secret = Some(plan.material.to_data());
            replica.see(self.secret.clone(), self.version, self.seconds);
        }
    }

    /// The leader's bundle is on its way to the API servers.
    fn publish(&mut self, leader: usize) {
        let bundle = self.replicas[leader].bundle.0.clone();
        if !bundle.is_empty() && self.bundles.last().is_none_or(|(last, _)| *last != bundle) {
            if let Some((_, until)) = self.bundles.last_mut() {
                *until = self.seconds + DELAY;
            }
            self.bundles.push((bundle, u64::MAX));
        }
    }

    fn refused(&self) -> Option<String> {
        let held = self.bundles.iter().filter(|(_, until)| *until >= self.seconds);
        for (bundle, until) in held {
            let authorities = authorities(bundle, &mut Vec::new());
            for (number, replica) in self.replicas.iter().enumerate() {
                let Some(pair) = &replica.serving else { continue };
                if !pair.verifies(&authorities, &settings().names, self.wall) {
                    let is_expired = !pair.validity.contains(self.wall);
                    return Some(format!(
                        "replica {number} at {} s, bundle until {until}, expired: {is_expired}",
                        self.seconds
                    ));
                }
            }
        }
        None
    }

    fn damage(&mut self, random: &mut Random) {
        self.version += 1;
        let keys = [BUNDLE_KEY, CERTIFICATE_KEY, PRIVATE_KEY_KEY, AUTHORITY_KEY, NEXT_AUTHORITY_KEY];
        let key = keys.get(random.below(8) as usize);
        match (&mut self.secret, key) {
            (Some(data), Some(key)) if random.one_in(2) => {
                data.insert((*key).to_owned(), b"nonsense".to_vec());
            }
            (Some(data), Some(key)) => {
                data.remove(*key);
            }
            (secret, _) => *secret = None,
        }
    }
}

#[test]
fn whatever_is_served_verifies_against_whatever_bundle_is_held() {
    for seed in 0..4 {
        let random = &mut Random(seed);
        let mut world = World::new();
        let (mut leader, mut crashes) = (0, false);
        for step in 0..500 {
            // Mostly hours, and minutes while something happens.
            let passed = if crashes { 30 } else { [20, 60, 300, 3_600, 7_200][random.below(5) as usize] };
            world.pass(passed);
            if random.one_in(8) {
                leader = 1 - leader;
            }
            let follower = 1 - leader;
            crashes = random.one_in(6);
            let remembers = world.replicas[leader].last.is_some();
            if random.one_in(40) && remembers && !crashes {
                world.damage(random);
            } else if random.one_in(20) {
                let number = random.below(2) as usize;
                world.replicas[number] = Replica::default();
            }
            world.watch();
            if random.one_in(10) && world.seconds >= world.replicas[follower].blind_until {
                world.replicas[follower].blind_until = world.seconds + random.below(2 * 3600);
            }
            world.lead(leader, random.one_in(2), crashes);
            world.publish(leader);
            let refused = world.refused();
            assert!(refused.is_none(), "seed {seed}, step {step}: {refused:?}");
        }
        assert!(world.bundles.len() > 2, "seed {seed}: authorities were rotated");
    }
}

#[test]
fn who_applies_the_bundle_by_hand_every_four_weeks_has_no_request_refused() {
    let mut world = World::new();
    const QUARTER: u64 = 6 * 3600;
    for quarter in 0..4 * 400 {
        world.pass(QUARTER);
        world.watch();
        world.lead(quarter / 4 % 2, false, false);
        world.watch();
        if quarter % (4 * 28) == 0 {
            world.publish(0);
        }
        let refused = world.refused();
        assert!(refused.is_none(), "day {}: {refused:?}", quarter / 4);
    }
    assert!(world.bundles.len() > 4, "authorities were rotated");
}

#[test]
fn after_a_step_of_the_clock_what_is_served_is_accepted_within_minutes() {
    for days in [1, 20, 61, 89, 91, 400, 3_000] {
        for is_forward in [true, false] {
            let mut world = World::new();
            let tick = |world: &mut World| {
                world.pass(30);
                world.watch();
                world.lead(0, true, false);
                world.publish(0);
                world.watch();
            };
            for _ in 0..3 {
                tick(&mut world);
            }
            assert_eq!(world.refused(), None);
            for step in [is_forward, !is_forward] {
                world.wall = if step { world.wall + DAY * days } else { world.wall - DAY * days };
                for _ in 0..5 {
                    tick(&mut world);
                }
                assert_eq!(world.refused(), None, "{days} days, forward: {step}");
            }
        }
    }
}
