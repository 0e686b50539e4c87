//! What goes wrong around an injector, while pods are to be created right.

mod configuration;
mod connection;
mod creator;
mod files;
mod permissions;
mod registration;
mod rotation;
mod secret;

use super::Installation;
