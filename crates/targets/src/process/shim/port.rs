//! Free ports for services.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The ports that services are given.
const RANGE: Range<u16> = 20_000..32_000;
const EPHEMERAL_RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// A port that no other Pilotage on this machine gives away as long as this value lives.
#[derive(Debug)]
pub struct ReservedPort {
    port: u16,
    /// An abstract socket lives exactly as long as its owner and in exactly the namespace in which ports do.
    _reservation: UnixDatagram,
}

impl ReservedPort {
    /// Reserves a free port, the wanted one if that is free. `None` if there is none at all.
    pub fn choose(wanted: Option<u16>) -> Option<Self> {
        wanted.and_then(Self::reserve).or_else(|| candidates(random()).find_map(Self::reserve))
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether nobody listens at it now.
    pub fn is_free(&self) -> bool {
        is_free(self.port)
    }

    fn reserve(port: u16) -> Option<Self> {
        let name = SocketAddr::from_abstract_name(format!("pilotage-port-{port}")).ok()?;
        let reservation = UnixDatagram::bind_addr(&name).ok()?;
        is_free(port).then_some(Self { port, _reservation: reservation })
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// All ports in range, beginning anywhere. The kernel's ephemeral ports are left out: an outgoing connection could
/// take one away at any time.
fn candidates(start: u16) -> impl Iterator<Item = u16> {
    let ephemeral = ephemeral_ports();
    let length = RANGE.end - RANGE.start;
    (0..length)
        .map(move |step| RANGE.start + (start % length + step) % length)
        .filter(move |port| !ephemeral.contains(port))
}

fn ephemeral_ports() -> Range<u16> {
    let text = std::fs::read_to_string(EPHEMERAL_RANGE).unwrap_or_default();
    let mut bounds = text.split_ascii_whitespace().filter_map(|bound| bound.parse::<u16>().ok());
    match (bounds.next(), bounds.next()) {
        (Some(low), Some(high)) if low > RANGE.start || high < RANGE.end => low..high.saturating_add(1),
        // Unknown, or all of our range is ephemeral: then there is nothing better than to check that a port is free.
        _ => 0..0,
    }
}

fn random() -> u16 {
    let mut bytes = [0; 2];
    match rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()) {
        Ok(_) => u16::from_ne_bytes(bytes),
        Err(_) => std::process::id() as u16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_away_once_and_kept_unless_it_is_taken() {
        let first = ReservedPort::choose(None).unwrap();
        let second = ReservedPort::choose(Some(first.port())).unwrap();
        assert_ne!(first.port(), second.port());

        let port = first.port();
        drop(first);
        assert!(!ephemeral_ports().contains(&port));
        let again = ReservedPort::choose(Some(port)).unwrap();
        assert!(again.is_free());
        let _other_program = TcpListener::bind((Ipv4Addr::LOCALHOST, again.port())).unwrap();
        assert!(!again.is_free());
    }
}
