//! A network namespace as a guard: what a test does to the network, it does in here.

use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::panic::resume_unwind;
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::process::{Error, Output, Process};
use crate::program::Program;

/// Where programs are looked for, whatever the caller's `PATH` is; `ip` and `iptables` are in the `sbin` folders.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long a command that is waited for may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A network namespace with `lo` up. Dropped, its processes are killed by their ids and it is deleted.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

/// One end of a link: the interface's name and its addresses with prefix lengths.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// The namespace that it lies in.
    pub namespace: &'a Namespace,
    /// Name of the interface, as in `eth0`.
    pub interface: &'a str,
    /// Its addresses, of either family.
    pub addresses: &'a [(IpAddr, u8)],
}

impl Namespace {
    /// Makes a namespace whose name starts with `label` and is unique on this machine. Needs root.
    ///
    /// # Errors
    /// What `ip` said.
    pub fn create(label: &str) -> Result<Self, Error> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{label}-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        ip(&["netns", "add", &name])?;
        // From here on the guard deletes it, also when the next step fails.
        let namespace = Self { name };
        namespace.ip(&["link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    /// Its name, as in `ip netns exec NAME`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sends everything that no other route fits by way of `gateway`.
    ///
    /// # Errors
    /// What `ip` said.
    pub fn route_everything_via(&self, gateway: IpAddr) -> Result<(), Error> {
        let family = if gateway.is_ipv6() { "-6" } else { "-4" };
        self.ip(&[family, "route", "add", "default", "via", &gateway.to_string()])
    }

    /// Runs a program to its end and requires exit code 0 within half a minute.
    ///
    /// # Errors
    /// [`Error`], with what the program wrote.
    pub fn run(&self, program: &Program) -> Result<Output, Error> {
        self.spawn(program)?.succeed(PATIENCE)
    }

    /// Starts a program. It dies with the thread that calls this, at the latest.
    ///
    /// # Errors
    /// [`Error::NotStarted`]; a program that does not exist shows only when it is waited for.
    pub fn spawn(&self, program: &Program) -> Result<Process, Error> {
        let line = program.command_line(&self.name);
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).env_clear().env("PATH", SEARCH_PATH);
        command.envs(program.environment.iter().map(|(name, value)| (name, value)));
        Process::start(command)
    }

    /// Gives `lo` a further address: it stands for another machine, or pod.
    ///
    /// # Errors
    /// What `ip` said.
    pub fn add_address(&self, address: IpAddr) -> Result<(), Error> {
        let length = if address.is_ipv6() { 128 } else { 32 };
        self.ip(&["address", "add", &format!("{address}/{length}"), "dev", "lo"])
    }

    /// Runs `work` on a thread in here. So are the threads and the processes that it starts, and their sockets.
    ///
    /// # Errors
    /// When the namespace cannot be entered, which needs root.
    ///
    /// # Panics
    /// When `work` does.
    #[expect(clippy::disallowed_methods, reason = "a network namespace is a file")]
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        let namespace = File::open(format!("/run/netns/{}", self.name))?;
        // A thread of its own, which is never the first of this process: by that one it would seem to be in here, and be
        // killed with the namespace.
        let result = thread::scope(|scope| {
            let inside = scope.spawn(|| setns(namespace, CloneFlags::CLONE_NEWNET).map(|()| work()));
            inside.join().unwrap_or_else(|panic| resume_unwind(panic))
        });
        Ok(result?)
    }

    fn ip(&self, arguments: &[&str]) -> Result<(), Error> {
        ip(&[&["-n", &self.name], arguments].concat()).map(drop)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // A process left behind would keep the namespace alive without a name. All in here were started by us.
        if let Ok(listed) = ip(&["netns", "pids", &self.name]) {
            for pid in listed.stdout.lines().filter_map(|line| line.trim().parse().ok()) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
        // Nothing can be done about a failure here, and a panic would hide the one that may be under way.
        let _ = ip(&["netns", "del", &self.name]);
    }
}

/// Lays a veth pair between two namespaces, gives both ends their addresses, and brings them up.
///
/// # Errors
/// What `ip` said.
pub fn link(one: End<'_>, other: End<'_>) -> Result<(), Error> {
    // Both ends are made where they belong, so the machine itself never sees them.
    let near = ["link", "add", one.interface, "netns", one.namespace.name(), "type", "veth"];
    let far = ["peer", "name", other.interface, "netns", other.namespace.name()];
    ip(&[near.as_slice(), far.as_slice()].concat())?;
    for end in [one, other] {
        for (address, prefix_length) in end.addresses {
            let address_and_length = format!("{address}/{prefix_length}");
            let mut add = vec!["address", "add", &address_and_length, "dev", end.interface];
            if address.is_ipv6() {
                // Duplicate address detection would keep the address unusable for a second.
                add.push("nodad");
            }
            end.namespace.ip(&add)?;
        }
        end.namespace.ip(&["link", "set", end.interface, "up"])?;
    }
    Ok(())
}

fn ip(arguments: &[&str]) -> Result<Output, Error> {
    let mut command = Command::new("ip");
    command.args(arguments).env("PATH", SEARCH_PATH);
    Process::start(command)?.succeed(PATIENCE)
}

#[cfg(test)]
mod tests;
