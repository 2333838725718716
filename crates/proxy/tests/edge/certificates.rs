//! Certificates in tables: what is refused, what is said of them, and what a restart makes of a broken one.

use std::net::SocketAddr;
use std::path::Path;

use pilotage_proxy::{Certificate, EdgeClientError, FULL_WEIGHT, Listener, RoutingTable};
use rcgen::{CertificateParams, KeyPair};
use rustix::process::{Signal, getpid, kill_process};

use crate::client::Client;
use crate::upstream::Upstream;
use crate::world::{World, eventually, free_address};

pub fn issue(folder: &Path, name: &str) -> Certificate {
    let files = Certificate { chain: folder.join("tls.crt"), key: folder.join("tls.key") };
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(&files.chain, certificate.pem()).unwrap();
    std::fs::write(&files.key, key.serialize_pem()).unwrap();
    files
}

/// A table with a plain route, and one on an encrypted address.
async fn both(
    world: &mut World,
    upstream: &Upstream,
    certificate: Certificate,
) -> (RoutingTable, SocketAddr) {
    let mut table = world.table(0, &[("1.0.0", FULL_WEIGHT, &[upstream.address])]);
    let mut encrypted = table.routes[0].clone();
    (encrypted.name, encrypted.listen) = ("test/encrypted".to_owned(), free_address());
    let address = encrypted.listen;
    table.routes.push(encrypted);
    table.listeners.push(Listener { certificates: vec![certificate], ..Listener::plain(address) });
    (table, address)
}

#[tokio::test]
async fn a_table_with_a_broken_certificate_is_refused_whole() {
    let mut world = World::start().await;
    let upstream = Upstream::named("one").await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    let before = world.client.table().await.unwrap();
    let certificate = issue(world.folder.path(), "shop.test");
    std::fs::write(&certificate.key, "nothing").unwrap();
    let (table, address) = both(&mut world, &upstream, certificate.clone()).await;
    match world.client.apply(table.clone()).await {
        Err(EdgeClientError::Refused { reason }) => {
            for part in
                [address.to_string().as_str(), "tls.key has no private key", "the table before it stays"]
            {
                assert!(reason.contains(part), "{reason}");
            }
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(world.client.table().await.unwrap(), before);
    assert_eq!(Client::connect(world.listen).await.get("/").await.text(), "one");

    issue(world.folder.path(), "shop.test");
    world.client.apply(table).await.unwrap();
    let stats = world.client.stats().await.unwrap();
    assert_eq!(stats.certificates[0].names, ["shop.test"]);
    assert_eq!(stats.certificates[0].chain, certificate.chain);
}

#[tokio::test]
async fn a_hangup_takes_up_a_renewed_certificate() {
    let mut world = World::start().await;
    let upstream = Upstream::named("one").await;
    let certificate = issue(world.folder.path(), "old.test");
    let (table, _) = both(&mut world, &upstream, certificate).await;
    world.client.apply(table).await.unwrap();
    issue(world.folder.path(), "new.test");
    // The edge runs in this process, and handles the signal since before it answered.
    kill_process(getpid(), Signal::HUP).unwrap();
    eventually("the new one is served", || async {
        world.client.stats().await.unwrap().certificates[0].names == ["new.test"]
    })
    .await;
    assert_eq!(Client::connect(world.listen).await.get("/").await.text(), "one");
}

#[tokio::test]
async fn a_certificate_that_is_gone_after_a_restart_keeps_nothing_else_from_being_served() {
    let mut world = World::start().await;
    let upstream = Upstream::named("one").await;
    let certificate = issue(world.folder.path(), "shop.test");
    let (table, _) = both(&mut world, &upstream, certificate.clone()).await;
    world.client.apply(table).await.unwrap();
    std::fs::remove_file(&certificate.chain).unwrap();
    let mut world = world.restart().await;
    let status = || async { world.client.stats().await.unwrap().certificates.remove(0) };
    assert!(status().await.problem.unwrap().contains("tls.crt cannot be read"));
    assert_eq!(status().await.not_after_secs, None);
    assert_eq!(Client::connect(world.listen).await.get("/").await.text(), "one");

    issue(world.folder.path(), "shop.test");
    eventually("it heals with its file", || async { status().await.problem.is_none() }).await;
    assert_eq!(status().await.names, ["shop.test"]);
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    assert!(world.client.stats().await.unwrap().certificates.is_empty());
}
