//! The flags, as text. [`crate::settings`] gives the text its meaning, its defaults and its environment variables.
//!
//! Names, letters and defaults are those of istio-iptables. A boolean takes its value Go's way: `--flag` or `--flag=false`.

/// All flags that say what to do; logging apart.
#[derive(Clone, Debug, clap::Args)]
pub struct Flags {
    #[command(flatten)]
    pub(crate) capture: CaptureFlags,
    #[command(flatten)]
    pub(crate) run: RunFlags,
    #[command(flatten)]
    pub(crate) unsupported: UnsupportedFlags,
}

/// What goes to the proxy, and what does not.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What is redirected")]
pub(crate) struct CaptureFlags {
    /// Port of the proxy for outbound connections [default: 15001] [no environment variable]
    #[arg(short = 'p', long, value_name = "PORT")]
    pub(crate) envoy_port: Option<String>,
    /// Port of the proxy for inbound connections [default: 15006]
    #[arg(short = 'z', long, value_name = "PORT")]
    pub(crate) inbound_capture_port: Option<String>,
    /// Port of the tunnel between proxies, never redirected [default: 15008]
    #[arg(short = 'e', long, value_name = "PORT")]
    pub(crate) inbound_tunnel_port: Option<String>,
    /// Users whose connections are not redirected: the proxy's own [default: 1337]
    #[arg(short = 'u', long, value_name = "UIDS")]
    pub(crate) proxy_uid: Option<String>,
    /// Groups whose connections are not redirected: the proxy's own [default: those of --proxy-uid]
    #[arg(short = 'g', long, value_name = "GIDS")]
    pub(crate) proxy_gid: Option<String>,
    /// How inbound connections reach the proxy; TPROXY is not supported yet [default: REDIRECT]
    #[arg(short = 'm', long, value_name = "MODE")]
    pub(crate) istio_inbound_interception_mode: Option<String>,
    /// Inbound ports that are redirected, or * for all [default: none]
    #[arg(short = 'b', long, value_name = "PORTS")]
    pub(crate) istio_inbound_ports: Option<String>,
    /// Inbound ports that are not redirected; has a meaning with `-b *` only
    #[arg(short = 'd', long, value_name = "PORTS")]
    pub(crate) istio_local_exclude_ports: Option<String>,
    /// Address ranges to which outbound connections are redirected, or * for all [default: none]
    #[arg(short = 'i', long, value_name = "CIDRS")]
    pub(crate) istio_service_cidr: Option<String>,
    /// Address ranges to which outbound connections are not redirected
    #[arg(short = 'x', long, value_name = "CIDRS")]
    pub(crate) istio_service_exclude_cidr: Option<String>,
    /// Outbound ports that are redirected whatever the address
    #[arg(short = 'q', long, value_name = "PORTS")]
    pub(crate) istio_outbound_ports: Option<String>,
    /// Outbound ports that are not redirected
    #[arg(short = 'o', long, value_name = "PORTS")]
    pub(crate) istio_local_outbound_ports_exclude: Option<String>,
    /// Interfaces whose traffic is left alone in both directions
    #[arg(short = 'c', long, value_name = "INTERFACES")]
    pub(crate) istio_exclude_interfaces: Option<String>,
    /// Interfaces of virtual machines: what arrives there is treated as outbound
    #[arg(short = 'k', long, value_name = "INTERFACES")]
    pub(crate) kube_virt_interfaces: Option<String>,
}

/// How the rules are written.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "How rules are written")]
pub(crate) struct RunFlags {
    /// Address families: v4, v6, `v4,v6`, or auto for v4 and, where the network namespace has it, v6 [default: auto]
    #[arg(long, value_name = "FAMILIES")]
    pub(crate) ip_families: Option<String>,
    /// Accepted: with `--ip-families auto` a pod with two families is always served in both
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) dual_stack: Option<String>,
    /// DNS servers of the pod; no effect until DNS capture is supported [no environment variable]
    #[arg(long, value_name = "ADDRESSES")]
    pub(crate) dns_servers: Option<String>,
    /// Print the rules as iptables-restore input on standard output, and write none
    #[arg(short = 'n', long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) dry_run: Option<String>,
    /// Which iptables to run: legacy, nft, or "" for the one named iptables [default: ""]
    #[arg(long, value_name = "BACKEND")]
    pub(crate) force_iptables_binary: Option<String>,
    /// Write the rules even if they are there already
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) force_apply: Option<String>,
    /// Accepted: rules left in the nat table of the same kind of iptables are always replaced; others are warned of
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) reconcile: Option<String>,
}

/// What istio-iptables knows and this program does not do yet. Only the default value is accepted.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Not supported yet: refused unless the value is the default")]
pub(crate) struct UnsupportedFlags {
    /// Mark of connections in TPROXY mode [default: 1337]
    #[arg(short = 't', long, value_name = "MARK")]
    pub(crate) istio_inbound_tproxy_mark: Option<String>,
    /// Routing table of TPROXY mode [default: 133]
    #[arg(short = 'r', long, value_name = "TABLE")]
    pub(crate) istio_inbound_tproxy_route_table: Option<String>,
    /// Redirect DNS to the proxy; accepted with `--dns-servers=`, as there is nothing to redirect then
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) redirect_dns: Option<String>,
    /// Redirect DNS to any server
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) capture_all_dns: Option<String>,
    /// Drop packets that connection tracking finds invalid
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) drop_invalid: Option<String>,
    /// Try the rules with traffic
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) run_validation: Option<String>,
    /// Port of the trial; refused with --run-validation only [default: 15002]
    #[arg(long, value_name = "PORT")]
    pub(crate) iptables_probe_port: Option<String>,
    /// Time limit of the trial; refused with --run-validation only [default: 5s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) probe_timeout: Option<String>,
    /// Write no rules
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) skip_rule_apply: Option<String>,
    /// Remove the rules
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) cleanup_only: Option<String>,
    /// Run inside a CNI plugin
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) cni_mode: Option<String>,
    /// Network namespace of the pod
    #[arg(long, value_name = "PATH")]
    pub(crate) network_namespace: Option<String>,
    /// Use nftables instead of iptables
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) native_nftables: Option<String>,
}
