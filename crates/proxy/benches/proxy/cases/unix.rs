//! The edge reaches services of ours over unix sockets, where others use TCP.

use pilotage_testing::Part;

use super::side_by_side::SideBySide;
use super::{Bench, Case};
use crate::fault::Fault;
use crate::figure::{Figure, Goal};
use crate::load::Wrk;
use crate::outcome::Measure;
use crate::servers::Setup;

pub const CASE: Case = Case {
    name: "unix",
    about: "the edge over a unix socket beside the others over TCP; for the reader, the others over a unix socket too",
    needs: &[Part::Nginx, Part::Haproxy, Part::Wrk],
    run,
};

const GOALS: [(Measure, Goal); 2] =
    [(Measure::Requests, Goal::AtLeastTimes(1.15)), (Measure::Processor, Goal::AtMostTimes(0.8))];

fn run(bench: &Bench) -> Result<Vec<Figure>, Fault> {
    let upstream = bench.upstream()?;
    let (tcp, unix) = (Setup::plain(upstream.tcp.clone()), Setup::plain(upstream.unix.clone()));
    let edge = bench.edge(&unix)?;
    let contest = SideBySide {
        case: CASE.name,
        service: Some(&upstream.program),
        load: &Wrk::plain(),
        edge: &edge.proxy,
        peers: &[bench.nginx(&tcp)?, bench.haproxy(&tcp)?],
        beside: &[bench.nginx(&unix)?.named("nginx-unix"), bench.haproxy(&unix)?.named("haproxy-unix")],
        goals: &GOALS,
    };
    contest.run(bench)
}
