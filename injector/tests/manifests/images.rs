//! The Dockerfiles: what they build, as whom it runs, which ports it opens.

use clap::Parser;
use sidecar_contract::{identity, image, port};
use sidecar_injector::cli::{Cli, Command};

use crate::rendered::{container, pod, rendered};
use crate::{text, yaml};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The argument of the last such instruction.
fn instruction<'a>(dockerfile: &'a str, name: &str) -> &'a str {
    dockerfile.lines().rev().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim()
}

fn check(dockerfile: &str, program: &str, user: (u32, u32), ports: &[u16]) {
    let dockerfile = text(dockerfile);
    assert!(dockerfile.contains(&format!("-p {program} ")), "does not build {program}");
    assert!(dockerfile.contains("--locked"));
    assert_eq!(instruction(&dockerfile, "COPY --from=build"), format!("/{program} /{program}"));
    assert_eq!(instruction(&dockerfile, "ENTRYPOINT"), format!("[\"/{program}\"]"));
    assert_eq!(instruction(&dockerfile, "USER"), format!("{}:{}", user.0, user.1));
    let ports: Vec<_> = ports.iter().map(ToString::to_string).collect();
    assert_eq!(instruction(&dockerfile, "EXPOSE"), ports.join(" "));
    let workspace: toml::Table = text("Cargo.toml").parse().unwrap();
    let rust = workspace["workspace"]["package"]["rust-version"].as_str().unwrap();
    assert!(
        dockerfile.contains(&format!("FROM rust:{rust}-bookworm AS build")),
        "builds with another Rust than {rust}"
    );
}

const NOBODY: (u32, u32) = (65532, 65532);

#[test]
fn the_injectors_image_serves_as_nobody() {
    check("Dockerfile.injector", image::INJECTOR, NOBODY, &[port::WEBHOOK, port::INJECTOR_MONITORING]);
    assert_eq!(instruction(&text("Dockerfile.injector"), "CMD"), r#"["serve"]"#);
    let served = Cli::try_parse_from([image::INJECTOR, "serve", "--dev"]).unwrap();
    assert!(matches!(served.command, Command::Serve(_)));
    let Some(rendered) = rendered("manifests") else { return };
    let deployment = rendered.deployment();
    assert_eq!(pod(&deployment).security_context.as_ref().unwrap().run_as_user, Some(i64::from(NOBODY.0)));
}

#[test]
fn the_proxys_image_runs_as_the_user_the_rules_let_pass() {
    let user = (identity::PROXY_UID, identity::PROXY_GID);
    check("Dockerfile.proxy", image::PROXY, user, &[port::OUTBOUND, port::INBOUND, port::HEALTH, port::PROMETHEUS]);
}

#[test]
fn the_init_image_is_nobody_until_the_pod_says_otherwise() {
    check("Dockerfile.init", image::INIT, NOBODY, &[]);
}

#[test]
fn images_are_named_alike_everywhere() {
    let renamed = &yaml("manifests/base/kustomization.yaml")["images"][0];
    assert_eq!(renamed["name"], image::INJECTOR);
    assert_eq!(renamed["newName"], format!("localhost/{}", image::INJECTOR));
    assert_eq!(renamed["newTag"], VERSION);
    if let Some(rendered) = rendered("manifests") {
        let expected = format!("localhost/{}:{VERSION}", image::INJECTOR);
        assert_eq!(container(&rendered.deployment()).image.as_deref(), Some(expected.as_str()));
    }
    let values = yaml("templates/values.json");
    assert_eq!(values["global"]["tag"], VERSION);
    assert_eq!(values["global"]["proxy"]["image"], image::PROXY);
    assert_eq!(values["global"]["proxy_init"]["image"], image::INIT);
}
