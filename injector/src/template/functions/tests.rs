//! What Istio's functions give.

use gotemplate::Value;
use serde_json::json;

use crate::template::{Template, read, structure};

/// Renders with a small pod and mesh as the dot.
fn render(text: &str) -> Result<String, String> {
    let metadata = json!({"name": "a", "labels": {"l": "1"}, "annotations": {"empty": "", "set": "x"}});
    let spec = json!({"containers": [
        {"name": "app", "image": "hub:5000/app:1.2", "resources": {"limits": {"cpu": "2000m", "memory": "1024Mi"}},
            "ports": [{"name": "http", "containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}]},
        {"name": "istio-proxy", "ports": [{"containerPort": 15090, "protocol": "TCP"}]}]});
    let mesh = json!({"extensionProviders": [
        {"name": "a", "prometheus": {}},
        {"name": "b", "opentelemetry": {"port": 1, "serviceAttributeEnrichment": "OTEL_SEMANTIC_CONVENTIONS"}}]});
    let proxy = json!({"statusPort": 15020, "drainDuration": "90s", "proxyMetadata": {"A": "<\u{85}"}});
    let values = json!({"number": 15020, "list": [1, null, {"a": null}], "empty": {}, "deep": {"a": {"b": null}}});
    let pointer = |name: &str, json| gotemplate::Pointer::new(read(name, &json, "").unwrap()).into();
    let data = structure(
        "inject.SidecarTemplateData",
        [
            ("ObjectMeta", read("v1.ObjectMeta", &metadata, "metadata").unwrap()),
            ("Spec", read("v1.PodSpec", &spec, "spec").unwrap()),
            ("MeshConfig", pointer("v1alpha1.MeshConfig", mesh)),
            ("ProxyConfig", pointer("v1alpha1.ProxyConfig", proxy)),
            ("Values", Value::from(values)),
        ],
    );
    Template::parse("test", text).and_then(|template| template.render(&data)).map_err(|error| error.to_string())
}

fn check(cases: &[(&str, &str)]) {
    for (template, expected) in cases {
        assert_eq!(render(template).as_deref(), Ok(*expected), "{template}");
    }
}

#[test]
fn annotations_and_defaults() {
    check(&[
        ("{{ annotation .ObjectMeta `set` `d` }}", "x"),
        ("{{ annotation .ObjectMeta `empty` `d` }}", ""),
        ("{{ annotation .ObjectMeta `none` .Values.number }}", "15020"),
        ("{{ annotation .ObjectMeta `none` .ProxyConfig.InterceptionMode }}", "REDIRECT"),
        ("{{ isset .ObjectMeta.Annotations `empty` }} {{ isset .ObjectMeta.Annotations `none` }}", "true false"),
        ("{{ valueOrDefault `` 1 }} {{ valueOrDefault .Values.none 2 }} {{ valueOrDefault 0 3 }}", "1 2 0"),
        ("{{ env `PATH` `d` }}", "d"),
    ]);
}

#[test]
fn ports() {
    check(&[
        ("{{ excludeInboundPort 15020 `` }}", "15020"),
        ("{{ excludeInboundPort .Values.number `80, 90,` }}", "80,90,15020"),
        ("{{ excludeInboundPort ` 80 ` `80, 90` }}", "80, 90"),
        ("{{ excludeInboundPort `90` `80, 90` }}", "80,90,90"),
        ("{{ excludeInboundPort `0` `80` }}", "80"),
        ("{{ includeInboundPorts .Spec.Containers }} {{ applicationPorts .Spec.Containers }}", "80,15090 80"),
    ]);
}

#[test]
fn texts() {
    check(&[
        ("{{ contains `b` `abc` }} {{ contains `abc` `b` }} {{ contains `` `` }}", "true false true"),
        ("{{ directory `/a/b` }} {{ directory `/a/` }} {{ directory `a` }}", "/a/ /a/ "),
        ("{{ toLower `ÄB` }}", "äb"),
        ("{{ indent 2 `a\nb\n` }}|", "a\n  b\n  |"),
        ("{{ nindent 2 `a\nb` }}", "\n  a\n  b"),
        ("{{ formatDuration .ProxyConfig.DrainDuration }}", "1m30s"),
        ("{{ formatDuration .ProxyConfig.FileFlushInterval }}", "0s"),
        ("{{ kubevirtInterfaces `a` }}{{ excludeInterfaces `b` }}", "ab"),
    ]);
}

#[test]
fn json_and_yaml() {
    check(&[
        ("{{ structToJSON (index (index .Spec.Containers 0).Ports 0) }}", r#"{"name":"http","containerPort":80}"#),
        ("{{ structToJSON nil }}", "{}"),
        ("{{ toJSON .ObjectMeta.Labels }} {{ toJSON .Spec.NodeSelector }}", r#"{"l":"1"} {}"#),
        ("{{ (fromJSON `{\"a\": [1]}`).a }} {{ fromJSON `{` }}", "[1] {}"),
        ("{{ protoToJSON .ProxyConfig }}", r#"{"drainDuration":"90s","proxyMetadata":{"A":"\u003c\u0085"}}"#),
        ("{{ protoToJSON .ProxyConfig.Tracing }}", "{}"),
        ("{{ toYaml (index .Spec.Containers 0).Resources }}", "limits:\n  cpu: \"2\"\n  memory: 1Gi\n"),
        ("{{ toJson (dict `a` `\u{7f}`) }}", r#"{"a":"\u007f"}"#),
        ("{{ toJson (omitNil .Values) }}", r#"{"empty":{},"list":[1],"number":15020}"#),
        ("{{ omitNil .Values.deep | empty }}", "true"),
    ]);
}

#[test]
fn maps() {
    check(&[
        ("{{ strdict `a` `b` `c` }}", "map[a:b c:]"),
        ("{{ omit (strdict `a` `b` `c` `d`) `a` `x` }}", "map[c:d]"),
        ("{{ mergeMaps (strdict `a` `1`) (strdict `a` `2` `b` `3`) }}", "map[a:2 b:3]"),
        ("{{ toJsonMap .ObjectMeta.Labels (strdict `b` `<`) }} {{ toJsonMap }}", r#"{"b":"\u003c","l":"1"} {}"#),
    ]);
}

#[test]
fn networks_and_telemetry() {
    check(&[
        ("{{ appendMultusNetwork `a` `b/c` }}", "a, b/c"),
        (
            "{{ otelResourceAttributes .MeshConfig .ObjectMeta.Annotations .ObjectMeta.Labels `n` .Spec.Containers }}",
            "service.namespace=n,service.instance.id=n.$(POD_NAME).app",
        ),
        (
            "{{ otelResourceAttributes .MeshConfig (strdict `resource.opentelemetry.io/service.version` `7`) nil `n` nil }}",
            "service.namespace=n,service.version=7",
        ),
    ]);
}

#[test]
fn arguments_are_held_to_their_types() {
    for template in [
        "{{ annotation .Spec `a` `b` }}",
        "{{ isset .Values `a` }}",
        "{{ contains 1 `a` }}",
        "{{ protoToJSON .Values }}",
        "{{ includeInboundPorts .Spec.Volumes }}",
        "{{ indent `2` `a` }}",
    ] {
        let error = render(template).unwrap_err();
        assert!(error.contains("wrong type") || error.contains("expected"), "{template}: {error}");
    }
    for width in ["9000000000", "9223372036854775807", "-1"] {
        for text in ["a", "a\nb", ""] {
            assert!(render(&format!("{{{{ indent {width} {text:?} }}}}")).is_err(), "{width} {text:?}");
        }
    }
}

#[test]
fn fields_have_gos_zero_values_and_methods() {
    check(&[
        ("{{ .Spec.HostNetwork }} {{ .Spec.NodeSelector }} {{ len .Spec.Volumes }}", "false map[] 0"),
        ("{{ (index .Spec.Containers 0).Resources.Limits.Cpu }}", "2"),
        ("{{ (index .Spec.Containers 1).Resources.Limits.Memory.String }}", "0"),
        ("{{ with index .Spec.Containers 0 }}{{ .Resources.Limits.Cpu.MilliValue }}{{ end }}", "2000"),
        ("{{ with index .Spec.Containers 0 }}{{ .Resources.Limits.Memory.Value }}{{ end }}", "1073741824"),
        ("{{ with index .Spec.Containers 0 }}{{ .Resources.Requests.Cpu.IsZero }}{{ end }}", "true"),
        ("{{ .ProxyConfig.HoldApplicationUntilProxyStarts.GetValue }}", "false"),
        ("{{ .ProxyConfig.GetTracing.GetTlsSettings.GetCaCertificates | quote }}", "\"\""),
        ("{{ .ProxyConfig.GetTracing.GetZipkin.GetAddress | len }}", "0"),
        ("{{ .ProxyConfig.InterceptionMode.String }}", "REDIRECT"),
        ("{{ (index .MeshConfig.ExtensionProviders 1).GetOpentelemetry.Port }}", "1"),
        ("{{ (index .MeshConfig.ExtensionProviders 1).Provider.Opentelemetry.GetPort }}", "1"),
        ("{{ with (index .MeshConfig.ExtensionProviders 0).GetZipkin }}{{ else }}none{{ end }}", "none"),
        ("{{ .ObjectMeta.CreationTimestamp }}", "0001-01-01 00:00:00 +0000 UTC"),
        ("{{ printf `%T` .Spec }} {{ printf `%T` .ProxyConfig }}", "v1.PodSpec *v1alpha1.ProxyConfig"),
    ]);
    let error = render("{{ .Spec.Contaners }}").unwrap_err();
    assert!(error.contains("can't evaluate field Contaners in type v1.PodSpec"), "{error}");
}

#[test]
fn quoting_survives_any_string() {
    let hostile =
        ["a\nb", "a\"b: c", "\u{7}", "'", "{{", "# x", "é", "\u{7f}\u{85}\u{2028}\u{feff}\u{fffe}", "\u{1f600}"];
    for text in hostile {
        for function in ["quote", "toJson", "toRawJson", "structToJSON"] {
            let template = Template::parse("test", &format!("{{{{ {function} . }}}}")).unwrap();
            let quoted = template.render(&Value::from(text)).unwrap();
            assert!(!quoted.contains('\n'), "{function} {text:?}: {quoted}");
            assert_eq!(
                crate::yaml::read_config::<String>(&quoted).as_deref(),
                Ok(text),
                "{function} {text:?}: {quoted}"
            );
        }
        let yaml = Template::parse("test", "{{ toYaml . }}").unwrap().render(&Value::from(text)).unwrap();
        assert_eq!(crate::yaml::read_config::<String>(&yaml).as_deref(), Ok(text), "toYaml {text:?}: {yaml}");
    }
}
