//! Merges, one rule at a time.

use serde_json::{Value, json};

use super::{merge, merge_as_kubernetes};

fn merged(mut pod: Value, patch: Value) -> Value {
    merge(&mut pod, &patch).unwrap();
    pod
}

#[test]
fn mappings_merge_nulls_delete_and_unknown_fields_stay() {
    let pod = json!({"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": {"new": {"x": 1}}});
    let patch = json!({"metadata": {"labels": {"b": null, "c": "3"}}, "spec": {"new": {"y": 2}}});
    let expected = json!({"metadata": {"labels": {"a": "1", "c": "3"}}, "spec": {"new": {"x": 1, "y": 2}}});
    assert_eq!(merged(pod, patch), expected);
}

#[test]
fn keyed_lists_merge_by_key_and_others_are_replaced() {
    let pod = json!({"spec": {"containers": [{"name": "a", "args": ["1"], "env": [{"name": "E", "value": "1"}]}]}});
    let patch = json!({"spec": {"containers": [{"name": "a", "args": ["2"], "env": [{"name": "F", "value": "2"}]}]}});
    let expected = json!({"spec": {"containers": [{"name": "a", "args": ["2"],
        "env": [{"name": "F", "value": "2"}, {"name": "E", "value": "1"}]}]}});
    assert_eq!(merged(pod, patch), expected);
}

#[test]
fn new_elements_come_first_and_present_ones_keep_their_place() {
    let volumes = |names: &[&str]| json!({"spec": {"volumes": names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>()}});
    for (original, patch, expected) in [
        (vec!["u"], vec!["t"], vec!["t", "u"]),
        (vec!["u", "t", "v"], vec!["t", "s"], vec!["u", "t", "s", "v"]),
        (vec!["u", "t"], vec!["s", "t"], vec!["s", "u", "t"]),
        (vec![], vec!["t", "s"], vec!["t", "s"]),
    ] {
        let once = merged(volumes(&original), volumes(&patch));
        assert_eq!(once, volumes(&expected), "{original:?} + {patch:?}");
        assert_eq!(merged(once.clone(), volumes(&patch)), once, "twice: {original:?} + {patch:?}");
    }
}

#[test]
fn init_containers_have_the_schema_of_containers() {
    let pod = json!({"spec": {"initContainers": [{"name": "i", "volumeMounts": [{"mountPath": "/a", "name": "a"}]}]}});
    let patch =
        json!({"spec": {"initContainers": [{"name": "i", "volumeMounts": [{"mountPath": "/a", "readOnly": true}]}]}});
    let mounts = merged(pod, patch)["spec"]["initContainers"][0]["volumeMounts"].clone();
    assert_eq!(mounts, json!([{"mountPath": "/a", "name": "a", "readOnly": true}]));
}

#[test]
fn nulls_do_not_arrive_with_new_values() {
    let patch = json!({"spec": {"containers": [{"name": "a", "image": null, "resources": {"limits": null}}]}});
    assert_eq!(merged(json!({}), patch), json!({"spec": {"containers": [{"name": "a", "resources": {}}]}}));
}

#[test]
fn elements_with_one_key_meet_in_order() {
    let ports = json!([{"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}]);
    let patch = json!({"spec": {"containers": [{"name": "dns", "ports": ports}]}});
    let once = merged(json!({}), patch.clone());
    assert_eq!(once["spec"]["containers"][0]["ports"], ports);
    assert_eq!(merged(once.clone(), patch), once);
}

#[test]
fn a_list_that_is_replaced_loses_its_nulls_as_a_new_one_does() {
    let patch = json!({"spec": {"tolerations": [{"key": "a", "value": null}]}});
    let once = merged(json!({}), patch.clone());
    assert_eq!(once["spec"]["tolerations"], json!([{"key": "a"}]));
    assert_eq!(merged(once.clone(), patch), once);
}

#[test]
fn numbers_and_strings_are_different_keys() {
    let ports = |port: Value| json!({"spec": {"containers": [{"name": "a", "ports": [{"containerPort": port}]}]}});
    let once = merged(ports(json!(80)), ports(json!("80")));
    let expected = json!([{"containerPort": "80"}, {"containerPort": 80}]);
    assert_eq!(once["spec"]["containers"][0]["ports"], expected);
}

#[test]
fn mappings_are_replaced_and_emptied_where_they_are_present() {
    let spec = |context: Value| json!({"spec": {"securityContext": context}});
    let replaced =
        spec(json!({"$patch": "replace", "runAsUser": 2, "fsGroup": null, "seLinuxOptions": {"$patch": "delete"}}));
    let emptied = spec(json!({"$patch": "delete", "runAsUser": 2}));
    let pod = spec(json!({"runAsUser": 1, "runAsGroup": 1}));
    assert_eq!(merged(pod.clone(), replaced.clone()), spec(json!({"runAsUser": 2})));
    assert_eq!(merged(pod, emptied.clone()), spec(json!({})));
    // There is nothing to replace or to empty.
    for patch in [replaced, emptied] {
        assert_eq!(merged(json!({"spec": {}}), patch), json!({"spec": {}}));
    }
}

#[test]
fn elements_are_deleted_and_lists_replaced() {
    let env = |env: Value| json!({"spec": {"containers": [{"name": "a", "env": env}]}});
    let pod = env(json!([{"name": "A", "value": "1"}, {"name": "B"}, {"name": "A"}]));
    for (patch, expected) in [
        (json!([{"name": "A", "$patch": "delete"}]), json!([{"name": "B"}])),
        (
            json!([{"name": "C", "$patch": "delete"}, {"name": "B", "value": "2"}]),
            json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "A"}]),
        ),
        (
            json!([{"name": "C"}, {"$patch": "replace"}, {"name": "B", "value": "2"}]),
            json!([{"name": "C"}, {"name": "B", "value": "2"}]),
        ),
        (json!([{"$patch": "replace"}]), json!([])),
    ] {
        assert_eq!(merged(pod.clone(), env(patch.clone())), env(expected), "{patch}");
    }
}

