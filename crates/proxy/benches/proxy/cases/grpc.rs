//! Unary gRPC calls: HTTP/2 without TLS on both sides, answers with trailers.

use std::fs;

use pilotage_proxy::Protocol;
use pilotage_testing::Part;

use super::side_by_side::SideBySide;
use super::{Bench, Case};
use crate::fault::{During, Fault};
use crate::figure::{Figure, Goal};
use crate::load::H2load;
use crate::outcome::Measure;
use crate::servers::{GRPC_MESSAGE, GrpcService, Setup};

pub const CASE: Case = Case {
    name: "grpc",
    about: "unary calls of 12 bytes, HTTP/2 without TLS on both sides, 16 connections with 16 streams each",
    needs: &[Part::Nginx, Part::Haproxy, Part::H2load],
    run,
};

const GOALS: [(Measure, Goal); 1] = [(Measure::Processor, Goal::AtMostTimes(0.9))];

fn run(bench: &Bench) -> Result<Vec<Figure>, Fault> {
    let service = GrpcService::start()?;
    let folder = bench.folder()?;
    let call = folder.join("call");
    fs::write(&call, GRPC_MESSAGE).during(call.display())?;
    let setup = Setup {
        upstream_protocol: Protocol::Http2,
        client_protocol: Protocol::Http2,
        ..Setup::plain(service.address.clone())
    };
    let edge = bench.edge(&setup)?;
    let contest = SideBySide {
        case: CASE.name,
        service: None,
        load: &H2load {
            scheme: "http",
            path: "/bench.Echo/Say",
            call: Some(call),
            log: folder.join("h2load.log"),
        },
        edge: &edge.proxy,
        peers: &[bench.nginx(&setup)?, bench.haproxy(&setup)?],
        beside: &[],
        goals: &GOALS,
    };
    contest.run(bench)
}
