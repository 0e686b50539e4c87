//! Whether the sidecar runs as a native one: an init container with `restartPolicy: Always`.

use std::str::FromStr;

use sidecar_contract::annotation;

use crate::mode::Mode;

/// The first version of Kubernetes on whose nodes native sidecars are trusted, major and minor.
const SINCE: (u32, u32) = (1, 33);

/// What the operator wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Setting {
    /// Always native.
    True,
    /// Never native.
    False,
    /// Native where the nodes can do it.
    #[default]
    Auto,
}

/// A node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// `metadata.name`
    pub name: String,
    /// `status.nodeInfo.kubeletVersion`, as `v1.33.1`.
    pub kubelet_version: String,
}

/// What the annotation `sidecar.istio.io/nativeSidecar` of a pod comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotated<'a> {
    /// The decision; none when the annotation leaves it to the [`Setting`].
    pub native: Option<bool>,
    /// The value to show to templates; none when they are not to see the annotation. Istio's template takes all but
    /// `false` for true.
    pub shown: Option<&'a str>,
    /// What to tell the user, in a sentence.
    pub warning: Option<String>,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "true" => Ok(Self::True),
            "false" => Ok(Self::False),
            "auto" | "" => Ok(Self::Auto),
            _ => Err(format!("native sidecars are '{}'; use true, false or auto", text.escape_default())),
        }
    }
}

/// Whether a pod without the annotation gets a native sidecar.
///
/// With [`Setting::Auto`] the node that the pod is bound to decides (`node_name`, that is `spec.nodeName`), if it is
/// among `nodes`; otherwise all of them have to be of Kubernetes 1.33 or later, since the pod may come to any. A
/// cluster without nodes is about to get new ones. `known` is false where nobody can ask for the nodes.
pub fn native(setting: Setting, nodes: &[Node], known: bool, node_name: Option<&str>) -> bool {
    match setting {
        Setting::True => true,
        Setting::False => false,
        Setting::Auto if !known => false,
        Setting::Auto => {
            let bound_to = node_name.and_then(|name| nodes.iter().find(|node| node.name == name));
            bound_to.map_or_else(|| nodes.iter().all(Node::is_recent), Node::is_recent)
        }
    }
}

/// Reads the annotation `sidecar.istio.io/nativeSidecar`.
///
/// Istio's code and Istio's template disagree on everything but `true` and `false`. In [`Mode::Istio`] they may; in
/// [`Mode::Corrected`] both see the bool that Go reads in the value, and nothing where it reads none.
pub fn annotated(value: &str, mode: Mode) -> Annotated<'_> {
    let native = match value {
        "true" => Some(true),
        "false" => Some(false),
        "1" | "t" | "T" | "TRUE" | "True" if !mode.is_istio() => Some(true),
        "0" | "f" | "F" | "FALSE" | "False" if !mode.is_istio() => Some(false),
        _ => None,
    };
    match (mode, native) {
        (Mode::Istio, native) => Annotated { native, shown: Some(value), warning: None },
        (Mode::Corrected, Some(native)) => {
            Annotated { native: Some(native), shown: Some(if native { "true" } else { "false" }), warning: None }
        }
        (Mode::Corrected, None) => {
            let (name, value) = (annotation::NATIVE_SIDECAR, value.escape_default());
            let warning = format!("annotation '{name}' is '{value}', which has no effect; use true or false");
            Annotated { native: None, shown: None, warning: Some(warning) }
        }
    }
}

impl Node {
    /// Whether its kubelet is recent enough; one that cannot be told is not.
    fn is_recent(&self) -> bool {
        version(&self.kubelet_version).is_some_and(|version| version >= SINCE)
    }
}

/// Major and minor of a version such as `v1.33.1-gke.100` or `1.33+`.
fn version(text: &str) -> Option<(u32, u32)> {
    let text = text.trim();
    let (major, rest) = text.strip_prefix('v').unwrap_or(text).split_once('.')?;
    let minor = rest.split('.').next().unwrap_or_default();
    let minor = minor.split(['+', '-']).next().unwrap_or_default();
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    Some((number(major)?, number(minor)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(versions: &[&str]) -> Vec<Node> {
        let node =
            |(index, version): (usize, &&str)| Node { name: format!("n{index}"), kubelet_version: (*version).into() };
        versions.iter().enumerate().map(node).collect()
    }

    #[test]
    fn a_firm_setting_asks_no_node() {
        assert!(native(Setting::True, &nodes(&["v1.20.0"]), true, None));
        assert!(!native(Setting::False, &nodes(&["v1.34.0"]), true, None));
        assert_eq!(
            ["true", "false", "auto", ""].map(|text| text.parse::<Setting>().unwrap()),
            [Setting::True, Setting::False, Setting::Auto, Setting::Auto]
        );
        assert!("yes".parse::<Setting>().unwrap_err().contains("true, false or auto"));
    }

    #[test]
    fn automatic_goes_by_the_node_of_the_pod_or_by_all() {
        let mixed = nodes(&["v1.33.0", "v1.32.9"]);
        assert!(native(Setting::Auto, &mixed, true, Some("n0")));
        assert!(!native(Setting::Auto, &mixed, true, Some("n1")));
        assert!(!native(Setting::Auto, &mixed, true, Some("elsewhere")));
        assert!(!native(Setting::Auto, &mixed, true, None));
        assert!(native(Setting::Auto, &nodes(&["v1.33.0", "v1.34.1+k3s1"]), true, None));
        assert!(native(Setting::Auto, &[], true, None));
        assert!(!native(Setting::Auto, &[], false, None));
    }

    #[test]
    fn versions_are_of_many_shapes() {
        for (text, recent) in [
            ("v1.33.1-gke.100", true),
            ("1.33+", true),
            ("v2.0.0", true),
            ("v1.33-rc1", true),
            ("v1.9.9", false),
            ("v1.333333333333.0", false),
            ("v1.+33", false),
            ("v1", false),
            ("", false),
        ] {
            assert_eq!(native(Setting::Auto, &nodes(&[text]), true, None), recent, "{text}");
        }
    }

    #[test]
    fn the_corrected_annotation_is_one_answer_for_code_and_template() {
        for (value, native, shown) in [("T", Some(true), Some("true")), ("False", Some(false), Some("false"))] {
            assert_eq!(annotated(value, Mode::Corrected), Annotated { native, shown, warning: None });
        }
        let odd = annotated("yes\n", Mode::Corrected);
        assert_eq!((odd.native, odd.shown), (None, None));
        assert!(odd.warning.unwrap().contains("'yes\\n'"));
    }

    #[test]
    fn istio_knows_exact_words_only_and_shows_the_rest_to_the_template() {
        for (value, native) in [("true", Some(true)), ("false", Some(false)), ("True", None), ("", None)] {
            assert_eq!(annotated(value, Mode::Istio), Annotated { native, shown: Some(value), warning: None });
        }
    }
}
