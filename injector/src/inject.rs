//! Adding the sidecar to one pod.

mod alternatives;
mod environment;
mod fingerprint;
mod former;
mod metadata;
mod order;
pub(crate) mod overrides;
pub(crate) mod probes;
pub(crate) mod prometheus;
mod render;
mod resources;
mod result;
mod texts;

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;
use sidecar_contract::annotation;

use crate::annotations::{self, AnnotationError};
use crate::config::UnknownTemplate;
use crate::containers;
use crate::context::{Context, PodSettings};
use crate::merge::MergeError;
use crate::mode::Mode;
use crate::openshift;
use crate::owner::Owner;
use crate::status::Status;
use crate::template::{Template, TemplateError, safety};
use crate::undo;
use crate::uninject::{UninjectError, uninject};
use crate::warnings::{self, INJECTED_BY_ISTIO, Warning};
use crate::workload::{FieldError, check_pod, metadata_map};
pub use texts::{RenderedText, rendered_texts};

/// The interception mode in which the sidecar sees the connection as the application would.
const TPROXY: &str = "TPROXY";

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
    pub warnings: Vec<Warning>,
}

/// Why a pod could not be injected. Nothing was changed.
#[derive(Clone, Debug, PartialEq)]
pub enum InjectError {
    /// It is not a pod that injection can work on.
    Pod(Vec<FieldError>),
    /// The object that it belongs to, or its namespace, has a name that no object has.
    Owner(Vec<String>),
    /// Annotations have values that cannot be used.
    Annotations(Vec<AnnotationError>),
    /// It asks for a template that does not exist.
    UnknownTemplate(UnknownTemplate),
    /// What an earlier injection wrote down cannot be read.
    Former(UninjectError),
    /// A template cannot be rendered for it.
    Template(TemplateError),
    /// The template's result cannot be merged into a pod.
    Merge {
        /// Name of the template.
        template: String,
        /// Where and why.
        error: MergeError,
    },
    /// Text of the pod would become something else than text in what a template renders.
    Unsafe {
        /// Name of the template.
        template: String,
        /// The fields with such text.
        fields: Vec<String>,
    },
    /// The result would not be a valid pod.
    Result(Vec<FieldError>),
}

