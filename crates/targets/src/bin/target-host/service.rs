//! A small HTTP service with faults to order, one an argument.

use std::io::{Read, Write};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::listener::{Listener, Stream};

/// Set by `GET /unready` and `GET /dead`, so that a test can make a service fail when it wants.
static UNREADY: AtomicBool = AtomicBool::new(false);
static DEAD: AtomicBool = AtomicBool::new(false);

struct Faults<'a>(&'a [&'a str]);

impl Faults<'_> {
    fn has(&self, name: &str) -> bool {
        self.0.contains(&name)
    }

    /// The number in `name=number`.
    fn number(&self, name: &str) -> Option<u64> {
        self.0.iter().find_map(|fault| fault.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
    }
}

/// Runs the service until something ends it.
pub fn run(faults: &[&str]) -> ExitCode {
    let faults = Faults(faults);
    println!("service begins with {:?}", faults.0);
    if let Some(code) = faults.number("exit") {
        eprintln!("service gives up at once");
        return ExitCode::from(code as u8);
    }
    if faults.has("background") {
        return spawn_again(&faults, &["stubborn"]);
    }
    if faults.has("stubborn") {
        // Signals cannot be ignored without unsafe code, so a shell does it and leaves this to the program it becomes.
        if !faults.has("ignoring") {
            return become_ignoring(&faults);
        }
    }
    if faults.has("grandchild") {
        let _ = spawn_again(&Faults(&[]), &["stubborn", "idle"]);
    }
    if faults.has("idle") {
        loop {
            thread::sleep(Duration::from_secs(1));
        }
    }
    if faults.has("flood") {
        thread::spawn(|| {
            let line = "flood ".repeat(40) + "\n";
            let mut out = std::io::stdout().lock();
            while out.write_all(line.as_bytes()).is_ok() {}
        });
    }
    if let Some(after) = faults.number("crash_after_ms") {
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(after));
            eprintln!("service crashes now");
            std::process::exit(7);
        });
    }
    serve(&faults)
}

fn serve(faults: &Faults) -> ExitCode {
    let listener = match Listener::find() {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("service cannot listen: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ready_at = match faults.has("never_ready") {
        true => None,
        false => Some(Instant::now() + Duration::from_millis(faults.number("ready_after_ms").unwrap_or(0))),
    };
    listener.serve(|stream| {
        thread::spawn(move || converse(stream, ready_at));
    });
    ExitCode::SUCCESS
}

/// Answers requests on one connection, one after the other.
fn converse(mut stream: Box<dyn Stream>, ready_at: Option<Instant>) {
    let mut read = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        while let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            read.drain(..end + 4);
            let path = head.split(' ').nth(1).unwrap_or("/").to_owned();
            let (status, body) = answer(&path, ready_at);
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

fn answer(path: &str, ready_at: Option<Instant>) -> (u16, String) {
    match path {
        "/ready" => {
            let ready = ready_at.is_some_and(|at| Instant::now() >= at) && !UNREADY.load(Ordering::SeqCst);
            (if ready { 200 } else { 503 }, String::new())
        }
        "/live" => (if DEAD.load(Ordering::SeqCst) { 500 } else { 200 }, String::new()),
        "/unready" => {
            UNREADY.store(true, Ordering::SeqCst);
            (200, String::new())
        }
        "/dead" => {
            DEAD.store(true, Ordering::SeqCst);
            (200, String::new())
        }
        "/crash" => std::process::exit(9),
        "/slow" => {
            thread::sleep(Duration::from_millis(700));
            (200, "slow".into())
        }
        "/env" => {
            let mut all: Vec<String> =
                std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
            all.sort();
            (200, all.join("\n"))
        }
        "/folder" => (200, std::env::current_dir().unwrap_or_default().display().to_string()),
        "/say" => {
            println!("the password is {}", std::env::var("PASSWORD").unwrap_or_default());
            (200, String::new())
        }
        _ => (200, std::env::var("PILOTAGE_VERSION").unwrap_or_default()),
    }
}

/// Starts this program once more and leaves it alone.
fn spawn_again(faults: &Faults, more: &[&str]) -> ExitCode {
    let rest = faults.0.iter().filter(|fault| **fault != "background");
    let Ok(own) = std::env::current_exe() else { return ExitCode::FAILURE };
    match Command::new(own).arg("service").args(rest).args(more).spawn() {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Becomes the same program with SIGTERM ignored.
fn become_ignoring(faults: &Faults) -> ExitCode {
    use std::os::unix::process::CommandExt;
    let Ok(own) = std::env::current_exe() else { return ExitCode::FAILURE };
    let error = Command::new("/bin/sh")
        .args(["-c", "trap '' TERM; exec \"$0\" \"$@\""])
        .arg(own)
        .arg("service")
        .args(faults.0)
        .arg("ignoring")
        .exec();
    eprintln!("service cannot become stubborn: {error}");
    ExitCode::FAILURE
}
