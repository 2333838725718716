//! A server on this machine that gives one answer to each request of a script, and keeps what it was asked.

#![allow(dead_code, reason = "not every test needs every helper")]

use std::collections::BTreeMap;

use pilotage_change::ticket::{Ticket, TicketError, Tickets};
use pilotage_spec::{SecretSource, TicketKey, TicketKind, TicketScheme, TicketSignIn, TicketSystem};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The token that tests hand in.
pub const TOKEN: &str = "t0p-s3cret/+=";

/// A request as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Method and target.
    pub line: String,
    /// Headers by name in lower case, without `host`.
    pub headers: BTreeMap<String, String>,
}

impl Asked {
    /// A request of the client with the headers that it always sends, and one that signs in.
    pub fn get(target: &str, accept: &str, authorization: &str) -> Self {
        let headers = [("accept", accept), ("authorization", authorization), ("user-agent", "pilotage")];
        let headers = headers.into_iter().filter(|(_, value)| !value.is_empty());
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { line: format!("GET {target} HTTP/1.1"), headers }
    }
}

/// The server.
pub struct Exchange {
    /// Where it listens.
    pub url: String,
    asked: JoinHandle<Vec<Asked>>,
}

impl Exchange {
    /// Answers with these bytes, one after the other.
    pub async fn raw(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                asked.push(request(&mut stream).await);
                stream.write_all(&answer).await.unwrap();
                stream.shutdown().await.ok();
            }
            asked
        });
        Self { url, asked }
    }

    /// Answers with JSON.
    pub async fn json(answers: &[&str]) -> Self {
        Self::raw(answers.iter().map(|body| answer("200 OK", "application/json", body)).collect()).await
    }

    /// What was asked.
    pub async fn asked(self) -> Vec<Asked> {
        self.asked.await.unwrap()
    }
}

/// An answer in bytes.
pub fn answer(status: &str, kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").into_bytes()
}

async fn request(stream: &mut TcpStream) -> Asked {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        text.push(stream.read_u8().await.unwrap());
    }
    let text = String::from_utf8(text).unwrap();
    let mut lines = text.lines();
    let line = lines.next().unwrap().to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    Asked { line, headers: headers.filter(|(name, _)| name != "host").collect() }
}

/// A system at an address, without places.
pub fn system(kind: TicketKind, url: &str, scheme: Option<TicketScheme>) -> TicketSystem {
    let sign_in = scheme.map(|scheme| TicketSignIn { token: "env:TICKET_TOKEN".parse().unwrap(), scheme });
    TicketSystem {
        kind,
        url: url.to_owned(),
        sign_in,
        states: vec!["Approved".to_owned()],
        service: None,
        environment: None,
        from: None,
        to: None,
    }
}

/// What a ticket says.
pub async fn look(system: &TicketSystem, key: &str) -> Result<Ticket, TicketError> {
    let read = |source: &SecretSource| {
        assert_eq!(source.to_string(), "env:TICKET_TOKEN");
        Ok(TOKEN.to_owned())
    };
    let key: TicketKey = key.parse().unwrap();
    let tickets = Tickets::new(system, read).unwrap();
    assert!(!format!("{tickets:?}").contains(TOKEN));
    let seen = tickets.look(&key).await;
    if let Err(error) = &seen {
        let said = format!("{error} {error:?}");
        assert!(!said.contains(TOKEN) && !said.contains("dDBwLXMzY3JldC8rP"), "{said}");
    }
    seen
}
