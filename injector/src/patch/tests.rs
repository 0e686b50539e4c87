//! Patches apply, and are short.

use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::json;

use super::*;
use crate::arbitrary::{any_json, any_object, pod};

/// The operations from `before` to `after`, as `op path` or `move from path`; they are applied too.
fn operations(before: &Value, after: &Value) -> Vec<String> {
    let patch = verified(before, after).unwrap();
    let describe = |operation: &PatchOperation| match operation {
        PatchOperation::Add(add) => format!("add {} {}", add.path, add.value),
        PatchOperation::Replace(replace) => format!("replace {} {}", replace.path, replace.value),
        PatchOperation::Remove(remove) => format!("remove {}", remove.path),
        PatchOperation::Move(one) => format!("move {} {}", one.from, one.path),
        PatchOperation::Copy(_) | PatchOperation::Test(_) => panic!("{operation}"),
    };
    patch.iter().map(describe).collect()
}

fn user_pod() -> Value {
    json!({"metadata": {"name": "web", "labels": {"app": "web"}, "annotations": {"team": "shop"}},
        "spec": {
            "containers": [
                {"name": "app", "image": "web:1", "args": ["--port", "8080"], "env": [{"name": "LEVEL", "value": "debug"}]},
                {"name": "cache", "image": "cache:1", "ports": [{"containerPort": 6379}],
                    "args": ["--maxmemory", "1gb", "--maxmemory-policy", "allkeys-lru", "--save", "", "--appendonly", "no"]}],
            "volumes": [
                {"name": "data", "persistentVolumeClaim": {"claimName": "data-of-the-web-shop"}},
                {"name": "settings", "configMap": {"name": "settings-of-the-web-shop"}}],
            "dnsPolicy": "ClusterFirst"}})
}

fn edited(edit: impl FnOnce(&mut Value)) -> Value {
    let mut pod = user_pod();
    edit(&mut pod);
    pod
}

fn insert(list: &mut Value, index: usize, element: Value) {
    list.as_array_mut().unwrap().insert(index, element);
}

#[test]
fn a_sidecar_is_one_operation_per_thing_added() {
    let injected = edited(|pod| {
        pod["metadata"]["labels"]["tls/mode"] = "istio".into();
        pod["metadata"]["annotations"]["status"] = "{}".into();
        insert(&mut pod["spec"]["containers"], 0, json!({"name": "istio-proxy", "image": "proxy"}));
        insert(&mut pod["spec"]["volumes"], 0, json!({"name": "istio-envoy"}));
        insert(&mut pod["spec"]["volumes"], 1, json!({"name": "istio-data"}));
        pod["spec"]["initContainers"] = json!([{"name": "istio-init"}]);
        insert(&mut pod["spec"]["containers"][1]["env"], 0, json!({"name": "PROXY", "value": "on"}));
    });
    assert_eq!(
        operations(&user_pod(), &injected),
        [
            r#"add /metadata/labels/tls~1mode "istio""#,
            r#"add /metadata/annotations/status "{}""#,
            r#"add /spec/containers/0 {"name":"istio-proxy","image":"proxy"}"#,
            r#"add /spec/containers/1/env/0 {"name":"PROXY","value":"on"}"#,
            r#"add /spec/volumes/0 {"name":"istio-envoy"}"#,
            r#"add /spec/volumes/1 {"name":"istio-data"}"#,
            r#"add /spec/initContainers [{"name":"istio-init"}]"#,
        ]
    );
}

#[test]
fn an_element_of_a_list_is_inserted_and_appended_and_changed_in_place() {
    let args = |args: Value| edited(|pod| pod["spec"]["containers"][0]["args"] = args);
    let changes = |after: Value| operations(&user_pod(), &args(after));
    let path = "/spec/containers/0/args";
    assert_eq!(changes(json!(["--quiet", "--port", "8080"])), [format!("add {path}/0 \"--quiet\"")]);
    assert_eq!(changes(json!(["--port", "8080", "--quiet"])), [format!("add {path}/2 \"--quiet\"")]);
    assert_eq!(changes(json!(["--port", "81"])), [format!("replace {path}/1 \"81\"")]);
    assert_eq!(changes(json!(["--port"])), [format!("remove {path}/1")]);
    let long: Vec<String> = (0..40).map(|number| format!("--option-{number}")).collect();
    let mut inserted = long.clone();
    inserted.insert(20, "--new".to_owned());
    inserted.insert(30, "--newer".to_owned());
    inserted.remove(10);
    assert_eq!(
        operations(&args(json!(long)), &args(json!(inserted))),
        [format!("remove {path}/10"), format!("add {path}/19 \"--new\""), format!("add {path}/29 \"--newer\"")]
    );
}

#[test]
fn a_container_moves_and_changes() {
    let swapped = edited(|pod| {
        pod["spec"]["containers"].as_array_mut().unwrap().reverse();
        pod["spec"]["containers"][0]["image"] = "cache:2".into();
        pod["spec"]["containers"][0]["ports"][0]["name"] = "redis-cache".into();
    });
    assert_eq!(
        operations(&user_pod(), &swapped),
        [
            "move /spec/containers/1 /spec/containers/0",
            r#"replace /spec/containers/0/image "cache:2""#,
            r#"add /spec/containers/0/ports/0/name "redis-cache""#,
        ]
    );
}

