//! Connections of HTTP/2.

use std::task::{Context, Poll, Waker};

use crate::http2::{Broken, Next, PREFACE, Reason, Role, Session, Settings, Slot};
use crate::message::{Fields, ResponseHead};

const SETTINGS: Settings =
    Settings { streams: 16, stream_window: 1_000, connection_window: 100_000, head: 65_536 };

/// More bytes could take more requests back than may be taken back at once, which is the one thing that depends on what
/// comes together.
const MOST_BYTES: usize = 1_600;

/// What a client says after the preface. It matters to nobody in which pieces it comes.
pub fn http2_server(bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(MOST_BYTES)];
    let outcome = |size: usize| {
        let mut session = Session::new(Role::Server, SETTINGS);
        assert_eq!(session.receive(PREFACE), Ok(PREFACE.len()));
        let fault = say(&mut session, bytes, size);
        let mut seen = Vec::new();
        let mut asked = Vec::new();
        while let Some(accepted) = session.accept() {
            seen.push(format!("{:?} {:?}", accepted.read, accepted.head));
            asked.push(accepted.slot);
        }
        assert_eq!(session.open_streams(), asked.len(), "a stream belongs to nobody");
        for slot in &asked {
            seen.push(format!("{:?}", read(&mut session, *slot, bytes.len())));
            session.write_fields(*slot, true, |head| head.field(b":status", b"204"));
        }
        seen.push(end(&mut session, &asked, bytes.len()));
        (fault, seen)
    };
    compare(bytes, outcome);
}

/// What a server says to three requests: one, one for a head alone, and one whose body has not ended.
pub fn http2_client(bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(MOST_BYTES)];
    let outcome = |size: usize| {
        let mut session = Session::new(Role::Client, SETTINGS);
        let asked: Vec<Slot> = [(false, true), (true, true), (false, false)]
            .into_iter()
            .filter_map(|(to_head, ends)| session.ask(to_head, ends, |head| head.field(b":path", b"/")).ok())
            .collect();
        let fault = say(&mut session, bytes, size);
        assert!(!session.has_accepted(), "a server has asked for something");
        let mut seen = Vec::new();
        for slot in &asked {
            let mut head = ResponseHead::default();
            let answer = session.poll_answer(*slot, &mut look(), &mut head);
            seen.push(format!("{answer:?}"));
            if answer == Poll::Ready(Ok(())) {
                assert!(
                    head.status >= 200 && head.status != 101,
                    "an interim answer is passed off as the answer"
                );
                seen.push(format!("{head:?} {:?}", read(&mut session, *slot, bytes.len())));
            }
        }
        seen.push(end(&mut session, &asked, bytes.len()));
        (fault, seen)
    };
    compare(bytes, outcome);
}

/// What came of a connection: why it was ended, and all that was seen of it.
type Outcome = (Option<Reason>, Vec<String>);

fn compare(bytes: &[u8], outcome: impl Fn(usize) -> Outcome) {
    let whole = outcome(usize::MAX);
    for size in [1, bytes.len() % 13 + 2] {
        assert_eq!(outcome(size), whole, "it matters how the bytes come");
    }
}

/// Hands the bytes over in pieces; says why the connection was ended, if it was.
fn say(session: &mut Session, bytes: &[u8], size: usize) -> Option<Reason> {
    let mut waiting = Vec::new();
    for piece in bytes.chunks(size) {
        waiting.extend_from_slice(piece);
        match session.receive(&waiting) {
            Ok(used) => drop(waiting.drain(..used)),
            Err(reason) => {
                session.close(reason);
                return Some(reason);
            }
        }
    }
    None
}

fn look() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// All that has come of a body: never more than was sent, nor than the window allows.
fn read(session: &mut Session, slot: Slot, sent: usize) -> (Vec<u8>, Fields, Poll<Result<Next, Broken>>) {
    let (mut body, mut data, mut trailers) = (Vec::new(), Vec::new(), Fields::default());
    loop {
        let next = session.poll_read(slot, &mut look(), &mut data, &mut trailers);
        if next != Poll::Ready(Ok(Next::Data)) {
            assert!(body.len() <= sent.min(SETTINGS.stream_window as usize), "more has come than was sent");
            return (body, trailers, next);
        }
        body.append(&mut data);
    }
}

/// Lets go of all streams: nothing is left of them, and what is to go out is not much more than what has come.
fn end(session: &mut Session, streams: &[Slot], received: usize) -> String {
    streams.iter().for_each(|slot| session.release(*slot));
    assert_eq!(session.open_streams(), 0, "a stream was not let go of");
    let mut out = Vec::new();
    session.take_output(&mut out);
    assert!(out.len() <= 2 * received + 500, "{} bytes make {} bytes go out", received, out.len());
    out.escape_ascii().to_string()
}
