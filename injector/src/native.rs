//! Whether the sidecar runs as a native one: an init container with `restartPolicy: Always`.

use std::collections::BTreeMap;
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

/// All nodes of a cluster, and what they come to: a pod's turn does not look at each of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nodes {
    /// Whether each is recent, by name.
    recent: BTreeMap<String, bool>,
    old: usize,
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
/// cluster without nodes is about to get new ones. Where nobody can ask for the nodes there are none (`None`).
pub fn native(setting: Setting, nodes: Option<&Nodes>, node_name: Option<&str>) -> bool {
    match (setting, nodes) {
        (Setting::True, _) => true,
        (Setting::False, _) | (Setting::Auto, None) => false,
        (Setting::Auto, Some(nodes)) => {
            let bound_to = node_name.and_then(|name| nodes.recent.get(name).copied());
            bound_to.unwrap_or(nodes.old == 0)
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

impl Nodes {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.recent.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.recent.is_empty()
    }
}

impl FromIterator<Node> for Nodes {
    fn from_iter<I: IntoIterator<Item = Node>>(nodes: I) -> Self {
        let with_age = |node: Node| (node.is_recent(), node.name);
        let recent: BTreeMap<_, _> = nodes.into_iter().map(with_age).map(|(recent, name)| (name, recent)).collect();
        Self { old: recent.values().filter(|recent| !**recent).count(), recent }
    }
}

impl Node {
    /// Whether its version can be read.
    pub fn has_version(&self) -> bool {
        version(&self.kubelet_version).is_some()
    }

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

    fn nodes(versions: &[&str]) -> Nodes {
        let node =
            |(index, version): (usize, &&str)| Node { name: format!("n{index}"), kubelet_version: (*version).into() };
        versions.iter().enumerate().map(node).collect()
    }

    #[test]
    fn a_firm_setting_asks_no_node() {
        assert!(native(Setting::True, Some(&nodes(&["v1.20.0"])), None));
        assert!(!native(Setting::False, Some(&nodes(&["v1.34.0"])), None));
        assert_eq!(
            ["true", "false", "auto", ""].map(|text| text.parse::<Setting>().unwrap()),
            [Setting::True, Setting::False, Setting::Auto, Setting::Auto]
        );
        assert!("yes".parse::<Setting>().unwrap_err().contains("true, false or auto"));
    }

    #[test]
    fn automatic_goes_by_the_node_of_the_pod_or_by_all() {
        let mixed = nodes(&["v1.33.0", "v1.32.9"]);
        assert!(native(Setting::Auto, Some(&mixed), Some("n0")));
        assert!(!native(Setting::Auto, Some(&mixed), Some("n1")));
        assert!(!native(Setting::Auto, Some(&mixed), Some("elsewhere")));
        assert!(!native(Setting::Auto, Some(&mixed), None));
        assert!(native(Setting::Auto, Some(&nodes(&["v1.33.0", "v1.34.1+k3s1"])), None));
        assert!(native(Setting::Auto, Some(&Nodes::default()), None));
        assert!(!native(Setting::Auto, None, None));
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
            assert_eq!(native(Setting::Auto, Some(&nodes(&[text])), None), recent, "{text}");
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
