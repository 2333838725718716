//! Handing a table to the workers: all of it or none of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::bind;
use super::state::{StagedTable, StateFolder};
use crate::routing::{CompiledTable, Registry};
use crate::tls::Staged;
use crate::worker::{Command, Shared};
use crate::{EdgeStats, RoutingTable};

/// Listeners of one address, one for each worker.
type Listeners = BTreeMap<SocketAddr, Vec<TcpListener>>;

/// Owns the table in use.
#[derive(Debug)]
pub(super) struct Publisher {
    pub(super) shared: Arc<Shared>,
    pub(super) registry: Arc<Registry>,
    pub(super) state: StateFolder,
    pub(super) workers: Vec<mpsc::UnboundedSender<Command>>,
    /// Addresses that workers listen on.
    pub(super) bound: BTreeSet<SocketAddr>,
}

impl Publisher {
    /// The table in use.
    pub(super) fn table(&self) -> RoutingTable {
        RoutingTable::clone(&self.shared.table.load().source)
    }

    /// Everything counted so far.
    pub(super) fn stats(&self) -> EdgeStats {
        stats(&self.shared, &self.registry)
    }

    /// Uses a table, or says why not and leaves everything as it was.
    ///
    /// What can fail is done first: certificates are read, listeners bound and the file is written. Then the table is
    /// switched, and only then made durable: traffic must not wait for a slow disk, the answer must.
    pub(super) async fn apply(&mut self, table: RoutingTable) -> Result<u64, String> {
        let current = Arc::clone(&self.shared.table.load().source);
        if *current == table {
            return Ok(table.epoch);
        }
        check(&table, &current)?;
        let encryption = self.encrypt(&table).await?;
        let listeners = self.bind_new(&table)?;
        let staged = self.state.stage(&table).map_err(|error| {
            format!(
                "the table cannot be written to the state folder: {error}; the table before it stays in use"
            )
        })?;
        let epoch = table.epoch;
        // Before the switch, so that no request meets a new address that is not encrypted yet.
        let encryption_before = self.shared.encryption.commit(encryption);
        self.switch(table, listeners).await?;
        if let Err(error) = commit(staged).await {
            let listeners = self.bind_new(&current)?;
            self.shared.encryption.commit(encryption_before);
            self.switch((*current).clone(), listeners).await?;
            return Err(format!(
                "the table could not be made durable: {error}; the table before it is in use again"
            ));
        }
        tracing::info!(epoch, routes = self.bound.len(), "table in use");
        Ok(epoch)
    }

    /// Uses the table of the edge before this one. An address that cannot be had does not keep the others from being
    /// served; [`Publisher::bind_missing`] tries it again. Neither does a certificate that cannot be read.
    pub(super) async fn restore(&mut self, table: RoutingTable) -> Result<(), String> {
        self.shared.encryption.restore(&table.listeners);
        self.switch(table, Listeners::new()).await?;
        self.bind_missing(true).await
    }

    /// Binds addresses of the table in use that could not be bound when the edge started.
    pub(super) async fn bind_missing(&mut self, loud: bool) -> Result<(), String> {
        let table = Arc::clone(&self.shared.table.load().source);
        let mut listeners = Listeners::new();
        for address in self.missing(&table) {
            match bind::listeners(address, self.workers.len()) {
                Ok(bound) => {
                    tracing::info!(%address, "listening");
                    listeners.insert(address, bound);
                }
                Err(error) if loud => {
                    tracing::error!("{}; the edge keeps trying", cannot_listen(address, &error));
                }
                Err(_) => {}
            }
        }
        if listeners.is_empty() { Ok(()) } else { self.switch((*table).clone(), listeners).await }
    }

    /// Reads the certificates of a table, on a thread that may wait for a disk.
    async fn encrypt(&self, table: &RoutingTable) -> Result<Staged, String> {
        let (encryption, listeners) = (Arc::clone(&self.shared.encryption), table.listeners.clone());
        match tokio::task::spawn_blocking(move || encryption.stage(&listeners)).await {
            Ok(Ok(staged)) => Ok(staged),
            Ok(Err(error)) => Err(format!("{error}; the table before it stays in use")),
            Err(error) => Err(format!("the certificates could not be read: {error}")),
        }
    }

    /// Addresses of a table that are not listened on.
    pub(super) fn missing(&self, table: &RoutingTable) -> BTreeSet<SocketAddr> {
        wanted(table).into_iter().filter(|address| !self.bound.contains(address)).collect()
    }

    fn bind_new(&self, table: &RoutingTable) -> Result<Listeners, String> {
        let bind = |address| match bind::listeners(address, self.workers.len()) {
            Ok(listeners) => Ok((address, listeners)),
            Err(error) => {
                Err(format!("{}; the table before it stays in use", cannot_listen(address, &error)))
            }
        };
        self.missing(table).into_iter().map(bind).collect()
    }

    /// Returns when every worker uses the table and has taken up its listeners.
    async fn switch(&mut self, table: RoutingTable, mut listeners: Listeners) -> Result<(), String> {
        self.bound.extend(listeners.keys());
        let wanted = wanted(&table);
        self.bound.retain(|address| wanted.contains(address));
        let before = self.shared.table.load_full();
        self.shared.table.store(Arc::new(CompiledTable::new(table, Some(&before), &self.registry)));

        let mut answers = Vec::with_capacity(self.workers.len());
        for worker in &self.workers {
            let (done, answer) = oneshot::channel();
            let own = listeners.iter_mut().filter_map(|(address, each)| Some((*address, each.pop()?)));
            let command = Command::Use { listeners: own.collect(), done };
            worker.send(command).map_err(|_| worker_gone())?;
            answers.push(answer);
        }
        for answer in answers {
            answer.await.map_err(|_| worker_gone())?;
        }
        Ok(())
    }
}

/// The addresses that a table names. One without routes may still redirect.
fn wanted(table: &RoutingTable) -> BTreeSet<SocketAddr> {
    let listeners = table.listeners.iter().map(|listener| listener.address);
    table.routes.iter().map(|route| route.listen).chain(listeners).collect()
}

/// Everything that an edge with these workers has counted so far.
pub(super) fn stats(shared: &Shared, registry: &Registry) -> EdgeStats {
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

async fn commit(staged: StagedTable) -> io::Result<()> {
    tokio::task::spawn_blocking(|| staged.commit()).await.unwrap_or_else(|error| Err(io::Error::other(error)))
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
