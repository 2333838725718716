//! What `pilotage deploy` adds to the service's own start and the watch, and how long `pilotage status` takes: whole
//! commands, as a person meets them.

#![expect(clippy::expect_used, reason = "a bench ends where it cannot go on")]

#[path = "../tests/harness/mod.rs"]
mod harness;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::{Sample, World, sample_project};
use serde_json::json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_pilotage");
const WATCH: Duration = Duration::from_millis(500);

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let rounds = if quick { 3 } else { 20 };
    let project = sample_project(PROGRAM, 1, "blue-green: { watch: 500ms, soak: 0s }");
    let mut world = World::new(PROGRAM, &project);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(world.serve(&[]));

    let own_start = median((0..rounds).map(|_| own_start(&world)).collect());
    let deploys: Vec<f64> = (0..=rounds)
        .map(|round| {
            let version = format!("1.{round}.0");
            let artifact = world.release(&Sample::good(&version));
            let deploy = ["deploy", "api", &version, "--artifact", &artifact.to_string_lossy()];
            timed(world.path(), &deploy)
        })
        .skip(1)
        .collect();
    let added = median(deploys) - own_start - WATCH.as_secs_f64() * 1_000.0;
    let statuses = (0..rounds * 2).map(|_| timed(world.path(), &["status", "--output", "json"])).collect();
    figure("overhead.service_own_start", own_start, "", true);
    figure("overhead.deploy_adds", added, "< 100", added < 100.0);
    let status = median(statuses);
    figure("overhead.status", status, "< 30", status < 30.0);
}

/// Milliseconds that a command takes from start to end.
fn timed(folder: &Path, arguments: &[&str]) -> f64 {
    let begun = Instant::now();
    let done = Command::new(PROGRAM)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("the binary starts");
    let took = millis(begun);
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    took
}

/// Milliseconds from the start of the bare service to its first accepted connection.
fn own_start(world: &World) -> f64 {
    let artifact = world.release(&Sample::good("0.0.1"));
    let address: SocketAddr =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let begun = Instant::now();
    let mut service = Command::new(PROGRAM)
        .args(["sample-service", "--settings", "service.json"])
        .env("PORT", address.port().to_string())
        .current_dir(artifact)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    while TcpStream::connect(address).is_err() {
        assert!(begun.elapsed() < harness::PATIENCE, "the service does not start");
        std::thread::sleep(Duration::from_micros(500));
    }
    let took = millis(begun);
    service.kill().expect("it is ours");
    service.wait().expect("it ends");
    took
}

fn millis(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1_000.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn figure(name: &str, value: f64, goal: &str, holds: bool) {
    let value = (value * 10.0).round() / 10.0;
    println!(
        "{}",
        json!({ "name": name, "value": value, "unit": "ms", "peer": null, "ratio": null, "goal": goal, "holds": holds })
    );
}
