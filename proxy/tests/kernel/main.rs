//! The proxy as it runs in a pod: real redirection rules in a network namespace of its own, as user 1337.
//!
//! Needs root. Without it the tests say so and pass, except where `CI` is set.

#![cfg(test)]

mod inbound;
mod lifecycle;
mod outbound;
mod pod;
mod proxy;
