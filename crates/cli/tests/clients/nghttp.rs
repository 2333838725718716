//! nghttp2's client and load generator.

use std::path::Path;

use pilotage_proxy::Protocol;
use pilotage_testing::{Part, need};

use crate::world::{World, output};

#[tokio::test]
async fn streams_uploads_and_trailers_come_through_on_one_connection() {
    let Some(nghttp) = need("the edge and nghttp", Part::Nghttp) else { return };
    for upstream in [Protocol::Http1, Protocol::Http2] {
        let world = World::start(upstream).await;
        let (first, second) = (world.url("/events?count=20&ms=5"), world.url("/trailers"));
        let asked = ["--verbose", "--timeout=20", "--header=te: trailers"];
        let log = output(&nghttp, &[&asked[..], &[&first, &second]].concat()).await;
        assert_eq!(log.matches(":status: 200").count(), 2, "{upstream:?}: {log}");
        assert!(log.contains("sample-sha256: "), "{upstream:?}: {log}");
        assert!(log.contains("pilotage-version: 1.0.0"), "{upstream:?}: {log}");

        let file = world.file(500_000);
        let upload = [&format!("--data={file}"), "--timeout=20", &world.url("/upload")];
        let answer = output(&nghttp, &upload).await;
        assert!(answer.contains(r#""bytes":500000"#), "{upstream:?}: {answer}");
        world.stop().await;
    }
}

#[tokio::test]
async fn a_body_followed_by_trailers_is_an_upload_with_trailers() {
    let Some(nghttp) = need("the edge and nghttp", Part::Nghttp) else { return };
    for upstream in [Protocol::Http1, Protocol::Http2] {
        let world = World::start(upstream).await;
        let file = world.file(10);
        // A body whose length was said has no place for trailers in HTTP/1.1.
        let asked = ["--trailer=colour: blue", "--no-content-length", "--timeout=20"];
        let (content, url) = (format!("--data={file}"), world.url("/upload"));
        let answer = output(&nghttp, &[&asked[..], &[&content, &url]].concat()).await;
        assert!(answer.contains(r#""trailers":{"colour":"blue"}"#), "{upstream:?}: {answer}");
        world.stop().await;
    }
}

#[tokio::test]
async fn an_answer_that_comes_before_the_upload_is_over_is_seen() {
    let Some(nghttp) = need("the edge and nghttp", Part::Nghttp) else { return };
    for upstream in [Protocol::Http1, Protocol::Http2] {
        let world = World::start(upstream).await;
        // The sample's echo takes 8 MiB.
        let (content, url) = (format!("--data={}", world.file(20_000_000)), world.url("/echo"));
        let log = output(&nghttp, &["--verbose", "--timeout=20", &content, &url]).await;
        assert!(log.contains(":status: 413"), "{upstream:?}: {}", &log[log.len().saturating_sub(2_000)..]);
        world.stop().await;
    }
}

#[tokio::test]
async fn a_load_of_many_streams_is_answered_whole() {
    let Some(h2load) = need("the edge and h2load", Part::H2load) else { return };
    for upstream in [Protocol::Http1, Protocol::Http2] {
        let world = World::start(upstream).await;
        let (root, echo) = (world.url("/"), world.url("/echo"));
        let content = format!("--data={}", world.file(20_000));
        let many = ["--requests=3000", "--clients=4", "--max-concurrent-streams=20"];
        all_answered(&h2load, &[&many[..], &[&root]].concat()).await;
        all_answered(&h2load, &[&many[..], &[&content, &echo]].concat()).await;
        all_answered(&h2load, &["--h1", "--requests=3000", "--clients=4", &root]).await;
        world.stop().await;
    }
}

async fn all_answered(h2load: &Path, load: &[&str]) {
    let report = output(h2load, load).await;
    let whole = "3000 total, 3000 started, 3000 done, 3000 succeeded, 0 failed, 0 errored, 0 timeout";
    assert!(report.contains(whole), "{load:?}: {report}");
}
