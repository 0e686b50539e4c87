//! The flags, as text. [`crate::settings`] gives the text its meaning, its defaults and its environment variables.
//!
//! Names, letters and defaults are those of istio-iptables. A boolean takes its value Go's way: `--flag` or `--flag=false`.

/// All flags that say what to do; logging apart.
#[derive(Clone, Debug, clap::Args)]
pub struct Flags {
    #[command(flatten)]
    pub(crate) ports: PortFlags,
    #[command(flatten)]
    pub(crate) traffic: TrafficFlags,
    #[command(flatten)]
    pub(crate) dns: DnsFlags,
    #[command(flatten)]
    pub(crate) tproxy: TproxyFlags,
    #[command(flatten)]
    pub(crate) run: RunFlags,
    #[command(flatten)]
    pub(crate) write: WriteFlags,
}

/// Where the proxy listens, and who it is.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Proxy")]
pub(crate) struct PortFlags {
    /// Port of the proxy for outbound connections [default: 15001] [no environment variable]
    #[arg(short = 'p', long, value_name = "PORT")]
    pub(crate) envoy_port: Option<String>,
    /// Port of the proxy for inbound connections [default: 15006]
    #[arg(short = 'z', long, value_name = "PORT")]
    pub(crate) inbound_capture_port: Option<String>,
    /// Port of the tunnel between proxies, never redirected [default: 15008]
    #[arg(short = 'e', long, value_name = "PORT")]
    pub(crate) inbound_tunnel_port: Option<String>,
    /// Users whose connections are not redirected: the proxy's own [default: $ENVOY_USER, or else 1337]
    #[arg(short = 'u', long, value_name = "UIDS")]
    pub(crate) proxy_uid: Option<String>,
    /// Groups whose connections are not redirected: the proxy's own [default: those of --proxy-uid]
    #[arg(short = 'g', long, value_name = "GIDS")]
    pub(crate) proxy_gid: Option<String>,
}

/// What goes to the proxy, and what does not.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What is redirected")]
pub(crate) struct TrafficFlags {
    /// Inbound ports that are redirected, or * for all [default: none]
    #[arg(short = 'b', long, value_name = "PORTS")]
    pub(crate) istio_inbound_ports: Option<String>,
    /// Inbound ports that are not redirected; has a meaning with `-b *` only
    #[arg(short = 'd', long, value_name = "PORTS")]
    pub(crate) istio_local_exclude_ports: Option<String>,
    /// Address ranges from which inbound connections are not redirected
    #[arg(long, value_name = "CIDRS")]
    pub(crate) exclude_inbound_cidrs: Option<String>,
    /// Address ranges to which outbound connections are redirected, or * for all [default: none]
    #[arg(short = 'i', long, value_name = "CIDRS")]
    pub(crate) istio_service_cidr: Option<String>,
    /// Address ranges to which outbound connections are not redirected
    #[arg(short = 'x', long, value_name = "CIDRS")]
    pub(crate) istio_service_exclude_cidr: Option<String>,
    /// Outbound ports that are redirected whatever the address, unless the range is excluded
    #[arg(short = 'q', long, value_name = "PORTS")]
    pub(crate) istio_outbound_ports: Option<String>,
    /// Outbound ports that are not redirected, of UDP (DNS) too
    #[arg(short = 'o', long, value_name = "PORTS")]
    pub(crate) istio_local_outbound_ports_exclude: Option<String>,
    /// Interfaces whose traffic is left alone in both directions
    #[arg(short = 'c', long, value_name = "INTERFACES")]
    pub(crate) istio_exclude_interfaces: Option<String>,
    /// Interfaces of virtual machines: what arrives there is treated as outbound
    #[arg(short = 'k', long, value_name = "INTERFACES")]
    pub(crate) kube_virt_interfaces: Option<String>,
    /// Drop packets that connection tracking finds invalid
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) drop_invalid: Option<String>,
}

/// What becomes of DNS queries.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "DNS")]
pub(crate) struct DnsFlags {
    /// Redirect DNS queries to the agent, on port 15053
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) redirect_dns: Option<String>,
    /// With --redirect-dns: queries to any server, not only to those of --dns-servers
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) capture_all_dns: Option<String>,
    /// DNS servers of the pod, comma separated; empty: none; auto: those of /etc/resolv.conf [default: auto] [no environment variable]
    #[arg(long, value_name = "ADDRESSES")]
    pub(crate) dns_servers: Option<String>,
}

/// How inbound connections reach the proxy.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Inbound mode")]
pub(crate) struct TproxyFlags {
    /// REDIRECT, or TPROXY, which keeps the client's address [default: REDIRECT]
    #[arg(short = 'm', long, value_name = "MODE")]
    pub(crate) istio_inbound_interception_mode: Option<String>,
    /// Mark of the proxy's connections in TPROXY mode [default: 1337]
    #[arg(short = 't', long, value_name = "MARK")]
    pub(crate) istio_inbound_tproxy_mark: Option<String>,
    /// Routing table of TPROXY mode [default: 133]
    #[arg(short = 'r', long, value_name = "TABLE")]
    pub(crate) istio_inbound_tproxy_route_table: Option<String>,
    /// TPROXY for a proxy that does not run as root; also spares the tunnel's port and virtual machines
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) tproxy_nonroot: Option<String>,
}

/// What is done with the rules.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What is done")]
pub(crate) struct RunFlags {
    /// Print the rules as iptables-restore input on standard output, and change nothing
    #[arg(short = 'n', long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) dry_run: Option<String>,
    /// Remove everything that an earlier run wrote, whatever its flags were
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) cleanup_only: Option<String>,
    /// Write no rules and no routes
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) skip_rule_apply: Option<String>,
    /// Try the rules with traffic, and compare them with the settings; exit with 126 if something is wrong
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) run_validation: Option<String>,
    /// Port to which the trial connects [default: 15002]
    #[arg(long, value_name = "PORT")]
    pub(crate) iptables_probe_port: Option<String>,
    /// Time limit of the trial, as 5s or 1m30s [default: 5s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) probe_timeout: Option<String>,
    /// How results are printed: text or json; not with --dry-run [default: text] [no environment variable]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) output: Option<String>,
}

/// How the rules are written.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "How rules are written")]
pub(crate) struct WriteFlags {
    /// Address families: v4, v6, `v4,v6`, or auto for v4 and, where the network namespace has it, v6 [default: auto]
    #[arg(long, value_name = "FAMILIES")]
    pub(crate) ip_families: Option<String>,
    /// Accepted: with `--ip-families auto` a pod with two families is always served in both
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) dual_stack: Option<String>,
    /// Which iptables the rules are for: legacy, nft, or "" to find out [default: ""]
    #[arg(long, value_name = "BACKEND")]
    pub(crate) force_iptables_binary: Option<String>,
    /// Write tables of nftables rather than those of iptables
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) native_nftables: Option<String>,
    /// Write the rules even if they are there already
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) force_apply: Option<String>,
    /// Accepted: rules that an earlier run left are always replaced
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) reconcile: Option<String>,
    /// Put up to 15 ports into one rule [no environment variable]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) compact: Option<String>,
    /// Run on behalf of a CNI plugin
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) cni_mode: Option<String>,
    /// Network namespace to write to, as /proc/1234/ns/net [default: that of this process]
    #[arg(long, value_name = "PATH")]
    pub(crate) network_namespace: Option<String>,
}
