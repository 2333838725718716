//! What a new edge takes over beside traffic: the admin address, the access log, the key for cookies, and the place itself.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pilotage_proxy::{FULL_WEIGHT, RoutingTable};
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::child::{ChildEdge, command_of, is_running, signal, spawn};
use crate::client::{Client, Load};
use crate::upstream::{Upstream, gated};
use crate::world::{PATIENCE, eventually, free_address, table};

fn to(upstream: &Upstream, listen: SocketAddr) -> RoutingTable {
    table(1, listen, 0, &[("1.0.0", FULL_WEIGHT, &[upstream.address])])
}

/// Two who read the metrics all the time, one on a new connection each time and one on a connection that is kept. No page may
/// fail, and none may count less than the one before.
fn scraping(admin: SocketAddr, done: &Arc<AtomicBool>) -> JoinHandle<()> {
    let done = Arc::clone(done);
    tokio::spawn(async move {
        let mut kept = Client::connect(admin).await;
        let mut last = [0; 2];
        while !done.load(Ordering::Relaxed) {
            let pages = [kept.get("/metrics").await, Client::connect(admin).await.get("/metrics").await];
            for (page, last) in pages.iter().zip(&mut last) {
                let counted = requests(page.text());
                assert!(counted >= *last, "{counted} after {last}");
                *last = counted;
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    })
}

fn requests(metrics: &str) -> u64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix("pilotage_edge_requests_total{"));
    line.and_then(|line| line.rsplit_once(' ')).map_or(0, |(_, count)| count.parse().unwrap())
}

#[tokio::test]
async fn metrics_and_access_log_go_on_across_replacements() {
    let folder = tempfile::tempdir().unwrap();
    let (admin, listen) = (free_address(), free_address());
    let upstream = Upstream::named("one").await;
    let edge = ChildEdge::observed(folder.path(), admin).await;
    edge.client.apply(to(&upstream, listen)).await.unwrap();
    eventually("the admin address answers", || async { tokio::net::TcpStream::connect(admin).await.is_ok() })
        .await;
    let done = Arc::new(AtomicBool::new(false));
    let (load, scrape) = (Load::getting(listen, 2), scraping(admin, &done));
    for _ in 0..4 {
        let before = upstream.requests();
        edge.reload().await;
        eventually("the new edge is used", || async { upstream.requests() > before + 20 }).await;
    }
    done.store(true, Ordering::Relaxed);
    scrape.await.unwrap();
    let sent = load.finish().await;
    let log = || std::fs::read_to_string(folder.path().join("access.log")).unwrap();
    eventually("every request has its line", || async { log().lines().count() as u64 == sent }).await;
    assert!(log().lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    let counted = || async { requests(Client::connect(admin).await.get("/metrics").await.text()) };
    eventually("every request is counted", || async { counted().await == sent }).await;
    let stats = edge.client.stats().await.unwrap();
    assert_eq!((stats.access_log.written, stats.access_log.dropped), (sent, 0));
}

#[tokio::test]
async fn clients_keep_their_version_even_if_the_key_is_gone_from_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (new, old) = (Upstream::named("new").await, Upstream::named("old").await);
    let edge = ChildEdge::start(folder.path()).await;
    let listen = free_address();
    let pools = [("2.0.0", 5_000, &[new.address][..]), ("1.0.0", 5_000, &[old.address])];
    edge.client.apply(table(1, listen, 0, &pools)).await.unwrap();
    let first = Client::connect(listen).await.get("/").await;
    let cookie = first.header("set-cookie").unwrap().split_once(';').unwrap().0.to_owned();
    let key = folder.path().join("state/cookie.key");
    let bytes = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    edge.reload().await;
    // So that nobody but the new edge answers.
    eventually("the old edge has ended", || async { !is_running(edge.pid()) }).await;
    let again = Client::connect(listen).await.get_with("/", &[("cookie", &cookie)]).await;
    assert_eq!((again.version(), again.header("set-cookie")), (first.version(), None));
    assert_eq!(std::fs::read(&key).unwrap(), bytes, "the next start finds it again");
}

