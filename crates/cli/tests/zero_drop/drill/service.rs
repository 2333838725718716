//! A service whose versions change.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pilotage_proxy::{FULL_WEIGHT, Protocol, Route};

use super::edge::Edge;
use super::instances::Instances;

/// WebSockets are told to go so long after their version has lost its share.
const TUNNEL_DRAIN_MS: u64 = 300;

/// How long users are split between two versions.
const HALF_WAY: Duration = Duration::from_millis(100);

pub struct Service<'a> {
    edge: &'a Edge,
    program: &'a Path,
    folder: &'a Path,
    name: &'static str,
    protocol: Protocol,
    pub address: SocketAddr,
    stable: Instances,
    versions: u64,
}

/// Users leave a version.
pub struct Move {
    from: String,
    /// When the table is handed over by which they have to, in microseconds since the epoch.
    at_micros: i64,
}

impl<'a> Service<'a> {
    /// Starts its first version and sends it everybody.
    pub async fn start(
        edge: &'a Edge,
        (program, folder): (&'a Path, &'a Path),
        name: &'static str,
        protocol: Protocol,
    ) -> Self {
        let stable = Instances::start(program, folder, name, "1").await;
        let address = free_address();
        let service = Self { edge, program, folder, name, protocol, address, stable, versions: 1 };
        service.share(&[(&service.stable, FULL_WEIGHT)]).await;
        service
    }

    /// Moves everybody to a new version, half of them first.
    pub async fn cut_over(&mut self) -> (Instances, Move) {
        self.versions += 1;
        let version = self.versions.to_string();
        let next = Instances::start(self.program, self.folder, self.name, &version).await;
        self.share(&[(&next, FULL_WEIGHT / 2), (&self.stable, FULL_WEIGHT / 2)]).await;
        tokio::time::sleep(HALF_WAY).await;
        let at_micros = now_micros();
        self.share(&[(&next, FULL_WEIGHT), (&self.stable, 0)]).await;
        (next, Move { from: self.stable.version.clone(), at_micros })
    }

    /// Moves everybody back from a new version, which is still new to them.
    pub async fn roll_back(&mut self, next: Instances) -> Move {
        let at_micros = now_micros();
        self.share(&[(&next, 0), (&self.stable, FULL_WEIGHT)]).await;
        let from = next.version.clone();
        self.retire(next).await;
        Move { from, at_micros }
    }

    /// Keeps a new version and stops the one before it.
    pub async fn keep(&mut self, next: Instances) {
        let before = std::mem::replace(&mut self.stable, next);
        self.retire(before).await;
    }

    /// How long it took until the version that was left was sent its last request.
    pub async fn lasted_millis(&self, moved: &Move) -> f64 {
        let last = self.edge.last_request_micros(self.name, &moved.from).await;
        (last - moved.at_micros).max(0) as f64 / 1_000.0
    }

    /// Waits until a version's last request has ended, and stops it.
    async fn retire(&self, version: Instances) {
        self.edge.drained(self.name, &version.version).await;
        self.share(&[(&self.stable, FULL_WEIGHT)]).await;
        version.stop().await;
    }

    async fn share(&self, shares: &[(&Instances, u32)]) {
        let pools = shares.iter().map(|(version, weight)| version.pool(*weight, self.protocol)).collect();
        let route = Route::new(self.name, self.address);
        self.edge.apply(Route { pools, tunnel_drain_ms: TUNNEL_DRAIN_MS, ..route }).await;
    }

    /// Stops its last version.
    pub async fn stop(self) {
        self.stable.stop().await;
    }
}

fn now_micros() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(now.as_micros()).expect("a clock of this age")
}

/// An address nobody listens on. Another program could take it before the edge does; on a test machine none does.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address")
}
