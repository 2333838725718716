//! A full TLS 1.3 handshake for every request.

use pilotage_testing::Part;

use super::side_by_side::SideBySide;
use super::{Bench, Case};
use crate::fault::Fault;
use crate::figure::{Figure, Goal};
use crate::load::Handshakes;
use crate::outcome::Measure;
use crate::servers::{Setup, TestCertificate};

pub const CASE: Case = Case {
    name: "handshakes",
    about: "a new TLS 1.3 connection a request, ECDSA P-256, X25519, nothing resumed",
    needs: &[Part::Nginx, Part::Haproxy],
    run,
};

const GOALS: [(Measure, Goal); 1] = [(Measure::Processor, Goal::AtMostTimes(0.65))];

fn run(bench: &Bench) -> Result<Vec<Figure>, Fault> {
    let upstream = bench.upstream()?;
    let certificate = TestCertificate::create(&bench.folder()?)?;
    let load = Handshakes::new(&certificate)?;
    let setup = Setup { certificate: Some(certificate), ..Setup::plain(upstream.tcp.clone()) };
    let edge = bench.edge(&setup)?;
    let contest = SideBySide {
        case: CASE.name,
        service: Some(&upstream.program),
        load: &load,
        edge: &edge.proxy,
        peers: &[bench.nginx(&setup)?, bench.haproxy(&setup)?],
        beside: &[],
        goals: &GOALS,
    };
    contest.run(bench)
}
