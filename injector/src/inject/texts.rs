//! What each template renders for a pod, before anything is merged: for whoever writes a template.

use std::borrow::Cow;

use serde_json::Value;

use super::{InjectError, check_owner, seen_by_templates, settings_of, templates_for};
use crate::context::Context;
use crate::template::TemplateError;
use crate::uninject::uninject;
use crate::workload::check_pod;

/// What a template rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderedText {
    /// Name of the template.
    pub template: String,
    /// The text, or why there is none.
    pub text: Result<String, TemplateError>,
    /// What is wrong with the text.
    pub mistake: Option<TemplateError>,
}

/// What the templates that `pod` gets render for it, in the order in which they are merged.
///
/// # Errors
/// When the pod or its annotations are not as they have to be.
pub fn rendered_texts(pod: &Value, context: &Context<'_>) -> Result<Vec<RenderedText>, InjectError> {
    check_owner(context)?;
    let former = uninject(pod).map_err(InjectError::Former)?;
    let original = former.as_ref().map_or(pod, |former| &former.pod);
    check_pod(original, context.mode()).map_err(InjectError::Pod)?;
    let settings = settings_of(original, context)?;
    let templates = templates_for(original, context)?;
    let seen = seen_by_templates(Cow::Borrowed(original), &settings, context);
    let data = context.template_data(&seen, &settings).map_err(InjectError::Pod)?;
    let rendered = templates.into_iter().map(|template| {
        let text = template.render(&data);
        let mistake = text.as_ref().ok().and_then(|text| template.read(text).err());
        RenderedText { template: template.name().to_owned(), text, mistake }
    });
    Ok(rendered.collect())
}
