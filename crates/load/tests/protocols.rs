//! The load generator and the sample service in every protocol that both speak, and what the generator makes of ends that
//! are in order and of ends that are not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use pilotage_load::sample::{SampleService, SampleSettings};
use pilotage_load::{Load, LoadPlan, LoadReport, Session, Traffic};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};

const EVERY_KIND: [Traffic; 5] = [
    Traffic::Http1,
    Traffic::Http2 { streams: 4 },
    Traffic::GrpcUnary { streams: 4 },
    Traffic::GrpcStream { streams: 4, session: SESSION },
    Traffic::WebSocket { session: SESSION },
];

const SESSION: Session = Session { messages: 7, pause: Duration::from_millis(1) };

async fn sample(settings: SampleSettings) -> SocketAddr {
    let service = SampleService::listen(SampleSettings { port: Some(0), ..settings }).await.unwrap();
    let address = service.tcp_address().unwrap();
    tokio::spawn(service.serve(std::future::pending()));
    address
}

async fn send(plan: LoadPlan) -> LoadReport {
    Load::start(plan).unwrap().wait().await.unwrap()
}

fn plan(address: SocketAddr, traffic: Traffic, requests: u64) -> LoadPlan {
    LoadPlan { traffic, requests: Some(requests), ..LoadPlan::closed(address, 3) }
}

/// A server that does with each connection what the function says.
async fn serving<F: Future<Output = ()> + Send + 'static>(
    converse: impl Fn(TcpStream, usize) -> F + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(converse(stream, number));
        }
    });
    address
}

#[tokio::test]
async fn every_kind_of_traffic_comes_through_and_is_counted_exactly() {
    let address = sample(SampleSettings::default()).await;
    for traffic in EVERY_KIND {
        let report =
            send(LoadPlan { post_share: 0.3, post_bytes: 100_000, ..plan(address, traffic, 200) }).await;
        assert_eq!((report.requests, report.outcomes.ok), (200, 200), "{traffic:?}: {report:?}");
        assert_eq!((report.moved, report.told_to_go, report.in_flight), (0, 0, 0), "{traffic:?}");
    }
}

#[tokio::test]
async fn a_failure_of_the_service_is_its_own_in_every_kind_of_traffic() {
    let address = sample(SampleSettings { error_rate: 1.0, ..SampleSettings::default() }).await;
    for traffic in EVERY_KIND {
        let report = send(plan(address, traffic, 50)).await;
        assert_eq!((report.requests, report.outcomes.failed_by_service), (50, 50), "{traffic:?}: {report:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_a_refusal_in_every_kind_of_traffic() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for traffic in EVERY_KIND {
        let report = send(plan(nobody, traffic, 5)).await;
        assert_eq!((report.outcomes.dropped, report.drop_reasons["refused"]), (5, 5), "{traffic:?}");
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_within_a_request_is_a_drop_in_every_kind_of_traffic() {
    let address = serving(|stream, _| async move {
        stream.readable().await.unwrap();
        stream.try_read(&mut [0; 10]).unwrap();
    })
    .await;
    for traffic in EVERY_KIND {
        let report = send(LoadPlan { resend: false, ..plan(address, traffic, 5) }).await;
        assert_eq!(report.outcomes.dropped, 5, "{traffic:?}: {report:?}");
    }
}

#[tokio::test]
async fn a_failure_that_somebody_else_made_up_is_a_drop() {
    let address = serving(|stream, _| async move {
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            let answer = http::Response::builder().header("content-type", "application/grpc");
            respond.send_response(answer.header("grpc-status", "14").body(()).unwrap(), true).unwrap();
        }
    })
    .await;
    for traffic in &EVERY_KIND[2..4] {
        let report = send(plan(address, *traffic, 5)).await;
        assert_eq!(report.drop_reasons["grpc-14"], 5, "{report:?}");
    }
}

#[tokio::test]
async fn requests_that_a_closing_http2_connection_did_not_take_go_to_another_one() {
    // Each connection takes a few requests, says that it takes no more, and answers those that it took.
    let address = serving(|stream, _| async move {
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let mut taken = 0;
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            taken += 1;
            if taken == 5 {
                connection.graceful_shutdown();
            }
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                let mut body = respond.send_response(http::Response::new(()), false).unwrap();
                body.send_data(Bytes::from_static(b"whole"), true).unwrap();
            });
        }
    })
    .await;
    let report = send(plan(address, Traffic::Http2 { streams: 8 }, 300)).await;
    assert_eq!((report.requests, report.outcomes.ok), (300, 300), "{report:?}");
}

