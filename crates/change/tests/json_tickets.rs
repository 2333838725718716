//! Tickets in JSON documents, and servers that are down, slow, or answer with anything else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken helper should fail its test"
)]

#[path = "support/exchange.rs"]
mod exchange;
mod support;

use exchange::{Asked, Exchange, TOKEN, answer, look, system};
use pilotage_change::ticket::Tickets;
use pilotage_spec::{TicketKind, TicketScheme, TicketSystem};
use support::at;
use tokio::net::TcpListener;

fn json(url: &str) -> TicketSystem {
    let kind = TicketKind::Json { state: "/change/state".to_owned() };
    let url = format!("{url}/changes/$TICKET?view=full&of=$$1");
    system(kind, &url, Some(TicketScheme::Header("X-Api-Key".to_owned())))
}

const DOCUMENT: &str = r#"{"change":{"state":"approved","for":["web"],"env":"staging, production",
    "from":"2026-11-23T09:00:00+01:00","to":"2026-11-23T16:00:00Z","number":7}}"#;

#[tokio::test]
async fn pointers_say_where_a_document_says_what() {
    let server = Exchange::json(&[DOCUMENT]).await;
    let mut system = json(&server.url);
    let place = |name: &str| Some(format!("/change/{name}"));
    (system.service, system.environment, system.from, system.to) =
        (place("for"), place("env"), place("from"), place("to"));
    let ticket = look(&system, "shop/web#12").await.unwrap();
    assert!(ticket.approved);
    assert_eq!(ticket.services.unwrap(), ["web"]);
    assert_eq!(ticket.environments.unwrap(), ["staging", "production"]);
    assert_eq!(
        (ticket.from, ticket.to),
        (Some(at("2026-11-23T08:00:00Z")), Some(at("2026-11-23T16:00:00Z")))
    );
    assert_eq!(ticket.url, server.url);
    let mut asked = Asked::get("/changes/shop%2Fweb%2312?view=full&of=$1", "application/json", "");
    asked.headers.insert("x-api-key".to_owned(), TOKEN.to_owned());
    assert_eq!(server.asked().await, [asked]);
}

#[tokio::test]
async fn a_state_is_a_text_or_a_number_and_nothing_else() {
    for (document, seen) in [
        (r#"{"change":{"state":"Approved"}}"#, Ok(true)),
        (r#"{"change":{"state":"approved "}}"#, Ok(true)),
        (r#"{"change":{"state":"disapproved"}}"#, Ok(false)),
        (r#"{"change":{"state":3}}"#, Ok(false)),
        (r#"{"change":{"state":true}}"#, Err("`/change/state` is not a text")),
        (r#"{"change":{"state":["approved"]}}"#, Err("`/change/state` is not a text")),
        (r#"{"change":{"state":"approved\u001b[0m"}}"#, Err("`/change/state` is not a text")),
        (r#"{"change":{"state":""}}"#, Err("does not say its state: `/change/state` is missing or empty")),
        (r#"{"change":{"state":null}}"#, Err("is missing or empty")),
        (r#"{"change":{}}"#, Err("is missing or empty")),
        ("[]", Err("is missing or empty")),
        ("null", Err("is missing or empty")),
    ] {
        let server = Exchange::json(&[document]).await;
        match (look(&json(&server.url), "CHG-1").await, seen) {
            (Ok(ticket), Ok(approved)) => assert_eq!(ticket.approved, approved, "{document}"),
            (Err(error), Err(reason)) => assert!(error.to_string().contains(reason), "{document}: {error}"),
            (seen, _) => panic!("{document}: {seen:?}"),
        }
    }
}

#[tokio::test]
async fn every_other_answer_is_an_error_with_its_own_words() {
    let html = "<!DOCTYPE html><title>Sign in</title>";
    let long = format!(r#"{{"change":{{"state":"approved","text":"{}"}}}}"#, "x".repeat(1 << 20));
    let redirect =
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/login\r\ncontent-length: 0\r\n\r\n".to_vec();
    let cut =
        b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"change\":{\"state\":\"approved\"}}".to_vec();
    for (bytes, reason, is_passing) in [
        (answer("200 OK", "text/html", html), "does not answer with JSON: it answers with a web page", false),
        (answer("200 OK", "application/json", ""), "does not answer with JSON: its answer is empty", false),
        (
            answer("200 OK", "application/json", "approved"),
            "does not answer with JSON: its answer is not JSON",
            false,
        ),
        (answer("200 OK", "application/json", &format!("{DOCUMENT}}}")), "its answer is not JSON", false),
        (answer("200 OK", "application/json", &long), "an answer of more than 1024 KiB", false),
        (answer("401 Unauthorized", "text/html", html), "refuses to show CHG-1 (status 401)", false),
        (answer("403 Forbidden", "application/json", DOCUMENT), "refuses to show CHG-1 (status 403)", false),
        (answer("404 Not Found", "application/json", DOCUMENT), "knows no ticket CHG-1", false),
        (answer("201 Created", "application/json", DOCUMENT), "answers with status 201", false),
        (answer("429 Too Many Requests", "text/plain", ""), "answers with status 429", true),
        (answer("503 Service Unavailable", "application/json", DOCUMENT), "answers with status 503", true),
        (redirect, "a redirect (status 302), which is not followed", false),
        (cut, "cannot be reached", true),
        (b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(), "cannot be reached", true),
        (Vec::new(), "cannot be reached", true),
    ] {
        let server = Exchange::raw(vec![bytes]).await;
        let error = look(&json(&server.url), "CHG-1").await.unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(error.is_passing(), is_passing, "{error}");
        assert!(!error.to_string().contains("view=full"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_down_is_no_approval() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = look(&json(&url), "CHG-1").await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("{url} cannot be reached: ")), "{error}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_no_approval() {
    // Nobody accepts: the connection stands, and nothing comes.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let error = look(&json(&url), "CHG-1").await.unwrap_err();
    assert_eq!(error.to_string(), format!("{url} is too slow: no answer within 5 s"));
}

#[tokio::test]
async fn a_token_that_cannot_be_read_or_sent_is_an_error_without_it() {
    let error =
        Tickets::new(&json("http://127.0.0.1:9"), |_| Err("the variable TICKET_TOKEN is not set".to_owned()))
            .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot sign in at http://127.0.0.1:9: the variable TICKET_TOKEN is not set"
    );
    for scheme in [TicketScheme::Bearer, TicketScheme::Header("X-Api-Key".to_owned())] {
        let system = system(TicketKind::Jira, "http://127.0.0.1:9", Some(scheme));
        let error = Tickets::new(&system, |_| Ok("hunter2\r\nX-Admin: yes".to_owned())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot sign in at http://127.0.0.1:9: what env:TICKET_TOKEN holds cannot be sent in a header"
        );
    }
}
