//! The registration: which pods the API server then shows to the injector, and who may change it.

mod by_hand;
mod kept;
mod selected;

use std::process::{Command, Output};

use serde_json::Value;
use sidecar_test_support::api_server::ApiServer;

/// `sidecar-injector webhook` as administrator of the cluster.
fn webhook(server: &ApiServer, arguments: &[&str]) -> Output {
    let (action, rest) = arguments.split_first().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidecar-injector"));
    command.args(["webhook", action, "--kubeconfig"]).arg(server.kubeconfig()).args(rest);
    command.env_remove("POD_NAMESPACE").output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The object as the API server has it, with its owners.
fn configuration(server: &ApiServer, name: &str) -> Option<Value> {
    let text = server.run(["get", "mutatingwebhookconfiguration", name, "--show-managed-fields", "-o", "json"]);
    text.ok().map(|text| serde_json::from_str(&text).unwrap())
}
