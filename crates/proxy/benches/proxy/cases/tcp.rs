//! Small answers over kept-alive TCP connections on both sides: nearly all of the work is the kernel's.

use pilotage_testing::Part;

use super::side_by_side::SideBySide;
use super::{Bench, Case, syscalls};
use crate::fault::Fault;
use crate::figure::{Figure, Goal};
use crate::load::Wrk;
use crate::outcome::Measure;
use crate::servers::Setup;

pub const CASE: Case = Case {
    name: "tcp",
    about: "12 bytes a request, 32 connections, everything over TCP",
    needs: &[Part::Nginx, Part::Haproxy, Part::Wrk],
    run,
};

/// The kernel and the load generator cap requests a second; less than a difference of 5 % is a tie. How long requests take
/// here depends on who waits for the load generator's processor, and is judged by the case `latency`.
const GOALS: [(Measure, Goal); 2] =
    [(Measure::Processor, Goal::AtMostTimes(0.95)), (Measure::Requests, Goal::AtLeastTimes(0.95))];

fn run(bench: &Bench) -> Result<Vec<Figure>, Fault> {
    let upstream = bench.upstream()?;
    let setup = Setup::plain(upstream.tcp.clone());
    let edge = bench.edge(&setup)?;
    let contest = SideBySide {
        case: CASE.name,
        service: Some(&upstream.program),
        load: &Wrk::plain(),
        edge: &edge.proxy,
        peers: &[bench.nginx(&setup)?, bench.haproxy(&setup)?],
        beside: &[],
        goals: &GOALS,
    };
    let mut figures = contest.run(bench)?;
    figures.extend(syscalls::a_request(CASE.name, &edge.proxy, &bench.folder()?)?);
    Ok(figures)
}
