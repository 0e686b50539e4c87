//! The settings of an injector that runs in a cluster, as its Deployment has them.

use serde_json::Value;

use crate::context::InjectorSettings;
use crate::native::Setting;

/// What is left to an injector where its Deployment says nothing is what its program does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployed {
    /// Whether sidecars are native.
    pub native_sidecars: Setting,
    /// Rules for the proxy's cryptography; empty for none.
    pub compliance_policy: String,
    /// Whether the cluster is OpenShift.
    pub openshift: bool,
}

/// A policy with which other sidecars are tried where that of the injector is not known.
const USUAL_POLICY: &str = "fips-140-2";

/// What a Deployment says; none when it does not tell all, or the configuration is not that of the ConfigMaps.
pub fn deployed(deployment: &Value) -> Option<Deployed> {
    let containers = deployment.pointer("/spec/template/spec/containers")?.as_array()?;
    let container = containers.iter().find(|container| arguments(container).any(|argument| argument == "serve"))?;
    let arguments: Vec<&str> = arguments(container).collect();
    if container.get("envFrom").is_some_and(|from| from.as_array().is_some_and(|from| !from.is_empty())) {
        return None;
    }
    if arguments.iter().any(|argument| {
        argument.contains("$(") || argument.contains("ConfigFile") || argument.starts_with("--valuesFile")
    }) {
        return None;
    }
    let native = match arguments.iter().rev().find_map(|argument| argument.strip_prefix("--nativeSidecars")) {
        Some("") => "true".to_owned(),
        Some(value) => value.trim_start_matches('=').to_owned(),
        None => variable(container, "ENABLE_NATIVE_SIDECARS")?,
    };
    let setting = |flag: &str, name: &str| match value(&arguments, flag) {
        Some(value) => Some(value.to_owned()),
        None => variable(container, name),
    };
    Some(Deployed {
        native_sidecars: native.parse().ok()?,
        compliance_policy: setting("--compliance-policy", "COMPLIANCE_POLICY")?,
        openshift: setting("--platform", "PLATFORM")?.eq_ignore_ascii_case("openshift"),
    })
}

/// Settings that an injector may have of which only `known` is known: what is told there stays.
pub fn alternatives(known: &InjectorSettings) -> Vec<InjectorSettings> {
    let mut found = vec![known.clone()];
    if known.native_sidecars == Setting::Auto {
        let natives = [Setting::True, Setting::False];
        found = natives.map(|native_sidecars| InjectorSettings { native_sidecars, ..known.clone() }).into();
    }
    if !known.openshift {
        let others: Vec<_> = found.iter().map(|one| InjectorSettings { openshift: true, ..one.clone() }).collect();
        found.extend(others);
    }
    if known.compliance_policy.is_empty() {
        let with_policy =
            |one: &InjectorSettings| InjectorSettings { compliance_policy: USUAL_POLICY.to_owned(), ..one.clone() };
        let others: Vec<_> = found.iter().map(with_policy).collect();
        found.extend(others);
    }
    found
}

fn arguments(container: &Value) -> impl Iterator<Item = &str> {
    let lists = ["command", "args"].into_iter().filter_map(|list| container.get(list)?.as_array());
    lists.flatten().filter_map(Value::as_str)
}

/// The value of a flag, as `--flag=value` or `--flag value`.
fn value<'a>(arguments: &[&'a str], flag: &str) -> Option<&'a str> {
    arguments.iter().enumerate().rev().find_map(|(index, argument)| match argument.strip_prefix(flag)? {
        "" => arguments.get(index + 1).copied(),
        rest => rest.strip_prefix('='),
    })
}

/// The value of an environment variable, empty without one; none when it is to be found elsewhere.
fn variable(container: &Value, name: &str) -> Option<String> {
    let variables = container.get("env").and_then(Value::as_array).into_iter().flatten();
    let Some(found) = variables.rev().find(|variable| variable["name"] == name) else { return Some(String::new()) };
    match found.get("value").map(|value| value.as_str()) {
        _ if found.get("valueFrom").is_some() => None,
        None => Some(String::new()),
        Some(value) => value.filter(|value| !value.contains("$(")).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(arguments: &Value, environment: &Value) -> Option<Deployed> {
        let container = json!({"name": "injector", "args": arguments, "env": environment});
        deployed(&json!({"spec": {"template": {"spec": {"containers": [{"name": "other"}, container]}}}}))
    }

    #[test]
    fn flags_go_before_variables() {
        let none = json!([]);
        assert_eq!(of(&json!(["serve", "--register"]), &none), Some(Deployed::default()));
        let native = |arguments: Value, environment: Value| of(&arguments, &environment).unwrap().native_sidecars;
        let variable = json!([{"name": "ENABLE_NATIVE_SIDECARS", "value": "false"}]);
        assert_eq!(native(json!(["serve"]), variable.clone()), Setting::False);
        assert_eq!(native(json!(["serve", "--nativeSidecars"]), variable.clone()), Setting::True);
        assert_eq!(native(json!(["serve", "--nativeSidecars=auto"]), variable), Setting::Auto);
        let given = of(&json!(["serve", "--platform", "OpenShift", "--compliance-policy=p"]), &none).unwrap();
        assert_eq!((given.openshift, given.compliance_policy.as_str()), (true, "p"));
    }

    #[test]
    fn what_is_told_elsewhere_is_not_known() {
        let none = json!([]);
        let from = json!([{"name": "PLATFORM", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}]);
        assert_eq!(of(&json!(["serve"]), &from), None);
        assert_eq!(of(&json!(["serve", "--platform=$(PLATFORM)"]), &none), None);
        assert_eq!(of(&json!(["serve", "--injectConfigFile=a"]), &none), None);
        assert_eq!(of(&json!(["discovery"]), &none), None);
        assert_eq!(deployed(&json!({})), None);
    }

    #[test]
    fn what_is_known_is_not_tried_otherwise() {
        let known = InjectorSettings::default();
        assert_eq!(alternatives(&known).len(), 8);
        let known = InjectorSettings { native_sidecars: Setting::False, openshift: true, ..known };
        assert!(alternatives(&known).iter().all(|one| one.native_sidecars == Setting::False && one.openshift));
    }
}
