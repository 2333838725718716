//! What the edge tells at its admin address, also to a real Prometheus.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use pilotage_proxy::{EdgeClient, EdgeConfig, EdgeError, FULL_WEIGHT, run};
use pilotage_testing::{Part, need};
use serde_json::Value;
use tempfile::TempDir;

use crate::client::{Answer, Client, raw};
use crate::upstream::Upstream;
use crate::world::{ROUTE, config, connect, eventually, free_address, table};

/// An edge with an admin address.
struct Observed {
    folder: TempDir,
    client: EdgeClient,
    admin: SocketAddr,
    edge: JoinHandle<Result<(), EdgeError>>,
}

impl Observed {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let admin = free_address();
        let config = EdgeConfig { admin: Some(admin), ..config(folder.path()) };
        let socket = config.socket.clone();
        let edge = std::thread::spawn(move || run(config));
        let client = connect(&socket).await;
        eventually("the admin address answers", || async { TcpStream::connect(admin).is_ok() }).await;
        Self { folder, client, admin, edge }
    }

    /// Routes everything to one version, and sends it so many requests.
    async fn serve(&self, upstream: &Upstream, requests: usize) {
        let listen = free_address();
        let table = table(1, listen, 0, &[("1.0.0", FULL_WEIGHT, &[upstream.address])]);
        self.client.apply(table).await.unwrap();
        let mut client = Client::connect(listen).await;
        for _ in 0..requests {
            assert_eq!(client.get("/").await.status(), 200);
        }
    }

    async fn page(&self, path: &str) -> Answer {
        Client::connect(self.admin).await.get(path).await
    }

    async fn stop(self) {
        self.client.shutdown(Duration::from_secs(5)).await.unwrap();
        let edge = self.edge;
        tokio::task::spawn_blocking(|| edge.join().unwrap()).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn metrics_tell_what_was_counted() {
    let edge = Observed::start().await;
    let upstream = Upstream::named("one").await;
    edge.serve(&upstream, 3).await;
    let page = edge.page("/metrics").await;
    assert_eq!(
        (page.status(), page.header("content-type")),
        (200, Some("text/plain; version=0.0.4; charset=utf-8"))
    );
    for line in [
        "pilotage_edge_requests_total{route=\"test/web\",version=\"1.0.0\"} 3\n".to_owned(),
        "pilotage_edge_request_duration_seconds_count{route=\"test/web\",version=\"1.0.0\"} 3\n".to_owned(),
        "pilotage_edge_table_epoch 1\n".to_owned(),
        format!("pilotage_edge_info{{version=\"{}\"}} 1\n", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(page.text().contains(&line), "{line} is not in\n{}", page.text());
    }
    edge.stop().await;
}

#[tokio::test]
async fn health_and_readiness_are_told_apart() {
    let edge = Observed::start().await;
    assert_eq!(edge.page("/healthz").await.status(), 200);
    let unready = edge.page("/readyz").await;
    assert_eq!((unready.status(), unready.text()), (503, "the edge was handed no table yet\n"));
    edge.serve(&Upstream::named("one").await, 0).await;
    assert_eq!(edge.page("/readyz").await.status(), 200);
    assert_eq!(edge.page("/healthz").await.status(), 200);
    edge.stop().await;
}

#[tokio::test]
async fn a_stopping_edge_is_not_ready_and_goes_on_telling() {
    let edge = Observed::start().await;
    let (release, held) = tokio::sync::watch::channel(false);
    let upstream = Upstream::answering(move |_| {
        let mut held = held.clone();
        async move {
            let _ = held.wait_for(|released| *released).await;
            http::Response::new("late".into())
        }
    })
    .await;
    let listen = free_address();
    edge.client.apply(table(1, listen, 0, &[("1.0.0", FULL_WEIGHT, &[upstream.address])])).await.unwrap();
    let request = tokio::spawn(async move { Client::connect(listen).await.get("/").await.status() });
    eventually("the request is in flight", || async { upstream.requests() == 1 }).await;

    edge.client.shutdown(Duration::from_secs(60)).await.unwrap();
    eventually("the edge is not ready", || async { edge.page("/readyz").await.status() == 503 }).await;
    assert_eq!(edge.page("/readyz").await.text(), "the edge is stopping\n");
    assert!(
        edge.page("/metrics").await.text().contains("in_flight{route=\"test/web\",version=\"1.0.0\"} 1\n")
    );
    release.send(true).unwrap();
    assert_eq!(request.await.unwrap(), 200);
    let Observed { edge, .. } = edge;
    tokio::task::spawn_blocking(|| edge.join().unwrap()).await.unwrap().unwrap();
}

#[tokio::test]
async fn other_pages_and_methods_are_refused() {
    let edge = Observed::start().await;
    assert_eq!(edge.page("/").await.status(), 404);
    assert_eq!(Client::connect(edge.admin).await.post("/metrics", "x").await.status(), 405);
    let head = raw(edge.admin, b"HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    edge.stop().await;
}

#[tokio::test]
async fn a_taken_admin_address_keeps_no_edge_from_serving() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let admin = taken.local_addr().unwrap();
    let config = EdgeConfig { admin: Some(admin), ..config(folder.path()) };
    let socket = config.socket.clone();
    let edge = std::thread::spawn(move || run(config));
    let edge = Observed { client: connect(&socket).await, folder, admin, edge };
    edge.serve(&Upstream::named("one").await, 1).await;
    drop(taken);
    eventually("the address is taken up", || async { TcpStream::connect(admin).is_ok() }).await;
    assert_eq!(edge.page("/healthz").await.status(), 200);
    edge.stop().await;
}

/// A Prometheus that scrapes one address; ended when the value is dropped.
struct Prometheus {
    process: Child,
    address: SocketAddr,
}

impl Prometheus {
    fn start(program: &Path, folder: &Path, scraped: SocketAddr) -> Self {
        let config = format!(
            "scrape_configs:\n- {{ job_name: edge, scrape_interval: 200ms, scrape_timeout: 200ms, \
             static_configs: [{{ targets: [\"{scraped}\"] }}] }}\n"
        );
        std::fs::write(folder.join("prometheus.yml"), config).unwrap();
        let address = free_address();
        let process = Command::new(program)
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("prometheus").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, address }
    }

    /// The first value that a query finds.
    async fn query(&self, query: &str) -> Option<String> {
        TcpStream::connect(self.address).ok()?;
        let answer = Client::connect(self.address)
            .await
            .try_get(&format!("/api/v1/query?query={query}"))
            .await
            .ok()?;
        let answer: Value = serde_json::from_slice(&answer.body).ok()?;
        Some(answer["data"]["result"][0]["value"][1].as_str()?.to_owned())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn a_real_prometheus_scrapes_the_edge() {
    let Some(program) = need("a_real_prometheus_scrapes_the_edge", Part::Prometheus) else { return };
    let edge = Observed::start().await;
    edge.serve(&Upstream::named("one").await, 5).await;
    let prometheus = Prometheus::start(&program, edge.folder.path(), edge.admin);
    let requests = format!("pilotage_edge_requests_total%7Broute=%22{ROUTE}%22,version=%221.0.0%22%7D");
    for (query, expected) in [
        (requests.as_str(), "5"),
        ("pilotage_edge_request_duration_seconds_count", "5"),
        ("pilotage_edge_request_duration_seconds_bucket%7Ble=%22%2BInf%22%7D", "5"),
        ("pilotage_edge_table_epoch", "1"),
        ("up%7Bjob=%22edge%22%7D", "1"),
    ] {
        let found = || async { prometheus.query(query).await.as_deref() == Some(expected) };
        eventually(&format!("{query} is {expected}"), found).await;
    }
    edge.stop().await;
}

#[tokio::test]
async fn promtool_finds_nothing_to_mend() {
    let Some(program) = need("promtool_finds_nothing_to_mend", Part::Prometheus) else { return };
    // It comes in the same package.
    let promtool = program.with_file_name("promtool");
    if !promtool.exists() {
        eprintln!(
            "SKIPPED: promtool_finds_nothing_to_mend: there is no promtool beside {}",
            program.display()
        );
        return;
    }
    let edge = Observed::start().await;
    edge.serve(&Upstream::named("one").await, 2).await;
    let text = edge.page("/metrics").await.text().to_owned();
    let mut checking = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    checking.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = checking.wait_with_output().unwrap();
    let words = [said.stdout, said.stderr].concat();
    assert!(said.status.success() && words.is_empty(), "{}", String::from_utf8_lossy(&words));
    edge.stop().await;
}
