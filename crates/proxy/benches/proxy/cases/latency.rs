//! How long requests take when no processor is full: every proxy gets the same requests a second, about half of what it could
//! serve.

use pilotage_testing::Part;

use super::side_by_side::SideBySide;
use super::{Bench, Case};
use crate::fault::Fault;
use crate::figure::{Figure, Goal};
use crate::load::Wrk;
use crate::outcome::Measure;
use crate::servers::Setup;

pub const CASE: Case = Case {
    name: "latency",
    about: "12 bytes a request over TCP, 32 connections that wait 2 ms between an answer and their next request",
    needs: &[Part::Nginx, Part::Haproxy, Part::Wrk],
    run,
};

const THINKING_MS: u32 = 2;

const GOALS: [(Measure, Goal); 1] = [(Measure::P99, Goal::AtMostTimes(0.8))];

fn run(bench: &Bench) -> Result<Vec<Figure>, Fault> {
    let upstream = bench.upstream()?;
    let setup = Setup::plain(upstream.tcp.clone());
    let edge = bench.edge(&setup)?;
    let contest = SideBySide {
        case: CASE.name,
        service: Some(&upstream.program),
        load: &Wrk::thinking(&bench.folder()?, THINKING_MS)?,
        edge: &edge.proxy,
        peers: &[bench.nginx(&setup)?, bench.haproxy(&setup)?],
        beside: &[],
        goals: &GOALS,
    };
    contest.run(bench)
}
