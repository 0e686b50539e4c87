//! A network namespace in which the program is run with one kind of iptables.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sidecar_test_support::eventually::eventually;
use sidecar_test_support::namespace::Namespace;
use sidecar_test_support::privilege::require_root;
use sidecar_test_support::process::{Output, Process};
use sidecar_test_support::program::Program;

use crate::backend::Backend;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_sidecar-init");
pub(crate) const DEFAULT: &str = "-b * -i * -d 15090,15021,15020";
const BACKENDS: [&str; 2] = ["nft", "legacy"];
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// More than the program allows itself for all that it runs.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Pod {
    namespace: Namespace,
    /// Which iptables shows the rules.
    pub(crate) backend: &'static str,
    flags: &'static [&'static str],
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
        let flags = if backend == "nft" { Backend::Nft } else { Backend::Legacy }.flags();
        Self { namespace: Namespace::create("init").unwrap(), backend, flags }
    }

    pub(crate) fn with(backend: Backend) -> Self {
        Self { namespace: Namespace::create("init").unwrap(), backend: backend.tools(), flags: backend.flags() }
    }

    /// The same namespace, with the program told to use another backend.
    pub(crate) fn now_with(self, backend: Backend) -> Self {
        Self { backend: backend.tools(), flags: backend.flags(), ..self }
    }

    /// The same namespace, with the program told nothing about backends.
    pub(crate) fn without_choice(self) -> Self {
        Self { flags: &[], ..self }
    }

    pub(crate) fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Flags that choose the backend.
    pub(crate) fn flags(&self) -> &'static [&'static str] {
        self.flags
    }

    /// Runs a program to its end, which it has to find by itself.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env_clear().env("PATH", SEARCH_PATH);
        let ended = self.namespace.enter(|| command.output()).unwrap().unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Output { status: ended.status, stdout: text(&ended.stdout), stderr: text(&ended.stderr) }
    }

    /// Runs a program under a user, or with a file system, of its own.
    pub(crate) fn run_program(&self, program: &Program) -> Output {
        self.namespace.spawn(program).unwrap().wait(PATIENCE).unwrap()
    }

    /// Runs a program that must succeed, and returns its standard output.
    pub(crate) fn succeed(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?} failed: {}", output.stderr);
        output.stdout
    }

    pub(crate) fn init(&self, arguments: &str) -> Output {
        let words: Vec<&str> = [BINARY].iter().chain(self.flags).copied().chain(arguments.split_whitespace()).collect();
        self.run(&words)
    }

    /// Runs the program, which must succeed.
    pub(crate) fn succeed_init(&self, arguments: &str) -> Output {
        let output = self.init(arguments);
        assert!(output.status.success(), "{:?} with `{arguments}`: {}", self.flags, output.stderr);
        output
    }

    /// Starts the program.
    pub(crate) fn start_init(&self, arguments: &str) -> Process {
        let words = self.flags.iter().copied().chain(arguments.split_whitespace());
        self.namespace.spawn(&Program::new(BINARY).args(words)).unwrap()
    }

    /// Waits until no program runs in here.
    pub(crate) fn wait_until_alone(&self) {
        let alone = || match Command::new("ip").args(["netns", "pids", self.namespace.name()]).output() {
            Ok(pids) if pids.stdout.is_empty() => Ok(()),
            _ => Err("programs still run"),
        };
        eventually(PATIENCE, alone).unwrap();
    }

    /// Gives this text to iptables-restore, of the kind that shows the rules.
    pub(crate) fn restore(&self, tool: &str, input: &str) {
        self.feed(&format!("{tool}-{}-restore --noflush", self.backend), input);
    }

    /// Gives this text to a command.
    pub(crate) fn feed(&self, command: &str, input: &str) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), input).unwrap();
        self.succeed(&["sh", "-c", &format!("{command} < {}", file.path().display())]);
    }

    /// What changes when nf_tables are written, even with the same: the handles of all rules.
    pub(crate) fn generation(&self) -> String {
        self.succeed(&["nft", "-a", "list", "ruleset"])
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
        self.namespace.enter(work).unwrap()
    }
}
