//! Carries out a trial of the rules: listens where the proxy would, and sends probes as the users that matter.
//!
//! A probe carries a token that only this run knows, and a listener answers those alone, with the original destination
//! that it sees. So what a sender reads tells for certain where its probe arrived. Every probe dies at the first router:
//! one that no rule catches bothers no other machine.

mod listener;
mod network;
mod sender;

use std::collections::HashSet;
use std::io::{self, BufRead, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;
use std::time::Duration;

use nix::unistd::{getegid, geteuid};

use self::listener::Listeners;
use crate::child::{self, Limits};
use crate::rule::{Family, RuleSet};
use crate::settings::Capture;
use crate::show;
use crate::validation::{
    Attempt, Expected, Failure, Identity, Observation, Plan, Probe, Scene, Verdict, judge, plan, read_observation,
    read_probe,
};

/// First argument of the process that sends probes as another user.
pub const SUBCOMMAND: &str = "probe";

/// This very program, whatever has become of its file.
const OURSELVES: &str = "/proc/self/exe";

/// What a sender prints: a short line a probe.
const MAX_OUTPUT: u64 = 1 << 16;

/// What is tried.
#[derive(Clone, Copy, Debug)]
pub struct Attempts<'a> {
    /// What the rules are made from.
    pub capture: &'a Capture,
    /// The rules that should be there, of all tables and families.
    pub rules: &'a [RuleSet],
    /// The port to which connections are opened. Nobody should listen there.
    pub probe_port: u16,
    /// Time for all of it.
    pub timeout: Duration,
}

/// Why the rules are not known to be good.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Some are not, a line each.
    #[error("{}", lines(.0))]
    Rules(Vec<Failure>),
    /// The trial has to listen where the proxy does.
    #[error("cannot listen on {address}, where the proxy would{}", advice(.source))]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Nothing of what the rules ask for could be tried.
    #[error("the rules could not be tried with traffic:\n{}", .0.join("\n"))]
    Nothing(Vec<String>),
    /// The kernel did not do its part.
    #[error("cannot try the rules with traffic")]
    Io(#[from] io::Error),
}

/// What came of it, where nothing went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// How many attempts came out as they should.
    pub passed: usize,
    /// What could not be tried, and why: a sentence each.
    pub left_out: Vec<String>,
}

/// Tries the rules.
///
/// # Errors
/// When one does not do what it is for, or nothing could be tried.
pub fn run(trial: &Attempts<'_>) -> Result<Tried, Error> {
    let plan = plan_all(trial)?;
    let observations = observe(&plan.attempts, trial.timeout)?;
    let (mut passed, mut failures, mut left_out) = (0, Vec::new(), Vec::new());
    let mut tried = HashSet::new();
    let about = |attempt: &Attempt| (attempt.family.to_string(), attempt.direction.to_string(), attempt.is_proxy);
    for (attempt, observation) in plan.attempts.iter().zip(&observations) {
        match judge(attempt, observation) {
            Verdict::Passed => passed += 1,
            Verdict::Failed(failure) => failures.push(*failure),
            Verdict::LeftOut(reason) => {
                left_out.push((about(attempt), reason));
                continue;
            }
        }
        tried.insert(about(attempt));
    }
    if !failures.is_empty() {
        failures.dedup_by(|one, other| one.is_like(other));
        let live = show::live_rules();
        failures.iter_mut().for_each(|failure| failure.look_into(&live));
        return Err(Error::Rules(failures));
    }
    // What one of the users could do need not be done by all.
    let mut said = HashSet::new();
    left_out.retain(|(about, _)| !tried.contains(about) && said.insert(about.clone()));
    let left_out = plan.left_out.into_iter().chain(left_out.into_iter().map(|(_, reason)| reason)).collect::<Vec<_>>();
    if passed == 0 && !left_out.is_empty() {
        return Err(Error::Nothing(left_out));
    }
    Ok(Tried { passed, left_out })
}

/// Sends the probes that it reads as lines, after a line with the token, and prints a line on each.
///
/// # Errors
/// When a line is none, or the streams break.
pub fn serve(input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut lines = input.lines();
    let token = lines.next().transpose()?.unwrap_or_default();
    let probes = lines.map(|line| read_probe(&line?).map_err(io::Error::other)).collect::<io::Result<Vec<_>>>()?;
    let observations: String =
        sender::send_all(&token, &probes).iter().map(|observation| format!("{observation}\n")).collect();
    output.write_all(observations.as_bytes())
}

