//! The whole proxy within the test process, on free ports of loopback. What netfilter would know is injected.

#![cfg(test)]

mod access_log;
mod drain;
mod forwarding;
mod harness;
mod limits;
mod monitoring;
mod refusal;
mod start;
