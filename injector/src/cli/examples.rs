//! What `--help` shows at its end: commands as people type them, and what they exit with.

use super::{EXIT_CODES, manifests};

/// Of `completion`.
pub const COMPLETION: &str = "\
Examples:
  # bash, for this user
  mkdir -p ~/.local/share/bash-completion/completions
  sidecar-injector completion bash > ~/.local/share/bash-completion/completions/sidecar-injector
  # zsh, for everybody
  sidecar-injector completion zsh > /usr/local/share/zsh/site-functions/_sidecar-injector
  # fish
  mkdir -p ~/.config/fish/completions
  sidecar-injector completion fish > ~/.config/fish/completions/sidecar-injector.fish";

/// Of `man`.
pub const MAN: &str = "\
Examples:
  sidecar-injector man /usr/local/share/man/man1 && man sidecar-injector-kube-inject";

const KUBE_INJECT: &str = "\
Examples:
  # Inject on the way to the cluster
  sidecar-injector kube-inject -f app.yaml | kubectl apply -f -
  # All manifests of a directory where they are, after a look at what would change
  sidecar-injector kube-inject -R -f deploy/ --diff
  sidecar-injector kube-inject -R -f deploy/ --in-place
  # Whether everything is injected that is to be, for a hook or a pipeline; values files and the like are left alone
  sidecar-injector kube-inject -R -f deploy/ --check --strict --objects-only --report changes
  # What Helm renders, with the configuration of an installation
  helm template app ./chart | sidecar-injector kube-inject -f - --injectConfigFile config.yaml --valuesFile values.json
  # With what decides in the cluster: its configuration, webhooks, namespaces and nodes
  sidecar-injector kube-inject -f app.yaml --from-cluster -n demo";

const UNINJECT: &str = "\
Examples:
  # A file as it was before
  sidecar-injector uninject -f app.yaml --in-place
  # What runs in a cluster, without its sidecar
  kubectl get deployment web -o yaml | sidecar-injector uninject -f -";

const CHECK: &str = "\
Examples:
  # Why the pods of a file get a sidecar, or get none, in the namespace of these labels
  sidecar-injector check -f app.yaml --namespace-labels istio-injection=enabled
  # The same for what is in the cluster
  sidecar-injector check deployment/web -n demo
  # For all manifests of a directory, by what the cluster knows
  sidecar-injector check -R -f deploy/ --from-cluster -n demo
  # Which pods of the cluster should have a sidecar and have none, or another
  sidecar-injector check --all -o json";

const SERVE: &str = "\
Examples:
  # On loopback, with a certificate of its own and the embedded configuration
  sidecar-injector serve --dev
  # As the manifests install it
  sidecar-injector serve --register
  # With configuration and certificate from files
  sidecar-injector serve --injectConfigFile config.yaml --valuesFile values.json --tls-cert-file tls.crt --tls-key-file tls.key";

const WEBHOOK: &str = "\
Examples:
  # What is registered for the revision canary, as YAML
  sidecar-injector webhook print --revision canary
  # Whether the cluster has it; exits with 3 if not
  sidecar-injector webhook diff --revision canary
  sidecar-injector webhook apply --revision canary
  sidecar-injector webhook delete --revision canary";

const CONFIG_LINT: &str = "\
Examples:
  # What is wrong in the files, or in the ConfigMap that they are put into
  sidecar-injector config lint --injectConfigFile config.yaml --valuesFile values.json
  sidecar-injector config lint -f configmap.yaml
  # What the cluster has, in a pipeline
  kubectl get configmap -n istio-system istio-sidecar-injector -o yaml | sidecar-injector config lint -f - --strict -o json";

const CONFIG_RENDER: &str = "\
Examples:
  # What the templates render for a plain pod, and for the pod of a Deployment
  sidecar-injector config render --injectConfigFile config.yaml --valuesFile values.json
  sidecar-injector config render --configMapFile configmap.yaml -f app.yaml
  # The whole pod, and the patch that the API server is sent
  sidecar-injector config render --sample job --stage merged
  sidecar-injector config render --sample job --stage patch";

const CONFIG: &str = "\
Examples:
  sidecar-injector config lint -f configmap.yaml
  sidecar-injector config render --sample job";

/// Of `kube-inject`.
pub fn kube_inject() -> String {
    with(KUBE_INJECT, manifests::EXIT_CODES)
}

/// Of `uninject`.
pub fn uninject() -> String {
    with(UNINJECT, manifests::UNINJECT_EXIT_CODES)
}

/// Of `check`.
pub fn check(exit_codes: &str) -> String {
    with(CHECK, exit_codes)
}

/// Of `serve`.
pub fn serve() -> String {
    with(SERVE, EXIT_CODES)
}

/// Of `webhook`.
pub fn webhook(exit_codes: &str) -> String {
    with(WEBHOOK, exit_codes)
}

/// Of `config`.
pub fn config(exit_codes: &str) -> String {
    with(CONFIG, exit_codes)
}

/// Of `config lint`.
pub fn config_lint(exit_codes: &str) -> String {
    with(CONFIG_LINT, exit_codes)
}

/// Of `config render`.
pub fn config_render(exit_codes: &str) -> String {
    with(CONFIG_RENDER, exit_codes)
}

fn with(examples: &str, exit_codes: &str) -> String {
    format!("{examples}\n\n{exit_codes}")
}
