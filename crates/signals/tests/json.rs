//! The client for JSON documents against real servers, good and bad.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};

use pilotage_signals::{JsonClient, JsonError};
use pilotage_spec::{JsonSource, Workload};
use support::{saying, server};

fn client(address: SocketAddr, path: &str, pointer: &str, token: Option<&str>) -> JsonClient {
    let source =
        JsonSource { url: format!("http://{address}{path}"), pointer: pointer.to_owned(), token: None };
    JsonClient::new(source, token.map(str::to_owned)).unwrap()
}

async fn number(client: &JsonClient) -> Result<f64, JsonError> {
    let workload = Workload { environment: "production".parse().unwrap(), service: "api".parse().unwrap() };
    client.number(&workload, &"1.2.0+b.7".parse().unwrap()).await
}

async fn ask(address: SocketAddr) -> Result<f64, JsonError> {
    number(&client(address, "/stats?key=s3cret", "/orders/rate", None)).await
}

async fn words(status: &'static str, body: &'static str) -> String {
    let message = ask(saying(status, body)).await.unwrap_err().to_string();
    assert!(!message.contains("s3cret"), "{message}");
    message
}

/// Answers every request with this document, and tells their heads.
fn documented(body: &'static str) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, heads) = channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let _ = tell.send(head.join("\n"));
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    (address, heads)
}

#[tokio::test]
async fn the_number_is_asked_for_with_the_names_and_the_token() {
    let (address, heads) = documented(r#"{"orders": {"rate": 12.5}}"#);
    let client = client(address, "/$ENVIRONMENT/$SERVICE?v=$VERSION", "/orders/rate", Some("t0ken"));
    assert_eq!(number(&client).await, Ok(12.5));
    let head = heads.recv().unwrap();
    assert!(head.starts_with("GET /production/api?v=1.2.0%2Bb.7 HTTP/1.1"), "{head}");
    assert!(head.to_lowercase().contains("authorization: bearer t0ken"), "{head}");
}

#[tokio::test]
async fn what_is_not_the_document_is_told_from_it() {
    let page = words("200 OK", "  <!DOCTYPE html><html>Sign in</html>").await;
    assert!(page.contains("web page") && page.contains("signing in"), "{page}");
    assert!(words("200 OK", "").await.contains("its answer is empty"));
    assert!(words("200 OK", "12 apples").await.contains("is not JSON"));
    assert!(words("401 Unauthorized", "{}").await.contains("check the `token`"));
    assert!(words("403 Forbidden", "{}").await.contains("refused the request (403)"));
    assert!(words("404 Not Found", "{}").await.contains("answered 404 where 200 is wanted"));
    assert!(words("500 Internal Server Error", r#"{"orders":{"rate":1}}"#).await.contains("500"));
}

#[tokio::test]
async fn what_is_no_number_is_no_answer() {
    let instead = words("200 OK", r#"{"orders": {"count": 3}}"#).await;
    assert!(instead.contains("nothing at `/orders/rate`") && instead.contains("`count`"), "{instead}");
    assert!(words("200 OK", r#"{"orders": {"rate": "12"}}"#).await.contains("there is a text"));
    assert!(words("200 OK", r#"{"orders": {"rate": null}}"#).await.contains("there is null"));
    assert!(words("200 OK", r#"{"orders": {"rate": [1, 2]}}"#).await.contains("there is a list"));
    let not_a_number = words("200 OK", r#"{"orders": {"rate": NaN}}"#).await;
    assert!(not_a_number.contains("NaN, infinities"), "{not_a_number}");
    let huge = words("200 OK", r#"{"orders": {"rate": 1e999}}"#).await;
    assert!(huge.contains("number out of range"), "{huge}");
    let deep = words("200 OK", Box::leak("[".repeat(100_000).into_boxed_str())).await;
    assert!(deep.contains("recursion limit"), "{deep}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_token_goes_nowhere_else() {
    let (elsewhere, heads) = documented("1");
    let address = server(move |mut stream| {
        let head = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close";
        let _ = write!(stream, "{head}\r\nLocation: http://{elsewhere}/login?state=s3cret\r\n\r\n");
    });
    let error = number(&client(address, "/", "", Some("t0ken"))).await.unwrap_err();
    assert!(matches!(error, JsonError::Redirected { status: 302, .. }), "{error:?}");
    let message = error.to_string();
    assert!(
        message.contains(&format!("http://{elsewhere}/login")) && !message.contains("s3cret"),
        "{message}"
    );
    assert!(heads.try_recv().is_err());
}

#[tokio::test]
async fn nobody_there_is_said_with_the_address() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = ask(nobody).await.unwrap_err();
    assert!(matches!(error, JsonError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&format!("http://{nobody}/stats:")), "{error}");
    assert!(matches!(ask(server(drop)).await, Err(JsonError::Unreachable { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up() {
    // The clock of the test runs ahead as soon as nothing else is to be done.
    let error = ask(server(std::mem::forget)).await.unwrap_err();
    assert!(matches!(error, JsonError::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let address = server(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        while stream.write_all(&[b' '; 65_536]).is_ok() {}
    });
    assert!(matches!(ask(address).await, Err(JsonError::TooLong { .. })));
}
