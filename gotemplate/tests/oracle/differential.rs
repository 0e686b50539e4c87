//! Random templates and data, rendered by Go and by this crate.
//!
//! `GOTEMPLATE_DIFFERENTIAL=100000 cargo test --release -p gotemplate --test oracle differential` makes that many;
//! `GOTEMPLATE_SEED` chooses others.

use std::env;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gotemplate::{Limits, Options};
use serde_json::Value as Json;

use crate::cases::{self, Outcome};
use crate::request::Request;

const SAMPLE: usize = 2_000;
/// Requests that are made and answered at a time.
const CHUNK: usize = 1_000;

#[test]
fn random_templates_render_as_in_go() {
    let Some(oracle) = oracle() else { return };
    let count: usize = variable("GOTEMPLATE_DIFFERENTIAL").unwrap_or(SAMPLE);
    let first_seed: usize = variable("GOTEMPLATE_SEED").unwrap_or(1);
    let chunks = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let tallies = std::thread::scope(|scope| {
        let work = || {
            let mut tally = Tally::default();
            loop {
                let chunk = chunks.fetch_add(1, Ordering::Relaxed);
                match count.saturating_sub(chunk * CHUNK).min(CHUNK) {
                    0 => return tally,
                    wanted => tally.compare(&oracle, first_seed * 1_000_000 + chunk, wanted),
                }
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    let mut total = Tally::default();
    for tally in tallies {
        total.compared += tally.compared;
        total.rendered += tally.rendered;
        total.excused += tally.excused;
        total.differences.extend(tally.differences);
    }
    let Tally { compared, rendered, excused, differences } = total;
    let differing = differences.len();
    println!("{compared} compared, {rendered} of them rendered, {excused} differ on purpose, {differing} differ");
    assert!(excused <= 5 + compared / 100, "{excused} of {compared} are excused: too many for what is rare");
    assert!(compared > count * 9 / 10, "only {compared} of {count} were compared");
    assert!(rendered > count / 5, "only {rendered} of {count} rendered: the templates are too wrong to tell much");
    let shown: Vec<_> = differences.iter().take(40).cloned().collect();
    assert!(differences.is_empty(), "{} of {compared} differ:\n\n{}", differences.len(), shown.join("\n\n"));
}

#[derive(Default)]
struct Tally {
    compared: usize,
    rendered: usize,
    /// Differences that the README lists.
    excused: usize,
    differences: Vec<String>,
}

impl Tally {
    fn compare(&mut self, oracle: &Path, seed: usize, count: usize) {
        let folder = tempfile::tempdir().unwrap();
        let (requests, answers) = (folder.path().join("requests"), folder.path().join("answers"));
        let generated = File::create(&requests).unwrap();
        run(Command::new(oracle).args(["generate", &seed.to_string(), &count.to_string()]).stdout(generated));
        let (input, output) = (File::open(&requests).unwrap(), File::create(&answers).unwrap());
        run(Command::new(oracle).arg("render").stdin(input).stdout(output));
        let limits = Limits { output: 1 << 20, ..Limits::default() };
        for (request, answer) in lines(&requests).zip(lines(&answers)) {
            let Some(expected) = outcome(&answer) else { continue };
            let asked = read(&request);
            let given = asked.render(&limits);
            self.compared += 1;
            self.rendered += usize::from(expected.error.is_none());
            if agree(&given, &expected) {
                continue;
            }
            if is_deliberate(&asked, &given, &expected) {
                self.excused += 1;
            } else {
                self.differences.push(describe(&asked, &given, &expected));
            }
        }
    }
}

/// The oracle, built. Nothing, with the reason printed, where there is no Go.
fn oracle() -> Option<PathBuf> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle");
    // A Go that is too old for the oracle, and cannot get a younger one, cannot read its go.mod.
    let mut asked = Command::new("go");
    asked.args(["list", "-m"]).current_dir(&sources).stdout(Stdio::null()).stderr(Stdio::null());
    if !asked.status().is_ok_and(|status| status.success()) {
        println!("skipped: there is no go here, or an old one; the goldens of the corpus serve");
        return None;
    }
    let binary = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oracle");
    run(Command::new("go").args(["build", "-o"]).arg(&binary).arg(".").current_dir(sources));
    Some(binary)
}

fn run(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

fn variable<T: std::str::FromStr<Err: std::fmt::Debug>>(name: &str) -> Option<T> {
    env::var(name).ok().map(|text| text.parse().unwrap())
}

fn lines(path: &Path) -> impl Iterator<Item = Json> {
    BufReader::new(File::open(path).unwrap()).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

fn read(request: &Json) -> Request {
    let text = |name: &str| request[name].as_str().unwrap_or_default();
    let bytes = |text: &Json| STANDARD.decode(text.as_str().unwrap()).unwrap();
    let more = request["more"].as_array().map(Vec::as_slice).unwrap_or_default();
    let default = Options::default();
    let delimiters = match request["delimiters"].as_array().map(Vec::as_slice) {
        Some([left, right]) => (left.as_str().unwrap().to_owned(), right.as_str().unwrap().to_owned()),
        _ => default.delimiters,
    };
    Request {
        template: bytes(&request["template"]),
        more: more.iter().map(|pair| (pair[0].as_str().unwrap().to_owned(), bytes(&pair[1]))).collect(),
        data: request["data"].clone(),
        sprig: request["sprig"].as_bool().unwrap_or_default(),
        options: Options { delimiters, missing_key: cases::missing_key(text("missingkey")) },
    }
}

fn outcome(answer: &Json) -> Option<Outcome> {
    let output = STANDARD.decode(answer["output"].as_str().unwrap_or_default()).unwrap();
    let error = answer["error"].as_str().unwrap_or_default();
    match answer["stage"].as_str().unwrap_or_default() {
        "skipped" => None,
        "" => Some(Outcome { output: Some(output), error: None }),
        stage => {
            let output = Some(output).filter(|output| !output.is_empty());
            Some(Outcome { output, error: Some((stage.to_owned(), error.into())) })
        }
    }
}

/// The same bytes, and an error of the same stage where Go has one. The words of errors are compared in the corpus.
fn agree(given: &Outcome, expected: &Outcome) -> bool {
    let stage = |outcome: &Outcome| outcome.error.as_ref().map(|(stage, _)| stage.clone());
    given.output == expected.output && stage(given) == stage(expected)
}

/// Whether the difference is one that the README lists as deliberate: a map within itself, a list that `sortAlpha`
/// changes, a slice beyond the end of a list that a function made, or what `len` or `index` finds in an address.
fn is_deliberate(asked: &Request, given: &Outcome, expected: &Outcome) -> bool {
    let has = |word: &[u8]| asked.template.windows(word.len()).any(|part| part == word);
    let ends_with = |text: &[u8]| given.error.as_ref().is_some_and(|(_, error)| error.ends_with(text));
    let bytes = |outcome: &Outcome, is_kept: fn(&u8) -> bool| -> Vec<u8> {
        outcome.output.iter().flatten().copied().filter(is_kept).collect()
    };
    let sorted = |outcome: &Outcome| {
        let mut all = bytes(outcome, |_| true);
        all.sort_unstable();
        all
    };
    let but_for_digits = |outcome: &Outcome| bytes(outcome, |byte| !byte.is_ascii_digit());
    let data = asked.data.to_string();
    let has_addresses = ["$ptr", "$error", "$func"].iter().any(|tag| data.contains(tag));
    ends_with(b"the map would contain itself")
        || (has(b"slice") && ends_with(b"slice index out of bounds"))
        || (has(b"sortAlpha") && sorted(given) == sorted(expected))
        || (has_addresses && (has(b"len") || has(b"index")) && but_for_digits(given) == but_for_digits(expected))
}

fn describe(request: &Request, given: &Outcome, expected: &Outcome) -> String {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let show = |outcome: &Outcome| {
        let error = outcome.error.as_ref().map(|(stage, error)| format!("{stage}: {}", lossy(error)));
        format!("{:?} {}", outcome.output.as_deref().map(lossy), error.unwrap_or_default())
    };
    let Request { template, more, data, options, .. } = request;
    let more: String = more.iter().map(|(name, text)| format!("\n  and {name}: {}", lossy(text))).collect();
    format!(
        "{}{more}\n  data     {data} {options:?}\n  given    {}\n  expected {}",
        lossy(template),
        show(given),
        show(expected)
    )
}
