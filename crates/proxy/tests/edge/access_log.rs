//! The access log of an edge: a line for each request, whatever became of it.

use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::Duration;

use pilotage_proxy::{
    AccessLogTarget, EdgeClient, EdgeConfig, EdgeError, FULL_WEIGHT, Retries, Timeouts, run,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Client, raw};
use crate::upstream::{Upstream, read_head, say_and_close};
use crate::world::{ROUTE, config, connect, eventually, free_address, table};

/// An edge that writes a log.
struct Logging {
    folder: TempDir,
    client: EdgeClient,
    listen: SocketAddr,
    edge: JoinHandle<Result<(), EdgeError>>,
}

impl Logging {
    /// With all clients on one instance, and settings of the caller's.
    async fn start(instance: SocketAddr, change: impl FnOnce(&mut pilotage_proxy::Route)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let target = AccessLogTarget::File(folder.path().join("access.log"));
        let config = EdgeConfig { access_log: Some(target), ..config(folder.path()) };
        let socket = config.socket.clone();
        let edge = std::thread::spawn(move || run(config));
        let client = connect(&socket).await;
        let listen = free_address();
        let mut table = table(1, listen, 0, &[("1.0.0", FULL_WEIGHT, &[instance])]);
        change(&mut table.routes[0]);
        client.apply(table).await.unwrap();
        Self { folder, client, listen, edge }
    }

