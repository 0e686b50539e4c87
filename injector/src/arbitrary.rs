//! JSON and pods for property tests.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

/// Any JSON; its keys are few, so that two values have some in common, and some lists happen to be keyed.
pub(crate) fn any_json() -> BoxedStrategy<Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2_i64..3).prop_map(Value::from),
        select(vec![0.0, -0.0, 1.5, 1e300]).prop_map(Value::from),
        select(vec!["", "a", "b", "/", "~1", "é\"\\"]).prop_map(Value::from),
    ];
    let inner = scalar.prop_recursive(5, 48, 5, |inner| {
        prop_oneof![vec(inner.clone(), 0..5).prop_map(Value::from), object_of(inner).prop_map(Value::from)]
    });
    inner.boxed()
}

/// Any JSON object.
pub(crate) fn any_object() -> BoxedStrategy<Value> {
    object_of(any_json()).prop_map(Value::from).boxed()
}

fn object_of(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let keys = vec!["spec", "metadata", "containers", "volumes", "name", "a", "", "a/b", "m~n", "-", "0", "?"];
    vec((select(keys), value), 0..5)
        .prop_map(|fields| fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// Something like a pod. Names in its keyed lists are distinct; lists, mappings and keys come in any order, empty, null
/// or not at all.
pub(crate) fn pod() -> BoxedStrategy<Value> {
    let strings = || object_from(["app", "istio.io/rev", "a~b", "version", "team"], any_scalar());
    let metadata = fields([("name", any_scalar()), ("labels", strings()), ("annotations", strings())]);
    let volume = any_json().prop_map(|source| json!({"emptyDir": source})).boxed();
    let spec = fields([
        ("containers", named("name", ["app", "istio-proxy", "web", "db"], container())),
        ("initContainers", named("name", ["istio-init", "setup", "web"], container())),
        ("volumes", named("name", ["data", "istio-envoy", "istio-data", "istio-token", "tmp"], volume)),
        ("securityContext", fields([("fsGroup", any_scalar()), ("sysctls", any_json())])),
        ("hostNetwork", any_scalar()),
    ]);
    fields([("metadata", metadata), ("spec", spec), ("status", any_json())])
}

fn container() -> BoxedStrategy<Value> {
    let variable = any_scalar().prop_map(|value| json!({"value": value})).boxed();
    let port = any_scalar().prop_map(|protocol| json!({"protocol": protocol})).boxed();
    fields([
        ("image", any_scalar()),
        ("args", vec(any_scalar(), 0..6).prop_map(Value::from).boxed()),
        ("env", named("name", ["A", "B", "C", "D", "E"], variable)),
        ("ports", named("containerPort", [80, 443, 15090], port)),
        ("livenessProbe", any_json()),
    ])
}

/// A list of elements told apart by `key`, which comes first or last in them.
fn named<Id: Into<Value> + Clone + std::fmt::Debug + 'static, const COUNT: usize>(
    key: &'static str,
    ids: [Id; COUNT],
    element: BoxedStrategy<Value>,
) -> BoxedStrategy<Value> {
    let ids = subsequence(ids.to_vec(), 0..=COUNT).prop_shuffle();
    (ids, vec((element, any::<bool>()), COUNT))
        .prop_map(move |(ids, elements)| {
            let elements = ids.into_iter().zip(elements).map(|(id, (element, first))| {
                let id = (key.to_owned(), id.into());
                let rest = element.as_object().cloned().unwrap_or_default();
                Value::Object(if first {
                    [id].into_iter().chain(rest).collect()
                } else {
                    rest.into_iter().chain([id]).collect()
                })
            });
            elements.collect::<Vec<_>>().into()
        })
        .boxed()
}

fn object_from<const COUNT: usize>(keys: [&'static str; COUNT], value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    fields(keys.map(|key| (key, value.clone())))
}

/// Some of the fields in some order, now and then with null or nothing in them.
fn fields<const COUNT: usize>(fields: [(&'static str, BoxedStrategy<Value>); COUNT]) -> BoxedStrategy<Value> {
    let field = |(key, value): (&'static str, BoxedStrategy<Value>)| {
        let value = prop_oneof![1 => Just(Value::Null), 1 => Just(json!({})), 1 => Just(json!([])), 17 => value];
        (Just(key.to_owned()), value).boxed()
    };
    (fields.map(field).to_vec(), vec(any::<bool>(), COUNT))
        .prop_map(|(fields, kept)| fields.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(field, _)| field))
        .prop_map(Iterator::collect::<Vec<_>>)
        .prop_shuffle()
        .prop_map(|fields| Value::Object(fields.into_iter().collect()))
        .boxed()
}

fn any_scalar() -> BoxedStrategy<Value> {
    prop_oneof![select(vec!["x", "y", ""]).prop_map(Value::from), (0..3).prop_map(Value::from)].boxed()
}
