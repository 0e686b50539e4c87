//! What happens to pods when the whole program is there: installed, registered, called.

mod availability;
mod creation;
mod decision;
mod dry_run;
mod exported;
mod failures;
mod first_start;
mod objects;
mod owners;
mod pod_security;
mod reinvocation;
mod second_webhook;
mod updates;

use crate::installation::{Installation, Replica, has_sidecar};
