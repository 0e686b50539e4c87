//! The paths that the kubelet and Prometheus ask for are served.

use k8s_openapi::api::core::v1::Probe;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::names::installations;
use crate::rendered::container;
use crate::running::Running;
use crate::yaml;

#[test]
fn what_is_asked_for_is_served() {
    let server = Running::start(&["--dev"]);
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
        let answer = server.get(&path);
        assert!(answer.starts_with("HTTP/1.0 200 OK"), "{path}: {answer}");
    }
}
