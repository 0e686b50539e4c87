//! The functions that templates may call: Go's own, those of sprig, and Istio's, which win over sprig's.

mod arguments;
mod json;
mod maps;
mod networks;
mod ports;
mod telemetry;
mod text;

use std::sync::LazyLock;

use gotemplate::Functions;

/// All of them. They depend on nothing but their arguments: `env`, which in Istio reads the environment of the injector,
/// always gives its default here, and the functions of sprig that read a clock, make keys or ask the network are left out.
pub(super) static FUNCTIONS: LazyLock<Functions> = LazyLock::new(|| {
    let mut functions = Functions::sprig();
    for add in [json::add, maps::add, networks::add, ports::add, telemetry::add, text::add] {
        add(&mut functions);
    }
    functions
});

#[cfg(test)]
mod tests;
