//! Which lists in a pod are keyed, and by which field.

/// Merge keys of the lists in a pod (Kubernetes API, `patchMergeKey`); the other lists are values as a whole.
const MERGE_KEYS: [(&str, &str); 14] = [
    ("metadata.ownerReferences", "uid"),
    ("spec.containers", "name"),
    ("spec.initContainers", "name"),
    ("spec.ephemeralContainers", "name"),
    ("spec.volumes", "name"),
    ("spec.imagePullSecrets", "name"),
    ("spec.schedulingGates", "name"),
    ("spec.resourceClaims", "name"),
    ("spec.hostAliases", "ip"),
    ("spec.topologySpreadConstraints", "topologyKey"),
    ("containers.ports", "containerPort"),
    ("containers.env", "name"),
    ("containers.volumeMounts", "mountPath"),
    ("containers.volumeDevices", "devicePath"),
];

/// The kinds of container list; their elements share one schema.
const CONTAINER_LISTS: [&str; 3] = ["spec.containers", "spec.initContainers", "spec.ephemeralContainers"];

/// The field by which the elements of the list at `schema` are told apart, as `name` for `spec.containers`; `None` for a
/// list that is a value as a whole.
pub(crate) fn merge_key(schema: &str) -> Option<&'static str> {
    MERGE_KEYS.iter().find(|(list, _)| *list == schema).map(|(_, key)| *key)
}

/// Where the elements of the list at `schema` stand in the API: those of all lists of containers at `containers`, others
/// where no list is keyed.
pub(crate) fn element(list: &str) -> &str {
    if CONTAINER_LISTS.contains(&list) { "containers" } else { "element" }
}

/// Where the field `key` of the value at `schema` stands.
pub(crate) fn field(schema: &str, key: &str) -> String {
    if schema.is_empty() { key.to_owned() } else { format!("{schema}.{key}") }
}
