//! What the sample service answers to one request.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde_json::json;

use super::FAILURE_HEADER;
use super::SampleSettings;
use crate::random::Random;

/// The longest wait that `/slow` grants, in milliseconds.
const SLOWEST_MS: u64 = 60_000;

/// The longest body that `/echo` takes, in bytes.
const ECHO_LIMIT_BYTES: usize = 8 * 1024 * 1024;

type Answer = Response<Full<Bytes>>;

/// Answers requests; shared by all connections.
#[derive(Debug)]
pub(super) struct Answerer {
    settings: SampleSettings,
    started: Instant,
    requests: AtomicU64,
}

impl Answerer {
    pub(super) fn new(settings: SampleSettings) -> Self {
        Self { settings, started: Instant::now(), requests: AtomicU64::new(0) }
    }

    /// Probes are answered at once and never fail by chance: `error_rate` is about what users see.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Infallible> {
        Ok(match (request.method(), request.uri().path()) {
            (_, "/health") => json_answer(StatusCode::OK, &json!({"healthy": true})),
            (_, "/ready") => self.readiness(),
            (&Method::POST, "/echo") => self.echo(request).await,
            (_, "/slow") => {
                let wait_ms = query_number(request.uri().query(), "ms").unwrap_or(0).min(SLOWEST_MS);
                tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                self.work(|number| self.greeting(number)).await
            }
            (_, "/") => self.work(|number| self.greeting(number)).await,
            _ => json_answer(StatusCode::NOT_FOUND, &json!({"error": "there is nothing here"})),
        })
    }

    fn readiness(&self) -> Answer {
        let ready = self.started.elapsed() >= Duration::from_millis(self.settings.ready_after_ms);
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        json_answer(status, &json!({"ready": ready}))
    }

    /// Takes the time a request takes, and answers with the success or with a failure, as the settings say.
    async fn work(&self, success: impl FnOnce(u64) -> Answer) -> Answer {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let mut random = Random::for_item(self.settings.seed, number);
        let fails = random.chance(self.settings.error_rate);
        let wait_ms = self
            .settings
            .latency_ms
            .saturating_add(random.below(self.settings.latency_jitter_ms.saturating_add(1)));
        if wait_ms > 0 {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
        if fails { self.failure(number) } else { success(number) }
    }

    fn greeting(&self, number: u64) -> Answer {
        json_answer(
            StatusCode::OK,
            &json!({"version": self.settings.version, "instance": self.settings.instance, "request": number}),
        )
    }

    fn failure(&self, number: u64) -> Answer {
        let mut answer = json_answer(
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!({
                "error": "the service failed this request itself, as its settings say",
                "version": self.settings.version,
                "instance": self.settings.instance,
                "request": number,
            }),
        );
        let name = HeaderName::from_static(FAILURE_HEADER);
        answer.headers_mut().insert(name, HeaderValue::from_static("yes"));
        answer
    }

    async fn echo(&self, request: Request<Incoming>) -> Answer {
        let body = match Limited::new(request.into_body(), ECHO_LIMIT_BYTES).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                return json_answer(StatusCode::PAYLOAD_TOO_LARGE, &json!({"error": error.to_string()}));
            }
        };
        self.work(|_number| Response::new(Full::new(body))).await
    }
}

fn json_answer(status: StatusCode, value: &serde_json::Value) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(value.to_string())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn query_number(query: Option<&str>, name: &str) -> Option<u64> {
    let mut pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name)?.1.parse().ok()
}
