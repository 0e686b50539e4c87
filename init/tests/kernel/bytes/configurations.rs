//! Random settings that are accepted, the same ones every time, and those of the golden cases.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sidecar_init::cli::Cli;
use sidecar_init::rule::{Family, RuleSet};
use sidecar_init::{groups, redirect};

/// The groups that the golden cases name.
const ETC_GROUP: &str = "java:x:202:\nnobody:x:65534:\n";

/// Flags with values that can be put together at will. An empty value leaves the flag out.
const FLAGS: [(&str, &[&str]); 21] = [
    ("-p", &["", "1", "65535"]),
    ("-z", &["", "16006"]),
    ("-e", &["", "15009"]),
    ("-u", &["", "0", "1337,1338", "4294967294"]),
    ("-g", &["", "1337", "0,7", "4294967294"]),
    ("-m", &["", "REDIRECT", "TPROXY"]),
    ("-b", &["*", "80", "80,8000:8100", "0,65535", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17:20"]),
    ("-d", &["", "15090,15021,15020", "0:100,65535", "1000:65535"]),
    ("-i", &["*", "10.1.2.3/8", "10.0.0.0/9,2001:db8::/32,0.0.0.0/0", "127.0.0.1/32", "::1", "fd00::1/127,fd00::/1"]),
    ("-x", &["", "10.96.0.10,fd00::/8", "192.168.0.0/17,2001:db8:1::/47", "0.0.0.0/0"]),
    ("-q", &["", "443", "1:2,3"]),
    ("-o", &["", "5432", "53,6000-6100", "9,0-7"]),
    ("-c", &["", "eth2", "eth2,abcdefghijklmno"]),
    ("-k", &["", "vnet0", "vnet0,v.1"]),
    ("-t", &["", "1", "4294967294"]),
    ("--exclude-inbound-cidrs", &["", "10.0.0.0/8,fd00::/8"]),
    ("--dns-servers", &["", "10.96.0.10", "10.96.0.10,fd00::a,10.96.0.11"]),
    ("--redirect-dns", &["", "=true"]),
    ("--capture-all-dns", &["", "=true"]),
    ("--tproxy-nonroot", &["", "=true"]),
    ("--compact", &["", "=true"]),
];

const VARIABLES: [(&str, &[&str]); 4] = [
    ("ISTIO_OUTBOUND_OWNER_GROUPS", &["", "*", "7,8,9"]),
    ("ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE", &["", "888,889"]),
    ("ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR", &["", "127.0.0.0/8", "127.0.0.1/31"]),
    ("INVALID_DROP", &["", "true"]),
];

/// The rules for random settings.
pub(super) fn random(count: usize) -> Vec<Vec<RuleSet>> {
    let mut runner = TestRunner::deterministic();
    // Not always all: some flags contradict each other.
    let flags = subsequence(FLAGS.to_vec(), 0..=FLAGS.len());
    let variables = subsequence(VARIABLES.to_vec(), 0..=VARIABLES.len());
    let settings = (flags, variables, proptest::collection::vec(any::<Index>(), FLAGS.len() + VARIABLES.len()));
    let mut cases = vec![];
    while cases.len() < count {
        let (flags, variables, indices) = settings.new_tree(&mut runner).unwrap().current();
        let mut indices = indices.iter();
        let mut choose = |(name, values): (&'static str, &[&'static str])| (name, *indices.next().unwrap().get(values));
        let flags: Vec<_> = flags.into_iter().map(&mut choose).collect();
        let variables = variables.into_iter().map(&mut choose).collect();
        cases.extend(rules(&words(&flags), &variables));
    }
    cases
}

fn words(flags: &[(&str, &str)]) -> Vec<String> {
    let words =
        flags.iter().filter(|(_, value)| !value.is_empty()).flat_map(|(name, value)| match value.strip_prefix('=') {
            Some(_) => vec![format!("{name}{value}")],
            None => vec![(*name).to_owned(), (*value).to_owned()],
        });
    words.chain(["--ip-families".to_owned(), "v4,v6".to_owned()]).collect()
}

/// `None` where the settings contradict each other.
fn rules(words: &[String], variables: &HashMap<&str, &str>) -> Option<Vec<RuleSet>> {
    let arguments = ["sidecar-init".to_owned()].into_iter().chain(words.iter().cloned()).map(Into::into);
    let environment = |name: &str| variables.get(name).map(ToString::to_string);
    let settings = Cli::from_arguments(arguments).unwrap().settings_with(&environment).ok()?;
    Some(
        [Family::V4, Family::V6]
            .into_iter()
            .flat_map(|family| redirect::rule_sets(&settings.capture, family))
            .collect(),
    )
}

/// The rules of the golden cases.
#[expect(clippy::disallowed_methods, reason = "cases are files")]
pub(super) fn golden_cases() -> Vec<Vec<RuleSet>> {
    let folders = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")).unwrap();
    let case = |folder: &Path| {
        let arguments = fs::read_to_string(folder.join("arguments")).unwrap();
        let variables = fs::read_to_string(folder.join("environment")).unwrap_or_default();
        let variables = variables.lines().filter_map(|line| line.split_once('=')).collect();
        // Groups by name are for the text of the cases; the kernel has numbers.
        let of_case = rules(&arguments.lines().map(str::to_owned).collect::<Vec<_>>(), &variables).unwrap();
        of_case.into_iter().map(|rules| groups::resolve(&rules, ETC_GROUP).unwrap()).collect()
    };
    folders.map(|folder| case(&folder.unwrap().path())).collect()
}
