//! Which cluster, as whom, and in which namespace.

use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::USER_AGENT;
use clap::Args;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use sidecar_contract::namespace;

use crate::cli::Failure;

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
    #[arg(long, value_name = "NAMESPACE", env = "POD_NAMESPACE", hide_env_values = true)]
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
        let (client, in_context) = self.client().await?;
        let namespace = self.namespace.clone().or(in_context).unwrap_or_else(|| namespace::INJECTOR.to_owned());
        Ok(Connection { client, namespace })
    }

    /// Makes a client, and tells the namespace that the kubeconfig or the service account names, if it does.
    ///
    /// # Errors
    /// When there is neither a kubeconfig nor a service account, or one that cannot be used.
    pub async fn client(&self) -> Result<(Client, Option<String>), Failure> {
        install_provider();
        let (mut config, in_context) = self.config().await?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        // Reading takes as long as a watch lasts; whoever asks for something else sets a time for it.
        config.read_timeout = None;
        config
            .headers
            .push((USER_AGENT, HeaderValue::from_static(concat!("sidecar-injector/", env!("CARGO_PKG_VERSION")))));
        let client = Client::try_from(config).map_err(|error| Failure::of(&error))?;
        Ok((client, in_context))
    }

    /// The namespace where no cluster is asked.
    pub fn namespace_without_cluster(&self) -> String {
        self.namespace.clone().unwrap_or_else(|| namespace::INJECTOR.to_owned())
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
                Ok((config.map_err(|error| Failure::of(&error))?, namespace))
            }
            Err(error) if self.kubeconfig.is_some() || self.context.is_some() => Err(Failure::of(&error)),
            Err(no_kubeconfig) => match Config::incluster() {
                Ok(config) => {
                    let namespace = Some(config.default_namespace.clone()).filter(|name| name != UNNAMED);
                    Ok((config, namespace))
                }
                Err(no_account) => {
                    let mut messages = vec!["there is no cluster to talk to; give --kubeconfig".to_owned()];
                    messages.extend(
                        [Failure::of(&no_kubeconfig), Failure::of(&no_account)]
                            .into_iter()
                            .flat_map(|failure| failure.messages),
                    );
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

/// There is one provider of cryptography in the process; whoever came first has installed the same.
fn install_provider() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
