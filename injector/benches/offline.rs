//! `kube-inject` from start to finish: how long one small file takes, and what a stream of 5,000 Deployments takes in time
//! and memory, beside a program that only starts, and one that only copies.
//!
//! `cargo bench -p sidecar-injector --bench offline` prints the table. Each line is the best of some runs; the machine may
//! have others on it, so it is the ratios that tell.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]
#![expect(clippy::disallowed_methods, reason = "makes the files that it measures with")]

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

type Failure = Box<dyn Error>;

/// The first argument of a process that runs another and says what it took: the memory of a process is known only to
/// whoever waits for it, and only as the most of all that it has waited for.
const MEASURE: &str = "measure";
const SMALL_RUNS: usize = 50;
const STREAM_RUNS: usize = 5;
const OBJECTS: usize = 5_000;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, program, rest @ ..] = arguments.as_slice()
        && mode == MEASURE
    {
        return measure(program, rest);
    }
    let folder = tempfile::tempdir()?;
    let file = |name: &str, text: String| -> Result<PathBuf, Failure> {
        let path = folder.path().join(name);
        fs::write(&path, text)?;
        Ok(path)
    };
    println!("| what | documents | MB | ms | MB/s | peak memory, MB |\n|---|---|---|---|---|---|");
    let injector = env!("CARGO_BIN_EXE_sidecar-injector");
    let nothing = best(SMALL_RUNS, injector, &["--version"])?;
    println!("| start and end of the program | | | {:.1} | | {:.1} |", nothing.milliseconds(), nothing.megabytes());
    line("one small file", &file("small.yaml", deployment(1, "true"))?, SMALL_RUNS)?;
    let stream = |inject: &str| (0..OBJECTS).map(|number| deployment(number, inject)).collect::<String>();
    let untouched = file("untouched.yaml", stream("false"))?;
    let copied = best(STREAM_RUNS, "cat", &[&untouched.display().to_string()])?;
    println!("| cat of the next | | | {:.1} | | {:.1} |", copied.milliseconds(), copied.megabytes());
    line("Deployments that are not injected", &untouched, STREAM_RUNS)?;
    line("ConfigMaps", &file("others.yaml", (0..OBJECTS).map(config_map).collect())?, STREAM_RUNS)?;
    line("Deployments that are injected", &file("injected.yaml", stream("true"))?, STREAM_RUNS)?;
    line("the same in one List", &file("list.yaml", list(&stream("true")))?, STREAM_RUNS)
}

fn line(what: &str, file: &Path, runs: usize) -> Result<(), Failure> {
    let text = fs::read_to_string(file)?;
    let (megabytes, documents) = (text.len() as f64 / 1e6, yamledit::documents(&text).count());
    let program = env!("CARGO_BIN_EXE_sidecar-injector");
    let taken = best(runs, program, &["kube-inject", "--report=none", "-f", &file.display().to_string()])?;
    println!(
        "| {what} | {documents} | {megabytes:.3} | {:.1} | {:.1} | {:.1} |",
        taken.milliseconds(),
        megabytes / taken.time.as_secs_f64(),
        taken.megabytes()
    );
    Ok(())
}

/// What a process took.
struct Taken {
    time: Duration,
    /// Most of its memory that was resident, in KiB.
    memory: u64,
}

impl Taken {
    fn milliseconds(&self) -> f64 {
        self.time.as_secs_f64() * 1e3
    }

    fn megabytes(&self) -> f64 {
        self.memory as f64 * 1024.0 / 1e6
    }
}

fn best(runs: usize, program: &str, arguments: &[&str]) -> Result<Taken, Failure> {
    let mut best = Taken { time: Duration::MAX, memory: u64::MAX };
    for _ in 0..runs {
        let output = Command::new(std::env::current_exe()?).args([MEASURE, program]).args(arguments).output()?;
        let said = String::from_utf8(output.stdout)?;
        let (time, memory) =
            said.trim().split_once(' ').ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        best.time = best.time.min(Duration::from_nanos(time.parse()?));
        best.memory = best.memory.min(memory.parse()?);
    }
    Ok(best)
}

fn measure(program: &str, arguments: &[String]) -> Result<(), Failure> {
    let started = Instant::now();
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).status()?;
    let time = started.elapsed();
    if !status.success() {
        return Err(format!("{program}: {status}").into());
    }
    println!("{} {}", time.as_nanos(), getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss());
    Ok(())
}

/// About 4 KB, as charts write it.
fn deployment(number: usize, inject: &str) -> String {
    let variables = (0..24).fold(String::new(), |mut text, variable| {
        let _ =
            write!(text, "        - name: VARIABLE_{variable}\n          value: \"value {variable} of {number}\"\n");
        text
    });
    format!(
        "---\n# Source: shop/templates/deployment.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  \
         name: shop-{number}\n  labels:\n    app.kubernetes.io/name: shop\n    app.kubernetes.io/instance: shop-{number}\n\
         spec:\n  replicas: 3\n  selector:\n    matchLabels:\n      app.kubernetes.io/instance: shop-{number}\n  \
         template:\n    metadata:\n      labels:\n        app.kubernetes.io/instance: shop-{number}\n        \
         sidecar.istio.io/inject: \"{inject}\"\n    spec:\n      containers:\n      - name: shop   # the application\n        \
         image: \"example/shop:{number}\"\n        ports:\n        - name: http\n          containerPort: 8080\n        \
         env:\n{variables}        resources:\n          limits: {{cpu: 500m, memory: 256Mi}}\n          \
         requests: {{cpu: 100m, memory: 128Mi}}\n        volumeMounts:\n        - name: data\n          \
         mountPath: /data\n      - name: helper\n        image: example/helper:1\n        args:\n{}      volumes:\n      \
         - name: data\n        emptyDir: {{}}\n",
        "        - --an-argument-of-the-helper=with a value\n".repeat(20)
    )
}

fn config_map(number: usize) -> String {
    let line = "    a line of a file that is mounted into a pod\n".repeat(80);
    format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: files-{number}\ndata:\n  file: |\n{line}")
}

/// The documents of a stream as items.
fn list(stream: &str) -> String {
    let mut list = "apiVersion: v1\nkind: List\nitems:\n".to_owned();
    for line in stream.lines().filter(|line| !line.starts_with(['-', '#'])) {
        list.push_str(if line.starts_with("apiVersion") { "- " } else { "  " });
        list.push_str(line);
        list.push('\n');
    }
    list
}
