//! AdmissionReviews that nobody would send: made from the structure of real ones, and then damaged.
//!
//! By default the corpus and a few seconds of others, always the same. Ten minutes of them, and others each time:
//!
//! ```sh
//! SIDECAR_FUZZ_SECONDS=600 SIDECAR_FUZZ_SEED=$RANDOM cargo test --release -p sidecar-injector --test fuzz -- --nocapture
//! ```
//!
//! A failure tells the seed and the number of the case. Bodies that once failed go into `corpus`.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]
#![expect(clippy::panic, reason = "an answer that is none fails the test with its own words")]
#![expect(clippy::print_stdout, reason = "how many cases there were is told to whoever asks")]
#![expect(
    clippy::disallowed_methods,
    reason = "a test reads its corpus and the environment, and makes certificates for now"
)]

#[path = "../common/annotations.rs"]
mod annotations;
mod bodies;
#[path = "../common/choices.rs"]
mod choices;
#[path = "../common/client.rs"]
#[expect(dead_code, reason = "shared with the tests of the server")]
mod client;
#[path = "../common/containers.rs"]
mod containers;
mod expectation;
#[path = "../common/generated_pods.rs"]
#[expect(dead_code, reason = "shared with the properties")]
mod pods;
mod server;
#[path = "../common/settings.rs"]
#[expect(dead_code, reason = "shared with the properties")]
mod settings;

use std::collections::BTreeMap;
use std::env;
use std::time::{Duration, Instant};

use sidecar_injector::review::review;

use bodies::Bodies;
use expectation::{check_answer, check_refusal};
use server::Server;
use settings::{CORRECTED, ISTIO};

/// For each of the tests, which run side by side.
const SECONDS: u64 = 6;
/// Far more than any answer takes, also in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(8);

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Gives bodies to `check` until the time is over, the corpus first.
fn fuzz(stream: u64, mut check: impl FnMut(u64, &[u8]) -> Result<bool, String>) {
    let seed = number("SIDECAR_FUZZ_SEED", 1);
    let end = Instant::now() + Duration::from_secs(number("SIDECAR_FUZZ_SECONDS", SECONDS));
    let mut bodies = Bodies::new(seed * 2 + stream);
    let (mut cases, mut injected, mut slowest) = (0, 0, Duration::ZERO);
    while Instant::now() < end || cases < bodies.corpus_size() {
        let body = bodies.next();
        let start = Instant::now();
        let result = check(cases, &body);
        let duration = start.elapsed();
        slowest = slowest.max(duration);
        let text = || body.escape_ascii().to_string();
        assert!(duration < PATIENCE, "seed {seed}, case {cases} took {duration:?}: {}", text());
        match result {
            Ok(is_injected) => injected += u64::from(is_injected),
            Err(problem) => panic!("seed {seed}, case {cases}: {problem}\nof {}", text()),
        }
        cases += 1;
    }
    println!("{cases} bodies, {injected} of them injected; the slowest took {slowest:?}");
    assert!(injected * 20 > cases, "only {injected} of {cases} bodies were injected");
}

#[test]
fn reviews_are_answered_whatever_they_are() {
    let injectors: Vec<_> = CORRECTED.iter().chain(ISTIO.iter()).collect();
    fuzz(0, |case, body| {
        let injector = injectors[case as usize % injectors.len()];
        match review(body, &BTreeMap::new(), injector) {
            Ok(review) => check_answer(body, &review.answer),
            Err(error) => check_refusal(body, &error.to_string(), injector.settings.mode.is_istio()).map(|()| false),
        }
    });
}

#[test]
fn the_server_answers_whatever_it_is_sent() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut server = runtime.block_on(Server::start(CORRECTED[1].clone()));
    fuzz(1, |case, body| {
        let (status, answer) = runtime.block_on(server.post(case, body))?;
        match status {
            200 => check_answer(body, &serde_json::from_slice(&answer).map_err(|error| error.to_string())?),
            400 => check_refusal(body, &String::from_utf8_lossy(&answer), false).map(|()| false),
            413 => Ok(false),
            other => Err(format!("status {other}: {}", String::from_utf8_lossy(&answer))),
        }
    });
}
