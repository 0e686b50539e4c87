//! One object of the cluster, as a person names it.

use std::str::FromStr;

/// Kinds with a pod: their names and short names, and where the API server has them.
const KINDS: [(&[&str], &str, &str); 9] = [
    (&["pod", "pods", "po"], "/api/v1", "pods"),
    (&["deployment", "deployments", "deploy"], "/apis/apps/v1", "deployments"),
    (&["daemonset", "daemonsets", "ds"], "/apis/apps/v1", "daemonsets"),
    (&["replicaset", "replicasets", "rs"], "/apis/apps/v1", "replicasets"),
    (&["statefulset", "statefulsets", "sts"], "/apis/apps/v1", "statefulsets"),
    (&["replicationcontroller", "replicationcontrollers", "rc"], "/api/v1", "replicationcontrollers"),
    (&["job", "jobs"], "/apis/batch/v1", "jobs"),
    (&["cronjob", "cronjobs", "cj"], "/apis/batch/v1", "cronjobs"),
    (&["deploymentconfig", "deploymentconfigs", "dc"], "/apis/apps.openshift.io/v1", "deploymentconfigs"),
];

/// One object of the cluster, as `deployment/web`; a name alone is a pod's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    group: &'static str,
    resource: &'static str,
    name: String,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, name) = text.split_once('/').unwrap_or(("pod", text));
        let kind = kind.to_ascii_lowercase();
        let known = KINDS.iter().find(|(names, ..)| names.contains(&kind.as_str()));
        let Some((_, group, resource)) = known else {
            let names = KINDS.iter().map(|(names, ..)| names[0]).collect::<Vec<_>>().join(", ");
            return Err(format!("'{}' is no kind with a pod; use one of {names}", kind.escape_default()));
        };
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
        if name.is_empty() || name.len() > 253 || !name.chars().all(is_name) {
            return Err(format!("'{}' is no name of an object", name.escape_default()));
        }
        Ok(Self { group, resource, name: name.to_owned() })
    }
}

impl Target {
    /// Where the API server has it.
    pub fn path(&self, namespace: &str) -> String {
        format!("{}/namespaces/{namespace}/{}/{}", self.group, self.resource, self.name)
    }

    /// As `deployments web`, for people.
    pub fn what(&self, namespace: &str) -> String {
        format!("{} {namespace}/{}", self.resource, self.name)
    }

    /// Whether it is a pod.
    pub fn is_pod(&self) -> bool {
        self.resource == "pods"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_their_usual_names() {
        let path = |text: &str| text.parse::<Target>().map(|target| target.path("demo"));
        assert_eq!(path("web").unwrap(), "/api/v1/namespaces/demo/pods/web");
        assert_eq!(path("Deploy/web").unwrap(), "/apis/apps/v1/namespaces/demo/deployments/web");
        assert_eq!(path("cj/web").unwrap(), "/apis/batch/v1/namespaces/demo/cronjobs/web");
        assert!(path("service/web").unwrap_err().contains("use one of pod, deployment"));
        assert!(path("pod/../secrets").is_err() && path("pod/").is_err());
    }
}
