//! One object of the cluster, as a person names it.

use std::str::FromStr;

use crate::cli::names;

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
        // As `kubectl get -o name` prints it: deployment.apps/web; kubectl itself takes deployment.v1.apps/web too.
        let (plain, group) = kind.split_once('.').unwrap_or((&kind, ""));
        let group = group.strip_prefix("v1.").unwrap_or(group);
        let is_of_group =
            |path: &str| group.is_empty() || path.trim_start_matches("/apis/").trim_end_matches("/v1") == group;
        let known = KINDS.iter().find(|(names, path, _)| names.contains(&plain) && is_of_group(path));
        let Some((_, group, resource)) = known else {
            let names = KINDS.iter().map(|(names, ..)| names[0]).collect::<Vec<_>>().join(", ");
            return Err(format!("'{}' is no kind with a pod; use one of {names}", kind.escape_default()));
        };
        let name = names::object(name)
            .map_err(|problem| format!("'{}' is no name of an object; {problem}", name.escape_default()))?;
        Ok(Self { group, resource, name })
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
        assert_eq!(path("deployment.apps/web"), path("deploy/web"));
        assert_eq!(path("cronjob.v1.batch/web"), path("cj/web"));
        assert_eq!(path("deploymentconfig.apps.openshift.io/web"), path("dc/web"));
        assert!(path("deployment.batch/web").is_err() && path("deployment.example.org/web").is_err());
        assert!(path("service/web").unwrap_err().contains("use one of pod, deployment"));
        assert!(path("pod/../secrets").is_err() && path("pod/").is_err());
    }
}