    /// Stops the edge, and reads what it wrote.
    async fn lines(self) -> Vec<Value> {
        self.client.shutdown(Duration::from_secs(5)).await.unwrap();
        let edge = self.edge;
        tokio::task::spawn_blocking(|| edge.join().unwrap()).await.unwrap().unwrap();
        let text = std::fs::read_to_string(self.folder.path().join("access.log")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The only line that was written.
    async fn line(self) -> Value {
        let mut lines = self.lines().await;
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines.remove(0)
    }
}

#[tokio::test]
async fn a_served_request_is_described_whole() {
    let upstream = Upstream::echo().await;
    let edge = Logging::start(upstream.address, |_| {}).await;
    let mut client = Client::connect(edge.listen).await;
    let mut request = client.request(http::Method::POST, "/cart?token=secret", "four");
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    request.headers_mut().insert("traceparent", parent.parse().unwrap());
    let length = client.send(request).await.unwrap().body.len();
    let instance = format!("i-{}", upstream.address.port());
    let line = edge.line().await;
    for (field, expected) in [
        ("method", Value::from("POST")),
        ("path", "/cart".into()),
        ("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736".into()),
        ("client", "127.0.0.1".into()),
        ("scheme", "http".into()),
        ("protocol", "1.1".into()),
        ("status", 200.into()),
        ("route", ROUTE.into()),
        ("version", "1.0.0".into()),
        ("instance", instance.into()),
        ("outcome", "answered".into()),
        ("bytes_in", 4.into()),
        ("bytes_out", length.into()),
        ("retries", 0.into()),
    ] {
        assert_eq!(line[field], expected, "{field} in {line}");
    }
    assert!(line["first_byte_micros"].as_u64().unwrap() <= line["duration_micros"].as_u64().unwrap());
    assert!(!line.to_string().contains("secret"), "{line}");
}

#[tokio::test]
async fn what_the_edge_refuses_is_in_it_too() {
    let upstream = Upstream::named("one").await;
    let edge = Logging::start(upstream.address, |route| route.limits.max_body_bytes = Some(3)).await;
    let mut client = Client::connect(edge.listen).await;
    let connect = b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n";
    assert!(raw(edge.listen, connect).await.starts_with("HTTP/1.1 501"));
    assert_eq!(client.post("/", "four").await.status(), 413);
    assert!(raw(edge.listen, b"GET / HTTP/1.1\r\nA b\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    let mut lines = edge.lines().await;
    lines.sort_by_key(|line| line["time"].as_str().unwrap().to_owned());
    let told =
        |line: &Value| (line["status"].clone(), line["outcome"].clone(), line.get("version").is_some());
    let refused = |status: u16| (Value::from(status), Value::from("refused"), false);
    assert_eq!(lines.iter().map(told).collect::<Vec<_>>(), [refused(501), refused(413), refused(400)]);
    assert!(lines[2].get("path").is_none(), "the head could not be read: {}", lines[2]);
}

#[tokio::test]
async fn a_version_that_breaks_off_or_never_answers_is_named() {
    let broken = Upstream::conversing(|stream| say_and_close(stream, b"")).await;
    let once = |route: &mut pilotage_proxy::Route| {
        route.retries = Retries { attempts: 1, ..Retries::default() };
        route.timeouts = Timeouts { first_byte_ms: 100, ..Timeouts::default() };
    };
    let edge = Logging::start(broken.address, once).await;
    assert_eq!(Client::connect(edge.listen).await.post("/", "x").await.status(), 502);
    let line = edge.line().await;
    assert_eq!((&line["outcome"], &line["version"]), (&Value::from("broken"), &Value::from("1.0.0")));

    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
    let breaking = Upstream::conversing(|stream| say_and_close(stream, half)).await;
    let edge = Logging::start(breaking.address, once).await;
    assert!(Client::connect(edge.listen).await.try_get("/").await.is_err());
    let line = edge.line().await;
    assert_eq!((&line["outcome"], &line["status"]), (&Value::from("broken"), &Value::from(200)));

    let silent = Upstream::conversing(|mut stream| async move {
        read_head(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let edge = Logging::start(silent.address, once).await;
    assert_eq!(Client::connect(edge.listen).await.get("/").await.status(), 504);
    assert_eq!(edge.line().await["outcome"], "timed_out");
}

#[tokio::test]
async fn a_client_that_leaves_is_told_from_a_failure() {
    let upstream = Upstream::conversing(|mut stream| async move {
        read_head(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let edge = Logging::start(upstream.address, |_| {}).await;
    let mut stream = TcpStream::connect(edge.listen).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    eventually("the request has come", || async { upstream.connections() == 1 }).await;
    drop(stream);
    let in_flight = || async {
        let stats = edge.client.stats().await.unwrap();
        stats.routes[ROUTE].versions["1.0.0"].in_flight
    };
    eventually("the request is over", || async { in_flight().await == 0 }).await;
    let line = edge.line().await;
    assert_eq!(line["outcome"], "client_gone");
    assert!(line.get("status").is_none(), "{line}");
}

#[tokio::test]
async fn a_request_that_nobody_can_take_is_unserved() {
    let edge = Logging::start(free_address(), |_| {}).await;
    assert_eq!(Client::connect(edge.listen).await.get("/").await.status(), 503);
    assert_eq!(edge.line().await["outcome"], "unserved");
}

#[tokio::test]
async fn an_upgraded_connection_is_written_at_its_end() {
    let upstream = Upstream::conversing(|mut stream| async move {
        read_head(&mut stream).await;
        let agreed = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
        stream.write_all(agreed).await.unwrap();
        let mut word = [0; 5];
        stream.read_exact(&mut word).await.unwrap();
        stream.write_all(&word[..3]).await.unwrap();
    })
    .await;
    let edge = Logging::start(upstream.address, |_| {}).await;
    let mut stream = TcpStream::connect(edge.listen).await.unwrap();
    let wish = b"GET /live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
    stream.write_all(wish).await.unwrap();
    assert!(read_head(&mut stream).await);
    stream.write_all(b"hello").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"hel");
    drop(stream);
    let line = edge.line().await;
    assert_eq!((&line["status"], &line["outcome"]), (&Value::from(101), &Value::from("answered")));
    assert_eq!((&line["bytes_in"], &line["bytes_out"]), (&Value::from(5), &Value::from(3)));
}
