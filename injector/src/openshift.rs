//! OpenShift: every namespace has user and group ids of its own, and admission writes them into pods.

use serde_json::{Map, Value};
use sidecar_contract::{annotation, container, identity};

/// User and group id of the sidecar in a namespace with these annotations: the last ones of its blocks, which the
/// applications, numbered from the first, do not reach. 1337 each where the annotations do not tell.
///
/// A block is `start/size` or `start-end`. The group is of the first block of the supplemental groups, or of the block
/// of user ids where that annotation is missing.
pub fn ids(annotations: &Map<String, Value>) -> (i64, i64) {
    let text = |name: &str| annotations.get(name).and_then(Value::as_str);
    let users = text(annotation::OPENSHIFT_UID_RANGE);
    let groups = text(annotation::OPENSHIFT_SUPPLEMENTAL_GROUPS).or(users);
    let first_group = groups.and_then(|groups| groups.split(',').next());
    let last = |block: Option<&str>, fallback: u32| i64::from(block.and_then(end_of_block).unwrap_or(fallback));
    (last(users, identity::PROXY_UID), last(first_group, identity::PROXY_GID))
}

/// Takes from the user's `istio-proxy` the user and group id that OpenShift's admission has stamped on it, so that the
/// sidecar gets its own.
///
/// They are taken for stamped when the user id equals that of the application containers: of the last one that has one,
/// and 0 counts for one that is missing.
pub fn drop_stamped_user(pod: &mut Value) {
    let Some(application) =
        pod.pointer("/spec/containers").and_then(Value::as_array).map(|list| user_of_applications(list))
    else {
        return;
    };
    for list in ["containers", "initContainers"] {
        let containers = pod.get_mut("spec").and_then(|spec| spec.get_mut(list)).and_then(Value::as_array_mut);
        for proxy in containers.into_iter().flatten().filter(|container| is_proxy(container)) {
            if user(proxy).unwrap_or(0) == application
                && let Some(Value::Object(context)) = proxy.get_mut("securityContext")
            {
                // The order of the others stays.
                context.shift_remove("runAsUser");
                context.shift_remove("runAsGroup");
            }
        }
    }
}

fn user_of_applications(containers: &[Value]) -> i64 {
    containers.iter().filter(|container| !is_proxy(container)).filter_map(user).next_back().unwrap_or(0)
}

fn is_proxy(container: &Value) -> bool {
    container.get("name").and_then(Value::as_str) == Some(container::PROXY)
}

fn user(container: &Value) -> Option<i64> {
    container.get("securityContext")?.get("runAsUser")?.as_i64()
}

/// The last id of a block.
fn end_of_block(block: &str) -> Option<u32> {
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok()).flatten();
    let block = block.trim();
    if let Some((start, size)) = block.split_once('/') {
        return number(start)?.checked_add(number(size)?.checked_sub(1)?);
    }
    let (start, end) = block.split_once('-')?;
    let (start, end) = (number(start)?, number(end)?);
    (start <= end).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const USERS: &str = "openshift.io/sa.scc.uid-range";
    const GROUPS: &str = "openshift.io/sa.scc.supplemental-groups";

    fn check(annotations: Value, expected: (i64, i64)) {
        assert_eq!(ids(annotations.as_object().unwrap()), expected, "{annotations}");
    }

    #[test]
    fn the_last_id_of_each_block_is_the_sidecars() {
        check(json!({USERS: "1000600000/10000"}), (1_000_609_999, 1_000_609_999));
        check(json!({USERS: "1000-1999", GROUPS: "5000/10,7000/10"}), (1999, 5009));
        check(json!({USERS: " 7/1 ", GROUPS: "3-3"}), (7, 3));
        check(json!({GROUPS: "10-20"}), (1337, 20));
    }

    #[test]
    fn what_cannot_be_read_is_1337() {
        check(json!({}), (1337, 1337));
        for block in ["", "5", "5/0", "9-3", "4294967295/2", "99999999999999999999/1", "-1/5", "a/b", "+5/1", "1/2/3"] {
            check(json!({USERS: block}), (1337, 1337));
            check(json!({USERS: "5/5", GROUPS: block}), (9, 1337));
        }
        check(json!({USERS: 5, GROUPS: [1]}), (1337, 1337));
    }

    fn stamped(containers: &Value) -> Value {
        let mut pod = json!({"spec": {"containers": containers}});
        drop_stamped_user(&mut pod);
        let proxy = pod["spec"]["containers"].as_array_mut().unwrap().iter_mut().find(|container| is_proxy(container));
        proxy.unwrap()["securityContext"].take()
    }

    #[test]
    fn a_user_that_all_containers_share_was_stamped() {
        let proxy =
            |user: i64| json!({"name": "istio-proxy", "securityContext": {"runAsUser": user, "runAsGroup": 5, "x": 1}});
        let application = |user: i64| json!({"name": "app", "securityContext": {"runAsUser": user}});
        let plain = json!({"name": "plain"});
        let (kept, dropped) = (proxy(7)["securityContext"].clone(), json!({"x": 1}));
        assert_eq!(stamped(&json!([application(7), proxy(7)])), dropped);
        assert_eq!(stamped(&json!([application(8), proxy(7)])), kept);
        assert_eq!(stamped(&json!([application(8), proxy(7), application(7), plain])), dropped);
        assert_eq!(stamped(&json!([plain, proxy(7)])), kept);
        assert_eq!(stamped(&json!([plain, proxy(0)])), dropped);
        let group = json!({"name": "istio-proxy", "securityContext": {"runAsGroup": 5}});
        assert_eq!(stamped(&json!([plain, group])), json!({}));
    }

    #[test]
    fn odd_pods_stay_as_they_are() {
        let proxy = json!({"name": "istio-proxy", "securityContext": 3});
        for pod in [
            json!(1),
            json!({"spec": []}),
            json!({"spec": {"containers": {}}}),
            json!({"spec": {"containers": [1, proxy]}}),
        ] {
            let mut changed = pod.clone();
            drop_stamped_user(&mut changed);
            assert_eq!(changed, pod);
        }
    }
}
