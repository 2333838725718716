//! Answers of 100 KiB. The others run with their defaults and with settings that suit such bodies; the better counts.

use pilotage_testing::Part;

use super::side_by_side::SideBySide;
use super::{Bench, Case};
use crate::fault::Fault;
use crate::figure::{Figure, Goal};
use crate::load::Wrk;
use crate::outcome::Measure;
use crate::servers::{LARGE_PATH, Setup};

pub const CASE: Case = Case {
    name: "large",
    about: "100 KiB a request, 32 connections; the others also with settings for such bodies",
    needs: &[Part::Nginx, Part::Haproxy, Part::Wrk],
    run,
};

const GOALS: [(Measure, Goal); 1] = [(Measure::Processor, Goal::AtMostTimes(0.8))];

fn run(bench: &Bench) -> Result<Vec<Figure>, Fault> {
    let upstream = bench.upstream()?;
    let setup = Setup::plain(upstream.tcp.clone());
    let tuned = Setup { large_bodies: true, ..setup.clone() };
    let edge = bench.edge(&setup)?;
    let contest = SideBySide {
        case: CASE.name,
        service: Some(&upstream.program),
        load: &Wrk { path: LARGE_PATH, ..Wrk::plain() },
        edge: &edge.proxy,
        peers: &[
            bench.nginx(&setup)?,
            bench.nginx(&tuned)?.named("nginx-tuned"),
            bench.haproxy(&setup)?,
            bench.haproxy(&tuned)?.named("haproxy-tuned"),
        ],
        beside: &[],
        goals: &GOALS,
    };
    contest.run(bench)
}
