//! curl, over HTTP/1.1 and HTTP/2.

use std::path::{Path, PathBuf};

use pilotage_proxy::Protocol;
use pilotage_testing::{Part, need};
use serde_json::Value;

use crate::world::{World, output};

/// Prints what the edge is asked about, after the answer.
const SUMMARY: &str = "\n%{http_version} %{response_code} %{num_connects}\n";

const BOTH: [&str; 2] = ["--http1.1", "--http2-prior-knowledge"];

pub fn curl() -> Option<PathBuf> {
    need("the edge and curl", Part::Curl)
}

/// What curl prints, errors included.
pub async fn run(curl: &Path, arguments: &[&str]) -> String {
    let fixed = ["--silent", "--show-error", "--max-time", "30", "--write-out", SUMMARY];
    output(curl, &[&fixed, arguments].concat()).await
}

/// The JSON in an answer.
pub fn json(answer: &str) -> Value {
    let line = answer.lines().find(|line| line.starts_with('{'));
    serde_json::from_str(line.unwrap_or_else(|| panic!("no JSON: {answer}"))).unwrap()
}

#[tokio::test]
async fn requests_are_answered_in_the_version_they_came_in() {
    let Some(curl) = curl() else { return };
    for upstream in [Protocol::Http1, Protocol::Http2] {
        let world = World::start(upstream).await;
        // `--http2` asks for an upgrade from HTTP/1.1, which RFC 9113 has done away with; the edge goes on as it began.
        for (how, version) in
            [("--http1.0", "1.1"), ("--http1.1", "1.1"), ("--http2-prior-knowledge", "2"), ("--http2", "1.1")]
        {
            let answer = run(&curl, &[how, "--include", &world.url("/")]).await;
            assert!(answer.to_lowercase().contains("pilotage-version: 1.0.0"), "{how}: {answer}");
            assert_eq!(json(&answer)["version"], "1.0.0");
            assert!(answer.ends_with(&format!("\n{version} 200 1\n")), "{how}: {answer}");
        }
        world.stop().await;
    }
}

/// Over HTTP/1.1 only: curl 7.88 cannot use a connection twice that it began with prior knowledge, whoever serves it.
#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let Some(curl) = curl() else { return };
    let world = World::start(Protocol::Http1).await;
    let url = world.url("/");
    let answer = run(&curl, &["--http1.1", &url, &url, &url]).await;
    let connects: Vec<&str> = answer.lines().filter_map(|line| line.split(" 200 ").nth(1)).collect();
    assert_eq!(connects, ["1", "0", "0"], "{answer}");
    world.stop().await;
}

