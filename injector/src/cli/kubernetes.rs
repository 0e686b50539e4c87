//! Which cluster, as whom, and in which namespace.

use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::USER_AGENT;
use clap::Args;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use sidecar_contract::namespace;

use crate::cli::{Failure, names};
use crate::kubernetes::with_causes;

/// An API server that does not take a connection in this time is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The namespace of a kubeconfig that names none, and of a service account without a file.
const UNNAMED: &str = "default";

/// Which cluster, as whom, and in which namespace.
#[derive(Clone, Debug, Default, Args)]
pub struct ClientArgs {
    /// How to reach the API server. Default: the files in KUBECONFIG, or ~/.kube/config; where there are none, the service
    /// account of the pod.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Which context of the kubeconfig to use, instead of the current one.
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Namespace of the injector's own objects. Default: that of the pod or of the kubeconfig's context, else istio-system.
    #[arg(long, value_name = "NAMESPACE", env = "POD_NAMESPACE", hide_env_values = true, value_parser = names::namespace)]
    pub namespace: Option<String>,
}

/// A way to talk to the API server.
#[derive(Clone)]
pub struct Connection {
    /// The client; clones share its connections.
    pub client: Client,
    /// Namespace of the injector's own objects.
    pub namespace: String,
}

impl ClientArgs {
    /// Makes a client. No connection is made yet. To be called within a tokio runtime.
    ///
    /// # Errors
    /// When there is neither a kubeconfig nor a service account, or one that cannot be used.
    pub async fn connect(&self) -> Result<Connection, Failure> {
        let (client, in_context, _) = self.client().await?;
        let namespace =
            self.namespace().map(str::to_owned).or(in_context).unwrap_or_else(|| namespace::INJECTOR.to_owned());
        Ok(Connection { client, namespace })
    }

    fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref().filter(|name| !name.is_empty())
    }

    /// Makes a client, and tells the namespace that the kubeconfig or the service account names, if it does, and the API
    /// server's address.
    ///
    /// # Errors
    /// When there is neither a kubeconfig nor a service account, or one that cannot be used.
    pub async fn client(&self) -> Result<(Client, Option<String>, String), Failure> {
        install_provider();
        let (mut config, in_context) = self.config().await?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        // Reading takes as long as a watch lasts; whoever asks for something else sets a time for it.
        config.read_timeout = None;
        config
            .headers
            .push((USER_AGENT, HeaderValue::from_static(concat!("sidecar-injector/", env!("CARGO_PKG_VERSION")))));
        let address = config.cluster_url.to_string();
        let client = Client::try_from(config).map_err(|error| unusable(&error))?;
        Ok((client, in_context, address))
    }

    /// The namespace where no cluster is asked.
    pub fn namespace_without_cluster(&self) -> String {
        self.namespace().unwrap_or(namespace::INJECTOR).to_owned()
    }

    /// The configuration of a client, and the namespace that goes with it, if one is named.
    async fn config(&self) -> Result<(Config, Option<String>), Failure> {
        let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        let read = match &self.kubeconfig {
            Some(path) => Kubeconfig::read_from(path),
            None => Kubeconfig::read(),
        };
        match read {
            Ok(kubeconfig) => {
                let namespace = self.namespace_of_context(&kubeconfig);
                let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
                Ok((config.map_err(|error| unusable(&error))?, namespace))
            }
            Err(error) if self.kubeconfig.is_some() || self.context.is_some() => Err(unusable(&error)),
            Err(no_kubeconfig) => match Config::incluster() {
                Ok(config) => {
                    let namespace = Some(config.default_namespace.clone()).filter(|name| name != UNNAMED);
                    Ok((config, namespace))
                }
                Err(no_account) => {
                    let mut messages = vec!["there is no cluster to talk to; give --kubeconfig".to_owned()];
                    messages.extend([with_causes(&no_kubeconfig), with_causes(&no_account)]);
                    Err(Failure { messages })
                }
            },
        }
    }

    fn namespace_of_context(&self, kubeconfig: &Kubeconfig) -> Option<String> {
        let wanted = self.context.as_ref().or(kubeconfig.current_context.as_ref())?;
        let context = kubeconfig.contexts.iter().find(|context| context.name == *wanted)?;
        context.context.as_ref()?.namespace.clone().filter(|name| !name.is_empty())
    }
}

/// The client's errors repeat their causes.
fn unusable(error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure { messages: vec![with_causes(error)] }
}

/// There is one provider of cryptography in the process; whoever came first has installed the same.
fn install_provider() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
