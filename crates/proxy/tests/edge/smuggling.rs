//! The corpus of requests that two readers may read as two things, through a whole edge.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::Response;
use http_body_util::{BodyExt, Full};
use pilotage_proxy::{FULL_WEIGHT, Limits};
use tokio::task::JoinSet;

use crate::client::raw;
use crate::upstream::Upstream;
use crate::world::World;

/// Those of the corpus that are sound; all others must be refused before any service hears of them.
const SOUND: [&str; 22] = [
    "absolute",
    "absolute-without-path",
    "asterisk",
    "bytes-in-target",
    "chunks",
    "close",
    "close-in-a-list",
    "coding-in-capitals",
    "expect",
    "get-with-body",
    "length",
    "length-named-by-connection",
    "many-fields",
    "odd-target",
    "old",
    "old-kept-alive",
    "padded",
    "pipeline",
    "tab-before-coding",
    "underscore-length",
    "upgrade",
    // Another protocol, which has a connection of its own.
    "http2-preface",
];

#[tokio::test]
async fn every_request_that_a_service_sees_is_one_that_its_sender_has_sent() {
    let served = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&served);
    let upstream = Upstream::answering(move |request| {
        let counted = Arc::clone(&counted);
        async move {
            if request.into_body().collect().await.is_ok() {
                counted.fetch_add(1, Ordering::Relaxed);
            }
            Response::new(Full::from("seen"))
        }
    })
    .await;
    let limits = Limits { client_idle: Duration::from_millis(500), ..Limits::default() };
    let mut world = World::start_with(limits).await;
    let pools: &[(_, _, &[_])] = &[("1.0.0", FULL_WEIGHT, &[upstream.address])];
    world.route_with(pools, |route| route.timeouts.idle_ms = 500).await;

    let mut senders = JoinSet::new();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/requests");
    for entry in std::fs::read_dir(corpus).unwrap() {
        let (path, listen) = (entry.unwrap().path(), world.listen);
        senders.spawn(async move {
            let answers = raw(listen, &std::fs::read(&path).unwrap()).await;
            (path.file_name().unwrap().to_str().unwrap().to_owned(), answers)
        });
    }
    let mut answered = 0;
    while let Some(sender) = senders.join_next().await {
        let (name, answers) = sender.unwrap();
        answered += answers.matches("HTTP/1.1 200 OK").count() as u64;
        let refused = answers.split("HTTP/1.1 ").any(is_refusal);
        if SOUND.contains(&&name[..]) {
            assert!(!refused, "{name}: {answers}");
        } else {
            assert!(refused, "{name}: {answers}");
            assert_eq!(answers.matches("HTTP/1.1").count(), 1, "{name}: {answers}");
        }
    }
    assert_eq!(served.load(Ordering::Relaxed), answered);
}

/// Whether an answer is the edge's own, and says that the request cannot be read.
fn is_refusal(answer: &str) -> bool {
    let unreadable = ["400 ", "431 ", "501 ", "505 "].iter().any(|status| answer.starts_with(status));
    unreadable && !answer.contains("Pilotage-Version")
}
