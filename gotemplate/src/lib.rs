//! Go's `text/template` and the sprig functions, for Rust.
//!
//! Empty for now: the injector renders with the `gotmpl` crate, behind one module of its own, until this crate
//! can take over. It will know nothing of Kubernetes, files or sockets.
