//! What to do, read from flags and environment: typed, with defaults, and with all mistakes reported at once.
//!
//! The command line wins over the environment. Unlike istio-iptables, a value that cannot be read is a mistake wherever
//! it comes from, and never falls back to a default: rules other than those asked for are worse than a pod that waits.

mod capture;
mod notes;
mod reader;

use std::path::PathBuf;
use std::time::Duration;

pub use self::capture::{
    Capture, DnsCapture, InboundMode, LEGACY_MAX_OWNER_GROUPS, MAX_OWNER_GROUPS, TO_ITSELF_MARK, Tproxy,
};
use self::reader::Reader;
pub use self::reader::{Environment, Mistakes, ResolvConf};
use crate::flags::{Flags, RunFlags, WriteFlags};
use crate::rule::Family;
use crate::value::{self, Invalid};

/// Where the trial connects to, unless a flag says otherwise. Nothing listens there.
const PROBE_PORT: u16 = 15002;
/// How long the trial may take, unless a flag says otherwise.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Everything that flags and environment say.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What is redirected.
    pub capture: Capture,
    /// For which address families.
    pub families: Families,
    /// With which iptables.
    pub backend: Backend,
    /// Write tables of nftables rather than those of iptables; then `backend` does not count.
    pub native_nftables: bool,
    /// Print the rules instead of writing them.
    pub dry_run: bool,
    /// Where to write what `dry_run` prints, besides standard output.
    pub dry_run_file: Option<PathBuf>,
    /// Remove the rules instead of writing them. Never together with `dry_run`.
    pub cleanup_only: bool,
    /// Touch neither rules nor routes.
    pub skip_rule_apply: bool,
    /// Write the rules even if they are there already.
    pub force_apply: bool,
    /// Try the rules with traffic.
    pub run_validation: bool,
    /// The port to which the trial connects.
    pub probe_port: u16,
    /// How long the trial may take; not 0.
    pub probe_timeout: Duration,
    /// Network namespace to write to; that of this process if there is none.
    pub network_namespace: Option<PathBuf>,
    /// How results are printed.
    pub output: Output,
    /// Settings that have no effect beside others, or might not do what they seem to; a sentence each.
    pub warnings: Vec<String>,
}

/// Address families that rules are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// IPv4, and IPv6 if the network namespace has it.
    Auto,
    /// Exactly these, IPv4 first.
    Only(&'static [Family]),
}

/// Which iptables the rules are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// To be found out.
    Default,
    /// The one over x_tables.
    Legacy,
    /// The one over nf_tables.
    Nft,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// For people, and for `iptables-restore`.
    Text,
    /// One JSON object.
    Json,
}

impl Settings {
    /// Reads flags, and environment variables for those that are not given.
    ///
    /// # Errors
    /// All mistakes together, each with the flag or variable it is in.
    pub fn read(flags: Flags, environment: Environment<'_>, resolv_conf: ResolvConf<'_>) -> Result<Self, Mistakes> {
        let Flags { ports, traffic, dns, tproxy, run, write } = flags;
        let mut reader = Reader::new(environment);
        let compact = write.compact.clone();
        let (dns, dns_warning) = capture::dns(&mut reader, dns, resolv_conf);
        let capture = Capture::read(&mut reader, ports, traffic, tproxy, dns, compact);
        let mut settings = read_run(&mut reader, run, write, capture);
        capture::limit(&mut reader, &settings.capture);
        notes::contradictions(&mut reader, &settings);
        settings.warnings = notes::warnings(&settings);
        settings.warnings.extend(dns_warning);
        reader.finish(settings)
    }
}

fn read_run(reader: &mut Reader<'_>, run: RunFlags, write: WriteFlags, capture: Capture) -> Settings {
    let RunFlags { dry_run, cleanup_only, skip_rule_apply, run_validation, iptables_probe_port, probe_timeout, output } =
        run;
    let WriteFlags {
        ip_families,
        dual_stack,
        force_iptables_binary,
        native_nftables,
        force_apply,
        reconcile,
        compact: _,
        cni_mode,
        network_namespace,
    } = write;
    let path = |text: &str| value::path(text).map(Some);
    let probe_port = reader.flag("iptables-probe-port", iptables_probe_port);
    let probe_timeout = reader.flag("probe-timeout", probe_timeout);
    let namespace = reader.flag("network-namespace", network_namespace).filter(reader::Given::is_filled);
    let dry_run_file = reader.variable("DRY_RUN_FILE_PATH").filter(reader::Given::is_filled);
    // What these ask for is done in any case; only a value that is none is a mistake.
    let dual_stack = reader.aliased("dual-stack", "ISTIO_DUAL_STACK", dual_stack);
    reader.strict(dual_stack, false, value::boolean);
    reader.switch("reconcile", reconcile);
    reader.switch("cni-mode", cni_mode);
    Settings {
        capture,
        families: reader.one(reader.flag("ip-families", ip_families), Families::Auto, families),
        backend: reader.one(reader.flag("force-iptables-binary", force_iptables_binary), Backend::Default, backend),
        native_nftables: reader.switch("native-nftables", native_nftables),
        dry_run: reader.switch("dry-run", dry_run),
        dry_run_file: reader.one(dry_run_file, None, path),
        cleanup_only: reader.switch("cleanup-only", cleanup_only),
        skip_rule_apply: reader.switch("skip-rule-apply", skip_rule_apply),
        force_apply: reader.switch("force-apply", force_apply),
        run_validation: reader.switch("run-validation", run_validation),
        probe_port: reader.strict(probe_port, PROBE_PORT, value::listening_port),
        probe_timeout: reader.strict(probe_timeout, PROBE_TIMEOUT, value::duration),
        network_namespace: reader.one(namespace, None, path),
        output: reader.one(reader.command_line_only("output", output), Output::Text, output_format),
        warnings: vec![],
    }
}

fn families(text: &str) -> Result<Families, Invalid> {
    let words = [
        ("", Families::Auto),
        ("auto", Families::Auto),
        ("v4", Families::Only(&[Family::V4])),
        ("v6", Families::Only(&[Family::V6])),
        ("v4,v6", Families::Only(&[Family::V4, Family::V6])),
        ("v6,v4", Families::Only(&[Family::V4, Family::V6])),
    ];
    value::word(text, &words, "a choice of address families; use auto, v4, v6 or v4,v6")
}

fn backend(text: &str) -> Result<Backend, Invalid> {
    let words = [("", Backend::Default), ("legacy", Backend::Legacy), ("nft", Backend::Nft)];
    value::word(text, &words, "a kind of iptables; use legacy, nft or nothing")
}

fn output_format(text: &str) -> Result<Output, Invalid> {
    value::word(text, &[("text", Output::Text), ("json", Output::Json)], "a format; use text or json")
}

#[cfg(test)]
mod tests;
