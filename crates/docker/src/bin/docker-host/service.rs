//! A small HTTP service with faults to order, one an argument.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Set by `GET /unready` and `GET /dead`, so that a test can make a service fail when it wants.
static UNREADY: AtomicBool = AtomicBool::new(false);
static DEAD: AtomicBool = AtomicBool::new(false);

/// Runs the service until something ends it.
pub fn run(faults: &[&str]) -> ExitCode {
    println!("service begins with {faults:?}");
    if let Some(code) = faults.iter().find_map(|fault| fault.strip_prefix("exit=")?.parse::<u8>().ok()) {
        eprintln!("service gives up at once");
        return ExitCode::from(code);
    }
    UNREADY.store(faults.contains(&"never_ready"), Ordering::SeqCst);
    let port = std::env::var("PORT").ok().and_then(|port| port.parse::<u16>().ok());
    let listener = match TcpListener::bind(("0.0.0.0", port.unwrap_or(8080))) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("service cannot listen: {error}");
            return ExitCode::FAILURE;
        }
    };
    for stream in listener.incoming().flatten() {
        thread::spawn(move || converse(stream));
    }
    ExitCode::SUCCESS
}

/// Answers requests on one connection, one after the other.
fn converse(mut stream: TcpStream) {
    let mut read = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        while let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            read.drain(..end + 4);
            let (status, body) = answer(head.split(' ').nth(1).unwrap_or("/"));
            let response = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            if stream.write_all(response.as_bytes()).is_err() {
                return;
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(count) => read.extend_from_slice(&chunk[..count]),
        }
    }
}

fn answer(path: &str) -> (u16, String) {
    let set = |flag: &AtomicBool| {
        flag.store(true, Ordering::SeqCst);
        (200, String::new())
    };
    match path {
        "/ready" => (if UNREADY.load(Ordering::SeqCst) { 503 } else { 200 }, String::new()),
        "/live" => (if DEAD.load(Ordering::SeqCst) { 500 } else { 200 }, String::new()),
        "/unready" => set(&UNREADY),
        "/dead" => set(&DEAD),
        "/crash" => std::process::exit(9),
        "/env" => {
            let all: Vec<String> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
            (200, all.join("\n"))
        }
        "/write" => match std::fs::write("/written", "x") {
            Ok(()) => (200, "written".to_owned()),
            Err(error) => (403, error.to_string()),
        },
        "/say" => {
            println!("the password is {}", std::env::var("PASSWORD").unwrap_or_default());
            (200, String::new())
        }
        path => match path.strip_prefix("/file") {
            Some(path) => std::fs::read_to_string(path).map_or((404, String::new()), |text| (200, text)),
            None => (200, std::env::var("PILOTAGE_VERSION").unwrap_or_default()),
        },
    }
}
