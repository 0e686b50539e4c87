//! What comes of injecting into the samples.

use super::{Lint, Severity};
use crate::config::{Config, DEFAULT_TEMPLATE};
use crate::context::Injector;
use crate::inject::InjectError;
use crate::loading::samples::{Finding, Tried, try_each, try_out};

impl Lint<'_> {
    pub(super) fn trial(&mut self, config: &Config, injector: &Injector) {
        let Tried { mistakes, mut warnings, rest } = try_out(injector);
        if !mistakes.is_empty() {
            warnings.extend(try_each(injector));
        }
        // The same mistake shows with several samples.
        let mut told = Vec::new();
        for (findings, severity) in [(mistakes, Severity::Error), (warnings, Severity::Warning)] {
            for finding in findings {
                if !told.contains(&finding.error) {
                    self.finding(config, &finding, severity);
                    told.push(finding.error);
                }
            }
        }
        if rest > 0 {
            let message = format!("{rest} more templates and aliases were not tried out");
            self.at(Severity::Warning, "templates", &message);
        }
    }

    fn finding(&mut self, config: &Config, finding: &Finding, severity: Severity) {
        let Finding { choice, sample, error } = finding;
        let asks = match choice {
            Some(choice) => format!("fails for {sample} that asks for '{choice}'"),
            None => format!("fails for {sample}"),
        };
        let is_default = |name: &str| match config.default_templates.as_slice() {
            [] => name == DEFAULT_TEMPLATE,
            names => names.iter().any(|default| default == name),
        };
        match error {
            // A name that does not exist is told at its place.
            InjectError::UnknownTemplate(_) => {}
            InjectError::Template(error) => {
                let is_chosen = choice.as_deref().is_some_and(|choice| !is_default(choice));
                let severity = if is_chosen || finding.is_refusal() { severity } else { Severity::Error };
                self.template(config, error, severity, &format!("template '{}' {asks}", error.template));
            }
            InjectError::Merge { template, .. } | InjectError::Unsafe { template, .. } => {
                for message in error.messages() {
                    self.at(severity, &format!("templates[{template}]"), &format!("{asks}: {message}"));
                }
            }
            _ => {
                let path = match choice {
                    Some(choice) if config.aliases.contains_key(choice) => format!("aliases[{choice}]"),
                    Some(choice) => format!("templates[{choice}]"),
                    None if config.default_templates.is_empty() => format!("templates[{DEFAULT_TEMPLATE}]"),
                    None => "defaultTemplates".to_owned(),
                };
                for message in error.messages() {
                    self.at(severity, &path, &format!("{asks}: {message}"));
                }
            }
        }
    }
}
