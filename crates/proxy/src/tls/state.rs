//! All listeners and certificates at one moment. Never changed, only replaced as a whole.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use tokio_rustls::rustls::ServerConfig;

use super::acceptor::Acceptor;
use super::kept::{Finding, Kept};
use super::selection::Selection;
use crate::table::{Certificate, Listener};

/// Listeners that are encrypted, and their certificates.
#[derive(Debug, Default)]
pub(super) struct State {
    doors: HashMap<SocketAddr, Door>,
    certificates: BTreeMap<Certificate, Arc<Kept>>,
}

#[derive(Debug, Clone)]
struct Door {
    /// In the order of the table.
    certificates: Vec<Certificate>,
    acceptor: Acceptor,
}

/// A certificate of which a look found something.
pub(super) type Found = (Arc<Kept>, Finding);

impl State {
    /// Who does the handshakes on an address; `None` if connections are not encrypted there.
    pub(super) fn acceptor(&self, listen: SocketAddr) -> Option<&Acceptor> {
        self.doors.get(&listen).map(|door| &door.acceptor)
    }

    /// The certificates, each once.
    pub(super) fn certificates(&self) -> impl Iterator<Item = &Arc<Kept>> {
        self.certificates.values()
    }

    /// The state for other listeners. Certificates that are served already are taken over as they are; `first` reads
    /// the others.
    pub(super) fn with_listeners<E>(
        &self,
        listeners: &[Listener],
        settings: &ServerConfig,
        first: impl Fn(SocketAddr, &Certificate) -> Result<Kept, E>,
    ) -> Result<Self, E> {
        let mut certificates = BTreeMap::new();
        for listener in listeners {
            for files in &listener.certificates {
                if certificates.contains_key(files) {
                    continue;
                }
                let kept = match self.certificates.get(files) {
                    Some(kept) => Arc::clone(kept),
                    None => Arc::new(first(listener.address, files)?),
                };
                certificates.insert(files.clone(), kept);
            }
        }
        let encrypted = listeners.iter().filter(|listener| listener.is_encrypted());
        let wanted = encrypted.map(|listener| (listener.address, listener.certificates.clone()));
        Ok(Self::new(wanted, certificates, settings))
    }

    /// The state after a look at all files; `None` if nothing is new.
    pub(super) fn looked_again(
        &self,
        settings: &ServerConfig,
        now: SystemTime,
    ) -> Option<(Self, Vec<Found>)> {
        let mut certificates = self.certificates.clone();
        let mut found = Vec::new();
        for kept in certificates.values_mut() {
            if let Some((next, finding)) = kept.look_again(settings.crypto_provider(), now) {
                *kept = Arc::new(next);
                found.push((Arc::clone(kept), finding));
            }
        }
        if found.is_empty() {
            return None;
        }
        let state = if found.iter().all(|(_, finding)| *finding == Finding::Same) {
            Self { doors: self.doors.clone(), certificates }
        } else {
            let wanted = self.doors.iter().map(|(address, door)| (*address, door.certificates.clone()));
            Self::new(wanted, certificates, settings)
        };
        Some((state, found))
    }

    fn new(
        wanted: impl Iterator<Item = (SocketAddr, Vec<Certificate>)>,
        certificates: BTreeMap<Certificate, Arc<Kept>>,
        settings: &ServerConfig,
    ) -> Self {
        let door = |(address, own): (SocketAddr, Vec<Certificate>)| {
            let loaded = own.iter().filter_map(|files| certificates.get(files)?.loaded.clone());
            let acceptor = Acceptor::new(settings, Selection::new(loaded));
            (address, Door { certificates: own, acceptor })
        };
        Self { doors: wanted.map(door).collect(), certificates }
    }
}
