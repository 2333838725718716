//! A small HTTP/1.1 service with nothing but the standard library.
//!
//! It does nothing about SIGTERM, which therefore ends it at once. No request is lost by that: the edge sends an instance
//! nothing more, and waits for what is in flight, before the instance is stopped.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

/// What makes one build differ from the next.
const GREETING: &str = match option_env!("GREETING") {
    Some(greeting) => greeting,
    None => "Hello",
};

/// A client that says nothing for so long is let go.
const IDLE: Duration = Duration::from_secs(120);

fn main() -> io::Result<()> {
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok());
    let port: u16 = port.ok_or_else(|| io::Error::other("PORT must say on which port to listen"))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    println!("listening on {}", listener.local_addr()?);
    for stream in listener.incoming() {
        std::thread::spawn(move || {
            // A client that goes away is no fault of ours.
            let _ = stream.and_then(serve);
        });
    }
    Ok(())
}

/// Answers requests of one connection until the client has had enough.
fn serve(stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader)? {
        let (status, body) = answer(&request.path);
        let connection = if request.close { "close" } else { "keep-alive" };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: {connection}\r\n\r\n",
            body.len()
        );
        writer.write_all(format!("{head}{body}").as_bytes())?;
        if request.close {
            break;
        }
    }
    Ok(())
}

fn answer(path: &str) -> (&'static str, String) {
    match path {
        "/health" => ("200 OK", "well\n".to_owned()),
        "/" => {
            let version = std::env::var("PILOTAGE_VERSION").unwrap_or_default();
            ("200 OK", format!("{GREETING} from Rust {version}\n"))
        }
        _ => ("404 Not Found", "there is nothing here\n".to_owned()),
    }
}

struct Request {
    path: String,
    close: bool,
}

/// Reads a request and drops its body; `None` when the client has closed the connection.
fn read_request(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    const HEAD_LIMIT_BYTES: u64 = 16 * 1024;
    let mut head = reader.by_ref().take(HEAD_LIMIT_BYTES);
    let mut first = String::new();
    if head.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let path = first.split(' ').nth(1).unwrap_or("/").to_owned();
    let (mut close, mut body_bytes) = (false, 0);
    loop {
        let mut line = String::new();
        if head.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "connection" => close = value.trim().eq_ignore_ascii_case("close"),
            "content-length" => body_bytes = value.trim().parse().map_err(io::Error::other)?,
            // Enough for an example: a body of unknown length ends the connection.
            "transfer-encoding" => return Err(io::ErrorKind::Unsupported.into()),
            _ => {}
        }
    }
    io::copy(&mut reader.by_ref().take(body_bytes), &mut io::sink())?;
    Ok(Some(Request { path, close }))
}
