//! Receives the traffic that the redirection rules of a pod send here, and forwards it to where it was going.
//!
//! ```text
//! app ──► 15001 outbound ──► original destination           workers: one thread and one runtime each
//! peer ─► 15006 inbound ───► app, dialled from 127.0.0.6    control: the main thread: health, metrics, signals
//! ```
//!
//! What workers have in common is an atomic, or takes a lock when a connection begins or ends, never while it is
//! relayed: counters, places under the limit, the proxy's own dials, ports not to dial from.
//!
//! [`proxy::bind`] opens the sockets, [`proxy::Bound::serve`] starts to serve, [`proxy::Running::drain`] ends it.
//!
//! Core: [`exposition`], [`outcome`], [`route`], [`sizing`], [`stats`].
//! Edge: [`accept`], [`access_log`], [`args`], [`bind`], [`connection`], [`file_limit`], [`http_server`], [`monitoring`], [`original_destination`], [`own_dials`], [`proxy`], [`relay`], [`reset_ports`], [`seldom`], [`shared`], [`socket`], [`upstream`], [`worker`].

#![expect(rustdoc::private_intra_doc_links, reason = "the map names every module, exported or not")]

pub mod args;
pub mod bind;
pub mod exposition;
pub mod original_destination;
pub mod outcome;
pub mod proxy;
pub mod relay;
pub mod route;
pub mod sizing;
pub mod socket;
pub mod stats;

mod accept;
mod access_log;
mod connection;
mod file_limit;
mod http_server;
mod monitoring;
mod own_dials;
mod reset_ports;
mod seldom;
mod shared;
mod upstream;
mod worker;
