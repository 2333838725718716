//! What the client says of servers that are not what they should be.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::Write;
use std::net::{SocketAddr, TcpListener};

use pilotage_signals::{PrometheusClient, PrometheusError};
use support::{saying, server};

async fn ask(address: SocketAddr) -> Result<Option<f64>, PrometheusError> {
    PrometheusClient::new(&format!("http://{address}"), None).unwrap().instant("up").await
}

#[tokio::test]
async fn a_web_page_is_not_a_prometheus() {
    let error = ask(saying("200 OK", "<!DOCTYPE html><html>Sign in</html>")).await.unwrap_err();
    assert!(matches!(error, PrometheusError::NotPrometheus { .. }), "{error:?}");
    assert!(error.to_string().contains("web page"), "{error}");
    let error = ask(saying("200 OK", r#"{"hello": "world"}"#)).await.unwrap_err();
    assert!(matches!(error, PrometheusError::NotPrometheus { .. }), "{error:?}");
    let error = ask(saying("200 OK", r#"{"status": "success"}"#)).await.unwrap_err();
    assert!(error.to_string().contains("no data"), "{error}");
}

#[tokio::test]
async fn a_refused_token_is_told_from_a_server_in_trouble() {
    let error = ask(saying("401 Unauthorized", "who are you?")).await.unwrap_err();
    assert!(matches!(error, PrometheusError::Unauthorized { status: 401, .. }), "{error:?}");
    let error = ask(saying("503 Service Unavailable", "<html>later</html>")).await.unwrap_err();
    assert!(matches!(error, PrometheusError::Status { status: 503, reason: None, .. }), "{error:?}");
    let body = r#"{"status":"error","errorType":"unavailable","error":"WAL replay"}"#;
    let error = ask(saying("503 Service Unavailable", body)).await.unwrap_err();
    assert!(error.to_string().contains("503: WAL replay"), "{error}");
    let error = ask(saying("302 Found", "")).await.unwrap_err();
    assert!(matches!(error, PrometheusError::Status { status: 302, .. }), "{error:?}");
}

#[tokio::test]
async fn nobody_there_and_a_cut_connection_are_unreachable() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = ask(nobody).await.unwrap_err();
    assert!(matches!(error, PrometheusError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&nobody.to_string()), "{error}");
    let error = ask(server(drop)).await.unwrap_err();
    assert!(matches!(error, PrometheusError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_not_spoken_to_in_the_clear() {
    let address = saying("200 OK", r#"{"status":"success","data":{"resultType":"scalar","result":[0,"1"]}}"#);
    let client = match PrometheusClient::new(&format!("https://{address}"), Some("s3cret".into())) {
        Ok(client) => client,
        // A machine without any trusted certificate says so before it asks.
        Err(error) => return assert!(matches!(error, PrometheusError::NoRoots { .. }), "{error:?}"),
    };
    let error = client.instant("up").await.unwrap_err();
    assert!(matches!(error, PrometheusError::Unreachable { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up() {
    // The clock of the test runs ahead as soon as nothing else is to be done.
    let address = server(std::mem::forget);
    let error = ask(address).await.unwrap_err();
    assert!(matches!(error, PrometheusError::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let address = server(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        while stream.write_all(&[b' '; 65_536]).is_ok() {}
    });
    let error = ask(address).await.unwrap_err();
    assert!(error.to_string().contains("longer than 1 MiB"), "{error}");
}
