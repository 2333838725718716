//! How long a switch takes, and what it costs: under closed-loop load over kept-alive connections, all traffic is moved
//! from one version to another and back. Timed from before the table is handed over to the last request that was sent
//! to the version that lost its share.
//!
//! Prints one JSON object a figure. `--quick` makes fewer switches.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench fails by panicking")]

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use pilotage_proxy::{
    EdgeClient, EdgeConfig, Endpoint, FULL_WEIGHT, Histogram, Pool, Protocol, Route, RoutingTable, run,
};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const ROUTE: &str = "bench/web";
const VERSIONS: [&str; 2] = ["2.0.0", "1.0.0"];
const CONNECTIONS: usize = 16;

/// Load between two switches.
const BETWEEN: Duration = Duration::from_millis(20);

fn main() {
    let switches = if std::env::args().any(|argument| argument == "--quick") { 100 } else { 400 };
    let folder = tempfile::tempdir().unwrap();
    let config = EdgeConfig::new(folder.path().join("edge.sock"), folder.path().join("state"));
    let socket = config.socket.clone();
    let edge = std::thread::spawn(move || run(config));
    let endpoints = [0, 1].map(|_| serve_in_background());
    let listen = free_address();
    let load = Load::prepare();

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (switched, answered, broken) = runtime.block_on(async {
        let client = connect(&socket).await;
        client.apply(table(1, listen, endpoints, 0)).await.unwrap();
        let running = load.start(listen);
        let (switched, answered) = switch_back_and_forth(&client, listen, endpoints, switches).await;
        load.done.store(true, Ordering::Relaxed);
        tokio::task::spawn_blocking(|| running.join().unwrap()).await.unwrap();
        let route = client.stats().await.unwrap().routes.remove(ROUTE).unwrap();
        let broken = route.unserved + route.versions.values().map(|version| version.broken).sum::<u64>();
        client.shutdown(Duration::from_secs(1)).await.unwrap();
        (switched, answered, broken)
    });
    edge.join().unwrap().unwrap();

    let (requests, failed) = (load.requests.load(Ordering::Relaxed), load.failed.load(Ordering::Relaxed));
    eprintln!("{switches} switches, {requests} requests over {CONNECTIONS} connections");
    figure("switch.p50", milliseconds(&switched, 0.5), "ms", None);
    figure("switch.p99", milliseconds(&switched, 0.99), "ms", Some(50.0));
    figure("switch.answered_p99", milliseconds(&answered, 0.99), "ms", None);
    figure("switch.requests", requests as f64, "requests", None);
    figure("switch.dropped", failed.max(broken) as f64, "requests", Some(1.0));
}

/// Returns two histograms, in microseconds: until the last request to the old version, and until the answer.
async fn switch_back_and_forth(
    client: &EdgeClient,
    listen: SocketAddr,
    endpoints: [SocketAddr; 2],
    switches: u64,
) -> (Histogram, Histogram) {
    let (mut switched, mut answered) = (Histogram::default(), Histogram::default());
    let mut before = 0;
    for number in 0..switches {
        tokio::time::sleep(BETWEEN).await;
        let (new_weight, old) = if number % 2 == 0 { (FULL_WEIGHT, VERSIONS[1]) } else { (0, VERSIONS[0]) };
        let begun = now_micros();
        client.apply(table(number + 2, listen, endpoints, new_weight)).await.unwrap();
        answered.record(now_micros().abs_diff(begun));
        tokio::time::sleep(BETWEEN).await;
        let stats = client.stats().await.unwrap();
        let last = stats.routes[ROUTE].versions[old].last_request_micros;
        assert!(last > before, "{old} has had no request since the switch to it");
        before = begun;
        switched.record(u64::try_from(last - begun).unwrap_or(0));
    }
    (switched, answered)
}

fn table(epoch: u64, listen: SocketAddr, endpoints: [SocketAddr; 2], new_weight: u32) -> RoutingTable {
    let pools = VERSIONS.iter().zip(endpoints).zip([new_weight, FULL_WEIGHT - new_weight]).map(
        |((version, address), weight)| Pool {
            version: (*version).to_owned(),
            weight,
            protocol: Protocol::Http1,
            endpoints: vec![Endpoint { instance: format!("instance-{version}"), address: address.into() }],
        },
    );
    let route = Route { pools: pools.collect(), ..Route::new(ROUTE, listen) };
    RoutingTable { epoch, routes: vec![route], ..RoutingTable::empty() }
}

/// Clients that each send the next request as soon as the answer before it has come.
struct Load {
    done: Arc<AtomicBool>,
    requests: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
}

impl Load {
    fn prepare() -> Self {
        Self { done: Arc::default(), requests: Arc::default(), failed: Arc::default() }
    }

    fn start(&self, listen: SocketAddr) -> JoinHandle<()> {
        let (done, requests, failed) =
            (Arc::clone(&self.done), Arc::clone(&self.requests), Arc::clone(&self.failed));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut clients = JoinSet::new();
                for _ in 0..CONNECTIONS {
                    let (done, requests, failed) =
                        (Arc::clone(&done), Arc::clone(&requests), Arc::clone(&failed));
                    clients.spawn(async move {
                        while !done.load(Ordering::Relaxed) {
                            if one_connection(listen, &done, &requests).await.is_none() {
                                failed.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                    });
                }
                clients.join_all().await;
            });
        })
    }
}

/// None if a request failed; nothing closes the connections, so every end of one is a failure.
async fn one_connection(listen: SocketAddr, done: &AtomicBool, requests: &AtomicU64) -> Option<()> {
    let stream = TcpStream::connect(listen).await.ok()?;
    stream.set_nodelay(true).ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    while !done.load(Ordering::Relaxed) {
        sender.ready().await.ok()?;
        let request = Request::builder().uri("/").header("host", "bench").body(Empty::<Bytes>::new()).ok()?;
        requests.fetch_add(1, Ordering::Relaxed);
        let response = sender.send_request(request).await.ok()?;
        let sound = response.status().is_success();
        response.into_body().collect().await.ok()?;
        sound.then_some(())?;
    }
    Some(())
}

/// A service on a thread of its own.
fn serve_in_background() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let answer = |_| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("hello\n"))) };
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service_fn(answer)),
                );
            }
        });
    });
    address
}

async fn connect(socket: &Path) -> EdgeClient {
    for _ in 0..1_000 {
        if let Ok(client) = EdgeClient::connect(socket).await {
            return client;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    EdgeClient::connect(socket).await.expect("the edge did not start")
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn now_micros() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

fn milliseconds(histogram: &Histogram, quantile: f64) -> f64 {
    histogram.quantile(quantile).map_or(f64::NAN, |micros| micros as f64 / 1_000.0)
}

fn figure(name: &str, value: f64, unit: &str, below: Option<f64>) {
    let goal = below.map(|below| format!("< {below}"));
    let holds = below.map(|below| value < below);
    let line = serde_json::json!({
        "name": name, "value": value, "unit": unit, "peer": null, "ratio": null, "goal": goal, "holds": holds,
    });
    println!("{line}");
}
