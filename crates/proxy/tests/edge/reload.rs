//! What users notice of an edge that is replaced: nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use pilotage_proxy::{EdgeClient, EdgeStats, FULL_WEIGHT, VersionStats};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::child::{ChildEdge, is_running, signal};
use crate::client::{Client, Load};
use crate::upstream::{Upstream, gated, read_head};
use crate::world::{ROUTE, eventually, free_address, table};

const RELOADS: usize = 10;

/// An edge as a process, with one route to one upstream.
struct Street {
    edge: ChildEdge,
    listen: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Street {
    async fn to(upstream: &Upstream) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let edge = ChildEdge::start(folder.path()).await;
        let listen = free_address();
        let pools = [("1.0.0", FULL_WEIGHT, &[upstream.address][..])];
        edge.client.apply(table(1, listen, 0, &pools)).await.unwrap();
        Self { edge, listen, _folder: folder }
    }

    async fn stats(&self) -> EdgeStats {
        self.edge.client.stats().await.unwrap()
    }

    async fn version(&self, version: &str) -> VersionStats {
        self.stats().await.routes[ROUTE].versions[version].clone()
    }
}

/// Requests on a new connection each, one after the other; a failed one fails the test.
fn new_connections(address: SocketAddr, done: &Arc<AtomicBool>) -> JoinHandle<u64> {
    let done = Arc::clone(done);
    tokio::spawn(async move {
        let mut sent = 0;
        while !done.load(Ordering::Relaxed) {
            assert_eq!(Client::connect(address).await.get("/").await.status(), 200);
            sent += 1;
        }
        sent
    })
}

/// Reads the counters all the time; says the last count, which is never below one before.
fn watching(client: EdgeClient, done: &Arc<AtomicBool>) -> JoinHandle<u64> {
    let done = Arc::clone(done);
    tokio::spawn(async move {
        let (mut last, mut started) = (0, None);
        while !done.load(Ordering::Relaxed) {
            let stats = client.stats().await.unwrap();
            let version = stats.routes[ROUTE].versions["1.0.0"].clone();
            assert!(version.requests >= last, "{} after {last}", version.requests);
            assert_eq!(*started.get_or_insert(stats.started_micros), stats.started_micros);
            last = version.requests;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        last
    })
}

#[tokio::test]
async fn ten_reloads_under_load_fail_no_request_and_lose_no_count() {
    let upstream = Upstream::named("one").await;
    let street = Street::to(&upstream).await;
    assert_eq!(Client::connect(street.listen).await.get("/").await.text(), "one");
    let done = Arc::new(AtomicBool::new(false));
    let kept = [Load::getting(street.listen, 4), Load::posting(street.listen, 4)];
    let opened = [0; 2].map(|_| new_connections(street.listen, &done));
    let watch = watching(street.edge.client.clone(), &done);

    let first = street.edge.identity().await;
    let mut last = first.pid;
    for _ in 0..RELOADS {
        let replacement = street.edge.reload().await;
        assert_eq!((replacement.from.pid, replacement.addresses), (last, 1));
        last = replacement.to.pid;
        let before = street.version("1.0.0").await.requests;
        eventually("the new edge is used", || async { street.version("1.0.0").await.requests > before + 20 })
            .await;
    }
    done.store(true, Ordering::Relaxed);
    let mut sent = 1;
    for load in kept {
        sent += load.finish().await;
    }
    for load in opened {
        sent += load.await.unwrap();
    }
    watch.await.unwrap();
    let identity = street.edge.identity().await;
    assert_eq!((identity.pid, identity.started_micros), (last, first.started_micros));
    let version = street.version("1.0.0").await;
    assert_eq!((version.requests, version.errors, version.broken), (sent, 0, 0));
    assert_eq!((upstream.requests(), version.latency.count()), (sent, sent));
    assert_eq!(street.stats().await.routes[ROUTE].unserved, 0);
}

#[tokio::test]
async fn a_tunnel_and_a_slow_upload_live_across_reloads() {
    let upstream = Upstream::conversing(|mut stream| async move {
        read_head(&mut stream).await;
        let head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
        stream.write_all(head).await.unwrap();
        let (mut read, mut write) = stream.split();
        let _ = tokio::io::copy(&mut read, &mut write).await;
    })
    .await;
    let echo = Upstream::echo().await;
    let street = Street::to(&upstream).await;
    let mut tunnel = TcpStream::connect(street.listen).await.unwrap();
    let head = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
    tunnel.write_all(head).await.unwrap();
    assert!(read_head(&mut tunnel).await);
    let pools = [("1.0.0", FULL_WEIGHT, &[echo.address][..])];
    street.edge.client.apply(table(2, street.listen, 0, &pools)).await.unwrap();
    let mut upload = TcpStream::connect(street.listen).await.unwrap();
    upload.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n").await.unwrap();
    eventually("the upload is in flight", || async { street.version("1.0.0").await.in_flight == 2 }).await;

    let mut back = [0; 5];
    for _ in 0..4 {
        street.edge.reload().await;
        assert_eq!(street.version("1.0.0").await.in_flight, 2, "what the first edge still has is seen");
        tunnel.write_all(b"there").await.unwrap();
        tunnel.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, b"there");
        upload.write_all(b"0123456789").await.unwrap();
    }
    let mut answer = String::new();
    upload.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with(&"0123456789".repeat(4)), "{answer}");
    assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
    assert_eq!(street.version("1.0.0").await.in_flight, 1);
    drop(tunnel);
    eventually("nothing is in flight", || async { street.version("1.0.0").await.in_flight == 0 }).await;
    let first = street.edge.pid();
    eventually("the first edge has ended", || async { !is_running(first) }).await;
    assert_eq!(street.version("1.0.0").await.requests, 2, "the tunnel and the upload");
}

