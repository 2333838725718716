//! One request and its answer.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::pool::{Lease, Pool, Sender, open};
use crate::generator::outcome::{Answer, Dropped, Verdict};
use crate::generator::plan::LoadPlan;
use crate::generator::request::Numbered;

/// How one attempt failed.
struct Attempt {
    dropped: Dropped,
    /// Nothing of the request was sent.
    unsent: bool,
    /// The head of the answer had come.
    answered: bool,
}

/// Sends the request and reads the whole answer, however long that takes.
pub(in crate::generator) async fn exchange(
    plan: &LoadPlan,
    request: &Numbered<'_>,
    pool: &Arc<Pool>,
    body: &Bytes,
) -> Result<Answer, Dropped> {
    if request.own_connection {
        let mut sender = open(plan.address).await?;
        return attempt(request, &mut sender, body).await.map_err(|attempt| attempt.dropped);
    }
    let mut lease = pool.lease();
    let mut resent = false;
    if let Some(sender) = lease.kept.take() {
        match attempt_and_keep(request, sender, lease, body).await {
            Err(attempt) if plan.resend && attempt.may_be_repeated(request) => resent = true,
            end => return end.map_err(|attempt| attempt.dropped),
        }
        lease = pool.lease_new();
    }
    let sender = open(plan.address).await?;
    let answer = attempt_and_keep(request, sender, lease, body).await.map_err(|attempt| attempt.dropped)?;
    Ok(Answer { resent, ..answer })
}

async fn attempt_and_keep(
    request: &Numbered<'_>,
    mut sender: Sender,
    lease: Lease,
    body: &Bytes,
) -> Result<Answer, Attempt> {
    let answer = attempt(request, &mut sender, body).await?;
    // Fails when the other side said that it closes.
    if sender.ready().await.is_ok() {
        lease.keep(sender);
    }
    Ok(answer)
}

async fn attempt(request: &Numbered<'_>, sender: &mut Sender, body: &Bytes) -> Result<Answer, Attempt> {
    sender.ready().await.map_err(|error| Attempt::unsent(&error))?;
    let sent = request.http1(body).map_err(|error| Attempt {
        dropped: Dropped::new("malformed", error),
        unsent: false,
        answered: false,
    })?;
    let response = sender.try_send_request(sent).await.map_err(|failed| Attempt {
        unsent: failed.message().is_some(),
        dropped: Dropped::from_hyper(failed.error()),
        answered: false,
    })?;
    request.remember(response.headers());
    let answer = read(response, request.echo(body)).await;
    answer.map_err(|dropped| Attempt { dropped, unsent: false, answered: true })
}

/// Reads an answer to its end, and compares it with what should come back, if that is known.
pub(in crate::generator) async fn read(
    response: Response<Incoming>,
    echo: Option<&Bytes>,
) -> Result<Answer, Dropped> {
    let (head, mut body) = response.into_parts();
    let verdict = Verdict::of(head.status, &head.headers);
    let mut left = echo.filter(|_| matches!(verdict, Verdict::Ok)).map(Bytes::as_ref);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Dropped::from_hyper(&error))?;
        if let (Some(expected), Some(data)) = (left, frame.data_ref()) {
            left = Some(expected.strip_prefix(data.as_ref()).ok_or_else(Dropped::altered)?);
        }
    }
    match left {
        Some([_, ..]) => Err(Dropped::altered()),
        _ => Ok(Answer::new(&head.headers, verdict)),
    }
}

impl Attempt {
    fn unsent(error: &hyper::Error) -> Self {
        Self { dropped: Dropped::from_hyper(error), unsent: true, answered: false }
    }

    fn may_be_repeated(&self, request: &Numbered<'_>) -> bool {
        !self.answered && (self.unsent || request.method == Method::GET)
    }
}
