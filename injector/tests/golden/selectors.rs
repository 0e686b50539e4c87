//! The first filter, which the command line and the webhook cannot show: which webhook the API server calls, if any.

use std::collections::BTreeSet;
use std::fs;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use sidecar_injector::config::Config;
use sidecar_injector::decide::Subject;
use sidecar_injector::selector::LabelSelector;
use sidecar_injector::warnings::Warning;
use sidecar_injector::webhooks::{NoMatch, Registered, Webhook, webhooks};

use crate::case::root;

/// One line of `selectors.yaml`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Decided {
    /// Installed revisions, with their tags; `default` is the one without a name. `own`: a webhook with selectors of its
    /// own; `none`: no webhook.
    installed: Vec<String>,
    #[serde(default)]
    namespace: Map<String, Value>,
    #[serde(default)]
    pod: Map<String, Value>,
    #[serde(default)]
    annotations: Map<String, Value>,
    /// The revision of the injector that decides, where it is to be the one that is called.
    own: Option<String>,
    /// The revision whose injector the API server calls, if any.
    calls: Option<String>,
    /// The code of the reason.
    code: String,
    /// The reason, in a sentence.
    reason: String,
    #[serde(default)]
    warnings: Vec<String>,
}

#[test]
fn the_selectors_decide_before_the_injector_does() {
    let text = fs::read_to_string(root().join("selectors.yaml")).unwrap();
    let cases: Vec<Decided> = sidecar_injector::yaml::read_config(&text).unwrap();
    let config = Config { policy: "enabled".to_owned(), ..Config::default() };
    let (mut codes, mut wrong) = (BTreeSet::new(), Vec::new());
    for case in &cases {
        let pod =
            json!({"metadata": {"labels": case.pod, "annotations": case.annotations}, "spec": {"containers": []}});
        let installed = case.installed.iter().flat_map(|revision| installed(revision));
        let installed: Vec<Registered> = installed.map(Registered::from).collect();
        let subject = Subject {
            pod: &pod,
            namespace: "store",
            namespace_labels: Some(&case.namespace),
            webhooks: Some(&installed),
            revision: case.own.as_deref(),
        };
        let decision = subject.decide(&config);
        let found = (decision.reason.code(), decision.reason.to_string(), texts(&decision.warnings));
        if found != (case.code.as_str(), case.reason.clone(), case.warnings.clone()) {
            wrong.push(format!("{case:?}\n  is {found:?}"));
        }
        codes.insert(found.0);
        let calls = subject.webhook().unwrap().ok().map(|webhook| webhook.webhook.revision.clone());
        if calls != case.calls {
            wrong.push(format!("{case:?}\n  calls {calls:?}"));
        }
    }
    let missing: Vec<_> = NoMatch::CODES.iter().filter(|code| !codes.contains(*code)).collect();
    assert!(missing.is_empty(), "no case is about {missing:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn texts(warnings: &[Warning]) -> Vec<String> {
    warnings.iter().map(ToString::to_string).collect()
}

fn installed(revision: &str) -> Vec<Webhook> {
    match revision {
        "none" => Vec::new(),
        "default" => webhooks("", &[], false),
        "default, by default" => webhooks("", &[], true),
        "deactivated" => webhooks("", &[], false).into_iter().map(Webhook::deactivated).collect(),
        "own" => {
            let selector = |key: &str| LabelSelector {
                match_labels: [(key.to_owned(), "yes".to_owned())].into(),
                ..LabelSelector::default()
            };
            vec![Webhook {
                name: "own.example.com".to_owned(),
                revision: "default".to_owned(),
                namespace_selector: selector("meshed"),
                object_selector: LabelSelector::default(),
            }]
        }
        revision => webhooks(revision, &[], false),
    }
}