#[tokio::test]
async fn a_request_that_waits_at_the_old_edge_hears_of_new_instances() {
    let upstream = Upstream::named("one").await;
    let street = Street::to(&upstream).await;
    let none = table(2, street.listen, 30_000, &[("1.0.0", FULL_WEIGHT, &[])]);
    street.edge.client.apply(none).await.unwrap();
    let listen = street.listen;
    let waiting = tokio::spawn(async move { Client::connect(listen).await.get("/").await });
    // There is no counter to be asked whether it has arrived; if it has not, the new edge has it, which is as well.
    tokio::time::sleep(Duration::from_millis(100)).await;
    street.edge.reload().await;
    let some = table(3, street.listen, 30_000, &[("1.0.0", FULL_WEIGHT, &[upstream.address])]);
    street.edge.client.apply(some).await.unwrap();
    assert_eq!(waiting.await.unwrap().text(), "one");
}

#[tokio::test]
async fn a_version_is_not_drained_while_the_old_edge_has_a_request_there() {
    let gate = Arc::new(Semaphore::new(0));
    let (old, new) = (gated(&gate).await, Upstream::named("new").await);
    let street = Street::to(&old).await;
    let listen = street.listen;
    let waiting = tokio::spawn(async move { Client::connect(listen).await.get("/").await });
    eventually("it is in flight", || async { street.version("1.0.0").await.in_flight == 1 }).await;
    street.edge.reload().await;
    let pools = [("2.0.0", FULL_WEIGHT, &[new.address][..]), ("1.0.0", 0, &[])];
    street.edge.client.apply(table(2, listen, 0, &pools)).await.unwrap();
    assert_eq!(Client::connect(listen).await.get("/").await.text(), "new");
    assert_eq!(street.version("1.0.0").await.in_flight, 1);
    gate.add_permits(1);
    assert_eq!(waiting.await.unwrap().text(), "gated");
    eventually("it is drained", || async { street.version("1.0.0").await.in_flight == 0 }).await;
    assert_eq!(street.version("1.0.0").await.requests, 1);
}

#[tokio::test]
async fn what_a_killed_old_edge_had_counted_stays() {
    let gate = Arc::new(Semaphore::new(1));
    let upstream = gated(&gate).await;
    let street = Street::to(&upstream).await;
    let listen = street.listen;
    assert_eq!(Client::connect(listen).await.get("/").await.text(), "gated");
    let cut = tokio::spawn(async move { Client::connect(listen).await.try_get("/").await.is_err() });
    eventually("it is in flight", || async { street.version("1.0.0").await.in_flight == 1 }).await;
    street.edge.reload().await;
    assert_eq!(street.version("1.0.0").await.in_flight, 1);
    signal(street.edge.pid(), Signal::KILL);
    eventually("its request is gone with it", || async { street.version("1.0.0").await.in_flight == 0 })
        .await;
    assert!(cut.await.unwrap());
    assert_eq!(street.version("1.0.0").await.requests, 1);
    gate.add_permits(1);
    assert_eq!(Client::connect(listen).await.get("/").await.text(), "gated");
    assert_eq!(street.version("1.0.0").await.requests, 2);
}

#[tokio::test]
async fn tables_that_are_applied_while_edges_change_are_neither_lost_nor_refused() {
    let (one, two) = (Upstream::named("one").await, Upstream::named("two").await);
    let street = Street::to(&one).await;
    let done = Arc::new(AtomicBool::new(false));
    let epochs = Arc::new(AtomicU64::new(1));
    let load = Load::getting(street.listen, 4);
    let switching = {
        let (client, listen) = (street.edge.client.clone(), street.listen);
        let (done, epochs) = (Arc::clone(&done), Arc::clone(&epochs));
        let addresses = [one.address, two.address];
        tokio::spawn(async move {
            while !done.load(Ordering::Relaxed) {
                let epoch = epochs.fetch_add(1, Ordering::Relaxed) + 1;
                let address = addresses[epoch as usize % 2];
                let next = table(epoch, listen, 0, &[("1.0.0", FULL_WEIGHT, &[address])]);
                assert_eq!(client.apply(next.clone()).await.unwrap(), epoch);
                assert_eq!(client.table().await.unwrap(), next);
            }
        })
    };
    for _ in 0..RELOADS {
        let before = epochs.load(Ordering::Relaxed);
        street.edge.reload().await;
        eventually("tables are applied", || async { epochs.load(Ordering::Relaxed) > before + 2 }).await;
    }
    done.store(true, Ordering::Relaxed);
    switching.await.unwrap();
    load.finish().await;
    let last = street.edge.client.table().await.unwrap();
    assert_eq!(last.epoch, epochs.load(Ordering::Relaxed));
}