#[test]
fn directives_do_not_arrive_with_new_values() {
    let container = json!({"name": "new", "env": [{"name": "A", "$patch": "delete"}, {"$patch": "replace"}, {"name": "B"}],
        "$setElementOrder/env": [{"name": "B"}], "securityContext": {"$patch": "replace", "runAsUser": 1},
        "resources": {"$retainKeys": ["limits"], "limits": {"cpu": "1"}}, "$deleteFromPrimitiveList/args": ["x"]});
    let patch = json!({"spec": {"containers": [container]}});
    let new = json!({"name": "new", "env": [{"name": "B"}], "resources": {"limits": {"cpu": "1"}}});
    let once = merged(json!({}), patch.clone());
    assert_eq!(once, json!({"spec": {"containers": [new]}}));
    assert_eq!(merged(once.clone(), patch.clone()), once);
    let once = merged(json!({"spec": {"containers": [{"name": "old"}]}}), patch.clone());
    assert_eq!(once, json!({"spec": {"containers": [new, {"name": "old"}]}}));
    assert_eq!(merged(once.clone(), patch), once);
}

#[test]
fn only_retained_keys_stay() {
    let volumes = |volume: Value| json!({"spec": {"volumes": [volume]}});
    let pod = volumes(json!({"name": "v", "emptyDir": {"medium": "Memory"}}));
    let secret = json!({"name": "v", "secret": {"secretName": "s"}});
    let both = json!({"name": "v", "emptyDir": {"medium": "Memory"}, "secret": {"secretName": "s"}});
    assert_eq!(merged(pod.clone(), volumes(secret.clone())), volumes(both));
    let mut patch = secret.clone();
    patch["$retainKeys"] = json!(["name", "secret"]);
    assert_eq!(merged(pod, volumes(patch)), volumes(secret));
}

#[test]
fn sets_of_scalars_are_united_and_shrink_by_directive() {
    let finalizers = |finalizers: Value| json!({"metadata": {"finalizers": finalizers}});
    let pod = finalizers(json!(["a", "b", "c"]));
    assert_eq!(merged(pod.clone(), finalizers(json!(["d", "b"]))), finalizers(json!(["d", "a", "b", "c"])));
    let mut patch = finalizers(json!(["d"]));
    patch["metadata"]["$deleteFromPrimitiveList/finalizers"] = json!(["a", "c", "x"]);
    assert_eq!(merged(pod, patch.clone()), finalizers(json!(["d", "b"])));
    assert_eq!(merged(json!({}), patch), finalizers(json!(["d"])));
}

#[test]
fn the_order_of_elements_can_be_set() {
    let elements = |names: &str| names.chars().map(|name| json!({"name": name.to_string()})).collect::<Vec<_>>();
    for (original, patch, order, expected) in [
        ("abc", "", "ca", "bca"),
        ("abc", "c", "ca", "bca"),
        ("abc", "xa", "xba", "xbac"),
        ("ab", "yx", "yx", "yxab"),
        ("", "ab", "acb", "ab"),
        ("ab", "b", "", "ab"),
    ] {
        let mut spec = json!({"$setElementOrder/volumes": elements(order)});
        if !patch.is_empty() {
            spec["volumes"] = json!(elements(patch));
        }
        let once = merged(json!({"spec": {"volumes": elements(original)}}), json!({"spec": spec}));
        assert_eq!(once["spec"]["volumes"], json!(elements(expected)), "{original} + {patch} by {order}");
        assert_eq!(merged(once.clone(), json!({"spec": spec})), once, "twice: {original} + {patch} by {order}");
    }
    let patch = json!({"metadata": {"$setElementOrder/finalizers": ["c", "a"]}});
    let once = merged(json!({"metadata": {"finalizers": ["a", "b", "c"]}}), patch);
    assert_eq!(once["metadata"]["finalizers"], json!(["b", "c", "a"]));
}

