//! What a client is shown, and what is agreed with it.

use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{self, HandshakeKind, ProtocolVersion};

use super::super::testing::{Client, Door, Folder, issue};

#[tokio::test]
async fn the_name_a_client_asks_for_picks_the_certificate() {
    let folder = Folder::new();
    let (first, exact, wildcard) =
        (issue(&["first.test"]), issue(&["a.example.test"]), issue(&["*.example.test", "example.test"]));
    let files = [("first", &first), ("wildcard", &wildcard), ("exact", &exact)];
    let door = Door::open(&files.map(|(name, issued)| folder.write(name, issued))).await;
    for (name, expected) in [
        ("first.test", &first),
        ("FIRST.test", &first),
        ("example.test", &wildcard),
        ("b.example.test", &wildcard),
        ("a.example.test", &exact),
        // A wildcard stands for one label, so these get the first of the table; so does who asks for no name.
        ("b.a.example.test", &first),
        ("elsewhere.test", &first),
        ("127.0.0.1", &first),
    ] {
        assert!(door.shown_to(name).await == expected.der, "{name}");
    }
}

#[tokio::test]
async fn a_client_that_checks_certificates_is_content() {
    let folder = Folder::new();
    let issued = issue(&["shop.test"]);
    let door = Door::open(&[folder.write("shop", &issued)]).await;
    let client = Client::trusting(&issued);
    assert!(door.visit(&client, "shop.test").await.1.is_ok());
    let (server, client) = door.visit(&client, "other.test").await;
    assert!(server.is_err() && client.is_err());
}

#[tokio::test]
async fn both_versions_are_spoken_and_the_protocol_is_agreed_on() {
    let folder = Folder::new();
    let door = Door::open(&[folder.write("shop", &issue(&["shop.test"]))]).await;
    for (version, expected) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        for (offered, chosen) in [
            (&["h2", "http/1.1"][..], Some("h2")),
            // The edge's order counts.
            (&["http/1.1", "h2"], Some("h2")),
            (&["http/1.1"], Some("http/1.1")),
            (&[], None),
        ] {
            let client = Client::speaking(&[version], offered);
            let (server, client) = door.visit(&client, "shop.test").await;
            let client = client.unwrap();
            assert_eq!(client.version, expected);
            assert_eq!(client.protocol.as_deref(), chosen.map(str::as_bytes), "{offered:?}");
            assert_eq!(server.unwrap().http2, chosen == Some("h2"));
        }
        let strange = Client::speaking(&[version], &["smtp"]);
        assert!(door.visit(&strange, "shop.test").await.0.is_err(), "nothing in common is refused");
    }
}

#[tokio::test]
async fn a_client_that_comes_back_resumes_also_after_a_renewal() {
    let folder = Folder::new();
    let files = folder.write("shop", &issue(&["shop.test"]));
    for version in [&TLS12, &TLS13] {
        let door = Door::open(std::slice::from_ref(&files)).await;
        let client = Client::speaking(&[version], &["h2"]);
        let visit = async || door.visit(&client, "shop.test").await.1.unwrap().kind;
        assert_eq!(visit().await, HandshakeKind::Full);
        for _ in 0..3 {
            assert_eq!(
                visit().await,
                HandshakeKind::Resumed,
                "each connection brings the ticket for the next"
            );
        }
        folder.write("shop", &issue(&["shop.test"]));
        door.encryption.reload_now();
        assert_eq!(visit().await, HandshakeKind::Resumed);
        let another_name = door.visit(&client, "other.test").await.1.unwrap().kind;
        assert_eq!(another_name, HandshakeKind::Full);
    }
}

#[tokio::test]
async fn a_request_outside_of_the_certificate_is_misdirected() {
    let folder = Folder::new();
    let certificates = [issue(&["a.test", "*.a.test", "127.0.0.1"]), issue(&["b.test"])];
    let files = [folder.write("a", &certificates[0]), folder.write("b", &certificates[1])];
    let door = Door::open(&files).await;
    let misdirected =
        async |name: &str, host: &str| door.visit(&Client::new(), name).await.0.unwrap().is_misdirected(host);
    for (name, host) in
        [("a.test", "a.test"), ("a.test", "x.A.test"), ("x.a.test", "127.0.0.1"), ("b.test", "B.test")]
    {
        assert!(!misdirected(name, host).await, "{host} on a connection for {name}");
    }
    for (name, host) in [("a.test", "b.test"), ("b.test", "a.test"), ("a.test", "x.y.a.test"), ("b.test", "")]
    {
        assert!(misdirected(name, host).await, "{host} on a connection for {name}");
    }
    for name in ["127.0.0.1", "unknown.test"] {
        assert!(!misdirected(name, "unknown.test").await, "{name} took what it was given");
    }
}

#[tokio::test]
async fn what_is_not_tls_is_refused() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let folder = Folder::new();
    let door = Door::open(&[folder.write("shop", &issue(&["shop.test"]))]).await;
    let plain = async {
        let mut stream = tokio::net::TcpStream::connect(door.listen).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n").await.unwrap();
        let mut said = Vec::new();
        // The end may come as a reset.
        let _ = stream.read_to_end(&mut said).await;
        said
    };
    let (server, said) = tokio::join!(door.receive(), plain);
    assert!(server.is_err());
    assert!(!said.windows(4).any(|bytes| bytes == b"HTTP"), "{said:?}");
}

#[test]
fn our_settings_are_those_that_are_documented() {
    let settings = super::super::acceptor::settings(std::sync::Arc::default()).unwrap();
    assert_eq!(settings.max_early_data_size, 0);
    assert!(rustls::server::ProducesTickets::enabled(&*settings.ticketer));
}
