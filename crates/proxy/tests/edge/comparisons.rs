//! Answers to copies, compared with those that users get. Users must not notice.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use pilotage_proxy::{FULL_WEIGHT, Mirror, MirrorComparison, MirrorStats, Protocol};
use tokio::sync::Semaphore;

use crate::client::Client;
use crate::http2;
use crate::upstream::{Upstream, gated, say_and_close};
use crate::world::{World, eventually};

fn bodies(ignore: &[&str]) -> MirrorComparison {
    let ignore = ignore.iter().map(|pointer| (*pointer).to_owned()).collect();
    MirrorComparison { bodies: true, ignore, max_body_bytes: 1_000 }
}

fn mirror(compare: MirrorComparison) -> Mirror {
    Mirror {
        version: "2.0.0".to_owned(),
        share: FULL_WEIGHT,
        bytes_per_second: 100_000_000,
        max_body_bytes: 64 * 1024,
        unsafe_methods: true,
        timeout_ms: 60_000,
        compare: Some(compare),
    }
}

async fn compared(own: &Upstream, tried: &Upstream, compare: MirrorComparison) -> World {
    let mut world = World::start().await;
    let pools: &[(_, _, &[_])] = &[("2.0.0", 0, &[tried.address]), ("1.0.0", FULL_WEIGHT, &[own.address])];
    world.route_with(pools, |route| route.mirror = Some(mirror(compare))).await;
    world
}

/// What was counted when so many copies have been compared or not.
async fn after(copies: u64, world: &World) -> MirrorStats {
    let stats = || async { world.version("2.0.0").await.mirror };
    let all = || async {
        let stats = stats().await;
        stats.compared + stats.uncompared == copies
    };
    eventually("all copies were looked at", all).await;
    stats().await
}

/// Answers with this status, content type and coding, and this body.
async fn saying(status: u16, kind: &'static str, coding: &'static str, body: &'static str) -> Upstream {
    Upstream::answering(move |_: Request<Incoming>| async move {
        let head = Response::builder().status(status).header("content-type", kind);
        head.header("content-encoding", coding).body(Full::<Bytes>::from(body)).unwrap()
    })
    .await
}

async fn json(body: &'static str) -> Upstream {
    saying(200, "application/json", "identity", body).await
}

/// Of compared copies: those with another status, and those with another body; then those that were not compared.
fn counted(stats: &MirrorStats) -> (u64, u64, u64, u64) {
    (stats.compared, stats.differing_status, stats.differing_body, stats.uncompared)
}

#[tokio::test]
async fn bodies_of_json_are_compared_by_what_they_say() {
    let own = json("{\"time\": 1, \"items\": [{\"id\": 1, \"secret\": \"x\"}], \"name\": \"a\"}").await;
    let tried = json("{\"name\":\"a\",\"items\":[{\"secret\":\"x\",\"id\":2}],\"time\":9}").await;
    let world = compared(&own, &tried, bodies(&["/time", "/items/*/id"])).await;
    let mut client = Client::connect(world.listen).await;
    for _ in 0..5 {
        let answer = client.get("/list?token=s3cret").await;
        assert!(answer.text().contains("\"time\": 1,"), "the user has the own answer");
    }
    assert_eq!(counted(&after(5, &world).await), (5, 0, 0, 0));

    let world = compared(&own, &tried, bodies(&["/time"])).await;
    let mut client = Client::connect(world.listen).await;
    for _ in 0..5 {
        client.get("/list?token=s3cret").await;
    }
    let stats = after(5, &world).await;
    assert_eq!(counted(&stats), (5, 0, 5, 0));
    let [example] = &stats.examples[..] else { panic!("not one example: {:?}", stats.examples) };
    assert_eq!((example.method.as_str(), example.path.as_str()), ("GET", "/list"));
    assert_eq!((example.own_status, example.copy_status), (200, 200));
    assert_eq!(example.pointer.as_deref(), Some("/items/0/id"));
}

