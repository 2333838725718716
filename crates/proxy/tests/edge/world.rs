//! An edge in this process, and the tables it is handed.

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pilotage_proxy::{
    EdgeClient, EdgeConfig, EdgeError, Endpoint, Limits, Pool, Route, RoutingTable, VersionStats, run,
};
use tempfile::TempDir;
use tokio::net::TcpStream;

/// The name of the route that most tests use.
pub const ROUTE: &str = "test/web";

/// Guards against a hang; never how long something should take.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct World {
    pub folder: TempDir,
    pub client: EdgeClient,
    pub listen: SocketAddr,
    edge: Option<JoinHandle<Result<(), EdgeError>>>,
    epoch: u64,
}

impl World {
    /// An edge with two workers and without a table.
    pub async fn start() -> Self {
        Self::start_with(Limits::default()).await
    }

    pub async fn start_with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (edge, client) = start_edge(folder.path(), limits).await;
        Self { folder, client, listen: free_address(), edge: Some(edge), epoch: 0 }
    }

    /// Routes to the pools given as `(version, weight, endpoints)`.
    pub async fn route(&mut self, pools: &[(&str, u32, &[SocketAddr])]) {
        self.route_holding(0, pools).await;
    }

    pub async fn route_holding(&mut self, hold_ms: u64, pools: &[(&str, u32, &[SocketAddr])]) {
        let table = self.table(hold_ms, pools);
        let epoch = table.epoch;
        assert_eq!(self.client.apply(table).await.unwrap(), epoch);
    }

    /// Routes to the pools with settings of the caller's.
    pub async fn route_with(
        &mut self,
        pools: &[(&str, u32, &[SocketAddr])],
        change: impl FnOnce(&mut Route),
    ) {
        let mut table = self.table(0, pools);
        change(&mut table.routes[0]);
        self.client.apply(table).await.unwrap();
    }

    /// A table that serves nothing.
    pub async fn no_routes(&mut self) {
        self.epoch += 1;
        let table = RoutingTable { epoch: self.epoch, ..RoutingTable::empty() };
        self.client.apply(table).await.unwrap();
    }

    /// The next table, with one route.
    pub fn table(&mut self, hold_ms: u64, pools: &[(&str, u32, &[SocketAddr])]) -> RoutingTable {
        self.epoch += 1;
        table(self.epoch, self.listen, hold_ms, pools)
    }

    pub async fn version(&self, version: &str) -> VersionStats {
        let stats = self.client.stats().await.unwrap();
        stats.routes[ROUTE].versions.get(version).cloned().unwrap_or_default()
    }

    pub async fn unserved(&self) -> u64 {
        self.client.stats().await.unwrap().routes[ROUTE].unserved
    }

    /// Stops the edge and says how it ended.
    pub async fn stop(mut self) -> Result<(), EdgeError> {
        self.end().await
    }

    /// Stops the edge and starts another in the same folder.
    pub async fn restart(mut self) -> Self {
        self.end().await.unwrap();
        let (edge, client) = start_edge(self.folder.path(), Limits::default()).await;
        let listen = self.listen;
        eventually("the new edge listens", || async move { TcpStream::connect(listen).await.is_ok() }).await;
        Self { client, edge: Some(edge), ..self }
    }

    async fn end(&mut self) -> Result<(), EdgeError> {
        self.client.shutdown(Duration::from_secs(5)).await.unwrap();
        let edge = self.edge.take().unwrap();
        tokio::task::spawn_blocking(|| edge.join().unwrap()).await.unwrap()
    }
}

pub fn table(
    epoch: u64,
    listen: SocketAddr,
    hold_ms: u64,
    pools: &[(&str, u32, &[SocketAddr])],
) -> RoutingTable {
    let pool = |(version, weight, endpoints): &(&str, u32, &[SocketAddr])| Pool {
        version: (*version).to_owned(),
        weight: *weight,
        protocol: pilotage_proxy::Protocol::Http1,
        endpoints: endpoints.iter().copied().map(endpoint).collect(),
    };
    let pools = pools.iter().map(pool).collect();
    let route = Route { pools, hold_ms, ..Route::new(ROUTE, listen) };
    RoutingTable { epoch, routes: vec![route], ..RoutingTable::empty() }
}

/// An instance, named after its port.
pub fn endpoint(address: SocketAddr) -> Endpoint {
    Endpoint { instance: format!("i-{}", address.port()), address: address.into() }
}

pub fn config(folder: &Path) -> EdgeConfig {
    let mut config = EdgeConfig::new(folder.join("edge.sock"), folder.join("state"));
    config.workers = NonZeroUsize::new(2).unwrap();
    config
}

async fn start_edge(folder: &Path, limits: Limits) -> (JoinHandle<Result<(), EdgeError>>, EdgeClient) {
    let config = EdgeConfig { limits, ..config(folder) };
    let socket = config.socket.clone();
    let edge = std::thread::spawn(move || run(config));
    (edge, connect(&socket).await)
}

/// Connects to an edge that is starting.
pub async fn connect(socket: &Path) -> EdgeClient {
    let begun = Instant::now();
    loop {
        match EdgeClient::connect(socket).await {
            Ok(client) => return client,
            Err(error) if begun.elapsed() > PATIENCE => panic!("the edge did not start: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

/// An address nobody listens on. Another program could take it before we do; on a test machine none does.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Waits until a condition holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "still not so: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
