//! kubectl: that of this machine, or the one that comes with the API server for tests.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use sidecar_test_support::api_server::find_api_server;
use sidecar_test_support::command::is_there;

pub(crate) enum Kubectl {
    Installed,
    /// The program in tests/apiserver, built.
    OfTheApiServer(&'static Path),
}

/// A kubectl whose kustomize knows everything that the manifests use, or why there is none.
pub(crate) fn kubectl() -> Result<&'static Kubectl, &'static str> {
    static KUBECTL: OnceLock<Result<Kubectl, String>> = OnceLock::new();
    KUBECTL.get_or_init(find).as_ref().map_err(String::as_str)
}

fn find() -> Result<Kubectl, String> {
    if is_there("kubectl") && is_young_enough() {
        return Ok(Kubectl::Installed);
    }
    let program =
        find_api_server().map_err(|missing| format!("there is no kubectl (1.26 or later) here, and {missing}"))?;
    Ok(Kubectl::OfTheApiServer(program))
}

fn is_young_enough() -> bool {
    let output = Command::new("kubectl").args(["version", "--client", "-o", "json"]).output().unwrap();
    let version: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let minor = version["clientVersion"]["minor"].as_str().unwrap_or_default();
    let number: String = minor.chars().take_while(char::is_ascii_digit).collect();
    number.parse().is_ok_and(|minor: u32| minor >= 26)
}

impl Kubectl {
    pub(crate) fn command(&self) -> Command {
        match self {
            Self::Installed => Command::new("kubectl"),
            Self::OfTheApiServer(program) => {
                let mut command = Command::new(program);
                command.arg("kubectl");
                command
            }
        }
    }
}
