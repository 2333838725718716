//! The engine's own way back: a service of Swarm, taken back by `docker service rollback`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::{World, get};

const GOOD: &str = "1.0.0";
const BAD: &str = "1.1.0";
/// How often the service is asked which version it is.
const ASK_EVERY: Duration = Duration::from_millis(2);

/// Milliseconds from each call of the command to the last answer of the bad version.
pub async fn rollbacks(world: &World, count: usize) -> Vec<f64> {
    let image = world.image(GOOD, &[]).await.to_string();
    let name = format!("{}-own", world.config.project);
    let port = free_port();
    let publish = format!("mode=host,target=8080,published={port}");
    let environment = |version: &str| format!("PILOTAGE_VERSION={version}");
    world.docker(&[
        "service",
        "create",
        "--quiet",
        "--name",
        &name,
        "--publish",
        &publish,
        "--env",
        &environment(GOOD),
        "--update-delay",
        "0s",
        "--update-monitor",
        "1s",
        "--stop-grace-period",
        "1s",
        &image,
    ]);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut times = Vec::new();
    for _ in 0..count {
        world.docker(&["service", "update", "--quiet", "--env-add", &environment(BAD), &name]);
        until_answered_by(address, BAD);
        let stop = Arc::new(AtomicBool::new(false));
        let asked = {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || last_answer(address, &stop))
        };
        let verdict = Instant::now();
        world.docker(&["service", "rollback", "--quiet", &name]);
        until_answered_by(address, GOOD);
        stop.store(true, Ordering::SeqCst);
        let last = asked.join().expect("whoever asked");
        times.push(last.map_or(0.0, |last| last.saturating_duration_since(verdict).as_secs_f64() * 1_000.0));
    }
    world.docker(&["service", "rm", &name]);
    times
}

/// When the bad version answered last.
fn last_answer(address: SocketAddr, stop: &AtomicBool) -> Option<Instant> {
    let mut last = None;
    while !stop.load(Ordering::SeqCst) {
        if get(address, "/").is_ok_and(|(_, version)| version == BAD) {
            last = Some(Instant::now());
        }
        std::thread::sleep(ASK_EVERY);
    }
    last
}

fn until_answered_by(address: SocketAddr, version: &str) {
    let begin = Instant::now();
    while !get(address, "/").is_ok_and(|(_, answered)| answered == version) {
        assert!(begin.elapsed() < Duration::from_secs(120), "the swarm does not run {version}");
        std::thread::sleep(ASK_EVERY);
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
