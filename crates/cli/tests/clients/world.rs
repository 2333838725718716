//! An edge and services behind it, all in this process, for clients that are programs of others.

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Stdio;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pilotage_load::sample::{SampleService, SampleSettings};
use pilotage_proxy::{
    Certificate, EdgeClient, EdgeConfig, EdgeError, Endpoint, FULL_WEIGHT, Listener, Pool, Protocol, Route,
    RoutingTable, run,
};
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;
use tokio::process::Command;

/// Guards against a hang; never how long something should take.
pub const PATIENCE: Duration = Duration::from_secs(60);

const ROUTE: &str = "test/sample";

pub struct World {
    pub folder: TempDir,
    pub client: EdgeClient,
    /// Where the edge is reached.
    pub edge: SocketAddr,
    listeners: Vec<Listener>,
    thread: Option<JoinHandle<Result<(), EdgeError>>>,
    epoch: u64,
}

impl World {
    /// An edge before version 1.0.0 of the sample service, to which it speaks so.
    pub async fn start(protocol: Protocol) -> Self {
        Self::start_with(protocol, |_, _| Vec::new()).await
    }

    /// The same, encrypted, and the address from which users are sent to the encrypted one.
    pub async fn start_encrypted(protocol: Protocol) -> (Self, SocketAddr) {
        let plain = free_address();
        let world = Self::start_with(protocol, |folder, edge| {
            let certificates = vec![certificate(folder, edge)];
            let redirect_to_https = Some(edge.port());
            vec![
                Listener { certificates, ..Listener::plain(edge) },
                Listener { redirect_to_https, ..Listener::plain(plain) },
            ]
        });
        (world.await, plain)
    }

    async fn start_with(
        protocol: Protocol,
        listeners: impl FnOnce(&Path, SocketAddr) -> Vec<Listener>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = EdgeConfig::new(folder.path().join("edge.sock"), folder.path().join("state"));
        config.workers = NonZeroUsize::new(2).unwrap();
        let socket = config.socket.clone();
        let thread = Some(std::thread::spawn(move || run(config)));
        let client = connect(&socket).await;
        let service = sample("1.0.0").await;
        let edge = free_address();
        let listeners = listeners(folder.path(), edge);
        let mut world = Self { folder, client, edge, listeners, thread, epoch: 0 };
        world.route("1.0.0", service, protocol, |_| {}).await;
        world
    }

    /// Sends everything to one version, by a route that is as said.
    pub async fn route(
        &mut self,
        version: &str,
        address: SocketAddr,
        protocol: Protocol,
        with: impl FnOnce(&mut Route),
    ) {
        self.epoch += 1;
        let endpoints = vec![Endpoint { instance: format!("sample-{version}"), address: address.into() }];
        let pool = Pool { version: version.to_owned(), weight: FULL_WEIGHT, protocol, endpoints };
        let mut route = Route { pools: vec![pool], ..Route::new(ROUTE, self.edge) };
        with(&mut route);
        let listeners = self.listeners.clone();
        let table =
            RoutingTable { epoch: self.epoch, listeners, routes: vec![route], ..RoutingTable::empty() };
        assert_eq!(self.client.apply(table).await.unwrap(), self.epoch);
    }

    /// A URL behind the edge.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.listeners.is_empty() { "http" } else { "https" };
        format!("{scheme}://{}{path}", self.edge)
    }

    /// The certificate that clients have to trust.
    pub fn certificate(&self) -> String {
        let certificate = self.listeners.iter().flat_map(|listener| &listener.certificates).next();
        certificate.unwrap().chain.to_str().unwrap().to_owned()
    }

    /// A file of so many bytes.
    pub fn file(&self, bytes: usize) -> String {
        let path = self.folder.path().join(format!("{bytes}-bytes"));
        let content: Vec<u8> = (0..bytes).map(|at| (at % 251) as u8).collect();
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Waits until the edge has nothing in flight.
    pub async fn idle(&self) {
        let begun = Instant::now();
        loop {
            let stats = self.client.stats().await.unwrap();
            let in_flight: u64 = stats.routes[ROUTE].versions.values().map(|version| version.in_flight).sum();
            if in_flight == 0 {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{in_flight} requests are still in flight");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Stops the edge, and waits until it has stopped.
    pub async fn stop(self) {
        self.client.shutdown(Duration::from_secs(5)).await.unwrap();
        self.ended().await;
    }

    /// Waits until the edge has stopped.
    pub async fn ended(mut self) {
        let thread = self.thread.take().unwrap();
        tokio::task::spawn_blocking(|| thread.join().unwrap()).await.unwrap().unwrap();
    }
}

/// Starts the sample service as a version.
pub async fn sample(version: &str) -> SocketAddr {
    let settings = SampleSettings { version: version.to_owned(), port: Some(0), ..SampleSettings::default() };
    let service = SampleService::listen(settings).await.unwrap();
    let address = service.tcp_address().unwrap();
    tokio::spawn(service.serve(std::future::pending()));
    address
}

/// What a program that ended well printed.
pub async fn output(program: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let ended = tokio::time::timeout(PATIENCE, command.output()).await.expect("the client hangs").unwrap();
    let (out, error) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{program:?} {arguments:?}: {}\n{out}\n{error}", ended.status);
    format!("{out}{error}")
}

async fn connect(socket: &Path) -> EdgeClient {
    let begun = Instant::now();
    loop {
        match EdgeClient::connect(socket).await {
            Ok(client) => return client,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "the edge did not start: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A certificate for an address, signed by itself.
fn certificate(folder: &Path, address: SocketAddr) -> Certificate {
    let files = Certificate { chain: folder.join("tls.crt"), key: folder.join("tls.key") };
    let key = KeyPair::generate().unwrap();
    let names = vec![address.ip().to_string()];
    let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    std::fs::write(&files.chain, certificate.pem()).unwrap();
    std::fs::write(&files.key, key.serialize_pem()).unwrap();
    files
}

/// An address nobody listens on. Another program could take it before we do; on a test machine none does.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