#[tokio::test]
async fn statuses_are_compared_and_other_bodies_byte_by_byte() {
    let plain = |status, body| saying(status, "text/plain", "identity", body);
    let own = plain(200, "a").await;
    for (status, body, both, status_only) in [
        (200, "a", (1, 0, 0, 0), (1, 0, 0, 0)),
        (200, "a ", (1, 0, 1, 0), (1, 0, 0, 0)),
        (503, "a", (1, 1, 0, 0), (1, 1, 0, 0)),
    ] {
        let tried = plain(status, body).await;
        let without = MirrorComparison { bodies: false, ..bodies(&[]) };
        for (compare, expected) in [(bodies(&[]), both), (without, status_only)] {
            let world = compared(&own, &tried, compare).await;
            assert_eq!(Client::connect(world.listen).await.post("/", "body").await.text(), "a");
            assert_eq!(counted(&after(1, &world).await), expected, "{status} {body}");
        }
    }
}

#[tokio::test]
async fn what_is_too_long_or_compressed_or_has_no_counterpart_is_not_compared() {
    let long = |letter: &'static str| {
        Upstream::answering(move |_: Request<Incoming>| async move {
            Response::new(Full::from(letter.repeat(200_000)))
        })
    };
    let (own, tried) = (long("a").await, long("b").await);
    let world = compared(&own, &tried, bodies(&[])).await;
    let answer = Client::connect(world.listen).await.get("/").await;
    assert_eq!((answer.body.len(), answer.version()), (200_000, "1.0.0"));
    assert_eq!(counted(&after(1, &world).await), (0, 0, 0, 1));

    let coded = saying(200, "application/json", "gzip", "{}").await;
    let world = compared(&coded, &coded, bodies(&[])).await;
    assert_eq!(Client::connect(world.listen).await.get("/").await.text(), "{}");
    assert_eq!(counted(&after(1, &world).await), (0, 0, 0, 1));

    let broken = Upstream::conversing(|stream| say_and_close(stream, b"nonsense\r\n\r\n")).await;
    let world = compared(&broken, &coded, bodies(&[])).await;
    assert_eq!(Client::connect(world.listen).await.get("/").await.status(), 502);
    assert_eq!(counted(&after(1, &world).await), (0, 0, 0, 1));
}

#[tokio::test]
async fn neither_answer_waits_for_the_other() {
    let gate = Arc::new(Semaphore::new(0));
    let (slow, quick) = (gated(&gate).await, Upstream::named("gated").await);
    let world = compared(&quick, &slow, bodies(&[])).await;
    let mut client = Client::connect(world.listen).await;
    for _ in 0..3 {
        assert_eq!(client.get("/").await.text(), "gated", "though its copy waits");
    }
    gate.add_permits(3);
    assert_eq!(counted(&after(3, &world).await), (3, 0, 0, 0));

    let world = compared(&slow, &quick, bodies(&[])).await;
    let listen = world.listen;
    let waiting = tokio::spawn(async move { Client::connect(listen).await.get("/").await });
    let answered = || async { world.version("2.0.0").await.mirror.requests == 1 };
    eventually("the copy was answered first", answered).await;
    eventually("its version is not kept from draining", || async {
        world.version("2.0.0").await.in_flight == 0
    })
    .await;
    gate.add_permits(1);
    assert_eq!(waiting.await.unwrap().text(), "gated");
    assert_eq!(counted(&after(1, &world).await), (1, 0, 0, 0));
}

#[tokio::test]
async fn answers_are_compared_whatever_is_spoken() {
    let own = json("{\"a\":1}").await;
    let tried = http2::http2_service(|_, mut respond| async move {
        let head = Response::builder().header("content-type", "application/json").body(()).unwrap();
        let mut stream = respond.send_response(head, false).unwrap();
        stream.send_data(Bytes::from_static(b"{ \"a\""), false).unwrap();
        stream.send_data(Bytes::from_static(b": 2 }"), true).unwrap();
    })
    .await;
    let mut world = World::start().await;
    let pools: &[(_, _, &[_])] = &[("2.0.0", 0, &[tried.address]), ("1.0.0", FULL_WEIGHT, &[own.address])];
    let change = |route: &mut pilotage_proxy::Route| {
        route.pools[0].protocol = Protocol::Http2;
        route.mirror = Some(mirror(bodies(&[])));
    };
    world.route_with(pools, change).await;
    let sender = http2::connect(world.listen).await;
    let (head, body, _) = http2::exchange(&sender, http2::get("/"), "", None).await.unwrap();
    assert_eq!((head.status.as_u16(), &body[..]), (200, &b"{\"a\":1}"[..]));
    let stats = after(1, &world).await;
    assert_eq!(counted(&stats), (1, 0, 1, 0));
    assert_eq!(stats.examples[0].pointer.as_deref(), Some("/a"));
}