#[test]
fn what_would_move_only_to_be_replaced_goes_and_comes() {
    let list = |first: Value, last: Value| {
        let rest = (0..8).map(|number| json!({"name": format!("volume-{number}"), "emptyDir": {"sizeLimit": "10Mi"}}));
        let volumes: Vec<Value> = [first].into_iter().chain(rest).chain([last]).collect();
        json!({"spec": {"volumes": volumes}})
    };
    let one = json!({"name": "v", "a": 1, "b": 2, "c": 3, "d": 4});
    let other = json!({"name": "v", "x": 1, "y": 2});
    let end = json!({"name": "end"});
    let before = list(one, end.clone());
    let after = list(end, other);
    assert_eq!(
        operations(&before, &after),
        [
            "remove /spec/volumes/0",
            "move /spec/volumes/8 /spec/volumes/0",
            r#"add /spec/volumes/9 {"name":"v","x":1,"y":2}"#
        ]
    );
}

#[test]
fn what_is_small_is_replaced_and_the_pod_never() {
    let labels = |labels: Value| json!({"metadata": {"labels": labels}, "spec": {"hostname": "a"}});
    assert_eq!(
        operations(&labels(json!({"a": "1", "b": "2"})), &labels(json!({"c": "3"}))),
        [r#"replace /metadata/labels {"c":"3"}"#]
    );
    assert_eq!(operations(&labels(Value::Null), &labels(json!({}))), ["replace /metadata/labels {}"]);
    assert_eq!(operations(&json!({"a": 1, "b": 2}), &json!({"c": 3})), ["remove /a", "remove /b", "add /c 3"]);
    assert_eq!(operations(&user_pod(), &user_pod()), [""; 0]);
    let keys = json!({"metadata": {"labels": {"m~n": "1", "": "2", "long": "a value that is longer than the paths of the operations, so that it had better not be repeated"}}});
    let mut changed = keys.clone();
    changed["metadata"]["labels"]["m~n"] = "2".into();
    changed["metadata"]["labels"][""] = "3".into();
    assert_eq!(
        operations(&keys, &changed),
        [r#"replace /metadata/labels/m~0n "2""#, r#"replace /metadata/labels/ "3""#]
    );
}

#[test]
fn lists_too_long_to_align_take_no_longer() {
    let numbers = |range: std::ops::Range<u32>| range.map(|number| json!({"n": number})).collect::<Vec<_>>();
    let long = json!({"spec": {"tolerations": numbers(0..100_000)}});
    let mut other = numbers(0..100_000);
    other.reverse();
    let reversed = json!({"spec": {"tolerations": other}});
    assert!(operations(&long, &reversed).len() <= 1);
    let named = |ids: &mut dyn Iterator<Item = u32>| json!({"spec": {"volumes": ids.map(|id| json!({"name": id})).collect::<Vec<_>>()}});
    let shuffled = named(&mut (0..50_000).map(|id| id * 7919 % 50_000));
    assert_eq!(operations(&named(&mut (0..50_000)), &shuffled).len(), 1);
    let interleaved = named(&mut (0..50_000));
    assert_eq!(operations(&named(&mut (0..50_000).step_by(2)), &interleaved).len(), 1);
}

#[test]
fn twenty_variables_before_two_thousand_are_twenty_operations() {
    let variables = |ids: std::ops::Range<u32>| -> Vec<Value> {
        ids.map(|id| json!({"name": format!("VARIABLE_{id}"), "value": "a value"})).collect()
    };
    let with = |variables: Vec<Value>| edited(|pod| pod["spec"]["containers"][0]["env"] = variables.into());
    let (before, after) = (with(variables(0..2000)), with([variables(5000..5020), variables(0..2000)].concat()));
    let found = operations(&before, &after);
    assert_eq!(found.len(), 20);
    assert!(found.iter().all(|operation| operation.starts_with("add /spec/containers/0/env/")), "{found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_patch_gives_what_it_is_made_from(before in any_json(), after in any_json()) {
        prop_assert!(verified(&before, &after).is_ok(), "{}", diff(&before, &after));
    }

    #[test]
    fn a_patch_of_objects_never_replaces_all(before in any_object(), after in any_object()) {
        let patch = verified(&before, &after).unwrap();
        prop_assert!(patch.iter().all(|operation| !operation.path().is_root()));
    }

    #[test]
    fn a_patch_of_pods_gives_the_other_pod(before in pod(), after in pod()) {
        prop_assert!(verified(&before, &after).is_ok(), "{}", diff(&before, &after));
        prop_assert!(diff(&before, &before).is_empty());
    }

    #[test]
    fn volumes_move_come_go_and_change(
        before in subsequence((0..12).collect::<Vec<_>>(), 0..12).prop_shuffle(),
        after in subsequence((0..12).collect::<Vec<_>>(), 0..12).prop_shuffle(),
        changed in 0..12,
    ) {
        let volume = |id: &i32, mode: i32| {
            let items = "too long to be written once more".repeat(8);
            json!({"name": format!("volume-{id}"), "hostPath": {"path": items}, "mode": mode})
        };
        let volumes = |volumes: Vec<Value>| json!({"spec": {"volumes": volumes}});
        let old = volumes(before.iter().map(|id| volume(id, 0)).collect());
        let new = volumes(after.iter().map(|id| volume(id, i32::from(*id == changed))).collect());
        let operations = operations(&old, &new);
        let count = |start: &str| operations.iter().filter(|operation| operation.starts_with(start)).count();
        let kept = after.iter().filter(|id| before.contains(id)).count();
        if kept > 0 && count("replace /spec/volumes [") == 0 {
            prop_assert_eq!((count("remove"), count("add")), (before.len() - kept, after.len() - kept));
            prop_assert_eq!(count("replace"), usize::from(before.contains(&changed) && after.contains(&changed)));
            prop_assert!(count("move") < kept, "{:?}", operations);
        }
    }
}
