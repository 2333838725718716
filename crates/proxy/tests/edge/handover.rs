//! Taking over: who may, how it can fail, and that nothing is lost when it does.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pilotage_proxy::{EdgeClientError, FULL_WEIGHT, Listener};
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixStream};

use crate::certificates::issue;
use crate::child::{ChildEdge, is_running, signal, spawn};
use crate::client::Client;
use crate::upstream::Upstream;
use crate::world::{World, eventually, free_address, table};

/// Asks to take over, as an edge would, and says how the answer begins.
async fn ask_to_take_over(socket: &Path, format: u32) -> (BufReader<UnixStream>, String) {
    let mut stream = BufReader::new(UnixStream::connect(socket).await.unwrap());
    let request = format!("{{\"request\":\"take_over\",\"format\":{format}}}\n");
    stream.get_mut().write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_line(&mut answer).await.unwrap();
    (stream, answer)
}

#[tokio::test]
async fn edges_with_other_numbers_of_workers_accept_from_every_listener() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::named("one").await;
    let listen = free_address();
    let first = ChildEdge::start(folder.path()).await;
    let client = first.client.clone();
    client.apply(table(1, listen, 0, &[("1.0.0", FULL_WEIGHT, &[upstream.address])])).await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let load = {
        let done = Arc::clone(&done);
        tokio::spawn(async move {
            while !done.load(Ordering::Relaxed) {
                assert_eq!(Client::connect(listen).await.get("/").await.text(), "one");
            }
        })
    };
    let mut edges = vec![first];
    for workers in [4, 1, 3] {
        edges.push(ChildEdge::take_over(folder.path(), workers).await);
        let before = upstream.requests();
        // Enough that each of four listeners gets some, and that one which nobody accepts from would be noticed.
        eventually("connections come in", || async { upstream.requests() > before + 60 }).await;
    }
    done.store(true, Ordering::Relaxed);
    load.await.unwrap();
    let last = edges.pop().unwrap();
    for edge in edges {
        assert!(edge.ended().await, "those that were replaced have ended well");
    }
    client.shutdown(std::time::Duration::ZERO).await.unwrap();
    assert!(last.ended().await);
    assert!(TcpStream::connect(listen).await.is_err(), "nobody keeps the sockets");
    assert!(!folder.path().join("edge.sock").exists());
}

