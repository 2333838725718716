//! The sample service, spoken to over plain sockets.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use pilotage_load::sample::{SampleError, SampleService, SampleSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), SampleError>>,
}

async fn start(settings: SampleSettings) -> Running {
    let service = SampleService::listen(SampleSettings { port: Some(0), ..settings }).await.unwrap();
    let address = service.address();
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(service.serve(async { drop(stopped.await) }));
    Running { address, stop, served }
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = connect(address).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: sample\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn an_answer_names_version_instance_and_number() {
    let settings =
        SampleSettings { version: "1.2.3".into(), instance: "blue".into(), ..SampleSettings::default() };
    let running = start(settings).await;
    get(running.address, "/").await;
    let answer = get(running.address, "/").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with(r#"{"version":"1.2.3","instance":"blue","request":2}"#), "{answer}");
}

#[tokio::test]
async fn a_planted_failure_is_marked_and_spares_the_probes() {
    let running = start(SampleSettings { error_rate: 1.0, ..SampleSettings::default() }).await;
    let answer = get(running.address, "/").await;
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    assert!(answer.contains("sample-failure: yes"), "{answer}");
    assert!(get(running.address, "/health").await.starts_with("HTTP/1.1 200"));
    assert!(get(running.address, "/ready").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_late_service_is_alive_and_not_ready() {
    let running = start(SampleSettings { ready_after_ms: 3_600_000, ..SampleSettings::default() }).await;
    assert!(get(running.address, "/ready").await.starts_with("HTTP/1.1 503"));
    assert!(get(running.address, "/health").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_stop_lets_the_request_in_flight_finish_and_closes_the_rest() {
    let running = start(SampleSettings::default()).await;
    let mut idle = connect(running.address).await;
    idle.write_all(b"GET / HTTP/1.1\r\nHost: sample\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let mut busy = connect(running.address).await;
    busy.write_all(b"GET /slow?ms=300 HTTP/1.1\r\nHost: sample\r\n\r\n").await.unwrap();
    // An answer to a later connection shows that the one before has been taken.
    get(running.address, "/").await;

    running.stop.send(()).unwrap();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    let mut answer = String::new();
    busy.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    running.served.await.unwrap().unwrap();
    assert!(TcpStream::connect(running.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_crash_cuts_what_is_in_flight() {
    let running = start(SampleSettings { crash_after_ms: Some(100), ..SampleSettings::default() }).await;
    let mut stream = connect(running.address).await;
    stream.write_all(b"GET /slow?ms=60000 HTTP/1.1\r\nHost: sample\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer).await;
    assert!(read.is_err() || answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    assert!(matches!(running.served.await.unwrap(), Err(SampleError::Crashed)));
}

#[tokio::test]
async fn an_echo_returns_what_it_was_sent() {
    let running = start(SampleSettings::default()).await;
    let mut stream = connect(running.address).await;
    let head = "POST /echo HTTP/1.1\r\nHost: sample\r\nConnection: close\r\nContent-Length: 5\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let refused =
        SampleService::listen(SampleSettings { port: Some(port), ..SampleSettings::default() }).await;
    assert!(refused.unwrap_err().to_string().contains(&format!("127.0.0.1:{port}")));
}
