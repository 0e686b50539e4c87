//! Where a redirected connection was going.

use std::io;
use std::net::SocketAddr;

use socket2::SockRef;
use tokio::net::TcpStream;

/// Knows where an accepted connection was going before it was redirected.
pub trait OriginalDestination: Send + Sync + 'static {
    /// The original destination; `None` when the connection was not redirected.
    ///
    /// # Errors
    /// When it cannot be found out.
    fn of(&self, accepted: &TcpStream) -> io::Result<Option<SocketAddr>>;
}

/// Asks netfilter's connection tracking: `SO_ORIGINAL_DST`, and `IP6T_SO_ORIGINAL_DST` for IPv6.
#[derive(Clone, Copy, Debug, Default)]
pub struct Netfilter;

impl OriginalDestination for Netfilter {
    fn of(&self, accepted: &TcpStream) -> io::Result<Option<SocketAddr>> {
        let socket = SockRef::from(accepted);
        let answer = match accepted.local_addr()? {
            SocketAddr::V4(_) => socket.original_dst_v4(),
            // A mapped IPv4 connection is tracked as IPv4.
            SocketAddr::V6(local) if local.ip().to_ipv4_mapped().is_some() => socket.original_dst_v4(),
            SocketAddr::V6(_) => socket.original_dst_v6(),
        };
        match answer {
            Ok(address) => Ok(address.as_socket()),
            Err(error) if is_untracked(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// `ENOENT`: connection tracking does not know the connection. `ENOPROTOOPT`, `EOPNOTSUPP`: there is no connection
/// tracking in this kernel or network namespace, so nothing can have redirected it.
fn is_untracked(error: &io::Error) -> bool {
    use nix::libc::{ENOENT, ENOPROTOOPT, EOPNOTSUPP};
    matches!(error.raw_os_error(), Some(ENOENT | ENOPROTOOPT | EOPNOTSUPP))
}