impl InjectError {
    /// Whether the pod's owner can mend it; otherwise it is the configuration that is wrong.
    pub fn is_in_the_pod(&self) -> bool {
        matches!(
            self,
            Self::Pod(_)
                | Self::Owner(_)
                | Self::Annotations(_)
                | Self::UnknownTemplate(_)
                | Self::Former(_)
                | Self::Unsafe { .. }
        )
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
            Self::Owner(problems) => problems.clone(),
            Self::UnknownTemplate(error) => vec![format!("annotation '{}': {error}", annotation::TEMPLATES)],
            Self::Former(error) => vec![error.to_string()],
            Self::Template(error) => vec![error.to_string()],
            Self::Merge { template, error } => vec![format!("template '{template}': {error}")],
            Self::Unsafe { template, fields } => {
                let message = |field: &String| {
                    let field = FieldError::new(field.clone(), "has characters that would change what template");
                    format!("{} '{template}' renders; take quotes, line ends and the like out", field.under(path))
                };
                fields.iter().map(message).collect()
            }
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

/// Injects `pod`, whatever [`crate::decide::decide`] would say.
///
/// Injecting the result again changes nothing, and [`uninject`] gives the pod back as it was; but in
/// [`Mode::Istio`] neither.
///
/// # Errors
/// When the pod, its annotations, a template or the result are not as they have to be.
pub fn inject(pod: &Value, context: &Context<'_>) -> Result<Outcome, InjectError> {
    // Of a pod that was injected, the names are for the original to have in order.
    let was_injected = metadata_map(pod, "annotations").contains_key(annotation::STATUS);
    check_pod(pod, if was_injected { Mode::Istio } else { context.mode() }).map_err(InjectError::Pod)?;
    check_owner(context)?;
    if context.mode().is_istio() {
        let settings = settings_of(pod, context)?;
        let Made { mut pod, status, templates, warnings, .. } =
            make(pod, &former::stripped(pod, context), &settings, context)?;
        metadata::set_status(&mut pod, &status);
        metadata::add_configured(&mut pod, context);
        return Ok(Outcome { pod, templates, status, warnings });
    }
    let former = uninject(pod).map_err(InjectError::Former)?;
    let original = former.as_ref().map_or(pod, |former| &former.pod);
    check_pod(original, context.mode()).map_err(InjectError::Pod)?;
    let settings = settings_of(original, context)?;
    let mut made =
        make(original, original, &settings, context).map_err(|error| seen_from(error, pod, &settings, context))?;
    result::check(&made.pod, original, &made.fragment, context).map_err(InjectError::Result)?;
    result::keep_what_others_added(&mut made, former.as_ref().map(|_| pod));
    metadata::add_configured(&mut made.pod, context);
    made.status.undo = Some(undo::record(original, &made.pod));
    metadata::set_status(&mut made.pod, &made.status);
    result::check_annotations(&made.pod, pod).map_err(|error| InjectError::Result(vec![error]))?;
    let Made { pod, status, templates, mut warnings, .. } = made;
    if former.as_ref().is_some_and(|former| !former.doubts.is_empty()) {
        let text = "Istio's injector was here before, and not all that it changed could be told from the pod";
        warnings.push(Warning::new(INJECTED_BY_ISTIO, text));
    }
    let further = warnings::found::of_an_injection(original, &pod, &status, &warnings, context);
    warnings.extend(further);
    Ok(Outcome { pod, templates, status, warnings })
}

/// Templates put these into YAML without quotes, and what the pod says of its owner nobody has checked.
fn check_owner(context: &Context<'_>) -> Result<(), InjectError> {
    let Owner { api_version, kind, name } = context.owner;
    let texts = [
        ("owner's API version", api_version),
        ("owner's kind", kind),
        ("owner's name", name),
        ("namespace", context.namespace.name),
    ];
    let problems: Vec<String> = texts
        .into_iter()
        .filter(|(_, text)| !safety::is_plain(text))
        .map(|(what, text)| {
            let text: String = text.chars().take(100).flat_map(char::escape_default).collect();
            format!("the pod's {what} is '{text}', which no object has; take quotes, line ends and the like out")
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(InjectError::Owner(problems)) }
}

/// What holds for `pod`, if all its annotations are as they should be.
fn settings_of(pod: &Value, context: &Context<'_>) -> Result<PodSettings, InjectError> {
    let mut errors = annotations::check(pod, context.mode()).err().unwrap_or_default();
    match context.settings_of(pod) {
        Ok(settings) if errors.is_empty() => Ok(settings),
        settings => {
            errors.extend(settings.err());
            Err(InjectError::Annotations(errors))
        }
    }
}

/// A mistake is told by its place in the pod as it came.
fn seen_from(error: InjectError, pod: &Value, settings: &PodSettings, context: &Context<'_>) -> InjectError {
    match error {
        InjectError::Pod(errors) => InjectError::Pod(context.template_data(pod, settings).err().unwrap_or(errors)),
        other => other,
    }
}

/// The templates that `original` asks for, or that it gets.
fn templates_for<'a>(original: &Value, context: &Context<'a>) -> Result<Vec<&'a Template>, InjectError> {
    let requested = metadata_map(original, "annotations").get(annotation::TEMPLATES).and_then(Value::as_str);
    context.injector.configuration.templates(requested).map_err(InjectError::UnknownTemplate)
}

/// `pod` as templates are to see it.
fn seen_by_templates<'a>(mut pod: Cow<'a, Value>, settings: &PodSettings, context: &Context<'_>) -> Cow<'a, Value> {
    if context.injector.settings.openshift {
        openshift::drop_stamped_user(pod.to_mut());
    }
    show_native_annotation(&mut pod, settings.native_annotation.as_deref());
    pod
}

/// Templates are to see the annotation for native sidecars as it is understood.
fn show_native_annotation(seen: &mut Cow<'_, Value>, value: Option<&str>) {
    let given = metadata_map(seen, "annotations").get(annotation::NATIVE_SIDECAR).and_then(Value::as_str);
    if given == value {
        return;
    }
    if let Some(annotations) = containers::metadata_mut(seen.to_mut(), "annotations") {
        match value {
            Some(value) => drop(annotations.insert(annotation::NATIVE_SIDECAR.to_owned(), value.into())),
            None => drop(annotations.shift_remove(annotation::NATIVE_SIDECAR)),
        }
    }
}

/// An injection before it is written down.
struct Made {
    pod: Value,
    /// All that templates rendered, merged with each other.
    fragment: Value,
    status: Status,
    templates: Vec<String>,
    warnings: Vec<Warning>,
}

/// Injects `original`; templates see it as `seen`.
fn make(original: &Value, seen: &Value, settings: &PodSettings, context: &Context<'_>) -> Result<Made, InjectError> {
    let templates = templates_for(original, context)?;
    let mut original = Cow::Borrowed(original);
    if context.injector.settings.openshift {
        openshift::drop_stamped_user(original.to_mut());
    }
    let seen = seen_by_templates(Cow::Borrowed(seen), settings, context);
    let render::Rendered { mut pod, fragment } = render::onto(&original, &seen, &templates, context, settings)?;
    overrides::reapply(&mut pod, &original, &fragment, context)?;
    let mode = metadata_map(&pod, "annotations").get(annotation::INTERCEPTION_MODE).and_then(Value::as_str);
    let is_transparent = settings.proxy_config.interception_mode() == TPROXY || mode == Some(TPROXY);
    overrides::adjust_user(&mut pod, &original, is_transparent);

    let variables = environment::of(&pod, context);
    environment::apply(&mut pod, &variables);
    prometheus::merge(&mut pod, context, settings).map_err(|error| InjectError::Annotations(vec![error]))?;
    prometheus::secure_port(&mut pod);
    let mut warnings = warnings::found::about(&original, context, settings);
    warnings.extend(probes::rewrite(&mut pod, context, settings, Status::on(&original).is_some()));
    metadata::label_network(&mut pod, &variables);
    order::containers(&mut pod, context.holds_application(settings));
    Ok(Made {
        status: Status::of(&fragment, context.revision()),
        templates: templates.iter().map(|template| template.name().to_owned()).collect(),
        pod,
        fragment,
        warnings,
    })
}

#[cfg(test)]
mod tests;
