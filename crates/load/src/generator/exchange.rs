//! One request and its answer.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONNECTION, COOKIE, HOST, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use pilotage_proxy::{CLIENT_COOKIE, CLIENT_HEADER};

use super::body::RequestBody;
use super::connection::{Lease, Pool, Sender, open};
use super::plan::LoadPlan;
use super::report::Outcomes;
use crate::random::Random;
use crate::sample::FAILURE_HEADER;

/// The response header with which the edge names the version that answered.
const VERSION_HEADER: &str = "pilotage-version";

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// The version that the edge named, or nothing.
    pub(super) version: String,
    pub(super) method: Method,
    pub(super) status: StatusCode,
    pub(super) verdict: Verdict,
    /// It took a second attempt.
    pub(super) resent: bool,
}

/// What an answer counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Ok,
    FailedByService,
    Rejected,
    Dropped,
}

/// A request without a whole answer.
#[derive(Debug)]
pub(super) struct Dropped {
    pub(super) reason: String,
    pub(super) detail: String,
}

/// One numbered request; what it is like follows from the plan's seed and its number.
#[derive(Debug)]
pub(super) struct Numbered<'a> {
    plan: &'a LoadPlan,
    pub(super) method: Method,
    client: u64,
    slow: bool,
    own_connection: bool,
}

/// How one attempt failed.
struct Attempt {
    dropped: Dropped,
    /// Nothing of the request was sent.
    unsent: bool,
    /// The head of the answer had come.
    answered: bool,
}

impl<'a> Numbered<'a> {
    pub(super) fn new(plan: &'a LoadPlan, number: u64) -> Self {
        let mut random = Random::for_item(plan.seed, number);
        let post = random.chance(plan.post_share);
        Self {
            plan,
            method: if post { Method::POST } else { Method::GET },
            client: random.below(plan.clients.max(1)),
            slow: post && random.chance(plan.slow_upload_share),
            own_connection: random.chance(plan.new_connection_share),
        }
    }

    /// Sends the request and reads the whole answer, however long that takes.
    pub(super) async fn exchange(&self, pool: &Arc<Pool>, body: &Bytes) -> Result<Answer, Dropped> {
        if self.own_connection {
            let mut sender = open(self.plan.address).await?;
            return self.attempt(&mut sender, body).await.map_err(|attempt| attempt.dropped);
        }
        let mut lease = pool.lease();
        let mut resent = false;
        if let Some(sender) = lease.kept.take() {
            match self.attempt_and_keep(sender, lease, body).await {
                Err(attempt) if self.may_resend(&attempt) => resent = true,
                end => return end.map_err(|attempt| attempt.dropped),
            }
            lease = pool.lease_new();
        }
        let sender = open(self.plan.address).await?;
        let answer = self.attempt_and_keep(sender, lease, body).await.map_err(|attempt| attempt.dropped)?;
        Ok(Answer { resent, ..answer })
    }

    fn may_resend(&self, attempt: &Attempt) -> bool {
        self.plan.resend && !attempt.answered && (attempt.unsent || self.method == Method::GET)
    }

    async fn attempt_and_keep(
        &self,
        mut sender: Sender,
        lease: Lease,
        body: &Bytes,
    ) -> Result<Answer, Attempt> {
        let answer = self.attempt(&mut sender, body).await?;
        // Fails when the other side said that it closes.
        if sender.ready().await.is_ok() {
            lease.keep(sender);
        }
        Ok(answer)
    }

    async fn attempt(&self, sender: &mut Sender, body: &Bytes) -> Result<Answer, Attempt> {
        let unsent = |error| Attempt { dropped: Dropped::from_hyper(&error), unsent: true, answered: false };
        sender.ready().await.map_err(unsent)?;
        let request = self.request(body).map_err(|error| Attempt {
            dropped: Dropped { reason: "malformed".to_owned(), detail: error.to_string() },
            unsent: false,
            answered: false,
        })?;
        let response = sender.try_send_request(request).await.map_err(|failed| Attempt {
            unsent: failed.message().is_some(),
            dropped: Dropped::from_hyper(failed.error()),
            answered: false,
        })?;
        self.read(response).await.map_err(|error| Attempt {
            dropped: Dropped::from_hyper(&error),
            unsent: false,
            answered: true,
        })
    }

    fn request(&self, body: &Bytes) -> Result<Request<RequestBody>, http::Error> {
        let plan = self.plan;
        let post = self.method == Method::POST;
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(if post { plan.post_path.as_str() } else { plan.path.as_str() })
            .header(HOST, plan.host.as_str());
        request = if self.client.is_multiple_of(2) {
            request.header(CLIENT_HEADER, format!("client-{}", self.client))
        } else {
            request.header(COOKIE, format!("{CLIENT_COOKIE}=client-{}", self.client))
        };
        if self.own_connection {
            request = request.header(CONNECTION, "close");
        }
        request.body(match (post, self.slow) {
            (true, true) => RequestBody::slow(body.clone(), plan.slow_upload),
            (true, false) => RequestBody::whole(body.clone()),
            (false, _) => RequestBody::whole(Bytes::new()),
        })
    }

    async fn read(&self, response: Response<Incoming>) -> Result<Answer, hyper::Error> {
        let (head, mut body) = response.into_parts();
        while let Some(frame) = body.frame().await {
            frame?;
        }
        let version = head.headers.get(VERSION_HEADER).map(HeaderValue::to_str);
        Ok(Answer {
            version: version.and_then(Result::ok).unwrap_or_default().to_owned(),
            method: self.method.clone(),
            status: head.status,
            verdict: Verdict::of(head.status, &head.headers),
            resent: false,
        })
    }
}

impl Verdict {
    fn of(status: StatusCode, headers: &HeaderMap) -> Self {
        let made_by_an_edge = matches!(
            status,
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
        );
        match status.as_u16() {
            500.. if made_by_an_edge && !headers.contains_key(FAILURE_HEADER) => Self::Dropped,
            500.. => Self::FailedByService,
            400..500 => Self::Rejected,
            _ => Self::Ok,
        }
    }

    pub(super) fn count(self, outcomes: &mut Outcomes) {
        match self {
            Self::Ok => outcomes.ok += 1,
            Self::FailedByService => outcomes.failed_by_service += 1,
            Self::Rejected => outcomes.rejected += 1,
            Self::Dropped => outcomes.dropped += 1,
        }
    }
}

impl Dropped {
    pub(super) fn timeout(after: std::time::Duration) -> Self {
        Self { reason: "timeout".to_owned(), detail: format!("no whole answer within {after:?}") }
    }

    pub(super) fn from_io(error: &io::Error) -> Self {
        let reason = match error.kind() {
            io::ErrorKind::ConnectionRefused => "refused",
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "reset",
            io::ErrorKind::ConnectionAborted | io::ErrorKind::UnexpectedEof => "cut",
            _ => "other",
        };
        Self { reason: reason.to_owned(), detail: error.to_string() }
    }

    pub(super) fn from_hyper(error: &hyper::Error) -> Self {
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            if let Some(io) = inner.downcast_ref::<io::Error>() {
                return Self { detail: format!("{error}: {io}"), ..Self::from_io(io) };
            }
            source = inner.source();
        }
        let reason = if error.is_parse() { "malformed" } else { "cut" };
        Self { reason: reason.to_owned(), detail: error.to_string() }
    }
}
