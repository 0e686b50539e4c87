//! Rendering the templates, and merging what they render into the pod.

use gotemplate::Value as Data;
use serde_json::{Map, Value};
use sidecar_contract::container;

use super::{InjectError, alternatives, resources};
use crate::containers::{self, INIT, REGULAR};
use crate::context::{Context, PodSettings};
use crate::merge::{merge, merge_as_kubernetes};
use crate::template::{Template, TemplateError, safety};

/// What the templates made.
pub(super) struct Rendered {
    /// The pod with all of them merged into it.
    pub(super) pod: Value,
    /// All of them merged with each other: what is the injector's doing.
    pub(super) fragment: Value,
}

/// Renders each template with `seen`, the pod as templates are to see it, and merges the results into `pod`, in order.
/// No template sees what another has made.
pub(super) fn onto(
    pod: &Value,
    seen: &Value,
    templates: &[&Template],
    context: &Context<'_>,
    settings: &PodSettings,
) -> Result<Rendered, InjectError> {
    let seen = Seen::new(seen, context, settings)?;
    let mut rendered = Rendered { pod: pod.clone(), fragment: Value::Object(Map::new()) };
    let merge = if context.mode().is_istio() { merge_as_kubernetes } else { merge };
    for template in templates {
        let mut patch = seen.render_safely(template)?;
        if !context.mode().is_istio() {
            follow(&mut patch, &rendered.fragment);
            resources::complete(&mut patch, seen.pod, &context.injector.configuration.values);
            alternatives::one_source_for_volumes(&mut patch);
        }
        let failed = |error| InjectError::Merge { template: template.name().to_owned(), error };
        merge(&mut rendered.fragment, &patch).map_err(failed)?;
        move_the_users_sidecar(&mut rendered, context, settings);
        merge(&mut rendered.pod, &patch).map_err(failed)?;
    }
    Ok(rendered)
}

/// A pod as templates see it.
struct Seen<'a> {
    pod: &'a Value,
    context: &'a Context<'a>,
    settings: &'a PodSettings,
    data: Data,
    /// The data of the pod with letters for the characters that mean something to YAML. `None` when it has none of those,
    /// and `Some(None)` when it cannot be read then: each text is to be tried on its own.
    harmless: Option<Option<Data>>,
}

impl<'a> Seen<'a> {
    fn new(pod: &'a Value, context: &'a Context<'a>, settings: &'a PodSettings) -> Result<Self, InjectError> {
        let data = |pod: &Value| context.template_data(pod, settings);
        let harmless = safety::neutral(pod).map(|harmless| data(&harmless).ok());
        Ok(Self { pod, context, settings, data: data(pod).map_err(InjectError::Pod)?, harmless })
    }

    /// What `template` renders, if text of the pod is nothing but text in it.
    ///
    /// Text that is put into YAML without quotes that hold it could become a container or an argument. Then a rendering
    /// with harmless text in its place has another shape, or is one where this is none.
    fn render_safely(&self, template: &Template) -> Result<Value, InjectError> {
        let text = template.render(&self.data).map_err(InjectError::Template)?;
        let read = template.read(&text);
        let Some(harmless) = &self.harmless else { return read.map_err(InjectError::Template) };
        let harmless = harmless.as_ref().and_then(|harmless| render(template, harmless).ok());
        let fields = match (&read, &harmless) {
            (Ok(patch), Some(harmless)) if safety::same_shape(patch, harmless) => Vec::new(),
            (Ok(patch), _) => safety::culprits(self.pod, patch, |pod| self.render_other(template, pod)),
            (Err(_), Some(_)) => safety::breakers(self.pod, |pod| self.render_other(template, pod).is_some()),
            (Err(_), None) => Vec::new(),
        };
        if fields.is_empty() {
            return read.map_err(InjectError::Template);
        }
        Err(InjectError::Unsafe { template: template.name().to_owned(), fields })
    }

    /// What `template` renders for `pod` in place of this one.
    fn render_other(&self, template: &Template, pod: &Value) -> Option<Value> {
        render(template, &self.context.template_data(pod, self.settings).ok()?).ok()
    }
}

fn render(template: &Template, data: &Data) -> Result<Value, TemplateError> {
    template.read(&template.render(data)?)
}

/// The template's sidecar may be an init container where the pod has its own wishes for it among the containers, or the
/// other way round: both are to meet in one list.
fn move_the_users_sidecar(rendered: &mut Rendered, context: &Context<'_>, settings: &PodSettings) {
    let Rendered { pod, fragment } = rendered;
    let (from, to) = match (
        containers::find(fragment, INIT, container::PROXY),
        containers::find(fragment, REGULAR, container::PROXY),
    ) {
        (Some(_), _) if settings.native_sidecar || !context.mode().is_istio() => (REGULAR, INIT),
        (None, Some(_)) if !context.mode().is_istio() => (INIT, REGULAR),
        _ => return,
    };
    let Some(mut sidecar) = containers::take(pod, from, container::PROXY) else { return };
    if let (REGULAR, Some(fields)) = (to, sidecar.as_object_mut()) {
        fields.shift_remove("restartPolicy");
    }
    if let Some(list) = containers::list_or_new(pod, to) {
        list.push(sidecar);
    }
}

/// A container that an earlier template has put into the other list is there that this one means.
fn follow(patch: &mut Value, fragment: &Value) {
    for (list, other) in [(REGULAR, INIT), (INIT, REGULAR)] {
        let names: Vec<String> = containers::list(patch, list)
            .iter()
            .filter_map(|element| element.get("name")?.as_str())
            .filter(|name| {
                containers::find(fragment, list, name).is_none() && containers::find(fragment, other, name).is_some()
            })
            .map(str::to_owned)
            .collect();
        for name in names {
            let Some(element) = containers::take(patch, list, &name) else { continue };
            if let Some(target) = containers::list_or_new(patch, other) {
                target.push(element);
            }
        }
    }
}
