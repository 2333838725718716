//! The load generator against the sample service, and against sockets that misbehave.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use pilotage_load::sample::{SampleService, SampleSettings};
use pilotage_load::{Load, LoadPlan, LoadReport};

async fn sample(settings: SampleSettings) -> SocketAddr {
    let service = SampleService::listen(SampleSettings { port: Some(0), ..settings }).await.unwrap();
    let address = service.tcp_address().unwrap();
    tokio::spawn(service.serve(std::future::pending()));
    address
}

async fn send(plan: LoadPlan) -> LoadReport {
    Load::start(plan).unwrap().wait().await.unwrap()
}

/// Answers each connection's first request with these bytes, or with silence, then closes.
fn answering(bytes: &'static [u8]) -> SocketAddr {
    serving(move |mut stream| {
        let _ = stream.write_all(bytes);
    })
}

/// Hands each connection, after its first bytes have come, to `answer`. The thread ends with the test's process.
fn serving(answer: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            if stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
                answer(stream);
            }
        }
    });
    address
}

#[tokio::test]
async fn a_service_that_fails_a_tenth_is_counted_as_such_and_nothing_as_dropped() {
    let address = sample(SampleSettings { error_rate: 0.1, ..SampleSettings::default() }).await;
    let report = send(LoadPlan { requests: Some(2_000), ..LoadPlan::open(address, 2_000.0) }).await;
    assert_eq!(report.requests, 2_000, "{report:?}");
    assert_eq!(report.outcomes.dropped, 0, "{report:?}");
    assert!((140..=260).contains(&report.outcomes.failed_by_service), "{report:?}");
    assert_eq!(report.outcomes.ok + report.outcomes.failed_by_service, 2_000);
}

#[tokio::test]
async fn requests_are_sent_on_schedule_whether_or_not_earlier_ones_came_back() {
    let address = sample(SampleSettings { latency_ms: 1_000, ..SampleSettings::default() }).await;
    let load = Load::start(LoadPlan {
        connections: 1,
        duration: Some(Duration::from_millis(400)),
        ..LoadPlan::open(address, 100.0)
    });
    let report = load.unwrap().wait().await.unwrap();
    // One connection after another would have had one request through in this time.
    assert!(report.requests > 10, "{report:?}");
    assert_eq!(report.outcomes.ok, report.requests, "{report:?}");
    assert!(report.latency.p50_micros >= 1_000_000, "{report:?}");
}

#[tokio::test]
async fn a_closed_load_sends_exactly_as_many_as_it_was_asked_to() {
    let address = sample(SampleSettings::default()).await;
    let report = send(LoadPlan { requests: Some(1_000), ..LoadPlan::closed(address, 4) }).await;
    assert_eq!((report.requests, report.outcomes.ok), (1_000, 1_000), "{report:?}");
}

#[tokio::test]
async fn uploads_fast_and_slow_and_connections_of_their_own_all_come_through() {
    let address = sample(SampleSettings::default()).await;
    let plan = LoadPlan {
        requests: Some(300),
        post_share: 0.5,
        post_bytes: 100_000,
        slow_upload_share: 0.2,
        slow_upload: Duration::from_millis(200),
        new_connection_share: 0.3,
        ..LoadPlan::open(address, 500.0)
    };
    let report = send(plan).await;
    assert_eq!((report.requests, report.outcomes.ok), (300, 300), "{report:?}");
    assert!(report.latency.max_micros >= 150_000, "a slow upload takes its time: {report:?}");
}

#[tokio::test]
async fn answers_are_counted_by_the_version_the_edge_names() {
    let address = answering(
        b"HTTP/1.1 200 OK\r\nPilotage-Version: 2.0.0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    let report = send(LoadPlan { requests: Some(20), ..LoadPlan::open(address, 200.0) }).await;
    let version = &report.versions["2.0.0"];
    assert_eq!(version.outcomes.ok, 20, "{report:?}");
    assert!(version.first_sent_micros >= report.started_micros);
    assert!(version.first_answer_micros >= version.first_sent_micros);
    assert!(version.last_answer_micros >= version.first_answer_micros);
}

async fn one_drop(address: SocketAddr) -> String {
    let timeout = Duration::from_millis(500);
    let report = send(LoadPlan { requests: Some(1), timeout, ..LoadPlan::open(address, 100.0) }).await;
    assert_eq!((report.requests, report.outcomes.dropped), (1, 1), "{report:?}");
    assert_eq!(report.first_drops.len(), 1, "{report:?}");
    report.first_drops[0].reason.clone()
}

#[tokio::test]
async fn what_gets_no_whole_answer_is_dropped_under_its_reason() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(one_drop(nobody).await, "refused");
    assert_eq!(one_drop(answering(b"")).await, "cut");
    assert_eq!(one_drop(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")).await, "cut");
    assert_eq!(one_drop(answering(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")).await, "503");
    assert_eq!(one_drop(answering(b"nonsense\r\n\r\n")).await, "malformed");
    assert_eq!(one_drop(serving(|stream| drop(std::thread::spawn(|| hold(stream))))).await, "timeout");
}

fn hold(mut stream: TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

#[tokio::test]
async fn a_503_with_the_services_mark_and_any_500_are_the_services_own() {
    let marked = answering(b"HTTP/1.1 503 No\r\nSample-Failure: yes\r\nContent-Length: 0\r\n\r\n");
    let plain = answering(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
    for address in [marked, plain] {
        let report = send(LoadPlan { requests: Some(1), ..LoadPlan::open(address, 100.0) }).await;
        assert_eq!((report.outcomes.failed_by_service, report.outcomes.dropped), (1, 0), "{report:?}");
    }
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_costs_no_request() {
    let address = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let report = send(LoadPlan { requests: Some(200), ..LoadPlan::closed(address, 2) }).await;
    assert_eq!((report.requests, report.outcomes.ok), (200, 200), "{report:?}");
}

#[tokio::test]
async fn more_than_may_be_in_flight_is_not_sent_and_counted() {
    let address = sample(SampleSettings { latency_ms: 2_000, ..SampleSettings::default() }).await;
    let plan = LoadPlan { requests: Some(50), max_in_flight: 5, ..LoadPlan::open(address, 1_000.0) };
    let report = send(plan).await;
    assert_eq!((report.requests, report.not_sent), (5, 45), "{report:?}");
}

#[tokio::test]
async fn a_stop_waits_for_what_is_in_flight() {
    let address = sample(SampleSettings { latency_ms: 300, ..SampleSettings::default() }).await;
    let load = Load::start(LoadPlan::open(address, 100.0)).unwrap();
    while load.snapshot().in_flight == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let report = load.stop().await.unwrap();
    assert!(report.requests > 0 && report.in_flight == 0, "{report:?}");
    assert_eq!(report.outcomes.ok, report.requests, "{report:?}");
}

#[test]
fn a_plan_without_a_rate_or_connections_is_refused() {
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    assert!(Load::start(LoadPlan::open(address, 0.0)).is_err());
    assert!(Load::start(LoadPlan::open(address, f64::NAN)).is_err());
    assert!(Load::start(LoadPlan::closed(address, 0)).is_err());
}
