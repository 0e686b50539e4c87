//! The service account that an injector acts as.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sidecar_test_support::api_server::ApiServer;

use super::NAMESPACE;

/// Writes a kubeconfig of this service account. It needs no other file.
#[expect(clippy::disallowed_methods, reason = "who a process is, it reads from a file")]
pub(crate) fn write_kubeconfig(server: &ApiServer, account: &str, path: &Path) {
    let token = server.run(["create", "token", account, "--duration=3h", "--namespace", NAMESPACE]).unwrap();
    let (address, authority) = (server.address(), fs::read(server.certificate_authority()).unwrap());
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: injector\n\
         clusters: [{{name: cluster, cluster: {{server: '{address}', certificate-authority-data: '{}'}}}}]\n\
         users: [{{name: injector, user: {{token: {token}}}}}]\n\
         contexts: [{{name: injector, context: {{cluster: cluster, user: injector, namespace: {NAMESPACE}}}}}]\n",
        STANDARD.encode(authority)
    );
    fs::write(path, text).unwrap();
}
