//! gRPC calls: of one message, and of many.

use std::convert::Infallible;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::channel::{Channel, Sender};
use hyper::body::Incoming;
use tokio::time::{sleep, timeout};

use super::body::RequestBody;
use super::drive::Numbers;
use super::http2::Connections;
use super::outcome::{Answer, Dropped, Verdict, version};
use super::plan::Session;
use super::request::Numbered;
use super::send::Sending;
use super::tally::Tally;
use crate::grpc::{MessageError, Messages, framed};

/// What requests of this kind are called in reports.
pub(super) const LABEL: &str = "gRPC";

/// The body of a call whose messages come one by one.
pub(super) type MessageBody = Channel<Bytes, Infallible>;

/// Calls `Unary` and reads the whole answer, however long that takes.
pub(super) async fn exchange(
    request: &Numbered<'_>,
    connections: &Connections<RequestBody>,
    place: usize,
    tally: &Tally,
) -> Result<Answer, Dropped> {
    let message = framed(request.message().as_bytes());
    let call = || request.call("Unary", RequestBody::whole(message.clone()));
    let response = connections.send(place, tally, call).await?;
    let mut answers = Answers::of(request, response);
    let found = answers.next().await?;
    let answer = answers.end().await?;
    match (&answer.verdict, found) {
        (Verdict::Ok, found) if found.as_deref() != Some(request.message().as_bytes()) => {
            Err(Dropped::altered())
        }
        _ => Ok(answer),
    }
}

/// Calls `BidiStream` again and again, until there are no more numbers.
pub(super) async fn sessions(sending: &Sending, session: Session, place: usize, numbers: &Numbers) {
    while let Some(number) = numbers.next() {
        let mut due = Instant::now();
        sending.tally.sent();
        let mut call = None;
        let mut request = Numbered::new(&sending.plan, &sending.clients, number);
        for left in (0..session.messages).rev() {
            let answered = converse(sending, place, &mut call, &request, left == 0);
            let end = timeout(sending.plan.timeout, answered).await.unwrap_or_else(|_| Err(sending.late()));
            let goes_on = matches!(&end, Ok(Answer { verdict: Verdict::Ok, .. }));
            sending.finished(due, LABEL, end);
            if !goes_on || left == 0 {
                break;
            }
            sleep(session.pause).await;
            let Some(number) = numbers.next() else {
                // The service sees the end of the messages and ends well, which the call waits for no longer.
                break;
            };
            due = Instant::now();
            sending.tally.sent();
            request = Numbered::new(&sending.plan, &sending.clients, number);
        }
    }
}

/// A call of many messages.
struct Call {
    messages: Sender<Bytes, Infallible>,
    answers: Answers,
}

/// Sends a message, the first one with the call itself, and waits for its echo; with the last one, for the end too.
async fn converse(
    sending: &Sending,
    place: usize,
    call: &mut Option<Call>,
    request: &Numbered<'_>,
    is_last: bool,
) -> Result<Answer, Dropped> {
    let message = request.message();
    let Call { messages, mut answers } = match call.take() {
        None => begin(sending, place, request, &message).await?,
        Some(mut begun) => {
            let sent = begun.messages.send_data(framed(message.as_bytes())).await;
            sent.map_err(|_closed| Dropped::cut("the call ended before its last message"))?;
            begun
        }
    };
    let found = answers.next().await?;
    let Some(found) = found else {
        // It ended by itself, which is right for a planted failure only.
        return match answers.end().await? {
            Answer { verdict: Verdict::Ok, .. } => {
                Err(Dropped::cut("the call ended before its last message"))
            }
            answer => Ok(answer),
        };
    };
    if found != message.as_bytes() {
        return Err(Dropped::altered());
    }
    if is_last {
        drop(messages);
        return answers.end().await;
    }
    let answer = Answer { version: answers.version.clone(), verdict: Verdict::Ok, resent: false };
    *call = Some(Call { messages, answers });
    Ok(answer)
}

async fn begin(
    sending: &Sending,
    place: usize,
    request: &Numbered<'_>,
    message: &str,
) -> Result<Call, Dropped> {
    // The first message is in the channel before the call begins: no attempt at it needs another one.
    let mut messages = None;
    let call = || {
        let (mut sender, body) = Channel::new(1);
        let _ = sender.try_send(hyper::body::Frame::data(framed(message.as_bytes())));
        messages = Some(sender);
        request.call("BidiStream", body)
    };
    let response = sending.streams.send(place, &sending.tally, call).await?;
    let messages = messages.ok_or_else(|| Dropped::cut("the call was never sent"))?;
    Ok(Call { messages, answers: Answers::of(request, response) })
}

/// The answer to a call.
struct Answers {
    status: StatusCode,
    head: HeaderMap,
    version: String,
    messages: Messages<Incoming>,
}

impl Answers {
    fn of(request: &Numbered<'_>, response: Response<Incoming>) -> Self {
        request.remember(response.headers());
        let (head, body) = response.into_parts();
        Self {
            status: head.status,
            version: version(&head.headers),
            head: head.headers,
            messages: Messages::new(body),
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Dropped> {
        if self.status != StatusCode::OK {
            // Not a gRPC server: what follows are no messages.
            return Ok(None);
        }
        self.messages.next().await.map_err(|error| match error {
            MessageError::Body(error) => Dropped::from_hyper(&error),
            error => Dropped::new("malformed", error),
        })
    }

    /// Reads what is left, and says how the call ended.
    async fn end(mut self) -> Result<Answer, Dropped> {
        while self.next().await?.is_some() {}
        let verdict = Verdict::of_call(self.status, &self.head, self.messages.trailers.as_ref());
        Ok(Answer { version: self.version, verdict, resent: false })
    }
}
