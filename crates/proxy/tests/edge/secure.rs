//! Encrypted connections: what is agreed on, whom they are for, and what a broken certificate does.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use http::Request;
use pilotage_proxy::{Certificate, FULL_WEIGHT, Listener};
use rcgen::{CertificateParams, KeyPair};
use rustix::process::{Signal, getpid, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::client::Client;
use crate::upstream::Upstream;
use crate::world::{PATIENCE, World, eventually, free_address};

/// A certificate in files, as clients know it.
struct Issued {
    files: Certificate,
    der: CertificateDer<'static>,
}

fn issue(folder: &Path, name: &str) -> Issued {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    let files =
        Certificate { chain: folder.join(format!("{name}.pem")), key: folder.join(format!("{name}.key")) };
    std::fs::write(&files.chain, certificate.pem()).unwrap();
    std::fs::write(&files.key, key.serialize_pem()).unwrap();
    Issued { files, der: certificate.der().clone() }
}

/// A connection for a name, to whoever has this certificate.
async fn connect(
    address: SocketAddr,
    name: &'static str,
    known: &Issued,
    protocol: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(known.der.clone()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name).unwrap(), stream).await
}

/// An edge that serves this over TLS at the second address, and redirects to there at the first.
async fn encrypted(upstream: &Upstream, certificates: &[&Issued]) -> (World, SocketAddr) {
    let mut world = World::start().await;
    let mut table = world.table(0, &[("1.0.0", FULL_WEIGHT, &[upstream.address])]);
    let (plain, secure) = (world.listen, free_address());
    table.routes[0].listen = secure;
    let files = certificates.iter().map(|issued| issued.files.clone()).collect();
    table.listeners = vec![
        Listener { redirect_to_https: Some(secure.port()), ..Listener::plain(plain) },
        Listener { certificates: files, ..Listener::plain(secure) },
    ];
    world.client.apply(table).await.unwrap();
    (world, secure)
}

async fn ask(stream: &mut TlsStream<TcpStream>, host: &str) -> String {
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // Not every server says goodbye.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap();
    answer
}

#[tokio::test]
async fn http2_is_agreed_on_in_the_handshake() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, upstream) = (issue(folder.path(), "shop.test"), Upstream::echo().await);
    let (_world, secure) = encrypted(&upstream, &[&shop]).await;
    let stream = connect(secure, "shop.test", &shop, "h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("https://shop.test/").body(()).unwrap();
    let (head, body, _) = crate::http2::exchange(&sender, request, "", None).await.unwrap();
    let text = String::from_utf8_lossy(&body).into_owned();
    assert_eq!(head.status, 200);
    for line in ["via: 2 pilotage\n", "x-forwarded-proto: https\n", "host: shop.test\n"] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
    let mut stream = connect(secure, "shop.test", &shop, "http/1.1").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert!(ask(&mut stream, "shop.test").await.contains("via: 1.1 pilotage\n"));
}

#[tokio::test]
async fn a_request_for_another_host_than_the_connection_is_for_is_misdirected() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, bank) = (issue(folder.path(), "shop.test"), issue(folder.path(), "bank.test"));
    let upstream = Upstream::named("one").await;
    let (_world, secure) = encrypted(&upstream, &[&shop, &bank]).await;
    for (host, status) in
        [("shop.test", 200), ("SHOP.test:443", 200), ("bank.test", 421), ("other.test", 421)]
    {
        let mut stream = connect(secure, "shop.test", &shop, "http/1.1").await.unwrap();
        let answer = ask(&mut stream, host).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{host}: {answer}");
    }
    assert!(connect(secure, "bank.test", &shop, "http/1.1").await.is_err(), "each has its own");
    assert_eq!(upstream.requests(), 2);
}

#[tokio::test]
async fn plain_requests_are_sent_to_the_encrypted_address() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, upstream) = (issue(folder.path(), "shop.test"), Upstream::named("one").await);
    let (world, secure) = encrypted(&upstream, &[&shop]).await;
    let mut client = Client::connect(world.listen).await;
    for (host, target) in [("shop.test:80", "/a?b=c"), ("shop.test", "/..//%2e"), ("evil.test", "/")] {
        let answer = client.get_with(target, &[("host", host)]).await;
        let host = host.trim_end_matches(":80");
        let location = format!("https://{host}:{}{target}", secure.port());
        assert_eq!((answer.status(), answer.header("location")), (308, Some(&location[..])));
    }
    assert_eq!(upstream.requests(), 0);
    let answer = crate::client::raw(secure, b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n").await;
    assert!(!answer.contains("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_certificate_that_is_broken_when_it_is_renewed_leaves_the_old_one_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, upstream) = (issue(folder.path(), "shop.test"), Upstream::named("one").await);
    let (world, secure) = encrypted(&upstream, &[&shop]).await;
    let status = || async { world.client.stats().await.unwrap().certificates.remove(0) };
    let chain = std::fs::read(&shop.files.chain).unwrap();
    let half = &chain[..chain.len() / 2];
    for broken in [half, b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        std::fs::write(&shop.files.chain, broken).unwrap();
        // The edge runs in this process, and handles the signal since before it answered.
        kill_process(getpid(), Signal::HUP).unwrap();
        eventually("it is said loudly", || async { status().await.problem.is_some() }).await;
        assert_eq!(status().await.names, ["shop.test"]);
        let mut stream = connect(secure, "shop.test", &shop, "http/1.1").await.unwrap();
        assert!(ask(&mut stream, "shop.test").await.starts_with("HTTP/1.1 200 "));
        std::fs::write(&shop.files.chain, &chain).unwrap();
        kill_process(getpid(), Signal::HUP).unwrap();
        eventually("it heals", || async { status().await.problem.is_none() }).await;
    }
}
