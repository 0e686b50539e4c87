//! There is always somebody to answer, with no more privilege than that takes.

use std::time::Duration;

use k8s_openapi::api::core::v1::TopologySpreadConstraint;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use sidecar_injector::cli::serve::DRAIN_DEADLINE;

use crate::names::{installations, serve};
use crate::rendered::{container, pod, rendered};

/// Before and after the drain: giving the Lease back, closing connections, the last traces, the log.
const AROUND_THE_DRAIN: Duration = Duration::from_secs(2 + 3 + 5 + 1);

#[test]
fn the_pod_has_time_to_drain() {
    for (rendered, _) in installations() {
        let deployment = rendered.deployment();
        let drain = serve(container(&deployment)).drain_delay() + DRAIN_DEADLINE + AROUND_THE_DRAIN;
        let grace = pod(&deployment).termination_grace_period_seconds.unwrap();
        assert!(drain < Duration::from_secs(grace.try_into().unwrap()), "{}", rendered.path);
    }
}

#[test]
fn a_rolling_update_takes_nobody_away_first() {
    for (rendered, _) in installations() {
        let spec = rendered.deployment().spec;
        let update = spec.strategy.unwrap().rolling_update.unwrap();
        assert_eq!(update.max_unavailable, Some(IntOrString::Int(0)));
        assert_eq!(update.max_surge, Some(IntOrString::Int(1)));
    }
}

#[test]
fn there_are_two_and_one_is_left_whoever_drains_nodes() {
    for (rendered, _) in installations() {
        let budget: PodDisruptionBudget = rendered.only("PodDisruptionBudget");
        let budget = budget.spec.unwrap();
        assert_eq!(budget.unhealthy_pod_eviction_policy.as_deref(), Some("AlwaysAllow"));
        let scaled = rendered.all("HorizontalPodAutoscaler").next();
        match scaled {
            None => {
                assert_eq!(rendered.deployment().spec.replicas, Some(2), "{}", rendered.path);
                assert_eq!((budget.min_available, budget.max_unavailable), (Some(IntOrString::Int(1)), None));
            }
            Some(scaler) => {
                assert_eq!((budget.min_available, budget.max_unavailable), (None, Some(IntOrString::Int(1))));
                let target = &scaler["spec"]["scaleTargetRef"];
                assert_eq!(target["kind"], "Deployment");
                assert_eq!(target["name"].as_str(), rendered.deployment().metadata.name.as_deref());
                let least = scaler["spec"]["minReplicas"].as_i64();
                assert!(least >= Some(3));
                assert_eq!(rendered.deployment().spec.replicas.map(i64::from), least);
            }
        }
    }
}

#[test]
fn replicas_are_spread_over_nodes_and_zones() {
    let spread = |path: &str| {
        let constraints = pod(&rendered(path)?.deployment()).topology_spread_constraints.clone().unwrap();
        assert!(
            constraints.iter().all(|constraint| constraint.match_label_keys.is_some()),
            "an update would not spread"
        );
        let named = |constraint: TopologySpreadConstraint| (constraint.topology_key, constraint.when_unsatisfiable);
        Some(constraints.into_iter().map(named).collect::<Vec<_>>())
    };
    let pair = |key: &str, otherwise: &str| (key.to_owned(), otherwise.to_owned());
    let (host, zone) = ("kubernetes.io/hostname", "topology.kubernetes.io/zone");
    let Some(base) = spread("manifests") else { return };
    assert_eq!(base, [pair(host, "ScheduleAnyway"), pair(zone, "ScheduleAnyway")]);
    let strict = spread("manifests/overlays/high-availability").unwrap();
    assert_eq!(strict, [pair(host, "DoNotSchedule"), pair(zone, "ScheduleAnyway")]);
}

#[test]
fn the_injector_has_no_privilege() {
    for (rendered, _) in installations() {
        let deployment = rendered.deployment();
        let context = container(&deployment).security_context.as_ref().unwrap();
        assert_eq!(context.read_only_root_filesystem, Some(true));
        assert_eq!(context.allow_privilege_escalation, Some(false));
        assert_eq!(context.capabilities.as_ref().unwrap().drop.as_deref(), Some(&["ALL".to_owned()][..]));
        let context = pod(&deployment).security_context.as_ref().unwrap();
        assert_eq!(context.run_as_non_root, Some(true));
        assert_eq!(context.seccomp_profile.as_ref().unwrap().type_, "RuntimeDefault");
        assert!(pod(&deployment).volumes.is_none(), "{}: everything is read from the API server", rendered.path);
    }
}

#[test]
fn only_the_injectors_pods_get_its_token() {
    for (rendered, _) in installations() {
        assert_eq!(pod(&rendered.deployment()).automount_service_account_token, Some(true));
        for account in rendered.all("ServiceAccount") {
            assert_eq!(account["automountServiceAccountToken"], false);
        }
    }
}
