//! Heads: what is passed on, what is not, and what is refused.

use std::time::Duration;

use http::{Method, Response, StatusCode};
use http_body_util::Full;
use pilotage_proxy::{FULL_WEIGHT, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Client, raw};
use crate::upstream::{Upstream, read_head, say_and_close};
use crate::world::World;

async fn world_with(upstream: &Upstream) -> World {
    let mut world = World::start().await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    world
}

#[tokio::test]
async fn endpoints_see_who_asks_and_nothing_of_the_connection() {
    let upstream = Upstream::echo().await;
    let world = world_with(&upstream).await;
    let request = "GET /a?b=c HTTP/1.1\r\nHost: shop.example\r\nConnection: close, X-Private\r\nX-Private: 1\r\n\
         Keep-Alive: 5\r\nProxy-Connection: x\r\nTE: trailers, deflate\r\nX-Forwarded-For: 6.6.6.6\r\n\
         X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nForwarded: for=6.6.6.6\r\nVia: 1.0 other\r\n\
         Upgrade: h2c\r\nHTTP2-Settings: x\r\nX-Kept: yes\r\n\r\n";
    let answer = raw(world.listen, request.as_bytes()).await;
    let (head, seen) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(head.contains("\r\nPilotage-Version: 1.0.0"));
    let mut seen: Vec<&str> = seen.trim_end().lines().collect();
    assert_eq!(seen.remove(0), "GET /a?b=c");
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            "forwarded: for=127.0.0.1;proto=http;host=\"shop.example\"",
            "host: shop.example",
            "te: trailers",
            "via: 1.0 other",
            "via: 1.1 pilotage",
            "x-forwarded-for: 127.0.0.1",
            "x-forwarded-host: shop.example",
            "x-forwarded-proto: http",
            "x-kept: yes",
        ]
    );
}

#[tokio::test]
async fn clients_see_nothing_of_the_connection_to_the_endpoint() {
    let upstream = Upstream::answering(|_| async {
        Response::builder()
            .header("connection", "x-private")
            .header("x-private", "1")
            .header("keep-alive", "timeout=5")
            .header("set-cookie", "a=b")
            .header("x-kept", "yes")
            .body(Full::from("ok"))
            .unwrap()
    })
    .await;
    let world = world_with(&upstream).await;
    let answer = Client::connect(world.listen).await.get("/").await;
    for gone in ["connection", "x-private", "keep-alive"] {
        assert_eq!(answer.header(gone), None);
    }
    assert_eq!((answer.header("set-cookie"), answer.header("x-kept")), (Some("a=b"), Some("yes")));
}

