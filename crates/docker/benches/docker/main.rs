//! On real engines: how long a way back takes, beside `docker service rollback` in the same run, and how many requests are
//! dropped while containers are replaced under load. A way back lasts from the verdict, which is the call of `route`, to the
//! last request that was sent to the bad version.

#![expect(clippy::expect_used, reason = "a bench ends where it cannot go on")]

mod engine_own;
mod figures;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use figures::{Figures, median};
use pilotage_load::{Load, LoadPlan};
use pilotage_targets::Fence;
use pilotage_testing::{need_docker, need_swarm};
use support::{Rig, World, version};

const USAGE: &str = "usage: docker [--quick] [--requests N] [--rollbacks N]";

/// How much is done.
struct Size {
    requests: u64,
    rollbacks: usize,
}

const WHOLE: Size = Size { requests: 500_000, rollbacks: 20 };
const QUICK: Size = Size { requests: 20_000, rollbacks: 5 };

fn main() -> ExitCode {
    let Some(size) = size(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(64);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    if runtime.block_on(measure(&size)) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the command line asks for; `None` if it makes no sense.
fn size(mut words: impl Iterator<Item = String>) -> Option<Size> {
    let mut size = WHOLE;
    while let Some(word) = words.next() {
        let mut number = || words.next()?.parse().ok();
        match word.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--quick" => size = QUICK,
            "--requests" => size.requests = number()?,
            "--rollbacks" => size.rollbacks = usize::try_from(number()?).ok()?,
            _ => return None,
        }
    }
    Some(size)
}

async fn measure(size: &Size) -> bool {
    let mut figures = Figures::default();
    let Some(docker) = need_docker("the bench `docker`") else { return false };
    let world = World::new(Rig::Docker(docker)).await;
    let ours = rollbacks(&world, size.rollbacks).await;
    let peer = match need_swarm("the bench `docker`") {
        Some(swarm) => {
            let world = World::new(Rig::Swarm(swarm)).await;
            Some(median(&engine_own::rollbacks(&world, size.rollbacks.div_ceil(4)).await))
        }
        None => None,
    };
    figures.times("rollback", &ours, peer, 200.0);
    zero_drop(&world, size.requests, &mut figures).await;
    figures.all_hold()
}

/// Milliseconds from each verdict to the last request that the bad version got.
async fn rollbacks(world: &World, count: usize) -> Vec<f64> {
    for name in ["1.0.0", "1.1.0"] {
        let release = world.release(name, &[]).await;
        world.ensure(&release, 1).await;
        world.ready(name, 1).await;
    }
    let listen = world.route(&[("1.1.0", 10_000)]).await;
    let users = Load::start(LoadPlan::open(listen, 500.0)).expect("load");
    let mut times = Vec::new();
    for _ in 0..count {
        world.route(&[("1.1.0", 10_000)]).await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let verdict = micros();
        world.route(&[("1.0.0", 10_000)]).await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let stats = world.config.edge.stats().await.expect("the edge's counters");
        let last = stats.routes["test/api"].versions["1.1.0"].last_request_micros;
        times.push((last - verdict).max(0) as f64 / 1_000.0);
    }
    let report = users.stop().await.expect("the load's report");
    assert_eq!(report.outcomes.dropped, 0, "{:?}", report.first_drops);
    times
}

fn micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_micros().try_into().unwrap_or(i64::MAX)
}

/// Replaces containers under load until there were enough requests.
async fn zero_drop(world: &World, requests: u64, figures: &mut Figures) {
    let listen = world.route(&[("1.0.0", 10_000)]).await;
    let load = LoadPlan {
        post_share: 0.0,
        new_connection_share: 0.02,
        resend: false,
        ..LoadPlan::closed(listen, 16)
    };
    let users = Load::start(load).expect("load");
    let (mut stable, mut replaced) = ("1.0.0", 0_u64);
    while users.snapshot().requests < requests || replaced < 4 {
        let next = if stable == "1.0.0" { "1.1.0" } else { "1.0.0" };
        let release = world.release(next, &[]).await;
        world.ensure(&release, 2).await;
        world.ready(next, 2).await;
        world.route(&[(next, 5_000), (stable, 5_000)]).await;
        world.route(&[(next, 10_000)]).await;
        world.target().retire(&world.workload(), &version(stable), 0, Fence(1)).await.expect("retire");
        (stable, replaced) = (next, replaced + 1);
    }
    let report = users.stop().await.expect("the load's report");
    if report.outcomes.dropped > 0 {
        eprintln!("{:?}, first: {:#?}", report.drop_reasons, report.first_drops);
    }
    figures.at_least("requests", report.requests, "requests", requests);
    figures.plain("replacements", replaced, "");
    figures.none("dropped", report.outcomes.dropped);
}
