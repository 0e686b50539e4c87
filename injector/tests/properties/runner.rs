//! How many cases there are, and from which bytes they are made.
#![expect(clippy::disallowed_methods, reason = "the environment can ask for more cases, and others")]

use std::env;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::choices::Choices;

/// Cases of all properties together.
const CASES: u64 = 20_000;

/// A pod with eight containers takes about so many decisions.
const DECISIONS: usize = 400;

/// Checks `property` with its share, in thousandths, of all cases. It says whether the case was one in which there is
/// something to hold; if that is so of less than a third of the cases, the generator is of no use.
pub(crate) fn check(share: u64, property: impl Fn(&mut Choices<'_>) -> Result<bool, TestCaseError>) {
    let number = |name: &str, default| env::var(name).map_or(default, |text| text.parse().unwrap());
    let cases = u32::try_from(number("SIDECAR_PROPERTY_CASES", CASES) * share / 1000).unwrap();
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number("SIDECAR_PROPERTY_SEED", 1).to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let held = AtomicU32::new(0);
    let result = TestRunner::new_with_rng(config, random).run(&vec(any::<u8>(), 0..DECISIONS), |bytes| {
        if property(&mut Choices::new(&bytes))? {
            held.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    });
    match result {
        // The pod in the message says more than the bytes that it was made from.
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
        Ok(()) => {}
    }
    let held = held.into_inner();
    println!("{held} of {cases} cases");
    assert!(held >= cases / 3, "only {held} of {cases} cases were of use");
}
