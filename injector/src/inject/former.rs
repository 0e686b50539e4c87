//! A pod that Istio's injector, or this one in its place, has injected before: what its templates get to see.

use serde_json::Value;
use sidecar_contract::annotation;

use super::{overrides, prometheus};
use crate::containers::{self, LISTS};
use crate::context::Context;
use crate::status::Status;

/// `pod` without the containers and metrics annotations of an earlier injection, but with its own wishes for those
/// containers. The rest of that injection stays: templates merge over it by name.
pub(super) fn stripped(pod: &Value, context: &Context<'_>) -> Value {
    let mut stripped = pod.clone();
    if let Some(status) = Status::on(pod) {
        for list in LISTS {
            if let Some(elements) = containers::list_mut(&mut stripped, list) {
                elements.retain(|element| !status.names_in(list).any(|name| containers::is_named(element, name)));
            }
        }
        prometheus::remove_merged(&mut stripped, context);
        if let Some(annotations) = containers::metadata_mut(&mut stripped, "annotations") {
            annotations.shift_remove(annotation::STATUS);
        }
    }
    for (list, element) in overrides::all_recorded(pod) {
        let name = element.get("name").and_then(Value::as_str).unwrap_or_default();
        if containers::find_in_both(&stripped, name).is_none()
            && let Some(elements) = containers::list_or_new(&mut stripped, list)
        {
            elements.push(element);
        }
    }
    stripped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Configuration;
    use crate::context::Injector;
    use crate::decide::NO_VARIABLES;
    use crate::defaults;
    use crate::owner::Owner;
    use serde_json::json;

    fn stripped(annotations: Value, containers: Value, init: Value) -> Value {
        let injector = Injector::new(Configuration::load(&defaults::sources()).unwrap());
        let context = injector.context(Owner::default(), injector.namespace("demo"), &NO_VARIABLES);
        let pod = json!({"metadata": {"annotations": annotations},
            "spec": {"containers": containers, "initContainers": init}});
        super::stripped(&pod, &context)
    }

    #[test]
    fn templates_see_the_pod_without_an_earlier_injection() {
        let status =
            r#"{"containers":["istio-proxy"],"initContainers":["istio-init"],"revision":"default","version":"x"}"#;
        let annotations = json!({annotation::STATUS: status, annotation::PROMETHEUS_PORT: "15020", "mine": "1"});
        let seen =
            stripped(annotations, json!([{"name": "app"}, {"name": "istio-proxy"}]), json!([{"name": "istio-init"}]));
        let expected = json!({"metadata": {"annotations": {"mine": "1"}},
            "spec": {"containers": [{"name": "app"}], "initContainers": []}});
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_the_pod_said_of_its_containers_is_there_again() {
        let annotations = json!({annotation::STATUS: r#"{"containers":["app"]}"#,
            annotation::OVERRIDES: r#"{"containers":[{"name":"app","image":"mine"}]}"#});
        let seen = stripped(annotations, json!([{"name": "app", "image": "theirs"}]), json!([]));
        assert_eq!(seen["spec"]["containers"], json!([{"name": "app", "image": "mine"}]));
    }

    #[test]
    fn a_status_that_cannot_be_read_is_no_status() {
        for status in ["", "[]", "{\"containers\": 1}", "null"] {
            let seen = stripped(json!({annotation::STATUS: status}), json!([{"name": "a"}]), json!([]));
            assert_eq!(seen["metadata"]["annotations"][annotation::STATUS], status);
        }
    }
}
