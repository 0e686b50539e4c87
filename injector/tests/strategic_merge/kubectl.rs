//! What kubectl makes of a patch.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Patches `pods`, in a file in `folder`. For each pod the result, or nothing if kubectl refuses the patch for it; and
/// what kubectl says of that.
pub fn patch(pods: &[Value], patch: &Value, folder: &Path) -> (Vec<Option<Value>>, String) {
    let mut numbered = pods.to_vec();
    for (number, pod) in numbered.iter_mut().enumerate() {
        pod["status"] = json!({"message": number.to_string()});
    }
    let output = run(&json!({"apiVersion": "v1", "kind": "List", "items": numbered}), patch, folder);
    let mut patched = vec![None; pods.len()];
    for pod in serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>() {
        let mut pod = pod.unwrap();
        let status = pod.as_object_mut().unwrap().remove("status").unwrap();
        let number: usize = status["message"].as_str().unwrap().parse().unwrap();
        patched[number] = Some(pod);
    }
    (patched, String::from_utf8_lossy(&output.stderr).into_owned())
}

fn run(list: &Value, patch: &Value, folder: &Path) -> Output {
    let file = folder.join("pods.json");
    std::fs::write(&file, list.to_string()).unwrap();
    // Without a home it has no configuration and no cluster.
    Command::new("kubectl")
        .args(["patch", "--local", "--type", "strategic", "--output", "json", "--patch"])
        .arg(patch.to_string())
        .arg("--filename")
        .arg(&file)
        .env("HOME", folder)
        .env_remove("KUBECONFIG")
        .output()
        .unwrap()
}

/// Takes out what does not survive kubectl's next step, the decoding of the patched object: nulls and directives that
/// met nothing.
pub fn decoded(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let ordinary = |(name, value): &(String, Value)| !name.starts_with('$') && !is_dropped(value);
            fields.into_iter().filter(ordinary).map(|(name, value)| (name, decoded(value))).collect()
        }
        Value::Array(elements) => elements.into_iter().filter(|element| !is_dropped(element)).map(decoded).collect(),
        scalar => scalar,
    }
}

fn is_dropped(value: &Value) -> bool {
    value.is_null() || value.get("$patch").is_some()
}
