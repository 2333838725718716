//! Services whose answers do not end where they say, or are not the only ones.

use pilotage_proxy::FULL_WEIGHT;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::client::Client;
use crate::upstream::{Upstream, read_head};
use crate::world::{PATIENCE, World};

/// A service that says these bytes to every request, and goes on listening.
async fn saying(bytes: &'static [u8]) -> Upstream {
    Upstream::conversing(move |mut stream| async move {
        while read_head(&mut stream).await {
            if stream.write_all(bytes).await.is_err() {
                return;
            }
        }
    })
    .await
}

async fn world_with(upstream: &Upstream) -> World {
    let mut world = World::start().await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    world
}

#[tokio::test]
async fn what_follows_an_answer_is_never_taken_for_the_next_one() {
    for bytes in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
    ] {
        let upstream = saying(bytes).await;
        let world = world_with(&upstream).await;
        let mut client = Client::connect(world.listen).await;
        for _ in 0..5 {
            assert_eq!(client.get("/").await.text(), "ok");
        }
        assert_eq!(upstream.connections(), 5, "such a connection is not used again");
    }
}

#[tokio::test]
async fn what_comes_late_on_an_idle_connection_is_never_taken_for_an_answer() {
    let (said, mut late) = mpsc::unbounded_channel();
    let upstream = Upstream::conversing(move |mut stream| {
        let said = said.clone();
        async move {
            while read_head(&mut stream).await {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(30)).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison").await;
                said.send(()).unwrap();
            }
        }
    })
    .await;
    let world = world_with(&upstream).await;
    let mut client = Client::connect(world.listen).await;
    for _ in 0..4 {
        assert_eq!(client.get("/").await.text(), "ok");
        tokio::time::timeout(PATIENCE, late.recv()).await.unwrap().unwrap();
    }
    assert_eq!(upstream.connections(), 4);
}

#[tokio::test]
async fn a_body_where_none_may_be_does_not_reach_the_next_request() {
    for (method, bytes) in [
        ("HEAD", &b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"[..]),
        ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\npoison"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\npoison"),
    ] {
        let upstream = saying(bytes).await;
        let world = world_with(&upstream).await;
        let mut client = Client::connect(world.listen).await;
        for _ in 0..3 {
            let answer = client.send(client.request(method.parse().unwrap(), "/", "")).await.unwrap();
            assert!(answer.body.is_empty());
        }
        assert_eq!(upstream.connections(), 3, "{method}");
    }
}

#[tokio::test]
async fn interim_answers_are_not_the_answer() {
    let upstream = saying(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n\
          HTTP/1.1 199 What\r\nContent-Length: 3\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    let world = world_with(&upstream).await;
    let mut client = Client::connect(world.listen).await;
    for _ in 0..3 {
        let answer = client.get("/").await;
        assert_eq!((answer.status(), answer.text()), (200, "ok"));
    }
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn interim_answers_without_end_are_no_answer() {
    let upstream = Upstream::conversing(|mut stream| async move {
        read_head(&mut stream).await;
        let flood = b"HTTP/1.1 102 Processing\r\n\r\n".repeat(1_000);
        while stream.write_all(&flood).await.is_ok() {}
    })
    .await;
    let world = world_with(&upstream).await;
    assert_eq!(Client::connect(world.listen).await.get("/").await.status(), 502);
    assert_eq!(world.version("1.0.0").await.broken, 1);
}

#[tokio::test]
async fn a_length_is_passed_on_once_or_not_at_all() {
    let twice = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok").await;
    let world = world_with(&twice).await;
    let answer = Client::connect(world.listen).await.get("/").await;
    assert_eq!((answer.text(), answer.head.headers.get_all("content-length").iter().count()), ("ok", 1));

    for bytes in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    ] {
        let upstream = saying(bytes).await;
        let world = world_with(&upstream).await;
        let answer = Client::connect(world.listen).await.post("/", "x").await;
        assert_eq!(answer.status(), 502, "{}", String::from_utf8_lossy(bytes));
    }
}

#[tokio::test]
async fn a_head_without_end_is_not_kept() {
    let upstream = Upstream::conversing(|mut stream| async move {
        read_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").await;
        while stream.write_all(&[b'y'; 64 * 1024]).await.is_ok() {}
    })
    .await;
    let world = world_with(&upstream).await;
    assert_eq!(Client::connect(world.listen).await.post("/", "x").await.status(), 502);
}

#[tokio::test]
async fn broken_chunks_cut_the_answer() {
    for chunks in ["2\r\nokx\r\n0\r\n\r\n", "zz\r\n", "2\nok\n0\n\n", "2\r\nok\r\n0\r\nbad trailer\r\n\r\n"] {
        let upstream = Upstream::conversing(move |mut stream| async move {
            read_head(&mut stream).await;
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n.\r\n";
            let _ = stream.write_all(format!("{head}{chunks}").as_bytes()).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let world = world_with(&upstream).await;
        assert!(Client::connect(world.listen).await.try_get("/").await.is_err(), "{chunks:?}");
        assert_eq!(world.version("1.0.0").await.broken, 1);
    }
}