#[test]
fn an_element_without_a_key_in_the_pod_stays() {
    let pod = json!({"spec": {"imagePullSecrets": [{}, {"name": "a"}]}});
    let patch = json!({"spec": {"imagePullSecrets": [{"name": "b"}]}});
    assert_eq!(merged(pod, patch)["spec"]["imagePullSecrets"], json!([{"name": "b"}, {}, {"name": "a"}]));
}

#[test]
fn what_cannot_be_merged_is_refused_with_its_place() {
    let pod = json!({"metadata": {"finalizers": ["a"]}, "spec": {"containers": [{"name": "a", "env": []}],
        "tolerations": [{"key": "a"}]}});
    let container = |container: Value| json!({"spec": {"containers": [container]}});
    for (patch, expected) in [
        (container(json!({"image": "x"})), "spec.containers: an element has no `name`"),
        (container(json!({"name": null})), "spec.containers: an element has no `name`"),
        (container(json!({"name": {}})), "spec.containers: the `name` of an element is not a scalar"),
        (container(json!("a")), "spec.containers: an element has no `name`"),
        (container(json!({"$patch": "delete"})), "spec.containers: an element has no `name`"),
        (container(json!({"name": "a", "$patch": "merge"})), "spec.containers.$patch: `merge` cannot be asked for"),
        (container(json!({"name": "a", "$patch": 1})), "spec.containers.$patch: has to be `delete` or `replace`"),
        (
            container(json!({"name": "a", "resources": {"$patch": "x"}})),
            "spec.containers[a].resources.$patch: has to be",
        ),
        (
            container(json!({"name": "a", "ports": [{"containerPort": 1, "$patch": 1}]})),
            "spec.containers[a].ports.$patch",
        ),
        (container(json!({"name": "a", "$retainKeys": "name"})), "spec.containers[a].$retainKeys: has to be a list"),
        (container(json!({"name": "a", "$retainKeys": [1]})), "spec.containers[a].$retainKeys: has to list names"),
        (container(json!({"name": "a", "$retainKeys": ["env"]})), "spec.containers[a].name: is set, and"),
        (
            container(json!({"name": "a", "$setElementOrder/env": null})),
            "spec.containers[a].$setElementOrder/env: has to",
        ),
        (container(json!({"name": "a", "$setElementOrder": []})), "spec.containers[a].$setElementOrder: does not say"),
        (container(json!({"name": "a", "$setElementOrder/env": [{}]})), "spec.containers[a].env: an element has no"),
        (
            container(json!({"name": "a", "env": [{"name": "A"}], "$setElementOrder/env": [{"name": "B"}]})),
            "spec.containers[a].env: `$setElementOrder` lacks an element",
        ),
        (
            json!({"spec": {"$setElementOrder/tolerations": [{"key": "a"}]}}),
            "spec.tolerations: `$setElementOrder` is for",
        ),
        (
            json!({"spec": {"$deleteFromPrimitiveList/tolerations": ["a"]}}),
            "spec.tolerations: `$deleteFromPrimitiveList`",
        ),
        (
            json!({"metadata": {"$deleteFromPrimitiveList/finalizers": "a"}}),
            "metadata.$deleteFromPrimitiveList/finalizers: has",
        ),
        (
            json!({"metadata": {"$deleteFromPrimitiveList/finalizers": [[]]}}),
            "metadata.$deleteFromPrimitiveList/finalizers: lists",
        ),
        (json!({"metadata": {"finalizers": [{}]}}), "metadata.finalizers: this list is a set of scalars"),
        (json!({"metadata": {"$patch": null}}), "metadata.$patch: has to be"),
    ] {
        let error = merge(&mut pod.clone(), &patch).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{patch}\n{error}\n{expected}");
    }
}

#[test]
fn elements_with_one_key_all_meet_the_first_in_kubernetes() {
    let container =
        |ports: Value, env: Value| json!({"spec": {"containers": [{"name": "a", "ports": ports, "env": env}]}});
    let dns = json!([{"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}]);
    let mut pod = container(dns.clone(), json!([{"name": "A", "value": "1"}]));
    let twice = json!([{"name": "B", "value": "2"}, {"name": "A", "value": "3"}, {"name": "B", "value": "4"}]);
    merge_as_kubernetes(&mut pod, &container(dns, twice.clone())).unwrap();
    let udp = json!({"containerPort": 53, "protocol": "UDP"});
    assert_eq!(pod, container(json!([udp, udp]), json!([{"name": "B", "value": "4"}, {"name": "A", "value": "3"}])));
    let mut empty = json!({"spec": {"containers": [{"name": "a"}]}});
    merge_as_kubernetes(&mut empty, &json!({"spec": {"containers": [{"name": "a", "env": twice}]}})).unwrap();
    assert_eq!(empty["spec"]["containers"][0]["env"], twice);
}
