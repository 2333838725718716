//! WebSockets on which each message is echoed.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};
use tokio_tungstenite::tungstenite::{Error, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::drive::Numbers;
use super::outcome::{Answer, Dropped, Verdict, version};
use super::plan::{LoadPlan, Session};
use super::request::Numbered;
use super::send::Sending;

const LABEL: &str = "WebSocket";

/// Where the sample service has its WebSocket.
const PATH: &str = "/websocket";

/// How long the other side may take over its part of a close.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// What came instead of an echo.
enum Ended {
    /// The handshake was answered with something else.
    Refused(Answer),
    /// The other side closed with 1001.
    ToldToGo,
    Dropped(Dropped),
}

/// A WebSocket that is open.
struct Open {
    stream: WebSocketStream<TcpStream>,
    version: String,
    /// The other side has closed, with or without saying why.
    closed: Option<Option<CloseFrame>>,
}

/// Opens a WebSocket again and again, until there are no more numbers.
pub(super) async fn sessions(sending: &Sending, session: Session, numbers: &Numbers) {
    let mut unanswered = None;
    while let Some(number) = unanswered.take().or_else(|| numbers.next()) {
        unanswered = converse(sending, session, number, numbers).await;
    }
}

/// Opens one, uses it, and closes it. A message that it was told to take elsewhere is given back.
async fn converse(sending: &Sending, session: Session, first: u64, numbers: &Numbers) -> Option<u64> {
    let (mut number, mut opened) = (first, None);
    for left in (0..session.messages).rev() {
        let due = Instant::now();
        sending.tally.sent();
        let request = Numbered::new(&sending.plan, &sending.clients, number);
        let exchange = exchange(&sending.plan, &mut opened, &request, left == 0);
        let late = || Err(Ended::Dropped(sending.late()));
        match timeout(sending.plan.timeout, exchange).await.unwrap_or_else(|_elapsed| late()) {
            Ok(answer) => sending.finished(due, LABEL, Ok(answer)),
            Err(Ended::Refused(answer)) => {
                sending.finished(due, LABEL, Ok(answer));
                return None;
            }
            Err(Ended::Dropped(dropped)) => {
                sending.finished(due, LABEL, Err(dropped));
                return None;
            }
            Err(Ended::ToldToGo) => {
                sending.tally.told_to_go();
                sending.tally.taken_back();
                return Some(number);
            }
        }
        let open = opened.as_mut().filter(|_| left > 0)?;
        if let Some(ended) = open.silent_for(session.pause).await {
            sending.ended_between_messages(ended);
            return None;
        }
        let Some(next) = numbers.next() else {
            let _ = timeout(CLOSE_LIMIT, open.close()).await;
            return None;
        };
        number = next;
    }
    None
}

/// Sends a message, on a new WebSocket if there is none, and waits for its echo; after the last one, closes.
async fn exchange(
    plan: &LoadPlan,
    opened: &mut Option<Open>,
    request: &Numbered<'_>,
    is_last: bool,
) -> Result<Answer, Ended> {
    let open = match opened {
        Some(open) => open,
        None => opened.insert(Open::open(plan, request).await?),
    };
    let sent = Utf8Bytes::from(request.message());
    // A failure to send is told by what can still be read: the reason for which the other side closed.
    let failed = open.stream.send(Message::Text(sent.clone())).await.err();
    let found = match open.next().await {
        Err(Ended::Dropped(read)) => return Err(Ended::Dropped(failed.map_or(read, dropped))),
        read => read?,
    };
    if found != sent {
        return Err(Ended::Dropped(Dropped::altered()));
    }
    if is_last {
        open.close().await?;
    }
    Ok(Answer { version: open.version.clone(), verdict: Verdict::Ok, resent: false })
}

impl Open {
    async fn open(plan: &LoadPlan, request: &Numbered<'_>) -> Result<Self, Ended> {
        let io = |error| Ended::Dropped(Dropped::from_io(&error));
        let stream = TcpStream::connect(plan.address).await.map_err(io)?;
        stream.set_nodelay(true).map_err(io)?;
        let malformed = |error| Ended::Dropped(dropped(error));
        let mut asked = format!("ws://{}{PATH}", plan.host).into_client_request().map_err(malformed)?;
        request.identify(asked.headers_mut());
        match client_async(asked, stream).await {
            Ok((stream, answer)) => {
                request.remember(answer.headers());
                Ok(Self { stream, version: version(answer.headers()), closed: None })
            }
            Err(Error::Http(answer)) => {
                let verdict = match Verdict::of(answer.status(), answer.headers()) {
                    Verdict::Ok => Verdict::Dropped(Dropped::new("malformed", "no WebSocket was opened")),
                    verdict => verdict,
                };
                Err(Ended::Refused(Answer::new(answer.headers(), verdict)))
            }
            Err(error) => Err(malformed(error)),
        }
    }

    /// The next message of the other side. If this is given up, a close that has come by then is told the next time.
    async fn next(&mut self) -> Result<Utf8Bytes, Ended> {
        loop {
            if let Some(reason) = self.closed.clone() {
                // Reading on sends the answer to the close and waits for the connection's end.
                let rest = async { while let Some(Ok(_)) = self.stream.next().await {} };
                let _ = timeout(CLOSE_LIMIT, rest).await;
                return Err(closed(reason));
            }
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text),
                Some(Ok(Message::Close(reason))) => self.closed = Some(reason),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(Ended::Dropped(dropped(error))),
                None => return Err(Ended::Dropped(Dropped::cut("the WebSocket ended without a close"))),
            }
        }
    }

    /// Waits; says so if the WebSocket ends meanwhile.
    async fn silent_for(&mut self, pause: Duration) -> Option<Ended> {
        tokio::select! {
            () = sleep(pause) => None,
            read = self.next() => Some(read.err().unwrap_or_else(|| {
                Ended::Dropped(Dropped::new("altered", "an answer came to nothing"))
            })),
        }
    }

    /// Closes in order.
    async fn close(&mut self) -> Result<(), Ended> {
        let reason = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::default() };
        let sent = self.stream.close(Some(reason)).await;
        sent.map_err(|error| Ended::Dropped(dropped(error)))?;
        while let Some(read) = self.stream.next().await {
            match read {
                Ok(_) => {}
                Err(Error::ConnectionClosed) => break,
                Err(error) => return Err(Ended::Dropped(dropped(error))),
            }
        }
        Ok(())
    }
}

impl Sending {
    /// A WebSocket ended while no message was under way. Unless it was told to go, its user has lost it, which counts as
    /// a request that was dropped.
    fn ended_between_messages(&self, ended: Ended) {
        match ended {
            Ended::ToldToGo => self.tally.told_to_go(),
            Ended::Dropped(dropped) => {
                self.tally.sent();
                self.finished(Instant::now(), LABEL, Err(dropped));
            }
            // Only a handshake is refused.
            Ended::Refused(_) => {}
        }
    }
}

fn closed(reason: Option<CloseFrame>) -> Ended {
    match reason {
        Some(CloseFrame { code: CloseCode::Away, .. }) => Ended::ToldToGo,
        Some(CloseFrame { code, reason }) => {
            let code = u16::from(code);
            Ended::Dropped(Dropped::new(&format!("closed-{code}"), format!("closed with {code} {reason}")))
        }
        None => Ended::Dropped(Dropped::new("closed", "closed without a code")),
    }
}

fn dropped(error: Error) -> Dropped {
    match error {
        Error::Io(error) => Dropped::from_io(&error),
        Error::ConnectionClosed | Error::AlreadyClosed => Dropped::cut(error),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Dropped::cut(error),
        error => Dropped::new("malformed", error),
    }
}
