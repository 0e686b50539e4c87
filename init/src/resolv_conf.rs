//! The name servers in `/etc/resolv.conf`.

use std::net::{IpAddr, Ipv6Addr};

/// The servers in the order of the file, each once. Lines that name none are passed over, as resolvers do.
///
/// A server on the local network has an interface behind a `%`, which is left out: packets to it bear the address alone.
pub fn servers(text: &str) -> Vec<IpAddr> {
    let mut servers = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if words.next() != Some("nameserver") {
            continue;
        }
        if let Some(server) = words.next().and_then(address).filter(|server| !servers.contains(server)) {
            servers.push(server);
        }
    }
    servers
}

fn address(word: &str) -> Option<IpAddr> {
    match word.split_once('%') {
        Some((address, _)) => address.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => word.parse::<IpAddr>().ok().map(|address| address.to_canonical()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_name_servers_count_each_once() {
        let text = "search a.b\n# nameserver 1.1.1.1\n;nameserver 1.1.1.2\nnameserver 10.0.0.10\r\n  nameserver\tfd00::a # b\n\
                    nameserver 10.0.0.10\nnameserver\nnameserver dns.example\nnameservers 1.1.1.3\noptions ndots:5\n";
        let expected: Vec<IpAddr> = ["10.0.0.10", "fd00::a"].map(|server| server.parse().unwrap()).to_vec();
        assert_eq!(servers(text), expected);
        assert!(servers("").is_empty());
    }

    #[test]
    fn servers_are_known_by_the_address_that_packets_to_them_bear() {
        let expected: Vec<IpAddr> = ["fe80::1", "10.0.0.1"].map(|server| server.parse().unwrap()).to_vec();
        assert_eq!(servers("nameserver fe80::1%eth0\nnameserver ::ffff:10.0.0.1\n"), expected);
    }
}
