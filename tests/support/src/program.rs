//! What is to be run, and how tightly: plain values, turned into the command line that does it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

/// A program with its arguments, its whole environment (nothing is inherited but `PATH`), and its limits.
#[derive(Clone, Debug)]
pub struct Program {
    /// A path, or a name to look for in the usual folders.
    pub path: PathBuf,
    /// Arguments after the program's name.
    pub arguments: Vec<String>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// Under whom it runs and what it may do.
    pub confinement: Confinement,
}

/// Under whom a program runs and what it may do, as a container runtime would arrange it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confinement {
    /// User id.
    pub uid: u32,
    /// Group id; there are no supplementary groups.
    pub gid: u32,
    /// The bounding set. Root has all of it in effect; another user has none in effect, as in a container.
    pub capabilities: Capabilities,
    /// Whether a set-uid program may raise privileges.
    pub privilege_escalation: bool,
    /// Whether the root file system is mounted read-only for it.
    pub read_only_root: bool,
}

/// A set of Linux capabilities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capabilities {
    /// Every capability that the kernel knows.
    All,
    /// These only, in lower case and without the `cap_`: `net_admin`.
    Only(BTreeSet<String>),
}

impl Program {
    /// A program that runs as root without limits.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            confinement: Confinement {
                uid: 0,
                gid: 0,
                capabilities: Capabilities::All,
                privilege_escalation: true,
                read_only_root: false,
            },
        }
    }

    /// Adds arguments.
    pub fn args<I: IntoIterator<Item: Into<String>>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Runs it as this user, who has the group of the same number and no capability.
    pub fn user(self, uid: u32) -> Self {
        self.confined(Confinement::user(uid))
    }

    /// Sets under whom it runs and what it may do.
    pub fn confined(mut self, confinement: Confinement) -> Self {
        self.confinement = confinement;
        self
    }

    /// The command line that runs it in the network namespace `namespace`. Every part but the last replaces itself
    /// by the next, so the process that is started is in the end the program.
    pub(crate) fn command_line(&self, namespace: &str) -> Vec<OsString> {
        let mut line: Vec<OsString> = ["ip", "netns", "exec", namespace, "sh", "-ec"].map(OsString::from).into();
        line.push(self.confinement.mounts().into());
        // The script's own name, which is `$0` to it.
        line.push("sh".into());
        line.push("setpriv".into());
        line.extend(self.confinement.setpriv().into_iter().map(OsString::from));
        line.push(self.path.clone().into());
        line.extend(self.arguments.iter().map(OsString::from));
        line
    }
}

impl Confinement {
    /// An ordinary user without capabilities.
    pub fn user(uid: u32) -> Self {
        Self {
            uid,
            gid: uid,
            capabilities: Capabilities::Only(BTreeSet::new()),
            privilege_escalation: false,
            read_only_root: false,
        }
    }

    /// A script for the mount namespace that `ip netns exec` makes for each command.
    fn mounts(&self) -> String {
        // No name server is reachable from the namespace: without this, a look-up waits for one for seconds.
        let no_name_server = "if [ -f /etc/resolv.conf ]; then mount --bind /dev/null /etc/resolv.conf; fi";
        let read_only = if self.read_only_root { "mount -o remount,bind,ro /; " } else { "" };
        format!("{no_name_server}; {read_only}exec \"$@\"")
    }

    /// The options of setpriv(1). The process dies with the thread that started it, so that a killed test leaves none.
    fn setpriv(&self) -> Vec<String> {
        let mut options = vec![
            format!("--reuid={}", self.uid),
            format!("--regid={}", self.gid),
            "--clear-groups".to_owned(),
            "--inh-caps=-all".to_owned(),
            "--pdeathsig=KILL".to_owned(),
        ];
        if !self.privilege_escalation {
            options.push("--no-new-privs".to_owned());
        }
        if let Capabilities::Only(names) = &self.capabilities {
            let added: String = names.iter().map(|name| format!(",+{name}")).collect();
            options.push(format!("--bounding-set=-all{added}"));
        }
        options
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(program: &Program) -> String {
        let line = program.command_line("pod");
        line.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn capabilities_become_the_bounding_set() {
        let capabilities = Capabilities::Only(["net_admin", "net_raw"].map(str::to_owned).into());
        let confinement = Confinement { capabilities, ..Confinement::user(0) };
        let line = words(&Program::new("/bin/init").args(["-p", "15001"]).confined(confinement));
        assert!(line.contains("--bounding-set=-all,+net_admin,+net_raw"), "{line}");
        assert!(line.ends_with("/bin/init -p 15001"), "{line}");
    }

    #[test]
    fn a_user_cannot_gain_privileges_and_root_without_limits_can() {
        assert!(words(&Program::new("x").user(1000)).contains("--reuid=1000 --regid=1000"));
        assert!(words(&Program::new("x").user(1000)).contains("--no-new-privs --bounding-set=-all x"));
        assert!(!words(&Program::new("x")).contains("--no-new-privs"));
        assert!(!words(&Program::new("x")).contains("--bounding-set"));
    }

    #[test]
    fn the_root_file_system_is_remounted_only_when_asked() {
        let read_only = Confinement { read_only_root: true, ..Confinement::user(1) };
        assert!(words(&Program::new("x").confined(read_only)).contains("remount,bind,ro /;"));
        assert!(!words(&Program::new("x").user(1)).contains("remount"));
    }
}
