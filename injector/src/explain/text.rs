//! An explanation as lines of text.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::{Explanation, Injection, RuleVerdict, WebhookVerdict};

/// How yes and no are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marks {
    /// As `✔` and `✘`, for a terminal that has them.
    Signs,
    /// As words.
    Words,
}

impl Marks {
    fn of(self, is_yes: Option<bool>) -> &'static str {
        match (self, is_yes) {
            (Self::Signs, Some(true)) => "✔",
            (Self::Signs, Some(false)) => "✘",
            (Self::Signs, None) => "·",
            (Self::Words, Some(true)) => "yes",
            (Self::Words, Some(false)) => "no ",
            (Self::Words, None) => "-  ",
        }
    }
}

/// The explanation for people, each line with its end.
pub fn render(explanation: &Explanation, marks: Marks) -> String {
    let Explanation { object, revision, configuration, namespace_labels, .. } = explanation;
    let mut lines = Lines { text: String::new(), marks };
    let namespace = if object.namespace.is_empty() { String::new() } else { format!("{}/", object.namespace) };
    lines.line(&format!("{} {namespace}{}", object.kind, object.name));
    let configuration = configuration.as_deref().unwrap_or("not known");
    lines.entry("injector", &format!("revision {revision}, configuration {configuration}"));
    lines.entry("namespace", &labels(namespace_labels.as_ref()));
    lines.webhooks(explanation);
    lines.rules(explanation);
    lines.decision(explanation);
    if let Some(running) = &explanation.running {
        lines.entry("running", &format!("{} ({})", running.text, running.state.code()));
        if let Some(cause) = &running.cause {
            lines.entry("cause", &format!("{} ({})", cause.text, cause.code));
        }
    }
    for warning in &explanation.warnings {
        lines.entry("warning", &format!("{} ({})", warning.beside(&explanation.decision.reason), warning.code));
    }
    lines.text
}

struct Lines {
    text: String,
    marks: Marks,
}

impl Lines {
    fn line(&mut self, text: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{}", text.trim_end());
    }

    fn entry(&mut self, name: &str, text: &str) {
        self.line(&format!("  {name:<11}{text}"));
    }

    fn item(&mut self, mark: Option<bool>, name: &str, width: usize, text: &str) {
        let mark = self.marks.of(mark);
        self.line(&format!("    {mark} {name:<width$}  {text}"));
    }

    fn webhooks(&mut self, explanation: &Explanation) {
        let Some(webhooks) = &explanation.webhooks else {
            let remedy = "--namespace-labels, or --from-cluster with the permission to list webhooks and namespaces";
            return self.entry("webhooks", &format!("not known; give {remedy}"));
        };
        if webhooks.is_empty() {
            return self.entry("webhooks", "there are none");
        }
        self.entry("webhooks", "the API server calls the injector where both selectors match");
        let names: Vec<String> = webhooks.iter().map(webhook_name).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
        for (webhook, name) in webhooks.iter().zip(&names) {
            self.item(Some(webhook.matches), name, width, &selection(webhook));
        }
    }

    fn rules(&mut self, explanation: &Explanation) {
        let heading = match explanation.called {
            Some(false) => "the injector is not called; this is what it would say",
            _ => "what the injector asks, in this order",
        };
        self.entry("rules", heading);
        let width = explanation.rules.iter().map(|rule| rule.rule.len()).max().unwrap_or_default();
        for RuleVerdict { rule, verdict, settles, text } in &explanation.rules {
            let mark = settles.then_some(*verdict == "inject");
            self.item(mark, &rule.replace('_', " "), width, text);
        }
    }

    fn decision(&mut self, explanation: &Explanation) {
        let decision = &explanation.decision;
        let what = if decision.inject { "inject" } else { "no sidecar" };
        self.entry("decision", &format!("{what}: {} ({})", decision.reason, decision.code));
        if let Some(injection) = &explanation.injection {
            self.entry("templates", &injection.templates.join(", "));
            self.entry("adds", &added(injection));
        }
        for problem in &explanation.problems {
            self.entry("problem", problem);
        }
    }
}

fn labels(labels: Option<&Map<String, Value>>) -> String {
    let Some(labels) = labels else { return "its labels are not known".to_owned() };
    let pairs = labels.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
    let pairs: Vec<String> = pairs.collect();
    if pairs.is_empty() { "without labels".to_owned() } else { pairs.join(", ") }
}

fn webhook_name(webhook: &WebhookVerdict) -> String {
    if webhook.configuration.is_empty() {
        format!("{} (revision {})", webhook.name, webhook.revision)
    } else {
        format!("{} of {} (revision {})", webhook.name, webhook.configuration, webhook.revision)
    }
}

fn selection(webhook: &WebhookVerdict) -> String {
    let unmet = [("namespace", &webhook.unmet_by_namespace), ("pod", &webhook.unmet_by_pod)];
    let unmet: Vec<String> = unmet
        .into_iter()
        .filter_map(|(what, requirement)| Some(format!("{what}: needs {}", requirement.as_ref()?)))
        .collect();
    match (unmet.is_empty(), webhook.conditions.is_empty()) {
        (false, _) => unmet.join("; "),
        (true, true) => "both match".to_owned(),
        (true, false) => format!("both match; not evaluated: {}", webhook.conditions.join("; ")),
    }
}

fn added(injection: &Injection) -> String {
    let lists = [
        ("init container", &injection.init_containers),
        ("container", &injection.containers),
        ("volume", &injection.volumes),
        ("image pull secret", &injection.image_pull_secrets),
    ];
    let added: Vec<String> =
        lists.iter().flat_map(|(what, names)| names.iter().map(move |name| format!("{what} {name}"))).collect();
    if added.is_empty() { "no container".to_owned() } else { added.join(", ") }
}
