//! Connections through the rules: who, to where, and who answers. Real listeners say which destination they see.
//!
//! The tables are those of the specification: a packet's way through the rules is read off a row, not off a rule.

mod dial;
mod dns;
mod endpoint;
mod redirect;
mod scene;
mod swap;
mod tproxy;

use std::net::IpAddr;

use dial::Dial;
use endpoint::Owner;
use scene::{Addresses, Scene};

const APP: Owner = Owner { uid: 1000, gid: 1000 };
const ROOT: Owner = Owner { uid: 0, gid: 0 };
const PROXY: Owner = Owner { uid: 1337, gid: 1337 };
const PROXY_UID: Owner = Owner { uid: 1337, gid: 1000 };
const PROXY_GID: Owner = Owner { uid: 1000, gid: 1337 };

/// The name under which nobody answers.
const NOBODY: &str = "nobody";

/// One line of a table.
struct Row {
    /// From the peer rather than from the pod.
    is_remote: bool,
    dial: Dial,
    /// Name of the listener that has to answer.
    arrives: &'static str,
}

/// A connection that begins in the pod.
fn by(owner: Owner, to: (IpAddr, u16)) -> Row {
    Row { is_remote: false, dial: Dial::tcp(owner, to.into()), arrives: NOBODY }
}

/// A connection from another machine.
fn remote(to: (IpAddr, u16)) -> Row {
    Row { is_remote: true, ..by(ROOT, to) }
}

impl Row {
    fn from(mut self, source: IpAddr) -> Self {
        self.dial.source = Some((source, 0).into());
        self
    }

    fn source_port(mut self, port: u16) -> Self {
        self.dial.source.iter_mut().for_each(|source| source.set_port(port));
        self
    }

    fn udp(mut self) -> Self {
        self.dial.is_udp = true;
        self
    }

    fn arrives(mut self, listener: &'static str) -> Self {
        self.arrives = listener;
        self
    }

    /// What is wrong, if anything is.
    fn check(&self, scene: &Scene) -> Option<String> {
        let namespace = if self.is_remote { &scene.peer } else { scene.pod.namespace() };
        let answered = namespace.enter(|| self.dial.answered_by()).unwrap();
        let side = if self.is_remote { "remote" } else { "pod" };
        (answered != self.arrives).then(|| format!("{side}, {}: wanted {}, got {answered}", self.dial, self.arrives))
    }
}

/// Checks the rows in order, for both families, and returns all that failed.
fn check_rows(scene: &Scene, rows: impl Fn(&Addresses) -> Vec<Row>) -> Vec<String> {
    scene::FAMILIES.iter().flat_map(rows).filter_map(|row| row.check(scene)).collect()
}
