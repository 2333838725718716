//! From where we stand, how is a container reached?

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use tokio::net::lookup_host;

use super::host::Place;

/// How the containers of an engine are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// At their own addresses: their bridge is one of this machine.
    Bridge,
    /// At a port of the engine's host, which passes it on.
    Published {
        /// The address of the host, as we reach it.
        host: IpAddr,
        /// The address at which the host listens for it.
        bind: IpAddr,
    },
}

/// Works it out. A rootless engine has its bridges in a network of its own.
pub(super) async fn of(place: &Place, is_rootless: bool) -> io::Result<Reach> {
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let name = match place {
        Place::Unix(_) if is_rootless => return Ok(published(here)),
        Place::Unix(_) => return Ok(Reach::Bridge),
        Place::Ssh { host, .. } | Place::Tcp { host, .. } => host,
    };
    let mut found = lookup_host((name.as_str(), 0)).await?;
    let address = found.next().ok_or_else(|| io::Error::other(format!("`{name}` has no address")))?.ip();
    Ok(published(address))
}

/// An engine of this machine publishes to this machine alone; another has to do so to the network between us.
fn published(host: IpAddr) -> Reach {
    let bind = if host.is_loopback() { host } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
    Reach::Published { host, bind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_an_engine_of_this_machine_is_reached_by_its_bridge() {
        let reach = async |host: &str, rootless| {
            of(&Place::read(&host.parse().unwrap()).unwrap(), rootless).await.unwrap()
        };
        assert_eq!(reach("unix:///run/docker.sock", false).await, Reach::Bridge);
        let here = Reach::Published { host: Ipv4Addr::LOCALHOST.into(), bind: Ipv4Addr::LOCALHOST.into() };
        assert_eq!(reach("unix:///run/podman.sock", true).await, here);
        assert_eq!(reach("tcp://127.0.0.1:2376", false).await, here);
        let other: IpAddr = "192.0.2.1".parse().unwrap();
        let there = Reach::Published { host: other, bind: Ipv4Addr::UNSPECIFIED.into() };
        assert_eq!(reach("ssh://192.0.2.1", false).await, there);
    }
}