#[tokio::test]
async fn a_new_edge_that_is_killed_leaves_its_place_to_a_third_though_the_first_still_drains() {
    let gate = Arc::new(Semaphore::new(0));
    let upstream = gated(&gate).await;
    let folder = tempfile::tempdir().unwrap();
    let (admin, listen) = (free_address(), free_address());
    let first = ChildEdge::observed(folder.path(), admin).await;
    first.client.apply(to(&upstream, listen)).await.unwrap();
    let slow = tokio::spawn(async move { Client::connect(listen).await.get("/").await });
    eventually("it is in flight", || async { upstream.requests() == 1 }).await;
    let second = first.reload().await.to.pid;
    signal(second, Signal::KILL);
    eventually("it has ended", || async { !is_running(second) }).await;

    let third = ChildEdge::start(folder.path()).await;
    let quick = tokio::spawn(async move { Client::connect(listen).await.get("/").await });
    eventually("it serves", || async { upstream.requests() == 2 }).await;
    assert!(is_running(first.pid()), "the first one drains all the while");
    assert!(std::net::TcpListener::bind(admin).is_ok(), "and keeps nobody from the admin address");
    gate.add_permits(2);
    assert_eq!((slow.await.unwrap().status(), quick.await.unwrap().status()), (200, 200));
    assert!(first.ended().await);
    drop(third);
}

#[tokio::test]
async fn edges_that_drain_are_stopped_together_with_the_one_that_serves() {
    let gate = Arc::new(Semaphore::new(0));
    let upstream = gated(&gate).await;
    let folder = tempfile::tempdir().unwrap();
    let listen = free_address();
    let first = ChildEdge::start(folder.path()).await;
    first.client.apply(to(&upstream, listen)).await.unwrap();
    let slow = || tokio::spawn(async move { Client::connect(listen).await.try_get("/").await });
    let cut = slow();
    eventually("it is in flight", || async { upstream.requests() == 1 }).await;
    let second = first.reload().await.to.pid;
    let also_cut = slow();
    eventually("it is in flight", || async { upstream.requests() == 2 }).await;
    let third = first.reload().await.to.pid;
    first.client.shutdown(Duration::from_millis(300)).await.unwrap();
    for pid in [first.pid(), second, third] {
        eventually("it has ended", || async { !is_running(pid) }).await;
    }
    assert!(cut.await.unwrap().is_err() && also_cut.await.unwrap().is_err());
    assert!(first.ended().await, "and as it should");
}

#[tokio::test]
async fn an_edge_of_an_older_make_is_replaced_and_one_of_the_same_make_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::named("one").await;
    let listen = free_address();
    let older = folder.path().join("older");
    std::fs::copy(std::env::current_exe().unwrap(), &older).unwrap();
    let old = command_of(&older, folder.path(), 2, &[]).spawn().unwrap();
    let old = ChildEdge::of(old, folder.path()).await;
    old.client.apply(to(&upstream, listen)).await.unwrap();
    let load = Load::getting(listen, 2);

    let new = ChildEdge::start(folder.path()).await;
    assert!(old.ended().await);
    assert_eq!(new.client.table().await.unwrap(), to(&upstream, listen));
    let refused = spawn(folder.path(), 2, &[]).wait().unwrap();
    assert_eq!(refused.code(), Some(3), "there is nothing to replace");
    new.is_served_by(new.pid()).await;
    load.finish().await;
}

/// Speaks to an edge as one that is about to take its place, and then not as it should.
async fn misbehave(socket: &Path, words: &[&str]) -> String {
    let mut stream = BufReader::new(UnixStream::connect(socket).await.unwrap());
    for word in std::iter::once(&"{\"request\":\"take_over\",\"format\":1}").chain(words) {
        stream.get_mut().write_all(format!("{word}\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        if word.contains("take_over") {
            stream.read_line(&mut answer).await.unwrap();
            assert!(answer.contains("\"offer\""), "{answer}");
        }
    }
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap().unwrap();
    String::from_utf8_lossy(&rest).into_owned()
}

#[tokio::test]
async fn one_that_speaks_nonsense_takes_over_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::named("one").await;
    let listen = free_address();
    let edge = ChildEdge::start(folder.path()).await;
    edge.client.apply(to(&upstream, listen)).await.unwrap();
    let socket = folder.path().join("edge.sock");
    for words in [
        &["nonsense"][..],
        &["{\"request\":\"none\"}"],
        &["{\"request\":\"stats\"}"],
        &["{\"request\":\"stop\",\"grace_ms\":0}"],
        &["{\"request\":\"descriptors\",\"from\":1000000}"],
        &["{\"request\":\"give_up\",\"reason\":\"no more memory\"}"],
        &["{\"request\":\"descriptors\",\"from\":0}", "{\"request\":\"follow\"}"],
    ] {
        let said = misbehave(&socket, words).await;
        assert!(!said.contains("yours"), "{words:?}: {said}");
        assert_eq!(Client::connect(listen).await.get("/").await.text(), "one", "{words:?}");
        assert_eq!(edge.identity().await.pid, edge.pid());
    }
    edge.reload().await;
}
