//! A WebSocket client, in Python.

use pilotage_proxy::Protocol;
use pilotage_testing::{Part, need};

use crate::python::Script;
use crate::world::{World, sample};

const CLIENT: &str = include_str!("websocket.py");

#[tokio::test]
async fn messages_pings_and_closes_come_through() {
    let Some(python) = need("the edge and WebSockets", Part::PythonWebsockets) else { return };
    let world = World::start(Protocol::Http1).await;
    let mut client = Script::start(&python, CLIENT, &[&world.edge.to_string(), "messages"]);
    for part in ["messages", "pings", "closes", "many_at_once"] {
        client.says(part).await;
    }
    client.ends_well().await;
    world.idle().await;
    world.stop().await;
}

#[tokio::test]
async fn a_websocket_of_a_version_that_lost_its_share_is_told_to_go_at_the_deadline() {
    let Some(python) = need("the edge and WebSockets", Part::PythonWebsockets) else { return };
    let mut world = World::start(Protocol::Http1).await;
    let mut client = Script::start(&python, CLIENT, &[&world.edge.to_string(), "drain"]);
    client.says("open").await;
    let next = sample("2.0.0").await;
    world.route("2.0.0", next, Protocol::Http1, |route| route.tunnel_drain_ms = 200).await;
    client.ends_well().await;
    world.stop().await;
}
