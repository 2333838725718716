//! What the rest of the edge asks of TLS.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use tokio_rustls::rustls::ServerConfig;

use super::acceptor::{Acceptor, settings};
use super::error::TlsError;
use super::kept::Kept;
use super::state::State;
use super::status::CertificateStatus;
use super::tickets::Tickets;
use crate::table::{Certificate, Listener};

/// How often the files are looked at: a few system calls each.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The encryption of all listeners. Shared by all workers.
pub(crate) struct Encryption {
    /// What all listeners have in common.
    settings: ServerConfig,
    tickets: Arc<Tickets>,
    state: ArcSwap<State>,
}

/// Listeners and certificates that are ready to be used.
pub(crate) struct Staged(Arc<State>);

impl Encryption {
    /// Without any listener. Fails if the library does not know the protocols that are spoken here.
    pub(crate) fn new() -> io::Result<Self> {
        let tickets = Arc::new(Tickets::default());
        let settings = settings(Arc::clone(&tickets)).map_err(io::Error::other)?;
        Ok(Self { settings, tickets, state: ArcSwap::default() })
    }

    /// Who does the handshakes on an address now; `None` if connections are not encrypted there. To be asked for each
    /// connection. Takes no lock.
    pub(crate) fn acceptor(&self, listen: SocketAddr) -> Option<Acceptor> {
        self.state.load().acceptor(listen).cloned()
    }

    /// Makes ready for the listeners of a new table, and changes nothing yet. Reads files.
    ///
    /// Refused if a certificate that is new here cannot be read, or is not valid at this time. One that is served
    /// already is taken over even if its files have been damaged since: that must not keep other changes from users.
    pub(crate) fn stage(&self, listeners: &[Listener]) -> Result<Staged, TlsError> {
        self.prepare(listeners);
        let first = |listen, files: &Certificate| {
            let mut kept = self.read(files);
            kept.problem.take().map_or(Ok(kept), |problem| Err(TlsError { listen, problem }))
        };
        let state = self.state.load().with_listeners(listeners, &self.settings, first)?;
        Ok(Staged(Arc::new(state)))
    }

    /// Uses what was made ready, from the next handshake on, and returns what was in use. That may be handed back here
    /// to undo the step.
    pub(crate) fn commit(&self, staged: Staged) -> Staged {
        Staged(self.state.swap(staged.0))
    }

    /// Uses the listeners of the edge before this one, as far as that goes, and says in the log what is wrong. A
    /// certificate outside of its time is served. A listener without any certificate that can be served refuses
    /// handshakes until its files are mended; it never speaks without encryption.
    ///
    /// Reads files.
    pub(crate) fn restore(&self, listeners: &[Listener]) {
        self.prepare(listeners);
        let first = |_, files: &Certificate| Ok::<_, Infallible>(self.read(files));
        let Ok(state) = self.state.load().with_listeners(listeners, &self.settings, first);
        state.certificates().for_each(|kept| kept.report_problem());
        self.state.store(Arc::new(state));
    }

    /// Looks at the files now, and uses those that have been renewed. What is found is said in the log. Reads files.
    pub(crate) fn reload_now(&self) {
        loop {
            let before = self.state.load_full();
            let Some((after, found)) = before.looked_again(&self.settings, SystemTime::now()) else {
                return;
            };
            let replaced = self.state.compare_and_swap(&before, Arc::new(after));
            // A table was handed over meanwhile: what was found belongs to listeners that may be gone.
            if Arc::ptr_eq(&replaced, &before) {
                found.into_iter().for_each(|(kept, finding)| kept.report(finding));
                return;
            }
        }
    }

    /// Looks at the files every few seconds, for ever.
    pub(crate) async fn watch(self: Arc<Self>) {
        self.watch_every(LOOK_EVERY).await;
    }

    pub(super) async fn watch_every(self: Arc<Self>, pause: Duration) {
        let mut again = tokio::time::interval(pause);
        again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            again.tick().await;
            Arc::clone(&self).reload().await;
        }
    }

    /// [`Encryption::reload_now`] on a thread that may wait for a disk.
    pub(crate) async fn reload(self: Arc<Self>) {
        // Without any there is nothing to wait for, and no need of a thread.
        if self.state.load().certificates().next().is_none() {
            return;
        }
        if let Err(error) = tokio::task::spawn_blocking(move || self.reload_now()).await {
            tracing::error!(%error, "the certificates could not be looked at");
        }
    }

    /// All certificates of the table in use.
    pub(crate) fn status(&self) -> Vec<CertificateStatus> {
        self.state.load().certificates().map(|kept| kept.status()).collect()
    }

    fn prepare(&self, listeners: &[Listener]) {
        if listeners.iter().any(Listener::is_encrypted) {
            self.tickets.prepare();
        }
    }

    fn read(&self, files: &Certificate) -> Kept {
        Kept::first(files, self.settings.crypto_provider(), SystemTime::now())
    }
}

impl fmt::Debug for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encryption").field("state", &self.state).finish_non_exhaustive()
    }
}
