//! Handing a table to the workers: all of it or none of it.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::handover::Inherited;
use super::listeners::{Listeners, Share};
use super::state::{StagedTable, StateFolder};
use crate::routing::{CompiledTable, Registry};
use crate::tls::Staged;
use crate::worker::{Command, Shared};
use crate::{EdgeStats, Listener, RoutingTable};

/// Owns the table in use, and the listeners.
#[derive(Debug)]
pub(super) struct Publisher {
    pub(super) shared: Arc<Shared>,
    pub(super) registry: Arc<Registry>,
    pub(super) state: StateFolder,
    pub(super) workers: Vec<mpsc::UnboundedSender<Command>>,
    /// What workers listen on.
    pub(super) held: Listeners,
    /// What came from the edge before this one.
    pub(super) inherited: Inherited,
}

/// Listeners that the workers do not have yet, and the share of each.
#[derive(Debug, Default)]
pub(super) struct Opened {
    held: Listeners,
    shares: Vec<Share>,
}

impl Opened {
    /// Listeners that were handed over, for so many workers as there are here.
    pub(super) fn taken_over(mut held: Listeners, workers: usize) -> io::Result<Self> {
        held.fill_up(workers);
        Self::dealt(held, workers)
    }

    fn dealt(held: Listeners, workers: usize) -> io::Result<Self> {
        let shares = held.deal(workers)?;
        Ok(Self { held, shares })
    }
}

impl Publisher {
    /// The table in use.
    pub(super) fn table(&self) -> RoutingTable {
        RoutingTable::clone(&self.shared.table.load().source)
    }

    /// Everything counted so far, here and by the edges before.
    pub(super) async fn stats(&mut self) -> EdgeStats {
        let mut stats = self.own_stats();
        self.inherited.add_to(&mut stats).await;
        stats
    }

    /// Everything that this edge itself has counted.
    pub(super) fn own_stats(&self) -> EdgeStats {
        own_stats(&self.shared, &self.registry)
    }

    /// Uses a table, or says why not and leaves everything as it was.
    ///
    /// What can fail is done first: certificates are read, listeners bound and room is made for the file. Then the table
    /// is switched, and only then written and made durable: traffic must not wait for a slow disk, the answer must.
    pub(super) async fn apply(&mut self, table: RoutingTable) -> Result<u64, String> {
        let current = Arc::clone(&self.shared.table.load().source);
        if *current == table {
            return Ok(table.epoch);
        }
        check(&table, &current)?;
        let encryption = self.encrypt(&table).await?;
        let opened = self.bind_new(&table)?;
        let staged = self.state.stage(&table).map_err(|error| {
            format!(
                "the table cannot be written to the state folder: {error}; the table before it stays in use"
            )
        })?;
        let epoch = table.epoch;
        // Before the switch, so that no request meets a new address that is not encrypted yet.
        let encryption_before = self.shared.encryption.commit(encryption);
        self.switch(table, opened).await?;
        if let Err(error) = commit(staged, Arc::clone(&self.shared.table.load().source)).await {
            let opened = self.bind_new(&current)?;
            self.shared.encryption.commit(encryption_before);
            self.switch((*current).clone(), opened).await?;
            return Err(format!(
                "the table could not be made durable: {error}; the table before it is in use again"
            ));
        }
        tracing::info!(epoch, routes = self.held.addresses(), "table in use");
        Ok(epoch)
    }

    /// Uses the table of the edge before this one, with the listeners that it has handed over. An address that cannot be
    /// had does not keep the others from being served; [`Publisher::bind_missing`] tries it again.
    pub(super) async fn restore(&mut self, table: RoutingTable, opened: Opened) -> Result<(), String> {
        self.switch(table, opened).await?;
        self.bind_missing(true).await
    }

    /// Reads the certificates of the table of the edge before this one, without letting one that cannot be read keep the
    /// others from being served. To be called before [`Publisher::restore`].
    pub(super) fn restore_encryption(&self, table: &RoutingTable) {
        self.shared.encryption.restore(&table.listeners);
    }

    /// Uses a table of the edge that has taken over, for the requests that are left here.
    pub(super) async fn follow(&mut self, table: RoutingTable) {
        if self.switch(table, Opened::default()).await.is_err() {
            tracing::debug!("a worker has finished already and needs no table");
        }
    }

    /// Binds addresses of the table in use that could not be bound when the edge started.
    pub(super) async fn bind_missing(&mut self, loud: bool) -> Result<(), String> {
        let table = Arc::clone(&self.shared.table.load().source);
        let mut held = Listeners::default();
        for address in self.missing(&table) {
            match held.bind(address, self.workers.len()) {
                Ok(()) => tracing::info!(%address, "listening"),
                Err(error) if loud => {
                    tracing::error!("{}; the edge keeps trying", cannot_listen(address, &error));
                }
                Err(_) => {}
            }
        }
        if held.addresses() == 0 {
            return Ok(());
        }
        match Opened::dealt(held, self.workers.len()) {
            Ok(opened) => self.switch((*table).clone(), opened).await,
            Err(error) => {
                tracing::warn!(%error, "addresses cannot be listened on; the edge keeps trying");
                Ok(())
            }
        }
    }

