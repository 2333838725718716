//! What the load generator itself costs, so that figures taken with it can be trusted.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use pilotage_load::sample::{SampleService, SampleSettings};
use pilotage_load::{Load, LoadPlan};
use serde_json::json;

const REQUESTS_PER_SECOND: f64 = 1_000.0;
const GOAL_PERCENT: f64 = 20.0;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let duration = Duration::from_secs(if quick { 2 } else { 10 });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let address = sample();

    let load = Load::start(LoadPlan::open(address, REQUESTS_PER_SECOND)).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let (before, start) = (own_processor_time(), Instant::now());
    std::thread::sleep(duration);
    let used = own_processor_time().saturating_sub(before);
    let percent = used.as_secs_f64() / start.elapsed().as_secs_f64() * 100.0;
    let report = runtime.block_on(load.stop()).unwrap();
    assert_eq!(report.outcomes.ok, report.requests, "{report:?}");

    figure(
        "load generator at 1,000 requests/s",
        percent,
        "% of a core",
        Some(("< 20", percent < GOAL_PERCENT)),
    );
    figure("p50 from due to answered", report.latency.p50_micros as f64, "us", None);
    figure("p99 from due to answered", report.latency.p99_micros as f64, "us", None);

    let closed = LoadPlan { duration: Some(duration), ..LoadPlan::closed(address, 16) };
    let report = runtime.block_on(Load::start(closed).unwrap().wait()).unwrap();
    let rate = report.requests as f64 * 1_000.0 / report.duration_ms as f64;
    figure("closed loop, 16 connections", rate, "requests/s", None);
}

fn figure(name: &str, value: f64, unit: &str, goal: Option<(&str, bool)>) {
    let (goal, holds) = goal.unzip();
    println!(
        "{}",
        json!({"name": name, "value": value, "unit": unit, "peer": null, "ratio": null, "goal": goal, "holds": holds})
    );
}

/// A sample service on a thread of its own.
fn sample() -> SocketAddr {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let settings = SampleSettings { port: Some(0), ..SampleSettings::default() };
            let service = SampleService::listen(settings).await.unwrap();
            tell.send(service.tcp_address().unwrap()).unwrap();
            service.serve(std::future::pending()).await
        })
    });
    told.recv().unwrap()
}

/// What the generator's threads have used; the first word of `schedstat` is nanoseconds on a processor (proc(5)).
fn own_processor_time() -> Duration {
    let mut nanos = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let text = |name| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
        if matches!(text("comm").trim(), "load" | "pace") {
            nanos += text("schedstat").split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0);
        }
    }
    Duration::from_nanos(nanos)
}
