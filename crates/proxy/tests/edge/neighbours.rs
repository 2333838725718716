//! Who stands in front of the edge, and where services listen behind it.

use pilotage_proxy::{Endpoint, FULL_WEIGHT, Listener, Pool, Protocol};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

use crate::client::{Client, raw};
use crate::upstream::Upstream;
use crate::world::World;

/// What a service is told of a request, as far as it concerns where that comes from.
async fn told(trusted: &[&str], headers: &str) -> Vec<String> {
    let upstream = Upstream::echo().await;
    let mut world = World::start().await;
    let mut table = world.table(0, &[("1.0.0", FULL_WEIGHT, &[upstream.address])]);
    let trusted = trusted.iter().map(|network| network.parse().unwrap()).collect();
    table.listeners = vec![Listener { trusted, ..Listener::plain(world.listen) }];
    world.client.apply(table).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n{headers}\r\n");
    let answer = raw(world.listen, request.as_bytes()).await;
    let concerns = |line: &&str| line.starts_with("forwarded:") || line.starts_with("x-forwarded-");
    let mut told: Vec<_> = answer.lines().filter(concerns).map(str::to_owned).collect();
    told.sort_unstable();
    told
}

const CLAIMS: &str = "X-Forwarded-For: 198.51.100.7, 203.0.113.9\r\nX-Forwarded-Proto: https\r\n\
                      X-Forwarded-Host: shop.test\r\n";

#[tokio::test]
async fn strangers_are_not_believed() {
    for trusted in [&[][..], &["10.0.0.0/8", "::1"]] {
        for claims in [CLAIMS, "Forwarded: for=203.0.113.9;proto=https;host=shop.test\r\n"] {
            assert_eq!(
                told(trusted, claims).await,
                [
                    "forwarded: for=127.0.0.1;proto=http;host=\"a.test\"",
                    "x-forwarded-for: 127.0.0.1",
                    "x-forwarded-host: a.test",
                    "x-forwarded-proto: http",
                ]
            );
        }
    }
}

#[tokio::test]
async fn a_trusted_proxy_is_believed_for_what_it_has_seen_itself() {
    assert_eq!(
        told(&["127.0.0.0/8"], CLAIMS).await,
        [
            "forwarded: for=203.0.113.9;proto=https;host=\"shop.test\", for=127.0.0.1;proto=http;host=\"a.test\"",
            "x-forwarded-for: 203.0.113.9, 127.0.0.1",
            "x-forwarded-host: shop.test",
            "x-forwarded-proto: https",
        ]
    );
    // Its client wrote the other family, and would be somebody else.
    let both = format!("{CLAIMS}Forwarded: for=10.0.0.1\r\n");
    let told = told(&["127.0.0.0/8"], &both).await;
    assert_eq!(told[1], "x-forwarded-for: unknown, 127.0.0.1");
}

#[tokio::test]
async fn headers_of_the_edge_cannot_be_brought_in_behind_a_body() {
    let upstream = Upstream::conversing(|mut stream| async move {
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") || !seen.windows(5).any(|part| part == b"\r\n0\r\n") {
            if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let trailers =
            String::from_utf8_lossy(&seen).split("\r\n0\r\n").last().unwrap_or_default().to_owned();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{trailers}", trailers.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let mut world = World::start().await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    let request = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nhi\r\n0\r\n\
         X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\n\
         Host: b\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: x\r\nX-Sum: 7\r\n\r\n";
    let answer = raw(world.listen, request.as_bytes()).await;
    assert!(answer.ends_with("\r\n\r\nX-Sum: 7\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn services_may_listen_on_unix_sockets() {
    let mut world = World::start().await;
    let path = world.folder.path().join("service.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let service = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut seen = Vec::new();
                while stream.read_buf(&mut seen).await.is_ok_and(|bytes| bytes > 0) {
                    if seen.ends_with(b"\r\n\r\nbody") {
                        seen.clear();
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nunix").await;
                    }
                }
            });
        }
    });
    let mut table = world.table(0, &[]);
    let address = format!("unix:{}", path.display()).parse().unwrap();
    table.routes[0].pools = vec![Pool {
        version: "1.0.0".to_owned(),
        weight: FULL_WEIGHT,
        protocol: Protocol::Http1,
        endpoints: vec![Endpoint { instance: "web-1".to_owned(), address }],
    }];
    world.client.apply(table).await.unwrap();
    let mut client = Client::connect(world.listen).await;
    for _ in 0..5 {
        assert_eq!(client.post("/", "body").await.text(), "unix");
    }
    service.abort();
}
