//! In which order the kubelet starts the containers.

use serde_json::Value;
use sidecar_contract::container;

use crate::containers;

/// Puts our containers where they belong, whatever order templates and lists were merged in.
///
/// - A sidecar among the init containers comes right after the rules, and both before the user's: those have a proxy.
/// - Otherwise the rules are written last: the user's init containers run before there is a proxy, and would be cut off.
///   A check of rules that somebody else has written comes first, since it is for them too.
/// - A sidecar among the containers comes last, so that tools which take the first container take the application's;
///   or first, when the application is to wait for it.
pub(super) fn containers(pod: &mut Value, hold_application: bool) {
    if let Some(init) = containers::list_mut(pod, containers::INIT) {
        if init.iter().any(|element| containers::is_named(element, container::PROXY)) {
            for name in [container::ENABLE_CORE_DUMP, container::PROXY, container::VALIDATION, container::INIT] {
                move_first(init, name);
            }
        } else {
            move_first(init, container::VALIDATION);
            move_last(init, container::INIT);
            move_last(init, container::ENABLE_CORE_DUMP);
        }
    }
    if let Some(regular) = containers::list_mut(pod, containers::REGULAR) {
        if hold_application {
            move_first(regular, container::PROXY);
        } else {
            move_last(regular, container::PROXY);
        }
    }
}

fn move_first(list: &mut [Value], name: &str) {
    if let Some(index) = position(list, name) {
        list[..=index].rotate_right(1);
    }
}

fn move_last(list: &mut [Value], name: &str) {
    if let Some(index) = position(list, name) {
        list[index..].rotate_left(1);
    }
}

fn position(list: &[Value], name: &str) -> Option<usize> {
    list.iter().position(|element| containers::is_named(element, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::names;
    use serde_json::json;

    fn ordered(init: &[&str], app: &[&str], hold_application: bool) -> (String, String) {
        let list = |names: &[&str]| names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>();
        let mut pod = json!({"spec": {"initContainers": list(init), "containers": list(app)}});
        super::containers(&mut pod, hold_application);
        (names(&pod, "initContainers").join(" "), names(&pod, "containers").join(" "))
    }

    #[test]
    fn the_rules_are_written_after_the_users_init_containers_unless_those_have_a_proxy() {
        let (init, _) = ordered(&["istio-init", "a", "b"], &["app"], false);
        assert_eq!(init, "a b istio-init");
        let (init, _) = ordered(&["a", "istio-init", "b", "istio-proxy"], &["app"], false);
        assert_eq!(init, "istio-init istio-proxy a b");
    }

    #[test]
    fn the_proxy_comes_last_or_first_when_the_application_waits() {
        let (_, last) = ordered(&[], &["a", "istio-proxy", "b"], false);
        let (_, first) = ordered(&[], &["a", "istio-proxy", "b"], true);
        assert_eq!((last.as_str(), first.as_str()), ("a b istio-proxy", "istio-proxy a b"));
    }
}
