//! What shaping costs: an edge with three versions by weight, sticky clients and mirroring beside one with a single
//! version and none of it. Both count per version, which cannot be switched off.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use pilotage_proxy::{ClientKey, FULL_WEIGHT, Mirror, Pool, Route, RoutingTable};
use pilotage_testing::Part;

use super::{Bench, Case};
use crate::comparison::{Contender, compare};
use crate::fault::{During, Fault};
use crate::figure::{Figure, Goal};
use crate::load::{Wrk, fetch};
use crate::outcome::{Measure, Outcome, details, disturbance};
use crate::servers::{Edge, Setup, pool, route};

pub const CASE: Case = Case {
    name: "features",
    about: "three weighted versions, signed cookies and 1 % mirrored, beside an edge with one version",
    needs: &[Part::Nginx, Part::Wrk],
    run,
};

const GOALS: [(Measure, Goal); 2] =
    [(Measure::Requests, Goal::AtLeastTimes(0.95)), (Measure::Processor, Goal::AtMostTimes(1.05))];

/// One request in a hundred is copied.
const MIRRORED: u32 = FULL_WEIGHT / 100;

/// How many clients the load is made of.
const CLIENTS: usize = 64;

fn run(bench: &Bench) -> Result<Vec<Figure>, Fault> {
    let upstream = bench.upstream()?;
    let setup = Setup::plain(upstream.tcp.clone());
    let off = bench.edge(&setup)?.named("edge-plain");
    let on = Edge::start_without_table(&bench.folder()?)?;
    on.apply(RoutingTable {
        epoch: 1,
        routes: vec![shaped(on.proxy.address, &setup)],
        ..RoutingTable::empty()
    })?;
    // Both get the same requests: those of clients that have been here before.
    let script = Some(clients(bench, on.proxy.address)?);
    let load = Wrk { script, ..Wrk::plain() };
    let contenders = [&on.proxy, &off.proxy].map(|proxy| Contender { proxy, load: &load });
    let outcomes = compare(CASE.name, bench.plan, Some(&upstream.program), &contenders)?;
    check(&on)?;
    Ok(figures(&outcomes))
}

fn figures(outcomes: &[Outcome]) -> Vec<Figure> {
    let [on, off] = outcomes else { return Vec::new() };
    let mut figures: Vec<Figure> =
        GOALS.iter().map(|(measure, goal)| on.against(CASE.name, &[off], *measure, *goal)).collect();
    figures.push(on.figure(CASE.name, Measure::P99));
    figures.extend(details(
        CASE.name,
        &outcomes[1..],
        &[Measure::Requests, Measure::Processor, Measure::P99],
    ));
    figures.extend(disturbance(CASE.name, outcomes));
    figures
}

fn shaped(address: SocketAddr, setup: &Setup) -> Route {
    let pools = [("3.0.0", 1_000), ("2.0.0", 3_000), ("1.0.0", 6_000), (COPIES, 0)]
        .map(|(version, weight)| -> Pool { pool(version, weight, setup) });
    let mirror = Mirror {
        version: COPIES.to_owned(),
        share: MIRRORED,
        bytes_per_second: 10 * 1024 * 1024,
        max_body_bytes: 64 * 1024,
        unsafe_methods: false,
        timeout_ms: 10_000,
        compare: None,
    };
    Route { client_keys: vec![ClientKey::Cookie], mirror: Some(mirror), ..route(address, pools.to_vec()) }
}

/// The version that gets the copies.
const COPIES: &str = "4.0.0";

/// Writes a script for wrk by which clients with the cookies that they were given send the requests, in turns.
fn clients(bench: &Bench, address: SocketAddr) -> Result<PathBuf, Fault> {
    let mut lines = String::new();
    for _ in 0..CLIENTS {
        let cookie = cookie_of(&fetch(address)?)?;
        lines.push_str(&format!(
            "  clients[#clients + 1] = wrk.format('GET', '/', {{ Cookie = '{cookie}' }})\n"
        ));
    }
    let script = format!(
        "local clients, turn = {{}}, 0
function init()
{lines}end
function request()
  turn = turn % #clients + 1
  return clients[turn]
end
"
    );
    let path = bench.folder()?.join("clients.lua");
    fs::write(&path, script).during(path.display())?;
    Ok(path)
}

/// The cookie that an answer sets, as the client sends it back.
fn cookie_of(answer: &str) -> Result<String, Fault> {
    let value = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("set-cookie").then(|| value.split(';').next().unwrap_or(value).trim())
    });
    let value = value.ok_or_else(|| Fault::new(format!("the edge set no cookie: {answer}")))?;
    Ok(value.to_owned())
}

/// A figure for something that did not happen would be worthless: every version had requests, and there were copies.
fn check(edge: &Edge) -> Result<(), Fault> {
    let stats = edge.stats()?;
    let versions = stats.routes.values().flat_map(|route| &route.versions);
    for (version, counted) in versions {
        let (wanted, count) = if version == COPIES {
            ("copies", counted.mirror.requests)
        } else {
            ("requests", counted.requests)
        };
        eprintln!("  version {version}: {count} {wanted}");
        if count == 0 {
            return Err(Fault::new(format!("version {version} had no {wanted}")));
        }
    }
    Ok(())
}
