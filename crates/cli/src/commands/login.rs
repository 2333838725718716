//! `pilotage login` and `pilotage logout`.

use std::net::Ipv4Addr;
use std::time::Duration;

use pilotage_access::oidc::{OidcError, Provider, SigningIn};
use pilotage_server::{Client, Empty, SessionBody, SignInPlace, TokenDone};
use pilotage_spec::SignInName;
use pilotage_views::rfc3339;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::Session;
use crate::arguments::Login;
use crate::connect::connect;
use crate::failure::{DONE, Failure};
use crate::sessions;

/// How long somebody may take at the provider's page.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// How long a browser may take to say what it wants.
const REQUEST_LIMIT: Duration = Duration::from_secs(5);
/// A browser's request is no longer, in bytes.
const REQUEST_LIMIT_BYTES: usize = 16 * 1024;
/// Where the browser comes back to.
const CALLBACK: &str = "/callback";

pub async fn login(asked: &Login, session: &Session) -> Result<u8, Failure> {
    let (place, printer) = (&session.place, &session.printer);
    if !place.reach.is_remote() {
        connect(place, printer).await?;
    }
    // Whoever signs in is nobody yet.
    let client = place.reach.bare_client(&place.state)?;
    let chosen = choose(asked, client.get("/v1/sign-in").await?)?;
    let endpoints = Provider::new(chosen.sign_in.issuer.clone()).endpoints().await.map_err(refused)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let redirect = format!("http://127.0.0.1:{}{CALLBACK}", listener.local_addr()?.port());
    let attempt =
        SigningIn::begin(chosen.sign_in, redirect).map_err(|error| Failure::failed(error.to_string()))?;
    printer.ask(format!("open this page to sign in:\n{}", attempt.page(&endpoints).map_err(refused)?));
    let answer = timeout(PATIENCE, answer(&listener)).await;
    let query = answer.map_err(|_| Failure::failed("nobody has signed in").hint("pilotage login"))??;
    let id_token = attempt.finish(&query, &endpoints).await.map_err(refused)?;
    let done = begin(&client, id_token, attempt.nonce()).await?;
    sessions::keep(&place.reach.address(&place.state), &done.token)?;
    if printer.json() {
        printer.object(&done.record);
    } else {
        let (who, until) = (&done.record.principal, rfc3339(done.record.expires));
        printer.line(format!("✓ signed in as {who} until {until}"));
    }
    Ok(DONE)
}

async fn begin(client: &Client, id_token: String, nonce: &str) -> Result<TokenDone, Failure> {
    Ok(client.post("/v1/session", &SessionBody { id_token, nonce: nonce.to_owned() }).await?)
}

pub async fn logout(session: &Session) -> Result<u8, Failure> {
    let address = session.place.reach.address(&session.place.state);
    if sessions::token(&address)?.is_none() {
        session.printer.say("nobody is signed in");
        return Ok(DONE);
    }
    let ended = session.client().await?.post::<Empty>("/v1/session/end", &Empty {}).await;
    // A session that counts for nothing any more needs no end; in any case it is forgotten here.
    sessions::forget(&address)?;
    if let Err(error) = ended {
        session.printer.say(format!("the server did not end the session: {error}"));
    }
    session.printer.say("✓ signed out");
    Ok(DONE)
}

fn choose(asked: &Login, places: Vec<SignInPlace>) -> Result<SignInPlace, Failure> {
    let names: Vec<String> = places.iter().map(|place| place.name.to_string()).collect();
    let fitting = |place: &SignInPlace| asked.at.as_deref().is_none_or(|name| place.name.as_str() == name);
    let mut fitting = places.into_iter().filter(fitting);
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(only),
        (None, _) if names.is_empty() => Err(Failure::failed("the project has no place to sign in")
            .hint("name one under `access: { sign_in: … }` in pilotage.yaml; see docs/access.md")),
        (None, _) => Err(Failure::usage(format!(
            "there is no such {}",
            SignInName::KIND.trim_start_matches("name of a ")
        ))
        .hint(format!("--at with one of: {}", names.join(", ")))),
        (Some(_), Some(_)) => {
            Err(Failure::usage("which place is meant?")
                .hint(format!("--at with one of: {}", names.join(", "))))
        }
    }
}

fn refused(error: OidcError) -> Failure {
    Failure::failed(error.to_string())
}

/// Waits for the browser to come back, and says what stands behind the `?`. Whatever else comes is sent away.
async fn answer(listener: &TcpListener) -> Result<String, Failure> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        let path = timeout(REQUEST_LIMIT, path(&mut stream)).await.ok().flatten();
        let query = path.as_deref().and_then(|path| path.strip_prefix(CALLBACK)?.strip_prefix('?'));
        let (status, words) = match query {
            Some(_) => ("200 OK", "Signed in. You can close this page."),
            None => ("404 Not Found", "There is nothing here."),
        };
        let page = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{words}",
            words.len()
        );
        // A browser that has gone away has still said what it came for.
        let _ = stream.write_all(page.as_bytes()).await;
        let _ = stream.shutdown().await;
        if let Some(query) = query {
            return Ok(query.to_owned());
        }
    }
}

/// The path of a request, with what stands behind it.
async fn path(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let mut part = [0; 1024];
    while !read.windows(4).any(|end| end == b"\r\n\r\n") {
        let length = stream.read(&mut part).await.ok().filter(|length| *length > 0)?;
        read.extend_from_slice(part.get(..length)?);
        if read.len() > REQUEST_LIMIT_BYTES {
            return None;
        }
    }
    let text = String::from_utf8(read).ok()?;
    let mut words = text.lines().next()?.split(' ');
    (words.next()? == "GET").then(|| words.next().map(str::to_owned)).flatten()
}
