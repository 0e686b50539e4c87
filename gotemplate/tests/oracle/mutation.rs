//! Broken templates: nothing panics, nothing hangs.

use gotemplate::Limits;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use crate::cases;
use crate::request::Request;

const MUTANTS: usize = 100_000;

/// What hostile templates are made of.
const PIECES: [&[u8]; 34] = [
    b"{{",
    b"}}",
    b"{{-",
    b"-}}",
    b"{{/*",
    b"*/}}",
    b"(",
    b")",
    b"|",
    b":=",
    b"=",
    b"$",
    b"$x",
    b".",
    b".a",
    b"\"",
    b"`",
    b"'",
    b"\\x",
    b"\\",
    b"{{end}}",
    b"{{else}}",
    b"{{range .}}",
    b"{{if .}}",
    b"{{with .}}",
    b"{{define \"t\"}}",
    b"{{template \"t\" .}}",
    b"{{break}}",
    b"0x1p-1",
    b"1e999",
    b"nil",
    b"printf \"%1000000d\" 1",
    b"\xff\xfe",
    b"\0",
];

/// Little enough that a mutant which loops is soon over.
fn limits() -> Limits {
    Limits { output: 1 << 16, memory: 1 << 22, iterations: 2_000, steps: 50_000, depth: 100 }
}

#[test]
fn mutants_of_the_corpus_neither_panic_nor_hang() {
    let requests: Vec<Request> =
        cases::areas().iter().flat_map(|area| cases::cases(area)).map(|case| case.request).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let requests = &requests;
            scope.spawn(move || {
                let mut random = StdRng::seed_from_u64(thread as u64);
                for _ in 0..MUTANTS / threads {
                    let mut request = requests[random.random_range(0..requests.len())].clone();
                    let donor = &requests[random.random_range(0..requests.len())].template;
                    for _ in 0..random.random_range(1..=4) {
                        mutate(&mut random, &mut request.template, donor);
                    }
                    let _ = request.render(&limits());
                }
            });
        }
    });
}

fn mutate(random: &mut impl Rng, template: &mut Vec<u8>, donor: &[u8]) {
    let start = random.random_range(0..=template.len());
    let end = random.random_range(start..=template.len().min(start + 16));
    match random.random_range(0..6) {
        0 => drop(template.drain(start..end)),
        1 => {
            let copy = template[start..end].to_vec();
            template.splice(start..start, copy);
        }
        2 => {
            let piece = PIECES[random.random_range(0..PIECES.len())];
            template.splice(start..start, piece.iter().copied());
        }
        3 if start < template.len() => template[start] = random.random(),
        4 => template.truncate(start),
        _ => {
            let from = random.random_range(0..=donor.len());
            let to = random.random_range(from..=donor.len().min(from + 40));
            template.splice(start..end, donor[from..to].iter().copied());
        }
    }
}
