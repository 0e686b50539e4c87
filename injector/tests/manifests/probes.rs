//! The paths that the kubelet and Prometheus ask for are served.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use k8s_openapi::api::core::v1::Probe;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;

use crate::names::installations;
use crate::rendered::container;
use crate::yaml;

/// A process that serves, ended with the test.
struct Serving {
    child: Child,
    monitoring: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Serving {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sidecar-injector"))
            .args(["serve", "--dev", "--https-address=127.0.0.1:0", "--monitoring-address=127.0.0.1:0"])
            .arg("--log-format=json")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let events = log.lines().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        let listening = events.into_iter().find(|event| event["message"] == "listening").unwrap();
        Self { child, monitoring: listening["monitoring"].as_str().unwrap().to_owned() }
    }

    fn status(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.monitoring).unwrap();
        stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }
}

#[test]
fn what_is_asked_for_is_served() {
    let server = Serving::start();
    let monitor = &yaml("manifests/observability/pod-monitor.yaml")["spec"]["podMetricsEndpoints"][0];
    assert_eq!(monitor["port"], "http-monitoring");
    let mut paths = vec![monitor["path"].as_str().unwrap().to_owned()];
    for (rendered, _) in installations() {
        let deployment = rendered.deployment();
        let container = container(&deployment);
        let path = |probe: &Option<Probe>| {
            let request = probe.as_ref().unwrap().http_get.as_ref().unwrap();
            assert_eq!(request.port, IntOrString::String("http-monitoring".to_owned()));
            request.path.clone().unwrap()
        };
        assert_eq!(path(&container.readiness_probe), "/readyz");
        // A restart mends neither a configuration nor a missing permission.
        assert_ne!(path(&container.startup_probe), "/readyz");
        assert_ne!(path(&container.liveness_probe), "/readyz");
        paths.extend([&container.readiness_probe, &container.startup_probe, &container.liveness_probe].map(path));
    }
    for path in paths {
        assert_eq!(server.status(&path), "HTTP/1.0 200 OK", "{path}");
    }
}
