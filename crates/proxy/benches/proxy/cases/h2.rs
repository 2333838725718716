//! HTTP/2 over TLS from clients, HTTP/1.1 to the service: how browsers reach most services.

use pilotage_proxy::Protocol;
use pilotage_testing::Part;

use super::side_by_side::SideBySide;
use super::{Bench, Case};
use crate::fault::Fault;
use crate::figure::{Figure, Goal};
use crate::load::H2load;
use crate::outcome::Measure;
use crate::servers::{Setup, TestCertificate};

pub const CASE: Case = Case {
    name: "h2",
    about: "12 bytes a request, HTTP/2 over TLS, 16 connections with 16 streams each",
    needs: &[Part::Nginx, Part::Haproxy, Part::H2load],
    run,
};

const GOALS: [(Measure, Goal); 1] = [(Measure::Processor, Goal::AtMostTimes(0.9))];

fn run(bench: &Bench) -> Result<Vec<Figure>, Fault> {
    let upstream = bench.upstream()?;
    let folder = bench.folder()?;
    let setup = Setup {
        client_protocol: Protocol::Http2,
        certificate: Some(TestCertificate::create(&folder)?),
        ..Setup::plain(upstream.tcp.clone())
    };
    let edge = bench.edge(&setup)?;
    let contest = SideBySide {
        case: CASE.name,
        service: Some(&upstream.program),
        load: &H2load { scheme: "https", path: "/", call: None, log: folder.join("h2load.log") },
        edge: &edge.proxy,
        peers: &[bench.nginx(&setup)?, bench.haproxy(&setup)?],
        beside: &[],
        goals: &GOALS,
    };
    contest.run(bench)
}
