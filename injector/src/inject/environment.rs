//! Cluster and network: variables of the sidecar that the injector knows better than the template.

use std::collections::BTreeMap;

use serde_json::Value;
use sidecar_contract::{environment, label};

use crate::containers;
use crate::context::Context;
use crate::workload::metadata_map;

/// The variables to set on the sidecar, by name: those of the webhook's path, over cluster and network of the values;
/// the pod's own label for its network wins over both.
pub(super) fn of(pod: &Value, context: &Context<'_>) -> BTreeMap<String, String> {
    let values = &context.injector.configuration.values;
    let global = values.get("global");
    let cluster = global.and_then(|global| global.get("multiCluster")?.get("clusterName")?.as_str());
    let network = global.and_then(|global| global.get("network")?.as_str());
    let labelled = metadata_map(pod, "labels").get(label::NETWORK).and_then(Value::as_str);
    let configured = [(environment::CLUSTER_ID, cluster), (environment::NETWORK, network)];
    let mut variables: BTreeMap<String, String> = configured
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value.filter(|value| !value.is_empty())?.to_owned())))
        .collect();
    variables.extend(context.environment.iter().map(|(name, value)| (name.clone(), value.clone())));
    if let Some(network) = labelled.filter(|network| !network.is_empty()) {
        variables.insert(environment::NETWORK.to_owned(), network.to_owned());
    }
    variables
}

/// Sets `variables` on the sidecar, in place of those of the same names, at the end of its list.
pub(super) fn apply(pod: &mut Value, variables: &BTreeMap<String, String>) {
    if variables.is_empty() {
        return;
    }
    let Some(list) = containers::sidecar_mut(pod).and_then(containers::variables_mut) else { return };
    list.retain(|variable| {
        variable.get("name").and_then(Value::as_str).is_none_or(|name| !variables.contains_key(name))
    });
    list.extend(variables.iter().map(|(name, value)| containers::new_variable(name, value)));
}