fn plan_all(trial: &Attempts<'_>) -> io::Result<Plan> {
    let addresses = network::addresses()?;
    let mut all = Plan::default();
    for family in [Family::V4, Family::V6] {
        let rules: Vec<RuleSet> = trial.rules.iter().filter(|set| set.family == family).cloned().collect();
        if rules.is_empty() {
            continue;
        }
        let Plan { attempts, left_out } = plan(&Scene {
            capture: trial.capture,
            rules: &rules,
            family,
            own: ourselves(),
            own_addresses: &network::of_family(&addresses, family),
            reach: &|destination| network::reach(&addresses, destination),
            probe_port: trial.probe_port,
            timeout: trial.timeout,
        });
        all.attempts.extend(attempts);
        all.left_out.extend(left_out);
    }
    Ok(all)
}

/// Sends all probes at the same time, as all users.
fn observe(attempts: &[Attempt], timeout: Duration) -> Result<Vec<Observation>, Error> {
    let token = sender::token();
    let listeners = Listeners::open(attempts)?;
    let can_hand = listeners.are_transparent();
    let (end, ended) = UnixStream::pair()?;
    let mut users: Vec<Identity> = Vec::new();
    for attempt in attempts {
        if !users.contains(&attempt.identity) {
            users.push(attempt.identity);
        }
    }
    let is_possible = |attempt: &&Attempt| can_hand || !matches!(attempt.expected, Expected::HandedTo(_));
    let mut observations =
        vec![
            Observation::NotSent("only with NET_ADMIN can we listen as a transparent proxy".to_owned());
            attempts.len()
        ];
    let arrived = thread::scope(|scope| {
        let listening = scope.spawn(|| listeners.answer(&token, &ended));
        let senders: Vec<_> = users
            .iter()
            .map(|user| {
                let of_user = move |attempt: &&Attempt| attempt.identity == *user && is_possible(attempt);
                let probes: Vec<Probe> = attempts.iter().filter(of_user).map(|attempt| attempt.probe).collect();
                let token = &token;
                (of_user, scope.spawn(move || send_as(*user, token, &probes, timeout)))
            })
            .collect();
        for (of_user, sender) in senders {
            let seen = sender.join().unwrap_or_default();
            let places = attempts.iter().zip(&mut observations).filter(|(attempt, _)| of_user(attempt));
            for ((_, place), observation) in places.zip(seen) {
                *place = observation;
            }
        }
        drop(end);
        listening.join().unwrap_or_else(|_| Ok(vec![]))
    })?;
    for (attempt, observation) in attempts.iter().zip(&mut observations) {
        let signature = sender::signature(attempt.identity, &attempt.probe);
        if let (Observation::Silence, Some((_, port))) = (&observation, arrived.iter().find(|(of, _)| *of == signature))
        {
            *observation = Observation::Arrived { port: *port, original: None };
        }
    }
    Ok(observations)
}

fn send_as(user: Identity, token: &str, probes: &[Probe], timeout: Duration) -> Vec<Observation> {
    if user == ourselves() {
        return sender::send_all(token, probes);
    }
    let input: String = probes.iter().map(|probe| format!("{probe}\n")).collect();
    let mut command = Command::new(OURSELVES);
    command.arg(SUBCOMMAND).env_clear().uid(user.uid).gid(user.gid);
    let limits = Limits { time: timeout, output: MAX_OUTPUT };
    let lost = |reason: String| vec![Observation::Lost(reason); probes.len()];
    let not_sent = |reason: String| vec![Observation::NotSent(reason); probes.len()];
    match child::run(&mut command, format!("{token}\n{input}"), limits) {
        Err(child::Error::Run(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
            not_sent("to run as somebody else takes root with the capabilities SETUID and SETGID".to_owned())
        }
        Err(child::Error::Run(error)) => not_sent(format!("cannot run as {user}: {error}")),
        Err(error @ child::Error::Missing) => not_sent(format!("cannot run {OURSELVES}: {error}")),
        Err(error) => lost(format!("the process that sends it failed: {error}")),
        Ok(ended) => match ended.output.lines().map(read_observation).collect::<Result<Vec<_>, _>>() {
            Ok(observations) if observations.len() == probes.len() => observations,
            _ => lost(format!("the process that sends it ended with {}: {}", ended.status, ended.complaint.trim())),
        },
    }
}

fn ourselves() -> Identity {
    Identity { uid: geteuid().as_raw(), gid: getegid().as_raw() }
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; try the rules before the proxy starts",
        io::ErrorKind::AddrNotAvailable => "; bring lo up, or use --ip-families",
        _ => "",
    }
}

fn lines(failures: &[Failure]) -> String {
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
