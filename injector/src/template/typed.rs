//! What is left of JSON that goes through Go's types.

use gotemplate::Budget;
use gotemplate::json::{self, Style};
use serde_json::Value;

use super::{LIMITS, data};

/// `json` as Go writes it after reading it into the type of that name, such as `v1.PodSpec`: fields that the type does
/// not have are gone, and so are nulls, empty lists and the zero values that Go leaves out; quantities are in their
/// canonical form. `None` when it is not of that type.
pub(crate) fn typed(type_name: &str, json: &Value) -> Option<Value> {
    let value = data::read(type_name, json, "").ok()?;
    let text = json::encode(&value, &Budget::new(LIMITS), Style::Raw).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_go_leaves_out_is_gone_and_quantities_are_canonical() {
        let container = json!({
            "name": "a", "args": [], "env": null, "tty": false, "unknown": 1, "imagePullPolicy": "",
            "securityContext": {"runAsUser": 0, "privileged": false, "capabilities": null},
            "resources": {"limits": {"cpu": "2000m", "memory": "1024Mi"}, "requests": null},
            "livenessProbe": {"httpGet": {"port": "http", "path": ""}, "timeoutSeconds": 0},
        });
        assert_eq!(
            typed("v1.Container", &container).unwrap(),
            json!({
                "name": "a",
                "securityContext": {"runAsUser": 0, "privileged": false},
                "resources": {"limits": {"cpu": "2", "memory": "1Gi"}},
                "livenessProbe": {"httpGet": {"port": "http"}},
            })
        );
        assert_eq!(typed("v1.Container", &json!({"name": 3})), None);
    }
}
