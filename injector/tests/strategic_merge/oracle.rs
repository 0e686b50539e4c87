//! What Kubernetes makes of a patch: kubectl or, where there is none, a program around the function that kubectl calls.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};
use sidecar_test_support::command::{is_there, skip};

/// Who knows the right result.
pub(crate) enum Oracle {
    Kubectl,
    /// The program in `oracle/`, built.
    Program(PathBuf),
}

/// The oracle of this machine. Without one it prints why the test is skipped; with `CI` set, that is a failure.
pub(crate) fn oracle() -> Option<&'static Oracle> {
    static ORACLE: OnceLock<Result<Oracle, String>> = OnceLock::new();
    ORACLE.get_or_init(find).as_ref().map_err(|missing| skip(missing)).ok()
}

fn find() -> Result<Oracle, String> {
    if is_there("kubectl") && knows_all_fields(&Oracle::Kubectl) {
        return Ok(Oracle::Kubectl);
    }
    if !is_there("go") {
        return Err("there is neither kubectl (1.26 or later) nor go here".to_owned());
    }
    let binary = Path::new(env!("CARGO_TARGET_TMPDIR")).join("strategic-merge-oracle");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strategic_merge/oracle");
    let built = Command::new("go").args(["build", "-o"]).arg(&binary).arg(".").current_dir(sources).output().unwrap();
    if built.status.success() {
        Ok(Oracle::Program(binary))
    } else {
        Err(format!("there is no kubectl (1.26 or later) here, and go says: {}", text(&built.stderr)))
    }
}

/// Whether it is younger than the youngest field of our pods; an older one also has mistakes that were mended since.
fn knows_all_fields(oracle: &Oracle) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let patch = json!({"spec": {"schedulingGates": [{"name": "a"}]}});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": patch["spec"]});
    oracle.patch(&[pod], &patch, folder.path()).0 != [None]
}

impl Oracle {
    /// Patches `pods`; `folder` is for its files. For each pod the result, or nothing where the patch is refused; and
    /// what is said of that.
    pub(crate) fn patch(&self, pods: &[Value], patch: &Value, folder: &Path) -> (Vec<Option<Value>>, String) {
        match self {
            Self::Kubectl => by_kubectl(pods, patch, folder),
            Self::Program(binary) => by_program(binary, pods, patch),
        }
    }
}

fn by_kubectl(pods: &[Value], patch: &Value, folder: &Path) -> (Vec<Option<Value>>, String) {
    // Those that it refuses are missing from what it prints.
    let mut numbered = pods.to_vec();
    for (number, pod) in numbered.iter_mut().enumerate() {
        pod["status"] = json!({"message": number.to_string()});
    }
    let file = folder.join("pods.json");
    std::fs::write(&file, json!({"apiVersion": "v1", "kind": "List", "items": numbered}).to_string()).unwrap();
    let output = Command::new("kubectl")
        .args(["patch", "--local", "--type", "strategic", "--output", "json", "--patch"])
        .arg(patch.to_string())
        .arg("--filename")
        .arg(&file)
        // Nobody's configuration.
        .env("HOME", folder)
        .env_remove("KUBECONFIG")
        .output()
        .unwrap();
    let mut patched = vec![None; pods.len()];
    for pod in serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>() {
        let mut pod = pod.unwrap();
        let status = pod.as_object_mut().unwrap().remove("status").unwrap();
        let number: usize = status["message"].as_str().unwrap().parse().unwrap();
        patched[number] = Some(pod);
    }
    (patched, text(&output.stderr))
}

fn by_program(binary: &Path, pods: &[Value], patch: &Value) -> (Vec<Option<Value>>, String) {
    let requests: String = pods.iter().map(|pod| format!("{}\n", json!({"pod": pod, "patch": patch}))).collect();
    let Output { stdout, stderr, .. } = answer(binary, requests);
    let answers = serde_json::Deserializer::from_slice(&stdout).into_iter::<Value>().map(Result::unwrap);
    let (mut patched, mut refusals) = (Vec::new(), text(&stderr));
    for mut answer in answers {
        refusals.push_str(answer["error"].as_str().unwrap_or_default());
        patched.push(answer.as_object_mut().unwrap().remove("pod"));
    }
    assert_eq!(patched.len(), pods.len(), "{refusals}");
    (patched, refusals)
}

fn answer(binary: &Path, requests: String) -> Output {
    let mut command = Command::new(binary);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // While it writes answers it may not read.
    let writer = std::thread::spawn(move || stdin.write_all(requests.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// Takes out what does not survive the next step, the decoding of the patched object: nulls and directives that met
/// nothing.
pub(crate) fn decoded(value: Value) -> Value {
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