#[tokio::test]
async fn an_old_endpoint_does_not_make_the_clients_connection_old() {
    let old = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let upstream = Upstream::conversing(|stream| say_and_close(stream, old)).await;
    let world = world_with(&upstream).await;
    let mut client = Client::connect(world.listen).await;
    assert_eq!(client.get("/").await.text(), "ok");
    assert_eq!(client.get("/").await.text(), "ok");
    let answer = raw(world.listen, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[tokio::test]
async fn ambiguous_requests_are_refused_and_seen_by_nobody() {
    let upstream = Upstream::named("never").await;
    let world = world_with(&upstream).await;
    let chunked = "0\r\n\r\n";
    for (headers, body) in [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", chunked),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", chunked),
        ("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
        ("Content-Length: +5\r\n", "hello"),
        ("Content-Length : 5\r\n", "hello"),
        ("Transfer-Encoding: xchunked\r\n", chunked),
        ("Transfer-Encoding: chunked, identity\r\n", chunked),
        ("X-Folded: a\r\n b\r\n", ""),
        ("X-Bare: a\n", ""),
        ("X-Bare: a\rb: c\r\n", ""),
        ("Host: other\r\n", ""),
    ] {
        let request = format!(
            "POST / HTTP/1.1\r\nHost: a\r\n{headers}\r\n{body}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        );
        let answer = raw(world.listen, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{headers:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{headers:?}: {answer}");
    }
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n".to_owned(), "400"),
        ("GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), "400"),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n".to_owned(), "501"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nX-Long: {}\r\n\r\n", "x".repeat(70_000)), "431"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(200)), "431"),
        ("nonsense\r\n\r\n".to_owned(), "400"),
    ] {
        let answer = raw(world.listen, request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{:.60}: {answer}", request);
    }
    assert_eq!(upstream.requests(), 0);

    let pipelined = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nX: y\n\r\n";
    let answer = raw(world.listen, pipelined.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("neverHTTP/1.1 400 "), "{answer}");
    assert_eq!(upstream.requests(), 1);
}

#[tokio::test]
async fn old_and_odd_forms_of_requests_are_understood() {
    let upstream = Upstream::echo().await;
    let world = world_with(&upstream).await;
    let answer =
        raw(world.listen, b"GET http://shop.example/x HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n")
            .await;
    assert!(answer.contains("\r\n\r\nGET /x\n") && answer.contains("\nhost: shop.example\n"), "{answer}");
    let answer = raw(world.listen, b"GET /old HTTP/1.0\r\n\r\n").await;
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n")
            && answer.contains("\r\nConnection: close\r\n")
            && answer.contains("\nvia: 1.0 pilotage\n"),
        "{answer}"
    );
    let pipelined = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\nabc\r\n0\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = raw(world.listen, pipelined.as_bytes()).await;
    let order: Vec<_> = ["GET /1\n", "POST /2\n", "\n\nabc", "GET /3\n"].map(|part| answer.find(part)).into();
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{answer}");
}

#[tokio::test]
async fn answers_without_a_body_stay_without_one() {
    let upstream = Upstream::answering(|request| async move {
        let status = if request.uri() == "/204" {
            204
        } else if request.uri() == "/304" {
            304
        } else {
            200
        };
        let body = if status == 200 { "hello" } else { "" };
        Response::builder().status(StatusCode::from_u16(status).unwrap()).body(Full::from(body)).unwrap()
    })
    .await;
    let world = world_with(&upstream).await;
    let mut client = Client::connect(world.listen).await;
    for (method, path, status) in
        [(Method::HEAD, "/", 200), (Method::GET, "/204", 204), (Method::GET, "/304", 304)]
    {
        for _ in 0..3 {
            let answer = client.send(client.request(method.clone(), path, "")).await.unwrap();
            assert_eq!((answer.status(), answer.body.len()), (status, 0));
            if method == Method::HEAD {
                assert_eq!(answer.header("content-length"), Some("5"));
            }
        }
    }
    assert_eq!(client.get("/").await.text(), "hello");
    assert_eq!(upstream.connections(), 1);
    assert_eq!(world.version("1.0.0").await.in_flight, 0);
}

#[tokio::test]
async fn expect_100_continue_is_answered_when_the_body_is_wanted() {
    let upstream = Upstream::echo().await;
    let world = world_with(&upstream).await;
    let mut stream = TcpStream::connect(world.listen).await.unwrap();
    let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    assert!(read_head(&mut stream).await, "100 Continue");
    stream.write_all(b"body").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("\n\nbody"), "{answer}");
    assert!(!answer.contains("expect:"));
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let upstream = Upstream::conversing(|mut stream| async move {
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n0\r\nX-Sum: 7\r\n\r\n") {
            if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n2\r\nok\r\n0\r\nx-sum: 8\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    })
    .await;
    let world = world_with(&upstream).await;
    let request = "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\
         Connection: close, TE\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n";
    let answer = raw(world.listen, request.as_bytes()).await;
    assert!(answer.ends_with("\r\nok\r\n0\r\nx-sum: 8\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn upgraded_connections_are_passed_through_and_in_flight() {
    let upstream = Upstream::conversing(|mut stream| async move {
        read_head(&mut stream).await;
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        let (mut read, mut write) = stream.split();
        let _ = tokio::io::copy(&mut read, &mut write).await;
    })
    .await;
    let world = world_with(&upstream).await;
    let mut stream = TcpStream::connect(world.listen).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        .await
        .unwrap();
    assert!(read_head(&mut stream).await);
    // Nothing that would be HTTP.
    let text = b"\nContent-Length: 5\r\n\x00\r\n";
    let mut back = [0; 24];
    for _ in 0..3 {
        stream.write_all(text).await.unwrap();
        stream.read_exact(&mut back[..text.len()]).await.unwrap();
        assert_eq!(&back[..text.len()], text);
    }
    assert_eq!(world.version("1.0.0").await.in_flight, 1);
    drop(stream);
    crate::world::eventually("the tunnel has ended", || async {
        world.version("1.0.0").await.in_flight == 0
    })
    .await;
}

#[tokio::test]
async fn heads_that_never_end_and_clients_that_say_nothing_are_cut_off() {
    let short = Duration::from_millis(100);
    let limits = Limits { request_head: short, ..Limits::default() };
    let mut world = World::start_with(limits).await;
    world.route(&[]).await;
    let answer = raw(world.listen, b"GET / HTTP/1.1\r\nHost:").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");

    let limits = Limits { client_idle: short, ..Limits::default() };
    let mut world = World::start_with(limits).await;
    world.route(&[]).await;
    raw(world.listen, b"").await;
    let answer = raw(world.listen, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
}

#[tokio::test]
async fn a_client_of_http_1_0_is_sent_no_interim_answer() {
    let upstream = Upstream::echo().await;
    let world = world_with(&upstream).await;
    let mut stream = TcpStream::connect(world.listen).await.unwrap();
    let head = b"POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    stream.write_all(head).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    stream.write_all(b"body").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && !answer.contains(" 100 "), "{answer}");
}