#[tokio::test]
async fn head_has_the_length_and_no_body() {
    let Some(curl) = curl() else { return };
    for upstream in [Protocol::Http1, Protocol::Http2] {
        let world = World::start(upstream).await;
        for how in BOTH {
            let answer = run(&curl, &[how, "--head", &world.url("/health")]).await;
            assert!(answer.to_lowercase().contains("content-length: 16"), "{how} {upstream:?}: {answer}");
            assert!(!answer.contains('{'), "{how}: {answer}");
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn an_upload_that_expects_100_is_told_to_continue_and_comes_whole() {
    let Some(curl) = curl() else { return };
    for upstream in [Protocol::Http1, Protocol::Http2] {
        let world = World::start(upstream).await;
        let file = world.file(3_000_000);
        let (content, expect) = (format!("@{file}"), "Expect: 100-continue");
        let upload =
            ["--http1.1", "--verbose", "--header", expect, "--data-binary", &content, &world.url("/upload")];
        let answer = run(&curl, &upload).await;
        assert!(answer.contains("< HTTP/1.1 100 Continue"), "{answer}");
        assert_eq!(json(&answer)["bytes"], 3_000_000, "{answer}");
        assert_eq!(json(&answer)["sha256"], sha256(&file).await);
        world.stop().await;
    }
}

#[tokio::test]
async fn uploads_of_unknown_length_and_slow_ones_come_whole() {
    let Some(curl) = curl() else { return };
    for upstream in [Protocol::Http1, Protocol::Http2] {
        let world = World::start(upstream).await;
        let file = world.file(400_000);
        let url = world.url("/upload");
        for how in BOTH {
            let chunked =
                ["--header", "Transfer-Encoding: chunked", "--request", "POST", "--upload-file", &file];
            let slow = ["--limit-rate", "1M", "--request", "POST", "--upload-file", &file];
            for kind in [&chunked[..], &slow[..]] {
                let answer = run(&curl, &[&[how], kind, &[&url]].concat()).await;
                assert_eq!(json(&answer)["bytes"], 400_000, "{how}: {answer}");
                assert_eq!(json(&answer)["sha256"], sha256(&file).await, "{how}");
            }
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn a_large_slow_upload_comes_whole() {
    let Some(curl) = curl() else { return };
    let both = BOTH.into_iter().zip([Protocol::Http1, Protocol::Http2]);
    let uploads = both.map(async |(how, upstream)| {
        let world = World::start(upstream).await;
        let file = world.file(50_000_000);
        let slow = ["--limit-rate", "15M", "--max-time", "120", "--request", "POST", "--upload-file", &file];
        let answer = run(&curl, &[&[how], &slow[..], &[&world.url("/upload")]].concat()).await;
        assert_eq!(json(&answer)["bytes"], 50_000_000, "{how}: {answer}");
        assert_eq!(json(&answer)["sha256"], sha256(&file).await, "{how}");
        world.stop().await;
    });
    futures_util::future::join_all(uploads).await;
}

#[tokio::test]
async fn what_was_sent_comes_back_byte_for_byte() {
    let Some(curl) = curl() else { return };
    for upstream in [Protocol::Http1, Protocol::Http2] {
        let world = World::start(upstream).await;
        let file = world.file(2_000_000);
        let back = world.folder.path().join("back");
        let (content, url) = (format!("@{file}"), world.url("/echo"));
        for how in BOTH {
            let arguments =
                [how, "--data-binary", &content, "--output", back.to_str().unwrap(), url.as_str()];
            run(&curl, &arguments).await;
            assert!(std::fs::read(&back).unwrap() == std::fs::read(&file).unwrap(), "{how}");
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn trailers_and_events_come_through() {
    let Some(curl) = curl() else { return };
    for upstream in [Protocol::Http1, Protocol::Http2] {
        let world = World::start(upstream).await;
        for how in BOTH {
            // Over HTTP/1.1 a header of the connection has to say so; over HTTP/2 there are no such headers.
            let asked = ["--header", "TE: trailers", "--header", "Connection: TE"];
            let asked = if how == "--http1.1" { &asked[..] } else { &asked[..2] };
            let (url, heads) = (world.url("/trailers"), ["--dump-header", "-"]);
            let answer = run(&curl, &[&[how], asked, &heads, &[&url]].concat()).await;
            assert!(answer.contains("and ends with a trailer"), "{how}: {answer}");
            assert!(answer.contains("sample-sha256: "), "{how} {upstream:?}: {answer}");

            let events = run(&curl, &[how, "--no-buffer", &world.url("/events?count=5&ms=10")]).await;
            assert_eq!(events.matches("event: tick\ndata: 1.0.0\n\n").count(), 5, "{how}: {events}");
        }
        world.stop().await;
    }
}

/// Over HTTP/1.1 only: curl 7.88 takes the end of its stream for a failure, whoever serves it.
#[tokio::test]
async fn an_answer_that_comes_before_the_upload_is_over_is_seen() {
    let Some(curl) = curl() else { return };
    let world = World::start(Protocol::Http1).await;
    // The sample's echo takes 8 MiB.
    let content = format!("@{}", world.file(20_000_000));
    let answer = run(&curl, &["--http1.1", "--data-binary", &content, &world.url("/echo")]).await;
    assert!(answer.contains(" 413 "), "{answer}");
    world.stop().await;
}

/// The digest, by somebody else's program.
async fn sha256(file: &str) -> String {
    let line = output(Path::new("/usr/bin/sha256sum"), &[file]).await;
    line.split(' ').next().unwrap().to_owned()
}