#[tokio::test]
async fn an_edge_that_does_not_come_up_leaves_the_old_one_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::named("one").await;
    let listen = free_address();
    let edge = ChildEdge::start(folder.path()).await;
    let pools = [("1.0.0", FULL_WEIGHT, &[upstream.address][..])];
    edge.client.apply(table(1, listen, 0, &pools)).await.unwrap();
    let mut kept = Client::connect(listen).await;
    kept.get("/").await;
    let text = folder.path().join("text");
    std::fs::write(&text, "no program").unwrap();
    for (executable, reason) in [
        (Path::new("/nowhere/pilotage"), "/nowhere/pilotage cannot be started: No such file"),
        (&text, "cannot be started: Permission denied"),
        (Path::new("/bin/false"), "ended before it had taken over: exit status: 1"),
    ] {
        match edge.try_reload(Some(executable)).await {
            Err(EdgeClientError::Refused { reason: said }) => {
                assert!(said.contains(reason) && said.contains("serves on"), "{said}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(edge.identity().await.pid, edge.pid());
        assert_eq!(kept.get("/").await.text(), "one", "its connections are still there");
        assert_eq!(Client::connect(listen).await.get("/").await.text(), "one");
    }
    assert_eq!(edge.client.apply(table(2, listen, 0, &pools)).await.unwrap(), 2);
    assert_eq!(edge.reload().await.from.pid, edge.pid(), "and it can still be replaced");
}

#[tokio::test]
async fn a_certificate_that_only_the_old_edge_still_has_is_not_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::named("one").await;
    let edge = ChildEdge::start(folder.path()).await;
    let certificate = issue(folder.path(), "shop.test");
    let listen = free_address();
    let mut encrypted = table(1, listen, 0, &[("1.0.0", FULL_WEIGHT, &[upstream.address])]);
    encrypted.listeners =
        vec![Listener { certificates: vec![certificate.clone()], ..Listener::plain(listen) }];
    edge.client.apply(encrypted).await.unwrap();
    std::fs::write(&certificate.chain, "cut off").unwrap();
    let refused = edge.try_reload(None).await.unwrap_err().to_string();
    assert!(refused.contains("is served from memory") && refused.contains("tls.crt"), "{refused}");
    let stats = edge.client.stats().await.unwrap();
    assert_eq!((edge.identity().await.pid, stats.certificates[0].names.len()), (edge.pid(), 1));

    issue(folder.path(), "shop.test");
    edge.reload().await;
    assert_eq!(edge.client.stats().await.unwrap().certificates[0].names, ["shop.test"]);
}

#[tokio::test]
async fn a_hand_over_that_is_broken_off_changes_nothing() {
    let mut world = World::start().await;
    let upstream = Upstream::named("one").await;
    let pools = [("1.0.0", FULL_WEIGHT, &[upstream.address][..])];
    world.route(&pools).await;
    let socket = world.folder.path().join("edge.sock");
    for _ in 0..3 {
        let (taking, offer) = ask_to_take_over(&socket, 1).await;
        assert!(offer.starts_with("{\"response\":\"offer\""), "{offer}");
        let (_, refusal) = ask_to_take_over(&socket, 1).await;
        assert!(refusal.contains("is being replaced or stopped already"), "{refusal}");
        assert_eq!(Client::connect(world.listen).await.get("/").await.text(), "one");
        // A table waits for what becomes of it.
        let (client, next) = (world.client.clone(), world.table(0, &pools));
        let epoch = next.epoch;
        let applying = tokio::spawn(async move { client.apply(next).await });
        drop(taking);
        assert_eq!(applying.await.unwrap().unwrap(), epoch);
    }
    let (_, refusal) = ask_to_take_over(&socket, 99).await;
    assert!(refusal.contains("hands over by format 1, and not by 99"), "{refusal}");
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_newcomer_that_is_too_slow_is_waited_for_no_longer() {
    let mut world = World::start().await;
    world.route(&[]).await;
    let socket = world.folder.path().join("edge.sock");
    let (mut taking, _) = ask_to_take_over(&socket, 1).await;
    let next = world.table(0, &[]);
    let epoch = next.epoch;
    assert_eq!(world.client.apply(next).await.unwrap(), epoch, "the table had to wait, and was not refused");
    let mut rest = String::new();
    assert_eq!(taking.read_line(&mut rest).await.unwrap(), 0, "the connection was closed");
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_signal_replaces_and_the_new_edge_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let edge = ChildEdge::start(folder.path()).await;
    let first = edge.pid();
    signal(first, Signal::USR2);
    eventually("another edge serves", || async { edge.identity().await.pid != first }).await;
    let second = edge.identity().await.pid;
    edge.note(second);
    signal(second, Signal::TERM);
    eventually("it has ended", || async { !is_running(second) }).await;
    assert!(!folder.path().join("edge.sock").exists());
    assert!(edge.ended().await, "and so has the first");
    // Nothing is locked any more.
    let next = ChildEdge::start(folder.path()).await;
    assert_eq!(next.identity().await.pid, next.pid());
}

#[tokio::test]
async fn there_must_be_somebody_to_take_over_from_with_the_same_folder() {
    let folder = tempfile::tempdir().unwrap();
    let alone = spawn(folder.path(), 1, &["take-over"]).wait().unwrap();
    assert_eq!(alone.code(), Some(3));

    let _edge = ChildEdge::start(folder.path()).await;
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::create_dir(elsewhere.path().join("state")).unwrap();
    std::fs::write(elsewhere.path().join("state/edge.lock"), "").unwrap();
    std::os::unix::fs::symlink(folder.path().join("edge.sock"), elsewhere.path().join("edge.sock")).unwrap();
    let other = spawn(elsewhere.path(), 1, &["take-over"]).wait().unwrap();
    assert_eq!(other.code(), Some(3));
}

#[tokio::test]
async fn an_edge_without_arguments_for_another_cannot_be_replaced_on_request() {
    let world = World::start().await;
    let refused = world.client.reload(None).await.unwrap_err().to_string();
    assert!(refused.contains("does not let it be replaced"), "{refused}");
    world.stop().await.unwrap();
}
