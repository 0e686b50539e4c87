//! What happens to a pod after it was created is no business of the injector.

use sidecar_test_support::api_server::ApiServer;

use super::Installation;
use super::objects::{get, requests};

#[test]
fn a_pod_that_exists_is_left_alone() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "updated");
    let replica = installation.start_ready("updated-0", &[]);
    let namespace = installation.labelled_namespace("demo");
    installation.create_injected_pod(&namespace, "web");
    let created = get(server, &namespace, "web");

    let on_pod = |arguments: &[&str]| server.run([&["--namespace", &namespace], arguments].concat()).unwrap();
    on_pod(&["label", "pod", "web", "tier=front", "sidecar.istio.io/inject=false"]);
    on_pod(&["annotate", "pod", "web", "note=1"]);
    on_pod(&["set", "image", "pod/web", "web=registry.example/app:2"]);
    on_pod(&["set", "image", "pod/web", "istio-proxy=registry.example/proxy:2"]);
    on_pod(&["debug", "web", "--image=registry.example/tools:1", "--container=tools", "--target=web"]);
    on_pod(&["patch", "pod", "web", "--subresource=status", "--patch", r#"{"status": {"message": "seen"}}"#]);

    let updated = get(server, &namespace, "web");
    assert_eq!(updated["spec"]["ephemeralContainers"][0]["name"], "tools");
    let mut expected = created.clone();
    expected["metadata"]["labels"]["tier"] = "front".into();
    expected["metadata"]["labels"]["sidecar.istio.io/inject"] = "false".into();
    expected["metadata"]["annotations"]["note"] = "1".into();
    expected["spec"]["ephemeralContainers"] = updated["spec"]["ephemeralContainers"].clone();
    for (list, name, image) in [("containers", "web", "app"), ("initContainers", "istio-proxy", "proxy")] {
        let containers = expected["spec"][list].as_array_mut().unwrap();
        let container = containers.iter_mut().find(|container| container["name"] == name).unwrap();
        container["image"] = format!("registry.example/{image}:2").into();
    }
    for part in ["labels", "annotations"] {
        assert_eq!(updated["metadata"][part], expected["metadata"][part]);
    }
    assert_eq!(updated["spec"], expected["spec"]);
    on_pod(&["delete", "pod", "web", "--now", "--wait=false"]);
    assert_eq!(requests(&replica, ""), 1.0);
}
