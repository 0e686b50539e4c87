//! Adding the sidecar to one pod.

mod order;
mod warnings;

use std::fmt;

use serde_json::{Map, Value};
use sidecar_contract::{annotation, container};

use crate::annotations::{self, AnnotationError};
use crate::config::UnknownTemplate;
use crate::context::Context;
use crate::merge::{MergeError, merge};
use crate::status::Status;
use crate::template::{Template, TemplateError};
use crate::workload::{FieldError, check_pod, metadata_map, names};
use crate::yaml;

/// An injected pod, and what was done to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The whole pod.
    pub pod: Value,
    /// Names of the templates, in the order in which they were merged.
    pub templates: Vec<String>,
    /// What the templates contributed.
    pub status: Status,
    /// Things the owner of the pod should know.
    pub warnings: Vec<String>,
}

/// Why a pod could not be injected. Nothing was changed.
#[derive(Clone, Debug, PartialEq)]
pub enum InjectError {
    /// It is not a pod that injection can work on.
    Pod(Vec<FieldError>),
    /// Annotations have values that cannot be used.
    Annotations(Vec<AnnotationError>),
    /// It asks for a template that does not exist.
    UnknownTemplate(UnknownTemplate),
    /// A template cannot be rendered for it.
    Template(TemplateError),
    /// The template's result cannot be merged into a pod.
    Merge {
        /// Name of the template.
        template: String,
        /// Where and why.
        error: MergeError,
    },
    /// The result would not be a valid pod.
    Result(Vec<FieldError>),
}

impl InjectError {
    /// Whether the pod's owner can mend it; otherwise it is the configuration that is wrong.
    pub fn is_in_the_pod(&self) -> bool {
        matches!(self, Self::Pod(_) | Self::Annotations(_) | Self::UnknownTemplate(_))
    }

    /// Each mistake on its own.
    pub fn messages(&self) -> Vec<String> {
        self.messages_under("")
    }

    /// Each mistake on its own, with fields seen from the object that holds the pod at `path`.
    pub fn messages_under(&self, path: &str) -> Vec<String> {
        match self {
            Self::Pod(errors) => errors.iter().map(|error| error.clone().under(path).to_string()).collect(),
            Self::Annotations(errors) => errors.iter().map(ToString::to_string).collect(),
            Self::UnknownTemplate(error) => vec![format!("annotation '{}': {error}", annotation::TEMPLATES)],
            Self::Template(error) => vec![error.to_string()],
            Self::Merge { template, error } => vec![format!("template '{template}': {error}")],
            Self::Result(errors) => {
                let message =
                    |error: &FieldError| format!("the injected pod would be invalid: {}", error.clone().under(path));
                errors.iter().map(message).collect()
            }
        }
    }
}

impl std::error::Error for InjectError {}

impl fmt::Display for InjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.messages().join("; "))
    }
}

/// Injects `pod`, whatever [`crate::decide::decide`] would say. Injecting the result again changes nothing.
///
/// # Errors
/// When the pod, its annotations, a template or the result are not as they have to be.
pub fn inject(pod: &Value, context: &Context<'_>) -> Result<Outcome, InjectError> {
    check_pod(pod).map_err(InjectError::Pod)?;
    annotations::check(pod, crate::mode::Mode::Corrected).map_err(InjectError::Annotations)?;
    let requested = metadata_map(pod, "annotations").get(annotation::TEMPLATES).and_then(Value::as_str);
    let templates = context.configuration.templates(requested).map_err(InjectError::UnknownTemplate)?;

    let (mut injected, fragment) = render_onto(pod, &templates, context)?;
    let status = Status::of(&fragment, context.revision());
    remove_stale(&mut injected, Status::on(pod).as_ref(), &fragment);
    annotate(&mut injected, context, &status);
    order::containers(&mut injected, context.configuration.mesh.hold_application_until_proxy_starts());
    check_pod(&injected).map_err(InjectError::Result)?;
    Ok(Outcome {
        warnings: warnings::about(pod, context),
        templates: templates.iter().map(|template| template.name().to_owned()).collect(),
        pod: injected,
        status,
    })
}

