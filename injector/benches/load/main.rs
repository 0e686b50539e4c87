//! The webhook under load, next to a server that does nothing: requests a second, latencies, CPU and memory, as ratios of
//! one run on one machine.
//!
//! `cargo bench -p sidecar-injector --bench load -- --seconds 60` sends AdmissionReviews over TLS with `wrk` (Debian's
//! package of that name) for so long over 1, 8 and 64 connections; 10 seconds when not said. Each round is shared: the
//! echo, which reads the same body and sends it back, and the injector, with Istio's own template where the conformance
//! data is at hand, asked for pods that differ as they do in a rollout, not at all, and altogether. Both have the same
//! TLS and HTTP, and two cores are shared with `wrk`, so it is the ratios that tell.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod client;
mod echo;
mod server;
mod settings;

use std::error::Error;
use std::time::Duration;

use client::{Load, Pods, wrk};
use server::Server;

const CONNECTIONS: [u32; 3] = [1, 8, 64];
const DEFAULT_SECONDS: u64 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, folder] = arguments.as_slice()
        && mode == echo::MODE
    {
        return echo::serve(folder.as_ref());
    }
    let seconds = arguments.iter().skip_while(|word| *word != "--seconds").nth(1).map(|word| word.parse());
    let length = Duration::from_secs(seconds.transpose()?.unwrap_or(DEFAULT_SECONDS));
    if !client::is_installed() {
        println!("left out: wrk is missing; apt-get install wrk");
        return Ok(());
    }

    let folder = tempfile::tempdir()?;
    let whose = settings::write(folder.path())?;
    println!("{whose} template, {length:?} a line, both servers and wrk on the same cores\n");
    let ready = server::time_to_ready(folder.path(), 20)?;
    println!("ready, from exec to /readyz: {:.1} ms (median of 20), {:.1} ms (slowest)\n", ready.median, ready.slowest);

    println!("| connections | server | pods | requests/s | p50 | p99 | CPU a request | RSS before | RSS after |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for connections in CONNECTIONS {
        let echo = Server::echo(folder.path())?;
        let echo = measure("echo", &echo, folder.path(), Pods::Rollout, connections, length)?;
        for pods in Pods::ALL {
            let injector = Server::injector(folder.path())?;
            let injector = measure("injector", &injector, folder.path(), pods, connections, length)?;
            let (rate, cpu) = (injector.rate / echo.rate, injector.cpu / echo.cpu);
            println!("| {connections} | ratio | {} | {rate:.2} | | | {cpu:.2} | | |", pods.name());
        }
    }
    Ok(())
}

struct Measured {
    /// Requests a second.
    rate: f64,
    /// Microseconds a request.
    cpu: f64,
}

fn measure(
    name: &str,
    server: &Server,
    folder: &std::path::Path,
    pods: Pods,
    connections: u32,
    length: Duration,
) -> Result<Measured, Box<dyn Error>> {
    wrk(server.address(), folder, pods, connections, Duration::from_secs(1))?;
    let before = server.usage()?;
    let Load { requests, duration, p50, p99, errors } = wrk(server.address(), folder, pods, connections, length)?;
    let after = server.usage()?;
    if errors > 0 {
        return Err(format!("{name}: {errors} of {requests} requests failed over {connections} connections").into());
    }
    let measured = Measured {
        rate: requests as f64 / duration.as_secs_f64(),
        cpu: (after.cpu - before.cpu).as_secs_f64() * 1e6 / requests as f64,
    };
    let megabytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "| {connections} | {name} | {} | {:.0} | {:.2} ms | {:.2} ms | {:.0} µs | {:.1} MB | {:.1} MB |",
        pods.name(),
        measured.rate,
        p50.as_secs_f64() * 1e3,
        p99.as_secs_f64() * 1e3,
        measured.cpu,
        megabytes(before.memory),
        megabytes(after.memory),
    );
    Ok(measured)
}
