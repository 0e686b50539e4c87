//! The demo: a sample is injected and run, and what happens is shown as it happens.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use sidecar_test_support::eventually::eventually;
use sidecar_test_support::program::{Confinement, Program};

use crate::address::{FAMILIES, Family, url};
use crate::counters::Counters;
use crate::error::Error;
use crate::injector::kube_inject;
use crate::pod::APPLICATION_UID;
use crate::scene::{INIT, PROXY, Scene, Seen, serve};

/// The port that the peer serves on.
const PEER_PORT: u16 = 8000;
/// How long the proxy's counters and log lines may take to appear.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the demo tells its story, and what may cut it short.
#[derive(Debug)]
pub struct Demo<'a, W> {
    /// Gets the story.
    pub out: W,
    /// The number of a signal that asks for an end; 0 for none.
    pub interrupted: &'a AtomicUsize,
    /// Whether everything is kept up at the end, to look around in, until a signal comes.
    pub stay: bool,
}

impl<W: Write> Demo<'_, W> {
    /// Injects the file, runs it, and sends traffic both ways. What it made is gone when it returns, however it does.
    ///
    /// # Errors
    /// [`Error::Interrupted`] after a signal, [`Error::Disproved`] when the traffic did not take the proxy's way, and
    /// whatever else goes wrong.
    pub fn run(&mut self, sample: &Path) -> Result<(), Error> {
        self.heading(&format!("1. {} is injected", sample.display()))?;
        self.say("$ sidecar-injector kube-inject -f FILE")?;
        let injected = kube_inject(sample)?;
        self.lines(injected.report.trim_end().lines())?;

        let mut scene = Scene::set(&injected.manifest)?;
        self.heading("2. A pod and a peer")?;
        self.say("Two network namespaces with a virtual cable between them:")?;
        self.say(&format!("  pod   {}  {}", Family::V4.pod(), Family::V6.pod()))?;
        self.say(&format!("  peer  {}  {}", Family::V4.peer(), Family::V6.peer()))?;
        let _peer_server = serve(&scene.peer, Confinement::user(APPLICATION_UID), PEER_PORT)?;

        self.write_rules(&mut scene)?;
        self.start_containers(&mut scene)?;
        let (before, sent) = (scene.counters()?, self.send_requests(&scene)?);
        self.show_log(&mut scene, sent)?;
        self.show_counters(&scene, before, sent)?;

        self.heading("Done")?;
        self.say("Every request to the application and from it went through the sidecar, over IPv4 and IPv6,")?;
        self.say("and neither the application nor its peer had to know.")?;
        if self.stay { self.wait_for_a_signal(&scene) } else { Ok(()) }
    }

    fn wait_for_a_signal(&mut self, scene: &Scene) -> Result<(), Error> {
        let (pod, peer) = (scene.pod.namespace().name(), scene.peer.name());
        self.heading("Look around; Ctrl-C ends it")?;
        self.say(&format!("sudo ip netns exec {pod} iptables -t nat --list --verbose --numeric"))?;
        self.say(&format!("sudo ip netns exec {peer} curl http://{}:15090/stats/prometheus", Family::V4.pod()))?;
        while self.interrupted.load(Ordering::Relaxed) == 0 {
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn write_rules(&mut self, scene: &mut Scene) -> Result<(), Error> {
        self.heading("3. The init container writes the redirection rules")?;
        for container in &scene.pod.spec().init_containers.clone() {
            let who = &container.confinement;
            let args = shell_words(&container.args);
            self.say(&format!("{}, as user {}: {} {args}", container.name, who.uid, container.image_name()))?;
        }
        scene.pod.run_init_containers(&scene.peer)?;
        self.say("\n$ iptables -t nat --list")?;
        let table = scene.pod.namespace().run(&Program::new("iptables").args(["-t", "nat", "--list"]))?.stdout;
        if !table.contains("ISTIO_REDIRECT") {
            return Err(Error::Disproved(format!("{INIT} left no chain ISTIO_REDIRECT:\n{table}")));
        }
        self.lines(table.trim_end().lines())
    }

    fn start_containers(&mut self, scene: &mut Scene) -> Result<(), Error> {
        self.heading("4. The containers start")?;
        let port = scene.pod.application_port()?;
        for container in &scene.pod.spec().containers.clone() {
            let args = shell_words(&container.args);
            self.say(&if container.name == PROXY {
                format!("{}, as user {}: {} {args}", container.name, container.confinement.uid, container.image_name())
            } else {
                format!("{}, as user {APPLICATION_UID}: a small web server on port {port} stands in", container.name)
            })?;
        }
        scene.pod.start_containers()?;
        scene.pod.wait_until_ready(&scene.peer)?;
        self.say("All are ready.")
    }

    /// Sends one request each way over each family, and returns how many went each way.
    fn send_requests(&mut self, scene: &Scene) -> Result<Counters, Error> {
        self.heading("5. Requests in: the peer asks the application")?;
        let mut sent = Counters { inbound: 0, outbound: 0 };
        let port = scene.pod.application_port()?;
        for family in FAMILIES {
            sent.inbound += 1;
            let seen = scene.ask_pod(family, port, "/hello")?;
            self.request(family, &url(family.pod(), port, "/hello"), "the application", seen)?;
            if seen.peer.ip() != family.inbound_source() {
                return Err(Error::Disproved(format!("the application was asked by {}, not by the proxy", seen.peer)));
            }
        }
        self.say("The application sees the proxy, which asks from an address of its own.")?;
        self.heading("6. Requests out: the application's user asks the peer")?;
        for family in FAMILIES {
            sent.outbound += 1;
            let seen = scene.ask_peer(APPLICATION_UID, family, PEER_PORT, "/world")?;
            self.request(family, &url(family.peer(), PEER_PORT, "/world"), "the peer", seen)?;
        }
        self.say("The peer sees the pod: the proxy asks from the pod's address.")?;
        Ok(sent)
    }

    fn show_log(&mut self, scene: &mut Scene, sent: Counters) -> Result<(), Error> {
        self.heading("7. What the proxy logged")?;
        let proxy = scene.pod.process(PROXY)?;
        let access = eventually(PATIENCE, || {
            let lines: Vec<String> = proxy.stderr().into_iter().filter(|line| line.contains("access: ")).collect();
            let complete = lines.len() as u64 == sent.inbound + sent.outbound;
            if complete { Ok(lines) } else { Err(format!("it logged {} connections", lines.len())) }
        });
        let access = access.map_err(|error| Error::Disproved(error.to_string()))?;
        self.lines(access.iter().map(String::as_str))
    }

    fn show_counters(&mut self, scene: &Scene, before: Counters, sent: Counters) -> Result<(), Error> {
        self.heading("8. What the proxy counted")?;
        let gained = eventually(PATIENCE, || {
            let gained = scene.counters()? - before;
            if gained == sent { Ok(gained) } else { Err(Error::Disproved(format!("it counted {gained:?}"))) }
        });
        let gained = gained.map_err(|error| error.last)?;
        self.say(&format!("connections in:  {}", gained.inbound))?;
        self.say(&format!("connections out: {}", gained.outbound))
    }

    fn request(&mut self, family: Family, url: &str, server: &str, seen: Seen) -> Result<(), Error> {
        self.say(&format!("{}  GET {url:<32} {}, {server} was asked by {}", family.name(), seen.status, seen.peer))
    }

    fn heading(&mut self, text: &str) -> Result<(), Error> {
        self.say(&format!("\n== {text}\n"))
    }

    fn lines<'l>(&mut self, lines: impl Iterator<Item = &'l str>) -> Result<(), Error> {
        lines.into_iter().try_for_each(|line| self.say(line))
    }

    /// Writes a line, and is the place where an interruption is noticed.
    fn say(&mut self, line: &str) -> Result<(), Error> {
        match self.interrupted.load(Ordering::Relaxed) {
            0 => Ok(writeln!(self.out, "{line}")?),
            signal => Err(Error::Interrupted(signal)),
        }
    }
}

/// Arguments as one would type them.
fn shell_words(arguments: &[String]) -> String {
    let plain =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:,=%@+".contains(c));
    let quoted = arguments
        .iter()
        .map(|word| if plain(word) { word.clone() } else { format!("'{}'", word.replace('\'', "'\\''")) });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_can_be_pasted_into_a_shell() {
        let arguments = ["-i", "*", "-x", "", "it's"].map(str::to_owned);
        assert_eq!(shell_words(&arguments), "-i '*' -x '' 'it'\\''s'");
    }

    #[test]
    fn an_interruption_ends_the_story_before_the_next_line() {
        let interrupted = AtomicUsize::new(15);
        let mut demo = Demo { out: Vec::new(), interrupted: &interrupted, stay: false };
        assert!(matches!(demo.say("more"), Err(Error::Interrupted(15))));
        assert!(demo.out.is_empty());
    }
}
