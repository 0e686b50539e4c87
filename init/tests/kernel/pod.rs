//! A network namespace in which the program is run with one kind of iptables.

use std::fs::File;
use std::path::Path;
use std::thread;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use sidecar_test_support::namespace::Namespace;
use sidecar_test_support::privilege::require_root;
use sidecar_test_support::process::Output;
use sidecar_test_support::program::Program;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_sidecar-init");
pub(crate) const DEFAULT: &str = "-b * -i * -d 15090,15021,15020";
const BACKENDS: [&str; 2] = ["nft", "legacy"];
/// More than the program allows itself for all that it runs.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Pod {
    namespace: Namespace,
    pub(crate) backend: &'static str,
}

/// Runs a test in a new namespace for each kind of iptables; without root, not at all.
pub(crate) fn on_each_backend(test: impl Fn(&Pod)) {
    if may_run() {
        BACKENDS.map(Pod::new).iter().for_each(test);
    }
}

pub(crate) fn may_run() -> bool {
    require_root("network namespaces")
}

/// A file of a case; of a case with rules of the nat table alone, without the table's name.
pub(crate) fn golden(case: &str, file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(case).join(file);
    std::fs::read_to_string(path).unwrap().trim_start_matches("*nat\n").to_owned()
}

impl Pod {
    pub(crate) fn new(backend: &'static str) -> Self {
        Self { namespace: Namespace::create("init").unwrap(), backend }
    }

    pub(crate) fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Runs a program.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        let program = Program::new(words[0]).args(words[1..].iter().copied());
        self.namespace.spawn(&program).unwrap().wait(PATIENCE).unwrap()
    }

    /// Runs a program that must succeed, and returns its standard output.
    pub(crate) fn succeed(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?} failed: {}", output.stderr);
        output.stdout
    }

    pub(crate) fn init(&self, arguments: &str) -> Output {
        let words: Vec<&str> =
            [BINARY, "--force-iptables-binary", self.backend].into_iter().chain(arguments.split_whitespace()).collect();
        self.run(&words)
    }

    /// Runs the program, and returns what it said about each family: `fresh`, `replaced` or `unchanged`.
    pub(crate) fn apply(&self, arguments: &str) -> Vec<String> {
        let output = self.init(arguments);
        let log = output.stderr;
        assert!(output.status.success(), "{} with `{arguments}`: {log}", self.backend);
        assert!(output.stdout.is_empty(), "standard output is for results");
        let outcomes = log.lines().filter(|line| line.contains("redirection is in place"));
        outcomes.map(|line| line.split('"').nth(1).unwrap_or(line).to_owned()).collect()
    }

    /// The rules of one family, as `iptables-save` prints them.
    pub(crate) fn rules(&self, tool: &str) -> String {
        let saved = self.succeed(&[&format!("{tool}-{}-save", self.backend), "-t", "nat"]);
        saved.lines().filter(|line| line.starts_with("-A ")).map(|line| format!("{line}\n")).collect()
    }

    pub(crate) fn all_rules(&self) -> String {
        ["iptables", "ip6tables"].map(|tool| self.rules(tool)).concat()
    }

    pub(crate) fn iptables(&self, tool: &str, arguments: &str) {
        let tool = format!("{tool}-{}", self.backend);
        let words: Vec<&str> = [&*tool, "-t", "nat"].into_iter().chain(arguments.split_whitespace()).collect();
        self.succeed(&words);
    }

    /// Runs `work` on a thread that has entered the namespace; programs started there are in it too.
    pub(crate) fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(format!("/run/netns/{}", self.namespace.name())).unwrap();
        let work = move || {
            setns(namespace, CloneFlags::CLONE_NEWNET).unwrap();
            work()
        };
        thread::scope(|scope| scope.spawn(work).join().unwrap())
    }
}
