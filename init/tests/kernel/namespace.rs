//! A network namespace of a test's own, with loopback up; removed when dropped.

use std::fs::File;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use nix::sched::{CloneFlags, setns};

/// Keeps a namespace apart from those of other tests in this process.
static NEXT: AtomicU32 = AtomicU32::new(0);

pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    /// A new namespace; nothing, said aloud, without root, which is a failure where `CI` is set.
    #[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
    pub(crate) fn new() -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            assert!(std::env::var_os("CI").is_none(), "network namespaces need root");
            println!("skipped: network namespaces need root");
            return None;
        }
        let name = format!("sidecar-init-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        succeed(Command::new("ip").args(["netns", "add", &name]));
        let namespace = Self { name };
        namespace.succeed(&["ip", "link", "set", "lo", "up"]);
        Some(namespace)
    }

    /// Runs a program in the namespace.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        Command::new("ip").args(["netns", "exec", &self.name]).args(words).output().unwrap()
    }

    /// Runs a program that must succeed, and returns its standard output.
    pub(crate) fn succeed(&self, words: &[&str]) -> String {
        succeed(Command::new("ip").args(["netns", "exec", &self.name]).args(words))
    }

    /// Runs `work` on a thread that has entered the namespace; programs started there are in it too.
    pub(crate) fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(format!("/run/netns/{}", self.name)).unwrap();
        let work = move || {
            setns(namespace, CloneFlags::CLONE_NEWNET).unwrap();
            work()
        };
        thread::scope(|scope| scope.spawn(work).join().unwrap())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Nothing is to be done about a namespace that stays, and a panic here would hide the first one.
        let _ = Command::new("ip").args(["netns", "delete", &self.name]).output();
    }
}

fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