    /// Reads the certificates of a table, on a thread that may wait for a disk. Without any, that thread is not waited
    /// for either.
    async fn encrypt(&self, table: &RoutingTable) -> Result<Staged, String> {
        let (encryption, listeners) = (Arc::clone(&self.shared.encryption), table.listeners.clone());
        let staged = if listeners.iter().any(Listener::is_encrypted) {
            tokio::task::spawn_blocking(move || encryption.stage(&listeners))
                .await
                .map_err(|error| format!("the certificates could not be read: {error}"))?
        } else {
            encryption.stage(&listeners)
        };
        staged.map_err(|error| format!("{error}; the table before it stays in use"))
    }

    /// A duplicate of every listening socket, with its address.
    pub(super) fn listeners(&self) -> io::Result<Vec<(SocketAddr, OwnedFd)>> {
        self.held.duplicates()
    }

    /// How many addresses are listened on.
    pub(super) fn addresses(&self) -> usize {
        self.held.addresses()
    }

    /// Keeps no socket open that the workers close.
    pub(super) fn close_listeners(&mut self) {
        self.held = Listeners::default();
    }

    /// Addresses of a table that are not listened on.
    pub(super) fn missing(&self, table: &RoutingTable) -> BTreeSet<SocketAddr> {
        wanted(table).into_iter().filter(|address| !self.held.contains(*address)).collect()
    }

    fn bind_new(&self, table: &RoutingTable) -> Result<Opened, String> {
        let mut held = Listeners::default();
        for address in self.missing(table) {
            held.bind(address, self.workers.len()).map_err(|error| {
                format!("{}; the table before it stays in use", cannot_listen(address, &error))
            })?;
        }
        Opened::dealt(held, self.workers.len()).map_err(|error| {
            format!("listeners cannot be given to the workers: {error}; the table before it stays in use")
        })
    }

    /// Returns when every worker uses the table and has taken up its listeners, and so does the edge before this one as
    /// long as it has requests left.
    async fn switch(&mut self, table: RoutingTable, opened: Opened) -> Result<(), String> {
        let Opened { held, shares } = opened;
        self.held.extend(held);
        self.held.keep(&wanted(&table));
        let before = self.shared.table.load_full();
        let compiled = Arc::new(CompiledTable::new(table, Some(&before), &self.registry));
        let source = Arc::clone(&compiled.source);
        self.shared.table.store(compiled);

        let mut shares = shares.into_iter();
        let mut answers = Vec::with_capacity(self.workers.len());
        let mut leaving = Vec::with_capacity(self.workers.len());
        for worker in &self.workers {
            let ((done, answer), (prepared, left)) = (oneshot::channel(), oneshot::channel());
            let listeners = shares.next().unwrap_or_default();
            // The answer of a worker that has ended never comes.
            let _ = worker.send(Command::Use { listeners, done, prepared });
            answers.push(answer);
            leaving.push(left);
        }
        tokio::spawn(keep_until_left(before, leaving));
        let mut used = Ok(());
        for answer in answers {
            used = answer.await.map_err(|_| worker_gone()).and(used);
        }
        self.inherited.follow(&source).await;
        used
    }
}

/// Keeps a table until no worker needs it any more: who lets go of it last takes it apart, and workers have better to do.
async fn keep_until_left(table: Arc<CompiledTable>, leaving: Vec<oneshot::Receiver<()>>) {
    for left in leaving {
        // A worker that has ended has left as well.
        let _ = left.await;
    }
    drop(table);
}

/// The addresses that a table names. One without routes may still redirect.
fn wanted(table: &RoutingTable) -> BTreeSet<SocketAddr> {
    let listeners = table.listeners.iter().map(|listener| listener.address);
    table.routes.iter().map(|route| route.listen).chain(listeners).collect()
}

/// Everything that an edge with these workers has counted itself.
pub(super) fn own_stats(shared: &Shared, registry: &Registry) -> EdgeStats {
    let stats = registry.read(shared.table.load().source.epoch);
    EdgeStats { certificates: shared.encryption.status(), ..stats }
}

/// A table must be sound, and newer than the one in use.
fn check(table: &RoutingTable, current: &RoutingTable) -> Result<(), String> {
    table.validate().map_err(|error| error.to_string())?;
    if table.epoch > current.epoch {
        return Ok(());
    }
    let (offered, used) = (table.epoch, current.epoch);
    Err(format!(
        "epoch {offered} is not above {used}, that of the table in use; read the table and go on from there"
    ))
}

async fn commit(staged: StagedTable, table: Arc<RoutingTable>) -> io::Result<()> {
    let committed = tokio::task::spawn_blocking(move || staged.commit(&table)).await;
    committed.unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::AddrInUse {
        return format!("address {address} is in use by another program; free it, or choose another port");
    }
    format!("cannot listen on {address}: {error}")
}

fn worker_gone() -> String {
    "a worker thread of the edge has ended; the edge is stopping".to_owned()
}
