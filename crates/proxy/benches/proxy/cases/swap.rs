//! Tables with 1,000 routes, handed over under load.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pilotage_proxy::{FULL_WEIGHT, Route, RoutingTable};
use pilotage_testing::Part;

use super::{Bench, Case};
use crate::fault::{During, Fault};
use crate::figure::{Figure, Goal};
use crate::load::{Load, LoadReport, Wrk};
use crate::outcome::median;
use crate::servers::{Edge, ROUTE, Setup, pool, route};

pub const CASE: Case = Case {
    name: "swap",
    about: "tables with 1,000 routes, handed over every 250 ms while requests come",
    needs: &[Part::Nginx, Part::Wrk],
    run,
};

const ROUTES: usize = 1_000;

const LIMIT_MS: f64 = 5.0;

/// More than the noise between runs would be a step that users can see.
const P99: Goal = Goal::AtMostTimes(1.25);

const BETWEEN: Duration = Duration::from_millis(250);

/// Each connection waits so long between two requests, so that the processors are not full: what is to be seen is the
/// swap, not who else wanted the processor at that moment.
const THINKING_MS: u32 = 4;

const VERSIONS: [&str; 2] = ["1.0.0", "2.0.0"];

fn run(bench: &Bench) -> Result<Vec<Figure>, Fault> {
    let upstream = bench.upstream()?;
    let setup = Setup::plain(upstream.tcp.clone());
    let edge = Edge::start_without_table(&bench.folder()?)?;
    let mut swaps = Swaps { edge, setup, epoch: 0, disk: bench.folder()? };
    swaps.apply(swaps.table(1))?;
    let script = bench.folder()?.join("thinking.lua");
    fs::write(&script, format!("function delay() return {THINKING_MS} end\n")).during(script.display())?;
    let load = Wrk::thinking(&bench.folder()?, THINKING_MS)?;
    let (mut quiet, mut busy, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..bench.plan.rounds {
        let without = load.run(swaps.edge.proxy.address, bench.plan.run)?;
        let with = swaps.alone(&load, bench.plan.run)?;
        let (without, with) = (milliseconds(without.p99), milliseconds(with.p99));
        eprintln!(
            "  swap {}/{}: p99 {without:.2} ms without, {with:.2} ms with",
            round + 1,
            bench.plan.rounds
        );
        quiet.push(without);
        busy.push(with);
        swaps.while_loaded(&load, bench.plan.run, |swaps| {
            times.push(swaps.timed()?);
            Ok(())
        })?;
    }
    let (quiet, busy) = (median(quiet), median(busy));
    let applied: Vec<f64> = times.iter().map(|times| milliseconds(times.applied)).collect();
    let disk: Vec<f64> = times.iter().map(|times| milliseconds(times.disk)).collect();
    let switched: Vec<f64> = times.iter().map(|times| milliseconds(times.switched)).collect();
    Ok(vec![
        Figure::plain("swap.applied.p50", median(applied.clone()), "ms")
            .beside("the disk alone", median(disk))
            .judged(Goal::Below(LIMIT_MS)),
        Figure::plain("swap.applied.p99", percentile99(applied), "ms"),
        Figure::plain("swap.switched.p50", median(switched.clone()), "ms").judged(Goal::Below(LIMIT_MS)),
        Figure::plain("swap.switched.p99", percentile99(switched), "ms").judged(Goal::Below(LIMIT_MS)),
        Figure::plain("swap.p99", busy, "ms").beside("without swaps", quiet).judged(P99),
        Figure::plain("swap.swaps", times.len() as f64, "swaps"),
    ])
}

/// An edge whose table is replaced, and by what.
struct Swaps {
    edge: Edge,
    setup: Setup,
    epoch: u64,
    /// A folder on the disk that the edge uses.
    disk: PathBuf,
}

/// How long one swap took, from before the table was handed over.
struct SwapTime {
    /// Until the edge answered that every worker uses the table and that it is on disk.
    applied: Duration,
    /// Until the last request by the table before.
    switched: Duration,
    /// What of the first the disk takes: the same file written at another time, as durably.
    disk: Duration,
}

impl Swaps {
    /// Hands over one table after the other while the load runs, and does nothing else that would be seen in its p99.
    fn alone(&mut self, load: &Wrk, duration: Duration) -> Result<LoadReport, Fault> {
        let most = duration.div_duration_f64(BETWEEN).ceil() as u64;
        let mut tables = (1..=most).map(|number| self.table(self.epoch + number)).collect::<VecDeque<_>>();
        self.while_loaded(load, duration, |swaps| {
            tables.pop_front().map_or(Ok(()), |table| swaps.apply(table))
        })
    }

    /// Swaps again and again while the load runs.
    fn while_loaded(
        &mut self,
        load: &Wrk,
        duration: Duration,
        mut swap: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<LoadReport, Fault> {
        let (address, done) = (self.edge.proxy.address, AtomicBool::new(false));
        std::thread::scope(|scope| {
            let running = scope.spawn(|| {
                let report = load.run(address, duration);
                done.store(true, Ordering::Relaxed);
                report
            });
            loop {
                std::thread::sleep(BETWEEN);
                // Without load, nothing shows when the switch was.
                if done.load(Ordering::Relaxed) {
                    break;
                }
                swap(self)?;
            }
            running.join().map_err(|_| Fault::new("the load generator panicked"))?
        })
    }

    fn apply(&mut self, table: RoutingTable) -> Result<(), Fault> {
        self.epoch = table.epoch;
        self.edge.apply(table)
    }

    fn timed(&mut self) -> Result<SwapTime, Fault> {
        let old = version(self.epoch);
        let table = self.table(self.epoch + 1);
        let text = serde_json::to_vec(&table).during("writing a table")?;
        let (begun, begun_micros) = (Instant::now(), now_micros());
        self.apply(table)?;
        let applied = begun.elapsed();
        let stats = self.edge.stats()?;
        let counted = stats.routes.get(ROUTE).and_then(|route| route.versions.get(old));
        let last = counted.ok_or_else(|| Fault::new(format!("version {old} was never asked")))?;
        let micros = last.last_request_micros.saturating_sub(begun_micros);
        let switched = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
        Ok(SwapTime { applied, switched, disk: self.durable(&text)? })
    }

    /// How long it takes until a file has taken the place of another, and a power cut would not change that.
    fn durable(&self, text: &[u8]) -> Result<Duration, Fault> {
        let (new, place) = (self.disk.join("new"), self.disk.join("place"));
        let begun = Instant::now();
        let write = || {
            let mut file = File::create(&new)?;
            file.write_all(text)?;
            file.sync_all()?;
            fs::rename(&new, &place)?;
            File::open(&self.disk)?.sync_all()
        };
        write().during(self.disk.display())?;
        Ok(begun.elapsed())
    }

    /// All its routes go to the other version than those of the table before; all but one are for hosts that nobody asks for.
    fn table(&self, epoch: u64) -> RoutingTable {
        let pools = vec![pool(version(epoch), FULL_WEIGHT, &self.setup)];
        let address = self.edge.proxy.address;
        let other = |number: usize| Route {
            name: format!("bench/web-{number}"),
            hosts: vec![format!("web-{number}.example.com")],
            ..route(address, pools.clone())
        };
        let routes = (1..ROUTES).map(other).chain([route(address, pools.clone())]).collect();
        RoutingTable { epoch, routes, ..RoutingTable::empty() }
    }
}

fn version(epoch: u64) -> &'static str {
    VERSIONS[usize::from(epoch.is_multiple_of(2))]
}

fn now_micros() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_micros()).unwrap_or(i64::MAX)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// The value below which 99 of a hundred lie; NaN of none.
fn percentile99(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let rank = (values.len() * 99).div_ceil(100).saturating_sub(1);
    values.get(rank).copied().unwrap_or(f64::NAN)
}