#[tokio::test]
async fn a_stream_that_is_reset_is_a_drop() {
    let address = serving(|stream, _| async move {
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            respond.send_reset(h2::Reason::REFUSED_STREAM);
        }
    })
    .await;
    let report = send(plan(address, Traffic::Http2 { streams: 2 }, 10)).await;
    assert_eq!(report.drop_reasons["reset"], 10, "{report:?}");
}

/// Echoes two messages, and closes at the third.
async fn closing_at_the_third(code: CloseCode) -> SocketAddr {
    serving(move |stream, _| async move {
        let mut socket = accept_async(stream).await.unwrap();
        for _ in 0..2 {
            let Some(Ok(message)) = socket.next().await else { return };
            socket.send(message).await.unwrap();
        }
        let _ = socket.next().await;
        let _ = socket.close(Some(CloseFrame { code, reason: "".into() })).await;
        while let Some(Ok(_)) = socket.next().await {}
    })
    .await
}

#[tokio::test]
async fn a_websocket_that_is_told_to_go_loses_no_message_and_is_counted() {
    let address = closing_at_the_third(CloseCode::Away).await;
    let report = send(plan(address, Traffic::WebSocket { session: SESSION }, 60)).await;
    assert_eq!((report.requests, report.outcomes.ok), (60, 60), "{report:?}");
    assert!(report.told_to_go >= 20 && report.moved >= 20, "{report:?}");
}

#[tokio::test]
async fn a_websocket_that_is_told_to_go_between_two_messages_and_ends_late_loses_nothing() {
    let address = serving(|stream, _| async move {
        let mut socket = accept_async(stream).await.unwrap();
        let Some(Ok(message)) = socket.next().await else { return };
        socket.send(message).await.unwrap();
        let reason = CloseFrame { code: CloseCode::Away, reason: "".into() };
        socket.send(Message::Close(Some(reason))).await.unwrap();
        // Much longer than the client's pause.
        tokio::time::sleep(Duration::from_millis(100)).await;
    })
    .await;
    let report = send(plan(address, Traffic::WebSocket { session: SESSION }, 12)).await;
    assert_eq!((report.requests, report.outcomes.ok), (12, 12), "{report:?}");
    assert!(report.told_to_go >= 9, "{report:?}");
}

#[tokio::test]
async fn a_websocket_closed_for_another_reason_is_a_drop() {
    let address = closing_at_the_third(CloseCode::Error).await;
    let traffic = Traffic::WebSocket { session: SESSION };
    let report = send(LoadPlan { connections: 1, ..plan(address, traffic, 9) }).await;
    assert_eq!((report.outcomes.ok, report.drop_reasons["closed-1011"]), (6, 3), "{report:?}");
}

#[tokio::test]
async fn a_stop_ends_sessions_in_order() {
    let address = sample(SampleSettings::default()).await;
    let session = Session { messages: u64::MAX, pause: Duration::from_millis(20) };
    for traffic in [Traffic::WebSocket { session }, Traffic::GrpcStream { streams: 2, session }] {
        let load = Load::start(LoadPlan { traffic, ..LoadPlan::closed(address, 2) }).unwrap();
        while load.snapshot().requests < 20 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let report = load.stop().await.unwrap();
        assert_eq!(report.outcomes.ok, report.requests, "{traffic:?}: {report:?}");
    }
}

#[test]
fn sessions_without_messages_or_on_a_schedule_are_refused() {
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    let session = Session { messages: 0, ..SESSION };
    for plan in [
        LoadPlan { traffic: Traffic::WebSocket { session }, ..LoadPlan::closed(address, 1) },
        LoadPlan { traffic: Traffic::WebSocket { session: SESSION }, ..LoadPlan::open(address, 1.0) },
        LoadPlan { traffic: Traffic::Http2 { streams: 0 }, ..LoadPlan::closed(address, 1) },
    ] {
        assert!(Load::start(plan).is_err());
    }
}

#[tokio::test]
async fn an_echo_that_is_not_what_was_sent_is_a_drop() {
    for answer in ["2\r\n\r\nxx", "4\r\n\r\nxyxx", "5\r\n\r\nxxxxx"] {
        let address = serving(move |mut stream, _| async move {
            assert!(stream.read(&mut [0; 4_096]).await.unwrap() > 0);
            let head = "HTTP/1.1 200 OK\r\nContent-Length: ";
            stream.write_all(format!("{head}{answer}").as_bytes()).await.unwrap();
            // A connection that is closed with something unread is reset.
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        })
        .await;
        let plan = LoadPlan { post_share: 1.0, post_bytes: 4, ..plan(address, Traffic::Http1, 3) };
        let report = send(plan).await;
        assert_eq!(report.drop_reasons.get("altered"), Some(&3), "{answer:?}: {report:?}");
    }
}
