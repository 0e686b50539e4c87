//! Which lists in a pod are keyed, and by which field: the `patchStrategy` and `patchMergeKey` of the Kubernetes API.

/// How Kubernetes merges a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// It is a value as a whole: the patch's list takes its place.
    Whole,
    /// Its elements are mappings, told apart by this field, and merge one by one.
    Keyed(&'static str),
    /// Its elements are scalars, and the list is a set of them.
    Set,
}

/// What is special about a value of a pod: what a list of it is, and which of its fields, or of the fields of the
/// list's elements, hold keyed lists.
#[derive(Debug)]
pub struct Schema {
    /// How the value merges if it is a list.
    pub list: List,
    fields: &'static [(&'static str, Schema)],
}

/// The whole pod; below it, all that is merged otherwise than [`List::Whole`].
pub static POD: Schema = mapping(&[("metadata", METADATA), ("spec", SPEC)]);

const METADATA: Schema = mapping(&[("ownerReferences", keyed("uid")), ("finalizers", SET)]);

const SPEC: Schema = mapping(&[
    ("containers", CONTAINERS),
    ("initContainers", CONTAINERS),
    ("ephemeralContainers", CONTAINERS),
    ("volumes", VOLUMES),
    ("imagePullSecrets", keyed("name")),
    ("schedulingGates", keyed("name")),
    ("resourceClaims", keyed("name")),
    ("evictionResponders", keyed("name")),
    ("hostAliases", keyed("ip")),
    ("topologySpreadConstraints", keyed("topologyKey")),
]);

const CONTAINERS: Schema = Schema {
    list: List::Keyed("name"),
    fields: &[
        ("ports", keyed("containerPort")),
        ("env", keyed("name")),
        ("volumeMounts", keyed("mountPath")),
        ("volumeDevices", keyed("devicePath")),
    ],
};

const VOLUMES: Schema = Schema {
    list: List::Keyed("name"),
    fields: &[("ephemeral", mapping(&[("volumeClaimTemplate", mapping(&[("metadata", METADATA)]))]))],
};

const SET: Schema = Schema { list: List::Set, fields: &[] };

static ORDINARY: Schema = mapping(&[]);

/// The kinds of container list; their elements share one schema.
const CONTAINER_LISTS: [&str; 3] = ["spec.containers", "spec.initContainers", "spec.ephemeralContainers"];

const fn mapping(fields: &'static [(&'static str, Schema)]) -> Schema {
    Schema { list: List::Whole, fields }
}

const fn keyed(field: &'static str) -> Schema {
    Schema { list: List::Keyed(field), fields: &[] }
}

impl Schema {
    /// The schema of the field `key`, of this value or of each element of it. Unknown fields have an ordinary one.
    pub fn field(&self, key: &str) -> &'static Schema {
        self.fields.iter().find(|(name, _)| *name == key).map_or(&ORDINARY, |(_, schema)| schema)
    }
}

/// The field by which the elements of the list at `schema` are told apart, as `name` for `spec.containers`; `None` for a
/// list that is a value as a whole.
pub fn merge_key(schema: &str) -> Option<&'static str> {
    let (root, fields) = match schema.strip_prefix("containers.") {
        Some(fields) => (&CONTAINERS, fields),
        None => (&POD, schema),
    };
    match fields.split('.').fold(root, |schema, key| schema.field(key)).list {
        List::Keyed(key) => Some(key),
        List::Whole | List::Set => None,
    }
}

/// Where the elements of the list at `schema` stand in the API: those of all lists of containers at `containers`, others
/// where no list is keyed.
pub fn element(list: &str) -> &str {
    if CONTAINER_LISTS.contains(&list) { "containers" } else { "element" }
}

/// Where the field `key` of the value at `schema` stands.
pub fn field(schema: &str, key: &str) -> String {
    if schema.is_empty() { key.to_owned() } else { format!("{schema}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_found_by_their_places() {
        assert_eq!(merge_key("spec.containers"), Some("name"));
        assert_eq!(merge_key("containers.ports"), Some("containerPort"));
        assert_eq!(merge_key("metadata.ownerReferences"), Some("uid"));
        for ordinary in ["", "containers", "spec", "spec.tolerations", "metadata.finalizers", "containers.args"] {
            assert_eq!(merge_key(ordinary), None, "{ordinary}");
        }
    }

    #[test]
    fn fields_are_those_of_the_elements_of_a_list() {
        let containers = POD.field("spec").field("initContainers");
        assert_eq!(containers.list, List::Keyed("name"));
        assert_eq!(containers.field("volumeMounts").list, List::Keyed("mountPath"));
        assert_eq!(containers.field("new").field("newer").list, List::Whole);
        let claim = POD.field("spec").field("volumes").field("ephemeral").field("volumeClaimTemplate");
        assert_eq!(claim.field("metadata").field("finalizers").list, List::Set);
    }
}
