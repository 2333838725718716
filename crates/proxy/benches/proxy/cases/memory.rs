//! Memory: under load over few connections, and with many that are idle.

use pilotage_testing::Part;

use super::{Bench, Case};
use crate::comparison::{Contender, compare};
use crate::fault::Fault;
use crate::figure::{Figure, Goal};
use crate::load::{IdleConnections, Wrk};
use crate::machine::memory_bytes;
use crate::outcome::{Measure, Outcome};
use crate::servers::{Proxy, Setup};

pub const CASE: Case = Case {
    name: "memory",
    about: "under load over 32 connections, and with 10,000 that are idle",
    needs: &[Part::Nginx, Part::Haproxy, Part::Wrk],
    run,
};

const LOADED: Goal = Goal::AtMostTimes(1.0 / 3.0);

const IDLE: usize = 10_000;
const IDLE_LIMIT_MB: f64 = 100.0;

fn run(bench: &Bench) -> Result<Vec<Figure>, Fault> {
    let mut figures = loaded(bench)?;
    figures.extend(idle(bench)?);
    Ok(figures)
}

/// HAProxy is what the goal names: nginx, which does less, needs least.
fn loaded(bench: &Bench) -> Result<Vec<Figure>, Fault> {
    let upstream = bench.upstream()?;
    let setup = Setup::plain(upstream.tcp.clone());
    let edge = bench.edge(&setup)?;
    let (nginx, haproxy) = (bench.nginx(&setup)?, bench.haproxy(&setup)?);
    let load = Wrk::plain();
    let contenders = [&edge.proxy, &haproxy, &nginx].map(|proxy| Contender { proxy, load: &load });
    let outcomes = compare(CASE.name, bench.plan, Some(&upstream.program), &contenders)?;
    let [edge, haproxy, nginx]: [Outcome; 3] =
        outcomes.try_into().map_err(|_| Fault::new("not everybody ran"))?;
    Ok(vec![
        edge.against(CASE.name, &[&haproxy], Measure::Memory, LOADED),
        haproxy.figure(CASE.name, Measure::Memory),
        nginx.figure(CASE.name, Measure::Memory),
    ])
}

fn idle(bench: &Bench) -> Result<Vec<Figure>, Fault> {
    let upstream = bench.upstream()?;
    let setup = Setup { connections: IDLE + 1_000, ..Setup::plain(upstream.tcp.clone()) };
    let edge = bench.edge(&setup)?;
    Ok(vec![
        with_idle(&edge.proxy)?.judged(Goal::Below(IDLE_LIMIT_MB)),
        with_idle(&bench.haproxy(&setup)?)?,
        with_idle(&bench.nginx(&setup)?)?,
    ])
}

fn with_idle(proxy: &Proxy) -> Result<Figure, Fault> {
    let connections = IdleConnections::open(proxy.address, IDLE)?;
    let memory = memory_bytes(&proxy.program)? as f64 / 1e6;
    drop(connections);
    eprintln!("  {} with {IDLE} idle connections: {memory:.1} MB", proxy.name);
    Ok(Figure::plain(format!("{}.{}.idle", CASE.name, proxy.name), memory, "MB"))
}
