//! A pod and a peer: two network namespaces, a link between them, and the redirection rules in the pod.

#![expect(clippy::disallowed_methods, reason = "network namespaces are files")]

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};

pub(crate) const POD_V4: &str = "10.99.0.2";
pub(crate) const POD_V6: &str = "fd99::2";
pub(crate) const PEER_V4: &str = "10.99.0.1";
pub(crate) const PEER_V6: &str = "fd99::1";

const SOCKET_TIMEOUT: Duration = Duration::from_secs(20);

/// Whether kernel tests can run here; says so if not.
pub(crate) fn can_run() -> bool {
    if nix::unistd::geteuid().is_root() {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "kernel tests need root, and CI must not skip them");
    eprintln!("skipped: kernel tests need root");
    false
}

/// A network namespace; gone when dropped.
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    fn create(role: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("sidecar-{}-{number}-{role}", std::process::id());
        run(&["ip", "netns", "add", &name]);
        let namespace = Self { name };
        namespace.run(&["ip", "link", "set", "lo", "up"]);
        namespace
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn run(&self, command: &[&str]) {
        run(&[&["ip", "netns", "exec", &self.name], command].concat());
    }

    /// Runs `work` on a thread that has entered the namespace. Sockets made there stay there, wherever they are used.
    pub(crate) fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(format!("/run/netns/{}", self.name)).unwrap();
        thread::scope(|scope| {
            let entered = scope.spawn(|| {
                setns(namespace.as_fd(), CloneFlags::CLONE_NEWNET).unwrap();
                work()
            });
            entered.join().unwrap()
        })
    }

    pub(crate) fn connect(&self, address: SocketAddr) -> TcpStream {
        self.try_connect(address).unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"))
    }

    pub(crate) fn try_connect(&self, address: SocketAddr) -> std::io::Result<TcpStream> {
        let stream = self.enter(|| TcpStream::connect_timeout(&address, SOCKET_TIMEOUT))?;
        stream.set_read_timeout(Some(SOCKET_TIMEOUT))?;
        Ok(stream)
    }

    /// Connects and waits for the first byte; the error with which that ends.
    pub(crate) fn expect_error(&self, address: SocketAddr) -> ErrorKind {
        let first_byte = || TcpStream::connect_timeout(&address, SOCKET_TIMEOUT)?.read_exact(&mut [0]);
        match self.enter(first_byte) {
            Ok(()) => panic!("{address} answered"),
            Err(error) => error.kind(),
        }
    }

    /// A server in this namespace that sends `greeting`, then sends back what it gets until the client has finished.
    /// Tells for each connection who came, and to which address.
    pub(crate) fn serve(&self, address: SocketAddr, greeting: &'static [u8]) -> Arrivals {
        let listener = self.enter(|| TcpListener::bind(address)).unwrap();
        let (sender, arrivals) = std::sync::mpsc::channel();
        // Ends with the test process; it holds nothing but its socket.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = sender.send((stream.peer_addr().unwrap(), stream.local_addr().unwrap()));
                thread::spawn(move || {
                    stream.write_all(greeting)?;
                    std::io::copy(&mut stream.try_clone()?, &mut stream)
                });
            }
        });
        arrivals
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.name]).status();
    }
}

/// Peer and local address of each connection that a server accepted.
pub(crate) type Arrivals = std::sync::mpsc::Receiver<(SocketAddr, SocketAddr)>;

/// A pod with the rules in place, and a peer that can reach it.
pub(crate) struct Pod {
    pub(crate) namespace: Namespace,
    pub(crate) peer: Namespace,
}

impl Pod {
    pub(crate) fn create() -> Self {
        let pod = Self { namespace: Namespace::create("pod"), peer: Namespace::create("peer") };
        let (inside, outside) = (pod.namespace.name(), pod.peer.name());
        run(&["ip", "-n", inside, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", outside]);
        for (namespace, v4, v6) in [(inside, POD_V4, POD_V6), (outside, PEER_V4, PEER_V6)] {
            run(&["ip", "-n", namespace, "address", "add", &format!("{v4}/24"), "dev", "eth0"]);
            // Without duplicate address detection, which takes a second.
            run(&["ip", "-n", namespace, "address", "add", &format!("{v6}/64"), "dev", "eth0", "nodad"]);
            run(&["ip", "-n", namespace, "link", "set", "eth0", "up"]);
        }
        run(&["ip", "-n", inside, "address", "add", "::6/128", "dev", "lo"]);
        pod.restore("iptables-restore", &rules("127.0.0.6/32", "127.0.0.1/32"));
        pod.restore("ip6tables-restore", &rules("::6/128", "::1/128"));
        pod
    }

    fn restore(&self, program: &str, rules: &str) {
        let mut restore = Command::new("ip")
            .args(["netns", "exec", self.namespace.name(), program])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        restore.stdin.take().unwrap().write_all(rules.as_bytes()).unwrap();
        assert!(restore.wait().unwrap().success(), "{program} refused\n{rules}");
    }
}

/// Istio's rules for `-p 15001 -z 15006 -u 1337 -m REDIRECT -i * -b * -d 15090,15021,15020`.
fn rules(inbound_source: &str, loopback: &str) -> String {
    format!(
        "*nat
:ISTIO_INBOUND - [0:0]
:ISTIO_IN_REDIRECT - [0:0]
:ISTIO_OUTPUT - [0:0]
:ISTIO_REDIRECT - [0:0]
-A PREROUTING -p tcp -j ISTIO_INBOUND
-A OUTPUT -j ISTIO_OUTPUT
-A ISTIO_INBOUND -p tcp -m tcp --dport 15008 -j RETURN
-A ISTIO_INBOUND -p tcp -m tcp --dport 15090 -j RETURN
-A ISTIO_INBOUND -p tcp -m tcp --dport 15021 -j RETURN
-A ISTIO_INBOUND -p tcp -m tcp --dport 15020 -j RETURN
-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT
-A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006
-A ISTIO_OUTPUT -s {inbound_source} -o lo -j RETURN
-A ISTIO_OUTPUT ! -d {loopback} -o lo -p tcp -m tcp ! --dport 15008 -m owner --uid-owner 1337 -j ISTIO_IN_REDIRECT
-A ISTIO_OUTPUT -o lo -m owner ! --uid-owner 1337 -j RETURN
-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN
-A ISTIO_OUTPUT ! -d {loopback} -o lo -p tcp -m tcp ! --dport 15008 -m owner --gid-owner 1337 -j ISTIO_IN_REDIRECT
-A ISTIO_OUTPUT -o lo -m owner ! --gid-owner 1337 -j RETURN
-A ISTIO_OUTPUT -m owner --gid-owner 1337 -j RETURN
-A ISTIO_OUTPUT -d {loopback} -j RETURN
-A ISTIO_OUTPUT -j ISTIO_REDIRECT
-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001
COMMIT
"
    )
}

pub(crate) fn address(ip: &str, port: u16) -> SocketAddr {
    SocketAddr::new(ip.parse::<IpAddr>().unwrap(), port)
}

/// Sends, finishes sending, and returns everything that comes back.
pub(crate) fn exchange(mut stream: TcpStream, request: &[u8]) -> Vec<u8> {
    stream.write_all(request).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    response
}

fn run(command: &[&str]) {
    let output = Command::new(command[0]).args(&command[1..]).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
