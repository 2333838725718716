//! The control socket and what outlives the process.

use std::os::unix::fs::PermissionsExt;

use pilotage_proxy::{EdgeClientError, EdgeError, FULL_WEIGHT, run};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use crate::client::Client;
use crate::upstream::Upstream;
use crate::world::{World, config, free_address, table};

#[tokio::test]
async fn a_table_that_cannot_be_used_is_refused_whole() {
    let mut world = World::start().await;
    let upstream = Upstream::named("one").await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    let before = world.client.table().await.unwrap();

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut port_in_use = table(9, free_address(), 0, &[]);
    let mut second = port_in_use.routes[0].clone();
    second.name = "test/second".to_owned();
    second.listen = taken.local_addr().unwrap();
    port_in_use.routes.push(second);
    let not_full = table(9, world.listen, 0, &[("1.0.0", 9_999, &[])]);
    let stale = table(1, world.listen, 0, &[]);
    for (table, reason) in [
        (port_in_use, "is in use by another program"),
        (not_full, "add up to 9999"),
        (stale, "is not above 1"),
    ] {
        match world.client.apply(table).await {
            Err(EdgeClientError::Refused { reason: said }) => assert!(said.contains(reason), "{said}"),
            other => panic!("{reason}: {other:?}"),
        }
        assert_eq!(world.client.table().await.unwrap(), before);
        assert_eq!(Client::connect(world.listen).await.get("/").await.text(), "one");
    }
    assert_eq!(world.client.apply(before).await.unwrap(), 1, "the table in use may be handed over again");
}

#[tokio::test]
async fn a_table_that_cannot_be_kept_on_disk_is_refused() {
    let mut world = World::start().await;
    let (old, new) = (Upstream::named("old").await, Upstream::named("new").await);
    world.route(&[("1.0.0", FULL_WEIGHT, &[old.address])]).await;
    let state = world.folder.path().join("state");
    let next = world.table(0, &[("2.0.0", FULL_WEIGHT, &[new.address])]);

    // It cannot take the place of the one before.
    std::fs::remove_file(state.join("table.json")).unwrap();
    std::fs::create_dir(state.join("table.json")).unwrap();
    let refused = world.client.apply(next.clone()).await.unwrap_err().to_string();
    assert!(refused.contains("is in use again"), "{refused}");
    // It cannot be written at all.
    std::fs::remove_dir_all(&state).unwrap();
    let refused = world.client.apply(next).await.unwrap_err().to_string();
    assert!(refused.contains("cannot be written"), "{refused}");

    assert_eq!(world.client.table().await.unwrap().epoch, 1);
    assert_eq!(Client::connect(world.listen).await.get("/").await.text(), "old");
}

#[tokio::test]
async fn nonsense_on_the_socket_does_no_harm() {
    let world = World::start().await;
    let socket = world.folder.path().join("edge.sock");
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let mut stream = BufReader::new(UnixStream::connect(&socket).await.unwrap());
    for line in ["\n", "{}\n", "nonsense\n", "{\"request\":\"apply\",\"table\":3}\n", "\u{0}\n"] {
        stream.get_mut().write_all(line.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_line(&mut answer).await.unwrap();
        assert!(answer.starts_with("{\"response\":\"refused\",\"reason\":"), "{line:?}: {answer}");
    }
    let mut flood = UnixStream::connect(&socket).await.unwrap();
    // The edge stops reading half way, which may break the connection under the writer.
    let _ = flood.write_all(&vec![b'x'; 17 * 1024 * 1024]).await;
    assert_eq!(world.client.identify().await.unwrap().pid, std::process::id());
    world.stop().await.unwrap();
}

#[tokio::test]
async fn an_answer_nobody_waited_for_is_not_given_to_the_next_question() {
    let mut world = World::start().await;
    for _ in 0..20 {
        let next = world.table(0, &[]);
        let epoch = next.epoch;
        let patience = std::time::Duration::from_micros(300);
        let _ = tokio::time::timeout(patience, world.client.apply(next.clone())).await;
        assert_eq!(world.client.identify().await.unwrap().pid, std::process::id());
        assert_eq!(world.client.apply(next).await.unwrap(), epoch, "asking again is safe");
    }
}

#[tokio::test]
async fn a_second_edge_is_refused_and_a_stale_socket_replaced() {
    let world = World::start().await;
    let mut second = config(world.folder.path());
    second.state_folder = world.folder.path().join("other");
    match run_elsewhere(second).await {
        Err(EdgeError::SocketServed { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
        other => panic!("{other:?}"),
    }
    world.stop().await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    drop(std::os::unix::net::UnixListener::bind(&config.socket).unwrap());
    let socket = config.socket.clone();
    let edge = tokio::spawn(run_elsewhere(config));
    let client = crate::world::connect(&socket).await;
    client.shutdown(std::time::Duration::ZERO).await.unwrap();
    edge.await.unwrap().unwrap();
    assert!(!socket.exists());
}

async fn run_elsewhere(config: pilotage_proxy::EdgeConfig) -> Result<(), EdgeError> {
    tokio::task::spawn_blocking(|| run(config)).await.unwrap()
}
