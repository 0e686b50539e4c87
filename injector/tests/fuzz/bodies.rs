//! Where bodies come from: the corpus, generated reviews, and what damage makes of both.

use std::fs;

use serde_json::{Value, json};

use crate::choices::Choices;
use crate::pods::pod;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/corpus");
/// Decisions for one pod with all about it.
const DECISIONS: usize = 600;
/// What damage may make of a body, at most.
const LONGEST: usize = 4 * 1024 * 1024;

pub(crate) struct Bodies {
    corpus: Vec<Vec<u8>>,
    given: usize,
    random: Random,
}

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        (self.next() % count.max(1) as u64) as usize
    }
}

impl Bodies {
    pub(crate) fn new(seed: u64) -> Self {
        let mut files: Vec<_> = fs::read_dir(CORPUS).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let corpus = files.iter().map(|file| fs::read(file).unwrap()).collect();
        Self { corpus, given: 0, random: Random(seed) }
    }

    pub(crate) fn corpus_size(&self) -> u64 {
        self.corpus.len() as u64
    }

    /// The corpus as it is; then others without end.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        if let Some(body) = self.corpus.get(self.given) {
            self.given += 1;
            return body.clone();
        }
        let decisions: Vec<u8> = (0..DECISIONS).map(|_| self.random.next() as u8).collect();
        let mut choices = Choices::new(&decisions);
        let known = self.random.below(self.corpus.len());
        let mut body = match (self.random.below(4), serde_json::from_slice::<Value>(&self.corpus[known])) {
            (0, Ok(mut review)) => changed(&mut choices, &mut review).to_string().into_bytes(),
            (0, Err(_)) => self.corpus[known].clone(),
            _ => {
                let mut review = generated(&mut choices);
                if choices.chance(30) { changed(&mut choices, &mut review).to_string() } else { review.to_string() }
                    .into_bytes()
            }
        };
        if self.random.below(3) == 0 {
            for _ in 0..=self.random.below(4) {
                self.damage(&mut choices, &mut body);
                body.truncate(LONGEST);
            }
        }
        body
    }

    fn damage(&mut self, choices: &mut Choices<'_>, body: &mut Vec<u8>) {
        let (start, length) = (self.random.below(body.len()), self.random.below(64));
        let end = (start + length).min(body.len());
        match self.random.below(8) {
            0 => body.truncate(start),
            1 => drop(body.drain(start..end)),
            2 => drop(body.splice(start..start, choices.odd().bytes())),
            3 => {
                let (piece, times) = (body[start..end].to_vec(), 1 << self.random.below(14));
                drop(body.splice(start..start, piece.repeat(times)));
            }
            4 => {
                let other = &self.corpus[self.random.below(self.corpus.len())];
                let from = self.random.below(other.len());
                drop(body.splice(start..end, other[from..].iter().copied()));
            }
            5 => {
                let bracket = choices.pick(b"[{\"-0");
                drop(body.splice(start..start, vec![bracket; 1 << self.random.below(17)]));
            }
            _ => {
                if let Some(byte) = body.get_mut(start) {
                    *byte ^= 1 << self.random.below(8);
                }
            }
        }
    }
}

/// An AdmissionReview of a new pod, or nearly.
fn generated(choices: &mut Choices<'_>) -> Value {
    let mut request = vec![
        ("uid", choices.text("705ab4f5-6393-11e8-b7cc-42010a800002").into()),
        ("kind", json!({"group": "", "version": "v1", "kind": choices.text("Pod")})),
        ("resource", json!({"group": "", "version": "v1", "resource": "pods"})),
        ("namespace", choices.text("demo").into()),
        ("operation", choices.text("CREATE").into()),
        ("object", pod(choices)),
        ("userInfo", json!({"username": "admin", "groups": ["system:masters"]})),
    ];
    for (key, value) in [("dryRun", true.into()), ("oldObject", choices.json(2)), ("subResource", "status".into())] {
        if choices.chance(5) {
            request.push((key, value));
        }
    }
    let version = choices.pick(&["admission.k8s.io/v1", "admission.k8s.io/v1", "admission.k8s.io/v1beta1"]);
    let request = choices.mapping(request);
    choices.mapping(vec![("apiVersion", version.into()), ("kind", "AdmissionReview".into()), ("request", request)])
}

/// `value`, with something else in some places.
fn changed<'a>(choices: &mut Choices<'_>, value: &'a mut Value) -> &'a Value {
    for _ in 0..=choices.below(3) {
        let junk = choices.json(3);
        choices.replace(value, &junk);
    }
    value
}
