//! Sessions held against each other, and against ends that do not keep to the protocol.

mod floods;
mod leaving;
mod pair;
mod transfers;
mod violations;

use super::super::Settings;
use super::super::frame::{END_HEADERS, END_STREAM, FRAME_HEAD, FrameHead, Kind, PREFACE, number, write};
use super::*;

const SETTINGS: Settings =
    Settings { streams: 100, stream_window: 100_000, connection_window: 1_000_000, head: 65_536 };

/// What a session has said, in brief.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    /// RST_STREAM.
    Reset(u32, Reason),
    /// GOAWAY, and the last stream in it.
    GoAway(u32, Reason),
    /// Any other frame.
    Other(Kind, u32),
}

/// All that waits to go out.
fn said(session: &mut Session) -> Vec<Said> {
    let mut out = Vec::new();
    session.take_output(&mut out);
    let mut rest = out.strip_prefix(PREFACE).unwrap_or(&out);
    let mut said = Vec::new();
    while !rest.is_empty() {
        let (head, payload) = FrameHead::split(rest).unwrap().expect("half a frame is to go out");
        let number_at = |at: usize| number(payload[at..at + 4].try_into().unwrap());
        said.push(match head.kind {
            Kind::ResetStream => Said::Reset(head.stream, Reason(number_at(0))),
            Kind::GoAway => Said::GoAway(number_at(0), Reason(number_at(4))),
            kind => Said::Other(kind, head.stream),
        });
        rest = &rest[FRAME_HEAD + head.length..];
    }
    said
}

/// Only what it has broken off.
fn broken_off(session: &mut Session) -> Vec<Said> {
    said(session).into_iter().filter(|said| !matches!(said, Said::Other(..))).collect()
}

/// A server whose client has begun as it should.
fn server() -> Session {
    let mut session = Session::new(Role::Server, SETTINGS);
    assert_eq!(session.receive(PREFACE), Ok(PREFACE.len()));
    hear(&mut session, &frame(Kind::Settings, 0, 0, &[])).unwrap();
    said(&mut session);
    session
}

/// A client whose server has begun as it should.
fn client() -> Session {
    let mut session = Session::new(Role::Client, SETTINGS);
    hear(&mut session, &frame(Kind::Settings, 0, 0, &[])).unwrap();
    said(&mut session);
    session
}

/// Hands whole frames over, and ends the connection where they are worth it, as whoever moves the bytes does.
fn hear(session: &mut Session, frames: &[u8]) -> Result<(), Reason> {
    match session.receive(frames) {
        Ok(used) => {
            assert!(used == frames.len() || session.is_over());
            Ok(())
        }
        Err(reason) => {
            session.close(reason);
            Err(reason)
        }
    }
}

fn frame(kind: Kind, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, kind, flags, stream, payload);
    out
}

/// Short fields without the tables of HPACK (RFC 7541, section 6.2.2).
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

const GET: [(&str, &str); 4] = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")];

/// A request with these further fields. `flags`: beside that its head is complete.
fn request(stream: u32, flags: u8, more: &[(&str, &str)]) -> Vec<u8> {
    frame(Kind::Headers, flags | END_HEADERS, stream, &block(&[&GET[..], more].concat()))
}

fn answer(stream: u32, flags: u8, status: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let fields = [&[(":status", status)][..], more].concat();
    frame(Kind::Headers, flags | END_HEADERS, stream, &block(&fields))
}

fn reset(stream: u32, reason: Reason) -> Vec<u8> {
    frame(Kind::ResetStream, 0, stream, &reason.0.to_be_bytes())
}

fn widened(stream: u32, by: u32) -> Vec<u8> {
    frame(Kind::WindowUpdate, 0, stream, &by.to_be_bytes())
}

/// Opens a stream with a request without a body.
fn ask(session: &mut Session) -> Slot {
    session
        .ask(false, true, |head| {
            GET.iter().for_each(|(name, value)| head.field(name.as_bytes(), value.as_bytes()))
        })
        .unwrap()
}

/// A waker that does nothing: the test looks again by itself.
fn cx() -> Context<'static> {
    Context::from_waker(Waker::noop())
}
