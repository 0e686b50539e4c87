//! What a pod looks like, for those who make random ones.

/// The values that a field can have.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    Text,
    Number,
    Flag,
    /// A number or a text (`intstr.IntOrString`).
    Either,
    /// A mapping of texts.
    Texts,
    /// A list of scalars that is a value as a whole.
    Words,
    /// A list of scalars that is a set.
    Set,
    Mapping(&'static [(&'static str, Shape)]),
    /// A list of mappings that is a value as a whole.
    Whole(&'static [(&'static str, Shape)]),
    /// A list of mappings: the field that tells them apart, and the others.
    Keyed(&'static str, &'static [(&'static str, Shape)]),
}

use Shape::{Either, Flag, Keyed, Mapping, Number, Set, Text, Texts, Whole, Words};

/// The fields of a pod that templates render.
pub(crate) const POD: &[(&str, Shape)] = &[("metadata", METADATA), ("spec", SPEC)];

const METADATA: Shape = Mapping(&[
    ("labels", Texts),
    ("annotations", Texts),
    ("finalizers", Set),
    ("generateName", Text),
    ("ownerReferences", Keyed("uid", &[("kind", Text), ("name", Text), ("controller", Flag)])),
]);

const SPEC: Shape = Mapping(&[
    ("containers", CONTAINERS),
    ("initContainers", CONTAINERS),
    ("ephemeralContainers", CONTAINERS),
    ("volumes", VOLUMES),
    ("imagePullSecrets", Keyed("name", &[])),
    ("schedulingGates", Keyed("name", &[])),
    ("resourceClaims", Keyed("name", &[("resourceClaimName", Text), ("resourceClaimTemplateName", Text)])),
    ("hostAliases", Keyed("ip", &[("hostnames", Words)])),
    (
        "topologySpreadConstraints",
        Keyed("topologyKey", &[("maxSkew", Number), ("whenUnsatisfiable", Text), ("labelSelector", SELECTOR)]),
    ),
    ("tolerations", Whole(&[("key", Text), ("operator", Text), ("tolerationSeconds", Number)])),
    ("readinessGates", Whole(&[("conditionType", Text)])),
    ("nodeSelector", Texts),
    ("securityContext", SECURITY),
    ("affinity", Mapping(&[("podAffinity", AFFINITY), ("podAntiAffinity", AFFINITY)])),
    ("dnsConfig", Mapping(&[("nameservers", Words), ("options", Whole(&[("name", Text), ("value", Text)]))])),
    ("serviceAccountName", Text),
    ("hostNetwork", Flag),
    ("terminationGracePeriodSeconds", Number),
]);

const CONTAINERS: Shape = Keyed(
    "name",
    &[
        ("image", Text),
        ("args", Words),
        ("command", Words),
        ("ports", Keyed("containerPort", &[("name", Text), ("protocol", Text), ("hostPort", Number)])),
        ("env", Keyed("name", &[("value", Text), ("valueFrom", VALUE_FROM)])),
        ("envFrom", Whole(&[("prefix", Text), ("configMapRef", Mapping(&[("name", Text), ("optional", Flag)]))])),
        ("volumeMounts", Keyed("mountPath", &[("name", Text), ("readOnly", Flag), ("subPath", Text)])),
        ("volumeDevices", Keyed("devicePath", &[("name", Text)])),
        ("resources", Mapping(&[("limits", Texts), ("requests", Texts)])),
        ("securityContext", SECURITY),
        ("livenessProbe", Mapping(&[("httpGet", HTTP_GET), ("exec", EXEC), ("periodSeconds", Number)])),
        ("lifecycle", Mapping(&[("preStop", HANDLER), ("postStart", HANDLER)])),
        ("stdin", Flag),
    ],
);

const VOLUMES: Shape = Keyed(
    "name",
    &[
        ("emptyDir", Mapping(&[("medium", Text), ("sizeLimit", Text)])),
        (
            "configMap",
            Mapping(&[("name", Text), ("optional", Flag), ("items", Whole(&[("key", Text), ("path", Text)]))]),
        ),
        ("secret", Mapping(&[("secretName", Text), ("defaultMode", Number)])),
        ("projected", Mapping(&[("defaultMode", Number), ("sources", Whole(&[("serviceAccountToken", TOKEN)]))])),
        ("ephemeral", Mapping(&[("volumeClaimTemplate", Mapping(&[("metadata", METADATA), ("spec", CLAIM)]))])),
    ],
);

const SECURITY: Shape = Mapping(&[("runAsUser", Number), ("runAsNonRoot", Flag), ("seLinuxOptions", SE_LINUX)]);
const SE_LINUX: Shape = Mapping(&[("level", Text), ("role", Text), ("type", Text), ("user", Text)]);
const SELECTOR: Shape =
    Mapping(&[("matchLabels", Texts), ("matchExpressions", Whole(&[("key", Text), ("values", Words)]))]);
const AFFINITY: Shape = Mapping(&[("requiredDuringSchedulingIgnoredDuringExecution", Whole(AFFINITY_TERM))]);
const AFFINITY_TERM: &[(&str, Shape)] = &[("topologyKey", Text), ("namespaces", Words), ("labelSelector", SELECTOR)];
const VALUE_FROM: Shape = Mapping(&[
    ("fieldRef", Mapping(&[("fieldPath", Text)])),
    ("secretKeyRef", Mapping(&[("name", Text), ("key", Text), ("optional", Flag)])),
]);
const HTTP_GET: Shape =
    Mapping(&[("path", Text), ("port", Either), ("httpHeaders", Whole(&[("name", Text), ("value", Text)]))]);
const EXEC: Shape = Mapping(&[("command", Words)]);
const HANDLER: Shape = Mapping(&[("exec", EXEC), ("httpGet", HTTP_GET)]);
const TOKEN: Shape = Mapping(&[("path", Text), ("audience", Text), ("expirationSeconds", Number)]);
const CLAIM: Shape = Mapping(&[("storageClassName", Text), ("accessModes", Words)]);
