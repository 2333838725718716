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
    let address = service.tcp_address().unwrap();
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
async fn an_upload_in_pieces_is_counted_hashed_and_its_trailers_are_read() {
    let running = start(SampleSettings::default()).await;
    let mut stream = connect(running.address).await;
    let head = "POST /upload HTTP/1.1\r\nHost: sample\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\
                Trailer: colour\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    for piece in ["2\r\nab\r\n", "1\r\nc\r\n", "0\r\ncolour: blue\r\n\r\n"] {
        stream.write_all(piece.as_bytes()).await.unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    // The digest of "abc" is an example of FIPS 180-4.
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let expected = format!(r#"{{"bytes":3,"sha256":"{digest}","trailers":{{"colour":"blue"}}}}"#);
    assert!(answer.ends_with(&expected), "{answer}");
}

#[tokio::test]
async fn an_answer_with_trailers_ends_with_them() {
    let running = start(SampleSettings::default()).await;
    let mut stream = connect(running.address).await;
    let head = "GET /trailers HTTP/1.1\r\nHost: sample\r\nConnection: close, TE\r\nTE: trailers\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("trailer: sample-sha256\r\n"), "{answer}");
    assert!(answer.rsplit_once("\r\n0\r\n").unwrap().1.starts_with("sample-sha256: "), "{answer}");
}

#[tokio::test]
async fn events_are_sent_one_by_one() {
    let running = start(SampleSettings { version: "2.0.0".into(), ..SampleSettings::default() }).await;
    let answer = get(running.address, "/events?count=2&ms=1").await;
    assert!(answer.contains("content-type: text/event-stream"), "{answer}");
    for number in 1..=2 {
        assert!(answer.contains(&format!("id: {number}\nevent: tick\ndata: 2.0.0\n\n")), "{answer}");
    }
}

#[tokio::test]
async fn a_unix_socket_is_served_replaced_when_stale_and_removed_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("sample.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let settings = SampleSettings { socket: Some(socket.clone()), ..SampleSettings::default() };
    let service = SampleService::listen(settings.clone()).await.unwrap();
    assert_eq!(service.address().to_string(), format!("unix:{}", socket.display()));
    let taken = SampleService::listen(settings).await.unwrap_err();
    assert!(taken.to_string().contains("sample.sock"), "{taken}");

    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(service.serve(async { drop(stopped.await) }));
    let mut stream = tokio::net::UnixStream::connect(&socket).await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: sample\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
    assert!(!socket.exists());
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let refused =
        SampleService::listen(SampleSettings { port: Some(port), ..SampleSettings::default() }).await;
    assert!(refused.unwrap_err().to_string().contains(&format!("127.0.0.1:{port}")));
}
