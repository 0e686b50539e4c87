//! Values that annotations may and may not have.

use super::*;
use serde_json::json;

fn accepts(annotation: &str, value: &str, mode: Mode) -> bool {
    check(&json!({"metadata": {"annotations": {annotation: value}}}), mode).is_ok()
}

type Cases<'a> = &'a [(&'a str, &'a [&'a str], &'a [&'a str])];

fn verify(modes: &[Mode], cases: Cases<'_>) {
    for (annotation, good, bad) in cases {
        for mode in modes {
            good.iter().for_each(|value| assert!(accepts(annotation, value, *mode), "{annotation}={value:?} {mode}"));
            bad.iter().for_each(|value| assert!(!accepts(annotation, value, *mode), "{annotation}={value:?} {mode}"));
        }
    }
}

#[test]
fn what_istio_checks_is_checked_in_both_modes() {
    let addresses: Cases<'_> = &[
        (name::INTERCEPTION_MODE, &["REDIRECT", "TPROXY", "NONE"], &["", "redirect", "REDIRECT "]),
        (name::INCLUDE_OUTBOUND_IP_RANGES, &["*", "", "10.0.0.0/8, ::/0"], &["10.0.0.0/33", "*,10.0.0.0/8", "a"]),
        (name::EXCLUDE_OUTBOUND_IP_RANGES, &["", "10.0.0.1/32", "10.96.0.2/24"], &["*", "10.0.0.1", "10.0.0.0/8,"]),
        (name::EXCLUDE_OUTBOUND_PORTS, &["", "80,443", "0"], &["*", "65536", "+80", "-1", ",", "80,", "８０"]),
        (name::INCLUDE_INBOUND_PORTS, &["*", "", "80", "1, 2"], &["http", "80;81", "*,80"]),
        (
            name::EXCLUDE_INTERFACES,
            &["", "net1", "eth0, net1.5-a_b"],
            &["1net", "a,,b", "a b", "abcdefghijklmnop", "é"],
        ),
        (name::REROUTE_INTERFACES, &["net1ps5,net2qr9"], &["net1\n", "net1\"", "-net"]),
    ];
    let numbers: Cases<'_> = &[
        (name::STATUS_PORT, &["0", "15020"], &["", "65536", "-1", "1.5", " 1", "http"]),
        (name::READINESS_PERIOD, &["0", "4294967295"], &["", "4294967296", "-1", "1s"]),
        (name::MERGE_METRICS, &["true", "F", "0"], &["", "yes", "tRUE", "true "]),
        (name::PROXY_CPU, &["100m", "0.5", "2", "1e3", ".5", "+1"], &["", "1.2.3", "1 m", "1Mb", "100m\n"]),
    ];
    verify(&[Mode::Istio, Mode::Corrected], addresses);
    verify(&[Mode::Istio, Mode::Corrected], numbers);
}

#[test]
fn what_could_break_rendered_text_is_checked_in_both_modes() {
    verify(
        &[Mode::Istio, Mode::Corrected],
        &[
            (
                name::INCLUDE_OUTBOUND_PORTS,
                &["", "80,443", " 80 , 443 "],
                &["80\"\n- x", "*", "65536", "+80", "-1", ",", " "],
            ),
            (
                name::USER_VOLUME,
                &["{}", r#"{"certs": {"secret": {"secretName": "a"}}}"#],
                &["", "[]", "{", r#"{"a\nb": {}}"#, r#"{"A": {}}"#, r#"{"a": 1}"#, r#"{"": {}}"#],
            ),
            (name::USER_VOLUME_MOUNT, &[r#"{"certs":{"mountPath":"/a"}}"#], &[r#"{"a\"": {}}"#, r#"{"a": null}"#]),
            (
                name::NETWORKS,
                &["", "a, b/c@net1", "[{\"name\": \"a\"},\n {\"name\": \"b\"}]"],
                &["a'", "a\0", "a\u{2028}"],
            ),
            (
                name::DATADOG_ENVIRONMENT,
                &["{}", r#"{"DD_ENV": "prod", "DD_RATE": 1, "a.b-c": true}"#],
                &[
                    "",
                    "[]",
                    r#"{"A B": "x"}"#,
                    r#"{"A": "x\"y"}"#,
                    r#"{"A": "x\ny"}"#,
                    r#"{"A": []}"#,
                    r#"{"on": "x"}"#,
                ],
            ),
        ],
    );
}

#[test]
fn what_istio_takes_as_it_comes_has_a_grammar_in_the_corrected_mode() {
    let cases: Cases<'_> = &[
        (name::PROXY_CPU, &[], &["m", "-1", "-5Mi"]),
        (name::REWRITE_PROBES, &["true", "0"], &["", "yes"]),
        (name::CAP_NET_BIND_SERVICE, &["true"], &["on"]),
        (name::LOG_LEVEL, &["info", "warning"], &["warn", "INFO", ""]),
        (name::COMPONENT_LOG_LEVEL, &["", "misc:error, http:debug"], &["misc", "misc:loud", ":error", "a b:info"]),
        (name::AGENT_LOG_LEVEL, &["info", "default:info,dns:debug"], &["loud", "dns:", "dns:warning", "a:b:info"]),
        (name::PROXY_IMAGE, &["hub/a:1", "h:5000/a@sha256:00", "auto"], &["", "a b", "a\nb", "a\"b", "a:", "/a"]),
        (name::PROXY_IMAGE_TYPE, &["distroless", "debug-1.2"], &["", "a/b", "a b"]),
        (name::TEMPLATES, &["sidecar", "a, b.c", "a,"], &["a b", "a\nb", "", ",,"]),
        (name::BOOTSTRAP_OVERRIDE, &["istio-custom.bootstrap"], &["", "A", "a_b", "-a", "a..b"]),
        (name::PROMETHEUS_SCRAPE, &["", "true"], &["yes"]),
        (name::PROMETHEUS_PORT, &["", "8080"], &["http", "65536"]),
        (name::PROMETHEUS_PATH, &["", "/metrics?a=b"], &["a b", "a\n", "a\""]),
        (name::SCRAPE_TARGETS, &["8080:/metrics, 9100"], &["http", "80:/a b", "80,,81"]),
        (name::SECURE_METRICS_PORT, &["15091"], &["", "tls"]),
    ];
    verify(&[Mode::Corrected], cases);
    for (annotation, _, bad) in cases {
        bad.iter().for_each(|value| assert!(accepts(annotation, value, Mode::Istio), "{annotation}={value:?}"));
    }
}

#[test]
fn a_request_may_not_be_more_than_its_limit() {
    let pod = |request: &str, limit: &str| json!({"metadata": {"annotations": {name::PROXY_MEMORY: request, name::PROXY_MEMORY_LIMIT: limit}}});
    assert!(check(&pod("1Gi", "1024Mi"), Mode::Corrected).is_ok());
    assert!(check(&pod("2Gi", "1Gi"), Mode::Istio).is_ok());
    let errors = check(&pod("2Gi", "1Gi"), Mode::Corrected).unwrap_err();
    assert!(
        errors[0].to_string().ends_with("is more than sidecar.istio.io/proxyMemoryLimit, which is 1Gi"),
        "{errors:?}"
    );
}

#[test]
fn all_mistakes_are_reported_short_and_with_control_characters_escaped() {
    let long = format!("é\u{7f}{}", "x".repeat(200));
    let pod = json!({"metadata": {"annotations":
        {name::PROXY_CPU: "much", name::EXCLUDE_INBOUND_PORTS: "80\n81", name::STATUS_PORT: long}}});
    let errors: Vec<_> = check(&pod, Mode::Corrected).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(errors.len(), 3);
    assert!(errors[0].starts_with(
        "invalid value '80\\n81' for annotation 'traffic.sidecar.istio.io/excludeInboundPorts': '80\\n81' is not a port"
    ));
    assert!(errors[1].starts_with("invalid value 'é\\u{7f}xxx") && errors[1].contains("xx…'"), "{errors:?}");
    assert!(errors.iter().all(|error| !error.contains('\n') && error.len() < 300), "{errors:?}");
}