/// The pod with all templates merged into it, and the templates merged with each other.
fn render_onto(pod: &Value, templates: &[&Template], context: &Context<'_>) -> Result<(Value, Value), InjectError> {
    // Mistakes are told by their places in the pod as it came.
    let data = context
        .template_data(&Status::stripped(pod))
        .map_err(|errors| InjectError::Pod(context.template_data(pod).err().unwrap_or(errors)))?;
    let mut injected = pod.clone();
    let mut fragment = Value::Object(Map::new());
    for template in templates {
        let rendered = template.render(&data).map_err(InjectError::Template)?;
        let patch = read_fragment(template.name(), &rendered).map_err(InjectError::Template)?;
        for target in [&mut fragment, &mut injected] {
            merge(target, &patch)
                .map_err(|error| InjectError::Merge { template: template.name().to_owned(), error })?;
        }
    }
    Ok((injected, fragment))
}

/// Takes away our own containers of an earlier injection that this one has no more, or has in the other list, as after
/// a change of the interception mode. Containers of other names stay: a template may have touched the user's.
fn remove_stale(pod: &mut Value, former: Option<&Status>, fragment: &Value) {
    let Some(Status { init_containers, containers, .. }) = former else { return };
    for (list, former) in [("initContainers", init_containers), ("containers", containers)] {
        let current = names(fragment, list);
        let is_stale = |name: &str| {
            [container::INIT, container::PROXY].contains(&name)
                && former.iter().flatten().any(|former| former == name)
                && !current.contains(&name)
        };
        if let Some(Value::Array(elements)) = pod["spec"].get_mut(list) {
            elements.retain(|element| !element["name"].as_str().is_some_and(is_stale));
        }
    }
}

/// A template renders to a part of a pod: `metadata` and `spec`, and nothing else.
fn read_fragment(template: &str, rendered: &str) -> Result<Value, TemplateError> {
    let error = |problem: String| TemplateError { template: template.to_owned(), problem };
    let fragment = yaml::read_manifest(rendered).map_err(|problem| {
        error(match problem.line {
            Some(line) => format!("line {line} of the rendered text is not YAML: {problem}"),
            None => format!("the rendered text is not YAML: {problem}"),
        })
    })?;
    match fragment {
        Value::Null => Ok(Value::Object(Map::new())),
        Value::Object(mut parts) => {
            if let Some(key) = parts.keys().find(|key| !matches!(key.as_str(), "metadata" | "spec")) {
                return Err(error(format!(
                    "renders the key `{key}`; only `metadata` and `spec` of a pod belong there"
                )));
            }
            parts.retain(|_, part| !part.is_null());
            match parts.iter().find(|(_, part)| !part.is_object()) {
                Some((key, _)) => Err(error(format!("renders `{key}` as something else than a mapping"))),
                None => Ok(Value::Object(parts)),
            }
        }
        _ => Err(error("renders something else than a mapping".to_owned())),
    }
}

fn annotate(pod: &mut Value, context: &Context<'_>, status: &Status) {
    let configured = &context.configuration.config.injected_annotations;
    let added = std::iter::once((annotation::STATUS, status.to_annotation()))
        .chain(configured.iter().map(|(name, value)| (name.as_str(), value.clone())));
    let annotations = object_at(object_at(pod, "metadata"), "annotations");
    if let Value::Object(annotations) = annotations {
        annotations.extend(added.map(|(name, value)| (name.to_owned(), Value::String(value))));
    }
}

/// `parent.<key>` as a mapping, made when it is missing or null. `parent` is one: [`check_pod`] has seen to it.
fn object_at<'a>(parent: &'a mut Value, key: &str) -> &'a mut Value {
    let child = &mut parent[key];
    if child.is_null() {
        *child = Value::Object(Map::new());
    }
    child
}

#[cfg(test)]
mod tests;
