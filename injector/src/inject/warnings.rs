//! What the owner of a pod should know although the pod was injected.

use serde_json::Value;

use crate::containers;
use crate::context::{Context, PodSettings};

pub(super) fn about(pod: &Value, context: &Context<'_>, settings: &PodSettings) -> Vec<String> {
    let mut warnings = settings.warnings.clone();
    let kind = context.owner.kind;
    if matches!(kind, "Job" | "CronJob") && !settings.native_sidecar {
        warnings.push(format!(
            "a {kind} does not complete while its sidecar runs; use native sidecars where the cluster has them"
        ));
    }
    let starts_before_the_proxy = |element: &&Value| element.get("restartPolicy").is_none_or(|policy| policy != "Always");
    let init = containers::list(pod, containers::INIT).iter().filter(starts_before_the_proxy).count();
    if init > 0 && context.holds_application(settings) && !settings.native_sidecar {
        warnings.push("init containers run before there is a proxy, although the application waits for it".to_owned());
    }
    warnings
}
