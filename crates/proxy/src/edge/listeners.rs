//! The listening sockets of the edge, and what each worker gets of them.
//!
//! The edge keeps every socket, and workers get duplicates: a socket lives as long as one descriptor of it does, and with it
//! the connections that wait to be accepted. So all of them can be handed to another edge at any time, and every one has
//! to be accepted from by somebody.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use super::bind;

/// A worker's share of listeners. There may be several for one address.
pub(super) type Share = Vec<(SocketAddr, TcpListener)>;

/// Listening sockets by address; at least one for each.
#[derive(Debug, Default)]
pub(super) struct Listeners(BTreeMap<SocketAddr, Vec<TcpListener>>);

impl Listeners {
    /// Binds an address for so many workers.
    pub(super) fn bind(&mut self, address: SocketAddr, workers: usize) -> io::Result<()> {
        self.0.insert(address, bind::listeners(address, workers)?);
        Ok(())
    }

    /// Takes a socket of another edge.
    pub(super) fn adopt(&mut self, address: SocketAddr, socket: OwnedFd) {
        self.0.entry(address).or_default().push(socket.into());
    }

    /// Opens more sockets on the addresses that have fewer than there are workers. Where that is not allowed, workers
    /// share.
    pub(super) fn fill_up(&mut self, workers: usize) {
        for (address, sockets) in &mut self.0 {
            while sockets.len() < workers {
                match bind::another(*address) {
                    Ok(socket) => sockets.push(socket),
                    Err(error) => {
                        tracing::debug!(%address, %error, "workers share a listener");
                        break;
                    }
                }
            }
        }
    }

    /// Deals duplicates of all sockets out to workers: every socket to at least one, and every worker at least one of each
    /// address.
    pub(super) fn deal(&self, workers: usize) -> io::Result<Vec<Share>> {
        let mut shares: Vec<Share> = (0..workers).map(|_| Share::new()).collect();
        for (address, sockets) in &self.0 {
            let dealt = sockets.iter().cycle().take(sockets.len().max(workers));
            for (turn, socket) in dealt.enumerate() {
                shares[turn % workers].push((*address, socket.try_clone()?));
            }
        }
        Ok(shares)
    }

    pub(super) fn contains(&self, address: SocketAddr) -> bool {
        self.0.contains_key(&address)
    }

    /// How many addresses there are.
    pub(super) fn addresses(&self) -> usize {
        self.0.len()
    }

    /// Lets go of the addresses that are not wanted.
    pub(super) fn keep(&mut self, wanted: &BTreeSet<SocketAddr>) {
        self.0.retain(|address, _| wanted.contains(address));
    }

    pub(super) fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    /// A duplicate of every socket, with its address.
    pub(super) fn duplicates(&self) -> io::Result<Vec<(SocketAddr, OwnedFd)>> {
        let all = self.0.iter().flat_map(|(address, sockets)| sockets.iter().map(|one| (*address, one)));
        all.map(|(address, socket)| Ok((address, socket.try_clone()?.into()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::fstat;

    use super::*;

    fn held(count: usize) -> Listeners {
        let probe = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = probe.local_addr().unwrap();
        drop(probe);
        let mut listeners = Listeners::default();
        listeners.bind(address, count).unwrap();
        listeners
    }

    fn inodes(share: &Share) -> Vec<u64> {
        share.iter().map(|(_, socket)| fstat(socket).unwrap().st_ino).collect()
    }

    #[test]
    fn every_socket_is_dealt_and_every_worker_gets_one() {
        for (sockets, workers) in [(1, 1), (2, 2), (3, 2), (4, 1), (1, 3), (2, 3)] {
            let listeners = held(sockets);
            let shares = listeners.deal(workers).unwrap();
            assert_eq!(shares.len(), workers);
            assert!(shares.iter().all(|share| !share.is_empty()), "{sockets} for {workers}");
            let dealt: BTreeSet<u64> = shares.iter().flat_map(inodes).collect();
            assert_eq!(dealt.len(), sockets, "{sockets} for {workers}");
        }
    }

    #[test]
    fn more_workers_than_sockets_open_more() {
        let mut listeners = held(1);
        listeners.fill_up(3);
        let shares = listeners.deal(3).unwrap();
        let dealt: BTreeSet<u64> = shares.iter().flat_map(inodes).collect();
        assert_eq!(dealt.len(), 3);
        assert_eq!(listeners.duplicates().unwrap().len(), 3);
    }
}
