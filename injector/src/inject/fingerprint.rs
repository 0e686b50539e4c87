//! A fingerprint of what an injection made, by which it is seen whether somebody changed it since.
//!
//! The API server does, always: it writes defaults into what a webhook adds, writes quantities its own way, leaves out
//! what is empty, and gives every container the token of the pod's service account. None of that counts.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::containers::{self, LISTS};
use crate::quantity::Quantity;
use crate::status::Status;

/// Where the ServiceAccount admission mounts the token.
const TOKEN_FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Fingerprint of the elements of `pod` that `status` lists.
pub(super) fn of(pod: &Value, status: &Status) -> String {
    let mut hash = Sha256::new();
    for list in [LISTS[0], LISTS[1], "volumes"] {
        for element in status.names_in(list).filter_map(|name| containers::find(pod, list, name)) {
            feed(&mut hash, list, element);
        }
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Hashes the value of the field `name` with the keys of its mappings in order: tools that rewrite a manifest put them
/// into an order of their own. Every part says how long it is, so that no two values are fed alike.
fn feed(hash: &mut Sha256, name: &str, value: &Value) {
    match value {
        Value::Object(fields) => {
            let limits = fields.get("limits");
            let mut shown: Vec<_> =
                fields.iter().filter(|(key, value)| !is_default(fields, name, key, value)).collect();
            shown.sort_unstable_by_key(|(key, _)| key.as_str());
            hash.update(format!("{{{}:", shown.len()));
            for (key, value) in shown {
                hash.update(format!("{}:{key}", key.len()));
                match quantity(name, key, value) {
                    Some(quantity) => hash.update(format!("{quantity}m;")),
                    None if key == "requests" => feed(hash, key, &beside_limits(value, limits)),
                    None => feed(hash, key, value),
                }
            }
        }
        Value::Array(elements) => {
            let elements: Vec<_> = elements.iter().filter(|element| !is_token(name, element)).collect();
            hash.update(format!("[{}:", elements.len()));
            elements.into_iter().for_each(|element| feed(hash, name, element));
        }
        Value::String(text) => hash.update(format!("\"{}:{text}", text.len())),
        scalar => hash.update(format!("{scalar};")),
    }
}

/// Whether the API server makes no difference between `fields`, the field `holder`, with this entry and without it.
fn is_default(fields: &Map<String, Value>, holder: &str, key: &str, value: &Value) -> bool {
    match (key, value) {
        (_, Value::Null) => true,
        (_, Value::String(text)) if text.is_empty() => true,
        (_, Value::Array(elements)) => elements.iter().all(|element| is_token(key, element)),
        ("requests", value) => beside_limits(value, fields.get("limits")).as_object().is_some_and(Map::is_empty),
        (_, Value::Object(inner)) => inner.iter().all(|(name, value)| is_default(inner, key, name, value)),
        ("initialDelaySeconds", value) => *value == 0,
        ("timeoutSeconds" | "successThreshold", value) => *value == 1,
        ("periodSeconds", value) => *value == 10,
        ("failureThreshold", value) => *value == 3,
        ("defaultMode", value) => *value == 0o644,
        ("expirationSeconds", value) => *value == 3600,
        ("terminationMessagePath", value) => value == "/dev/termination-log",
        ("terminationMessagePolicy", value) => value == "File",
        ("imagePullPolicy", value) => value == default_pull_policy(fields),
        ("protocol", value) => value == "TCP",
        ("scheme", value) => value == "HTTP",
        ("path", value) if holder == "httpGet" => value == "/",
        ("apiVersion", value) => value == "v1",
        ("divisor", value) => value == "0",
        ("readOnly" | "stdin" | "stdinOnce" | "tty", value) => *value == false,
        _ => false,
    }
}

/// The requests that are not as they are without being given: like the limits.
fn beside_limits(requests: &Value, limits: Option<&Value>) -> Value {
    let mut requests = requests.clone();
    if let Some(requests) = requests.as_object_mut() {
        let limit = |name: &str| limits.and_then(|limits| limits.get(name));
        requests.retain(|name, value| limit(name).is_none_or(|limit| !is_same_quantity(value, limit)));
    }
    requests
}

/// `Always` for the tag `latest`, which is also that of an image without one.
fn default_pull_policy(container: &Map<String, Value>) -> &'static str {
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    if !name.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest") {
        "Always"
    } else {
        "IfNotPresent"
    }
}

fn is_token(list: &str, element: &Value) -> bool {
    list == "volumeMounts" && element["mountPath"] == TOKEN_FOLDER
}

/// In thousandths, where the field is a quantity.
fn quantity(holder: &str, key: &str, value: &Value) -> Option<i64> {
    if matches!(holder, "requests" | "limits") || matches!(key, "divisor" | "sizeLimit") {
        thousandths(value)
    } else {
        None
    }
}

fn is_same_quantity(one: &Value, other: &Value) -> bool {
    thousandths(one).is_some_and(|one| thousandths(other) == Some(one))
}

fn thousandths(value: &Value) -> Option<i64> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Quantity::parse(&text).map(|quantity| quantity.milli_value())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fingerprint(container: &Value) -> String {
        let status = Status { containers: Some(vec!["a".to_owned()]), ..Status::default() };
        let mut container = container.clone();
        container["name"] = "a".into();
        of(&json!({"spec": {"containers": [container]}}), &status)
    }

    #[test]
    fn what_the_api_server_writes_does_not_count() {
        let probe = json!({"httpGet": {"port": 1}, "initialDelaySeconds": 0});
        let made = json!({"image": "a", "env": [{"name": "A", "value": ""},
                {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
            "ports": [{"containerPort": 1}], "readinessProbe": probe, "securityContext": null,
            "resources": {"limits": {"cpu": "2000m", "memory": "1024Mi"}, "requests": {"memory": 1}}});
        let probe = json!({"httpGet": {"port": 1, "path": "/", "scheme": "HTTP"}, "timeoutSeconds": 1,
            "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3});
        let token = json!({"name": "kube-api-access-x7k2p", "mountPath": TOKEN_FOLDER, "readOnly": true});
        let stored = json!({"image": "a", "env": [{"name": "A"},
                {"valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}}, "name": "B"}],
            "imagePullPolicy": "Always", "ports": [{"containerPort": 1, "protocol": "TCP"}], "readinessProbe": probe,
            "resources": {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "2", "memory": "1"}},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            "volumeMounts": [token]});
        assert_eq!(fingerprint(&made), fingerprint(&stored));
        let with_limits = json!({"resources": {"limits": {"cpu": "1"}}});
        let with_both = json!({"resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1000m"}}});
        assert_eq!(fingerprint(&with_limits), fingerprint(&with_both));
    }

    #[test]
    fn what_others_write_counts() {
        let made = json!({"image": "a:1", "env": [{"name": "A", "value": "1"}]});
        for (pointer, value) in [
            ("/image", json!("mirror/a:1")),
            ("/imagePullPolicy", json!("Always")),
            ("/env", json!([{"name": "A", "value": "1"}, {"name": "B"}])),
            ("/env", json!([{"name": "A"}])),
            ("/securityContext", json!({"allowPrivilegeEscalation": false})),
            ("/resources", json!({"requests": {"cpu": "1"}})),
            ("/volumeMounts", json!([{"name": "ca", "mountPath": "/etc/ssl"}])),
        ] {
            let mut changed = made.clone();
            changed[&pointer[1..]] = value;
            assert_ne!(fingerprint(&made), fingerprint(&changed), "{pointer}: {changed}");
        }
    }
}
