//! What a Service does for its endpoints: one address, behind which the ready replicas take turns.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::replica::{Replica, is_ready};

/// As often as the manifests have the kubelet ask, or more.
const PERIOD: Duration = Duration::from_millis(200);

/// Forwards connections, never requests: one that is open stays with its replica, as through kube-proxy.
pub(crate) struct Balancer {
    address: SocketAddr,
    endpoints: Arc<Mutex<Vec<Endpoint>>>,
    stopped: Arc<AtomicBool>,
}

struct Endpoint {
    https: SocketAddr,
    monitoring: SocketAddr,
    is_ready: bool,
}

impl Balancer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let endpoints = Arc::<Mutex<Vec<Endpoint>>>::default();
        let stopped = Arc::<AtomicBool>::default();
        let (probed, ended) = (Arc::clone(&endpoints), Arc::clone(&stopped));
        thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                probe(&probed);
                thread::sleep(PERIOD);
            }
        });
        let (chosen, ended, turn) = (Arc::clone(&endpoints), Arc::clone(&stopped), AtomicUsize::new(0));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let ready: Vec<SocketAddr> =
                    chosen.lock().unwrap().iter().filter(|one| one.is_ready).map(|one| one.https).collect();
                if ready.is_empty() {
                    continue;
                }
                let endpoint = ready[turn.fetch_add(1, Ordering::Relaxed) % ready.len()];
                thread::spawn(move || forward(client, endpoint));
            }
        });
        Self { address, endpoints, stopped }
    }

    /// Where clients go.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends connections to the replica whenever it says that it is ready.
    pub(crate) fn add(&self, replica: &Replica) {
        let endpoint = Endpoint { https: replica.https, monitoring: replica.monitoring, is_ready: false };
        self.endpoints.lock().unwrap().push(endpoint);
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // So that the listener's thread looks.
        let _ = TcpStream::connect(self.address);
    }
}

fn probe(endpoints: &Mutex<Vec<Endpoint>>) {
    let addresses: Vec<SocketAddr> = endpoints.lock().unwrap().iter().map(|one| one.monitoring).collect();
    for monitoring in addresses {
        let is_ready = is_ready(monitoring);
        for endpoint in endpoints.lock().unwrap().iter_mut().filter(|one| one.monitoring == monitoring) {
            endpoint.is_ready = is_ready;
        }
    }
}

fn forward(client: TcpStream, endpoint: SocketAddr) {
    let Ok(server) = TcpStream::connect(endpoint) else { return };
    let (Ok(from_client), Ok(to_server)) = (client.try_clone(), server.try_clone()) else { return };
    thread::spawn(move || copy(from_client, to_server));
    copy(server, client);
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
