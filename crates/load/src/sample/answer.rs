//! What the sample service answers to one request.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::header::{HeaderName, HeaderValue};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::json;

use super::body::{self, Answer};
use super::tasks::Tasks;
use super::{FAILURE_HEADER, SampleSettings, events, grpc, trailers, upload, websocket};
use crate::random::Random;

/// The longest wait that `/slow` grants, in milliseconds.
const SLOWEST_MS: u64 = 60_000;

/// The longest body that `/echo` takes, in bytes.
const ECHO_LIMIT_BYTES: usize = 8 * 1024 * 1024;

/// Answers requests; shared by all connections.
#[derive(Debug)]
pub(super) struct Answerer {
    pub(super) settings: SampleSettings,
    started: Instant,
    requests: AtomicU64,
    tasks: Tasks,
}

/// The work on one request is done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work {
    /// The how-manieth it was.
    pub(super) number: u64,
    /// Whether it is to fail, as the settings say.
    pub(super) fails: bool,
}

impl Answerer {
    pub(super) fn new(settings: SampleSettings, tasks: Tasks) -> Self {
        Self { settings, started: Instant::now(), requests: AtomicU64::new(0), tasks }
    }

    /// Probes are answered at once and never fail by chance: `error_rate` is about what users see.
    pub(super) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, Infallible> {
        if grpc::is_call(&request) {
            return Ok(grpc::answer(&self, request).await);
        }
        let to_head = request.method() == Method::HEAD;
        let answer = self.answer_http(request).await;
        Ok(if to_head { body::head_of(&answer) } else { answer })
    }

    async fn answer_http(&self, request: Request<Incoming>) -> Answer {
        let query = request.uri().query();
        match (request.method(), request.uri().path()) {
            (_, "/health") => body::json(StatusCode::OK, &json!({"healthy": true})),
            (_, "/ready") => self.readiness(),
            (_, "/") => self.greeting().await,
            (_, "/slow") => {
                let wait_ms = query_number(query, "ms").unwrap_or(0).min(SLOWEST_MS);
                tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                self.greeting().await
            }
            (&Method::POST, "/echo") => self.echo(request).await,
            (&Method::POST, "/upload") => upload::answer(self, request).await,
            (_, "/trailers") => self.unless_it_fails(trailers::answer).await,
            (_, "/events") => {
                let events = events::Events {
                    count: query_number(query, "count").unwrap_or(10),
                    pause: Duration::from_millis(query_number(query, "ms").unwrap_or(0).min(SLOWEST_MS)),
                    version: self.settings.version.clone(),
                };
                self.unless_it_fails(|| events.answer()).await
            }
            (&Method::GET, "/websocket") => {
                self.unless_it_fails(|| websocket::answer(&self.tasks, request)).await
            }
            _ => body::json(StatusCode::NOT_FOUND, &json!({"error": "there is nothing here"})),
        }
    }

    /// Waits for what goes on after its request; call it when there are no more connections.
    pub(super) async fn finish(&self) {
        self.tasks.take().join_all().await;
    }

    fn readiness(&self) -> Answer {
        let ready = self.started.elapsed() >= Duration::from_millis(self.settings.ready_after_ms);
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        body::json(status, &json!({"ready": ready}))
    }

    /// Takes the time a request takes, and says whether it fails, as the settings say.
    pub(super) async fn work(&self) -> Work {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let mut random = Random::for_item(self.settings.seed, number);
        let begun = self.started.elapsed() >= Duration::from_millis(self.settings.errors_after_ms);
        // Drawn in any case, so that what is drawn next does not depend on the time.
        let fails = random.chance(self.settings.error_rate) && begun;
        let wait_ms = self
            .settings
            .latency_ms
            .saturating_add(random.below(self.settings.latency_jitter_ms.saturating_add(1)));
        if wait_ms > 0 {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
        Work { number, fails }
    }

    /// Works, and answers so, or with a failure.
    pub(super) async fn unless_it_fails(&self, success: impl FnOnce() -> Answer) -> Answer {
        let work = self.work().await;
        if work.fails { self.failure(work.number) } else { success() }
    }

    async fn greeting(&self) -> Answer {
        let Work { number, fails } = self.work().await;
        if fails {
            return self.failure(number);
        }
        let SampleSettings { version, instance, .. } = &self.settings;
        body::json(StatusCode::OK, &json!({"version": version, "instance": instance, "request": number}))
    }

    fn failure(&self, number: u64) -> Answer {
        let mut answer = body::json(
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!({
                "error": "the service failed this request itself, as its settings say",
                "version": self.settings.version,
                "instance": self.settings.instance,
                "request": number,
            }),
        );
        mark_failure(&mut answer);
        answer
    }

    async fn echo(&self, request: Request<Incoming>) -> Answer {
        match Limited::new(request.into_body(), ECHO_LIMIT_BYTES).collect().await {
            Ok(content) => self.unless_it_fails(|| body::whole(content.to_bytes())).await,
            Err(error) => body::json(StatusCode::PAYLOAD_TOO_LARGE, &json!({"error": error.to_string()})),
        }
    }
}

/// Says in an answer that its failure is the service's own.
pub(super) fn mark_failure(answer: &mut Answer) {
    let name = HeaderName::from_static(FAILURE_HEADER);
    answer.headers_mut().insert(name, HeaderValue::from_static("yes"));
}

fn query_number(query: Option<&str>, name: &str) -> Option<u64> {
    let mut pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name)?.1.parse().ok()
}
