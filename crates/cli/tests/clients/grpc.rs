//! gRPC's own client, in Python.

use std::time::Duration;

use pilotage_proxy::Protocol;
use pilotage_testing::{Part, need};

use crate::python::Script;
use crate::world::World;

const CLIENT: &str = include_str!("grpc.py");

#[tokio::test]
async fn calls_streams_deadlines_and_failures_come_through() {
    let Some(python) = need("the edge and gRPC", Part::PythonGrpc) else { return };
    let world = World::start(Protocol::Http2).await;
    let mut client = Script::start(&python, CLIENT, &[&world.edge.to_string(), "calls"]);
    for part in [
        "calls_of_one_message",
        "streams_from_the_client",
        "streams_from_the_server",
        "streams_both_ways",
        "failures",
        "deadlines",
        "cancellation",
    ] {
        client.says(part).await;
    }
    client.ends_well().await;
    // What the client gave up is given up at the service too.
    world.idle().await;
    world.stop().await;
}

#[tokio::test]
async fn a_stream_goes_on_to_its_own_end_while_the_edge_drains() {
    let Some(python) = need("the edge and gRPC", Part::PythonGrpc) else { return };
    let world = World::start(Protocol::Http2).await;
    let mut client = Script::start(&python, CLIENT, &[&world.edge.to_string(), "drain"]);
    client.says("open").await;
    world.client.shutdown(Duration::from_secs(30)).await.unwrap();
    client.go_on().await;
    client.ends_well().await;
    world.ended().await;
}
