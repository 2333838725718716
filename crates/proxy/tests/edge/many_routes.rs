//! Tables with many routes: each of them is as the newest table says from the first request on, although what a worker
//! keeps for most of them is made later.

use pilotage_proxy::{Endpoint, FULL_WEIGHT, Pool, Protocol, Route, RoutingTable};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use crate::client::Client;
use crate::upstream::{Upstream, read_head};
use crate::world::{PATIENCE, World, endpoint};

const ROUTES: usize = 1_000;

/// Hosts at the beginning, somewhere in the middle and at the end of the table.
const ASKED: [usize; 4] = [0, 417, 700, ROUTES - 1];

/// A table that sends the host `web-N.test` to the instance of route N.
fn table(world: &World, epoch: u64, instance: impl Fn(usize) -> Endpoint) -> RoutingTable {
    let route = |number: usize| Route {
        hosts: vec![format!("web-{number}.test")],
        pools: vec![Pool {
            version: format!("{epoch}.0.0"),
            weight: FULL_WEIGHT,
            protocol: Protocol::Http1,
            endpoints: vec![instance(number)],
        }],
        ..Route::new(format!("test/web-{number}"), world.listen)
    };
    RoutingTable { epoch, routes: (0..ROUTES).map(route).collect(), ..RoutingTable::empty() }
}

/// A client of an edge that has the table.
async fn client_of(world: &World, table: RoutingTable) -> Client {
    world.client.apply(table).await.unwrap();
    Client::connect(world.listen).await
}

async fn ask(client: &mut Client, number: usize) -> (String, String) {
    let answer = client.get_with("/", &[("host", &format!("web-{number}.test"))]).await;
    (answer.version().to_owned(), answer.text().to_owned())
}

#[tokio::test]
async fn a_thousand_routes_change_at_once() {
    let world = World::start().await;
    let upstreams = [Upstream::named("one").await, Upstream::named("two").await];
    let mut client = client_of(&world, table(&world, 1, |_| endpoint(upstreams[1].address))).await;
    for epoch in 2..=6 {
        let changed = usize::try_from(epoch % 2).unwrap();
        let to = &upstreams[changed];
        world.client.apply(table(&world, epoch, |_| endpoint(to.address))).await.unwrap();
        for number in ASKED {
            let expected = (format!("{epoch}.0.0"), ["one", "two"][changed].to_owned());
            assert_eq!(ask(&mut client, number).await, expected, "route {number} of table {epoch}");
        }
    }
    world.stop().await.unwrap();
}

#[tokio::test]
async fn tables_that_follow_each_other_closely_lose_no_connection_to_an_instance_that_stays() {
    let world = World::start().await;
    let (stays, leaves) = (Upstream::named("stays").await, Upstream::named("leaves").await);
    let mut client = client_of(&world, table(&world, 1, |_| endpoint(stays.address))).await;
    // The instance moves from route to route, and is asked for by one only.
    for epoch in 2..=12 {
        let here = ASKED[usize::try_from(epoch).unwrap() % ASKED.len()];
        let instance = |number| endpoint(if number == here { stays.address } else { leaves.address });
        world.client.apply(table(&world, epoch, instance)).await.unwrap();
        assert_eq!(ask(&mut client, here).await, (format!("{epoch}.0.0"), "stays".to_owned()));
    }
    assert_eq!(stays.connections(), 1);
    assert_eq!(leaves.connections(), 0);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn an_instance_that_no_route_names_any_more_loses_its_connections() {
    let world = World::start().await;
    let (closed, mut is_closed) = mpsc::unbounded_channel();
    let old = Upstream::conversing(move |mut stream| {
        let closed = closed.clone();
        async move {
            while read_head(&mut stream).await {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold").await.unwrap();
            }
            closed.send(()).unwrap();
        }
    })
    .await;
    let new = Upstream::named("new").await;
    let mut client = client_of(&world, table(&world, 1, |_| endpoint(old.address))).await;
    assert_eq!(ask(&mut client, ROUTES - 1).await.1, "old");

    // Nobody asks for the route again.
    world.client.apply(table(&world, 2, |_| endpoint(new.address))).await.unwrap();
    tokio::time::timeout(PATIENCE, is_closed.recv()).await.unwrap().unwrap();
    world.stop().await.unwrap();
}
