//! What is done about each thing that the other end must not do (RFC 9113; the cases are those of h2spec, and more).

use super::super::super::frame::{ACK, PADDED, WITH_PRIORITY};
use super::*;

const OPEN: u8 = 0;

fn connection(reason: Reason) -> Vec<Said> {
    vec![Said::GoAway(0, reason)]
}

/// A connection that ends after stream 1 was opened.
fn connection_with_one(reason: Reason) -> Vec<Said> {
    vec![Said::GoAway(1, reason)]
}

fn stream(reason: Reason) -> Vec<Said> {
    vec![Said::Reset(1, reason)]
}

fn settings(name: u16, value: u32) -> Vec<u8> {
    frame(Kind::Settings, 0, 0, &[&name.to_be_bytes()[..], &value.to_be_bytes()].concat())
}

fn with_method(fields: &[(&str, &str)]) -> Vec<u8> {
    frame(Kind::Headers, END_STREAM | END_HEADERS, 1, &block(fields))
}

/// What is wrong, what is sent, and what comes of it.
type Case = (&'static str, Vec<Vec<u8>>, Vec<Said>);

fn check(session: fn() -> Session, cases: Vec<Case>) {
    for (what, frames, expected) in cases {
        // Whatever arrives together, or byte by byte.
        for size in [usize::MAX, 1] {
            let mut session = session();
            let (mut waiting, mut ended) = (Vec::new(), false);
            for piece in frames.concat().chunks(size) {
                waiting.extend_from_slice(piece);
                match session.receive(&waiting) {
                    Ok(used) => drop(waiting.drain(..used)),
                    Err(reason) => {
                        session.close(reason);
                        ended = true;
                        break;
                    }
                }
            }
            assert_eq!(broken_off(&mut session), expected, "{what}");
            assert_eq!(ended, matches!(expected.last(), Some(Said::GoAway(..))), "{what}");
        }
    }
}

#[test]
fn frames_that_no_connection_may_have_end_it() {
    let headers = |id, flags| request(id, flags, &[]);
    let continued = frame(Kind::Headers, END_STREAM, 1, &block(&GET));
    let large = |kind, id| frame(kind, 0, id, &[0; 16_385]);
    check(
        server,
        vec![
            ("unknown frames are passed over", vec![frame(Kind::Unknown, 0xff, 9, b"x")], vec![]),
            ("DATA on stream 0", vec![frame(Kind::Data, 0, 0, b"x")], connection(Reason::PROTOCOL_ERROR)),
            ("HEADERS on stream 0", vec![headers(0, END_STREAM)], connection(Reason::PROTOCOL_ERROR)),
            ("HEADERS on an even stream", vec![headers(2, END_STREAM)], connection(Reason::PROTOCOL_ERROR)),
            (
                "PRIORITY on stream 0",
                vec![frame(Kind::Priority, 0, 0, &[0; 5])],
                connection(Reason::PROTOCOL_ERROR),
            ),
            ("RST_STREAM on stream 0", vec![reset(0, Reason::CANCEL)], connection(Reason::PROTOCOL_ERROR)),
            (
                "SETTINGS on a stream",
                vec![frame(Kind::Settings, 0, 1, &[])],
                connection(Reason::PROTOCOL_ERROR),
            ),
            ("PING on a stream", vec![frame(Kind::Ping, 0, 1, &[0; 8])], connection(Reason::PROTOCOL_ERROR)),
            (
                "GOAWAY on a stream",
                vec![frame(Kind::GoAway, 0, 1, &[0; 8])],
                connection(Reason::PROTOCOL_ERROR),
            ),
            (
                "CONTINUATION of nothing",
                vec![frame(Kind::Continuation, 4, 1, &[])],
                connection(Reason::PROTOCOL_ERROR),
            ),
            (
                "PUSH_PROMISE of a client",
                vec![frame(Kind::PushPromise, 4, 1, &[0; 4])],
                connection(Reason::PROTOCOL_ERROR),
            ),
            (
                "DATA amid a block",
                vec![continued.clone(), frame(Kind::Data, 0, 1, b"x")],
                connection(Reason::PROTOCOL_ERROR),
            ),
            (
                "an unknown frame amid a block",
                vec![continued.clone(), frame(Kind::Unknown, 0, 1, b"x")],
                connection(Reason::PROTOCOL_ERROR),
            ),
            (
                "HEADERS amid a block",
                vec![continued.clone(), headers(3, 0)],
                connection(Reason::PROTOCOL_ERROR),
            ),
            (
                "CONTINUATION of another",
                vec![continued, frame(Kind::Continuation, 4, 3, &[])],
                connection(Reason::PROTOCOL_ERROR),
            ),
            ("DATA that is too large", vec![large(Kind::Data, 1)], connection(Reason::FRAME_SIZE_ERROR)),
            (
                "SETTINGS that are too large",
                vec![large(Kind::Settings, 0)],
                connection(Reason::FRAME_SIZE_ERROR),
            ),
            (
                "SETTINGS of 5 bytes",
                vec![frame(Kind::Settings, 0, 0, &[0; 5])],
                connection(Reason::FRAME_SIZE_ERROR),
            ),
            (
                "an ACK with SETTINGS",
                vec![frame(Kind::Settings, ACK, 0, &[0; 6])],
                connection(Reason::FRAME_SIZE_ERROR),
            ),
            ("push of neither 0 nor 1", vec![settings(2, 2)], connection(Reason::PROTOCOL_ERROR)),
            ("a window beyond 31 bits", vec![settings(4, 1 << 31)], connection(Reason::FLOW_CONTROL_ERROR)),
            ("frames of 100 bytes at most", vec![settings(5, 100)], connection(Reason::PROTOCOL_ERROR)),
            ("PING of 7 bytes", vec![frame(Kind::Ping, 0, 0, &[0; 7])], connection(Reason::FRAME_SIZE_ERROR)),
            (
                "GOAWAY of 7 bytes",
                vec![frame(Kind::GoAway, 0, 0, &[0; 7])],
                connection(Reason::FRAME_SIZE_ERROR),
            ),
            (
                "WINDOW_UPDATE of 5 bytes",
                vec![frame(Kind::WindowUpdate, 0, 0, &[0; 5])],
                connection(Reason::FRAME_SIZE_ERROR),
            ),
            (
                "PRIORITY of 4 bytes",
                vec![frame(Kind::Priority, 0, 1, &[0; 4])],
                connection(Reason::FRAME_SIZE_ERROR),
            ),
            ("no more window at all", vec![widened(0, 0)], connection(Reason::PROTOCOL_ERROR)),
            (
                "a window that grows too large",
                vec![widened(0, (1 << 31) - 1)],
                connection(Reason::FLOW_CONTROL_ERROR),
            ),
            (
                "a block that cannot be read",
                vec![frame(Kind::Headers, 5, 1, &[0x80])],
                connection_with_one(Reason::COMPRESSION_ERROR),
            ),
            (
                "padding longer than its frame",
                vec![frame(Kind::Headers, PADDED | 5, 1, &[9, 0x82])],
                connection(Reason::PROTOCOL_ERROR),
            ),
            (
                "a priority that is cut off",
                vec![frame(Kind::Headers, WITH_PRIORITY | 5, 1, &[0; 4])],
                connection(Reason::FRAME_SIZE_ERROR),
            ),
        ],
    );
}

#[test]
fn what_a_stream_may_not_have_in_its_state_ends_it() {
    let opened = || request(1, OPEN, &[]);
    let ended = || request(1, END_STREAM, &[]);
    let data = |flags, bytes: &[u8]| frame(Kind::Data, flags, 1, bytes);
    let trailers =
        |flags, fields: &[(&str, &str)]| frame(Kind::Headers, flags | END_HEADERS, 1, &block(fields));
    let window = frame(Kind::Settings, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff]);
    check(
        server,
        vec![
            ("idle: DATA", vec![data(0, b"x")], connection(Reason::PROTOCOL_ERROR)),
            ("idle: RST_STREAM", vec![reset(1, Reason::CANCEL)], connection(Reason::PROTOCOL_ERROR)),
            ("idle: WINDOW_UPDATE", vec![widened(1, 1)], connection(Reason::PROTOCOL_ERROR)),
            ("idle: PRIORITY", vec![frame(Kind::Priority, 0, 1, &[0; 5])], vec![]),
            ("ended: DATA", vec![ended(), data(0, b"x")], stream(Reason::STREAM_CLOSED)),
            (
                "ended: DATA, again and again",
                vec![ended(), data(0, b"x").repeat(9)],
                stream(Reason::STREAM_CLOSED),
            ),
            ("ended: HEADERS", vec![ended(), trailers(END_STREAM, &[])], stream(Reason::STREAM_CLOSED)),
            ("ended: WINDOW_UPDATE", vec![ended(), widened(1, 1)], vec![]),
            (
                "reset: DATA, WINDOW_UPDATE, RST_STREAM",
                vec![
                    opened(),
                    reset(1, Reason::CANCEL),
                    data(1, b"x"),
                    widened(1, 0),
                    reset(1, Reason::CANCEL),
                ],
                vec![],
            ),
            (
                "trailers that do not end it",
                vec![opened(), trailers(0, &[("x", "y")])],
                stream(Reason::PROTOCOL_ERROR),
            ),
            (
                "trailers with a path",
                vec![opened(), trailers(END_STREAM, &[(":path", "/")])],
                stream(Reason::PROTOCOL_ERROR),
            ),
            ("trailers", vec![opened(), data(0, b"x"), trailers(END_STREAM, &[("x", "y")])], vec![]),
            ("no more window at all", vec![opened(), widened(1, 0)], stream(Reason::PROTOCOL_ERROR)),
            (
                "a window that grows too large",
                vec![opened(), widened(1, (1 << 31) - 1)],
                stream(Reason::FLOW_CONTROL_ERROR),
            ),
            (
                "a window that settings make too large",
                vec![opened(), widened(1, 1), window],
                connection_with_one(Reason::FLOW_CONTROL_ERROR),
            ),
            (
                "more than the stream's window",
                vec![opened(), data(0, &[0; 10_000]).repeat(11)],
                stream(Reason::FLOW_CONTROL_ERROR),
            ),
            (
                "less than the length",
                vec![request(1, OPEN, &[("content-length", "3")]), data(END_STREAM, b"ab")],
                stream(Reason::PROTOCOL_ERROR),
            ),
            (
                "more than the length",
                vec![request(1, OPEN, &[("content-length", "3")]), data(0, b"abcd")],
                stream(Reason::PROTOCOL_ERROR),
            ),
            (
                "no body, but a length",
                vec![request(1, END_STREAM, &[("content-length", "3")])],
                stream(Reason::PROTOCOL_ERROR),
            ),
            (
                "trailers instead of the length",
                vec![request(1, OPEN, &[("content-length", "3")]), trailers(END_STREAM, &[])],
                stream(Reason::PROTOCOL_ERROR),
            ),
        ],
    );
}

#[test]
fn more_than_the_connection_may_have_ends_it() {
    let mut session = server();
    for id in 0..11 {
        let sent =
            [request(2 * id + 1, OPEN, &[]), frame(Kind::Data, 0, 2 * id + 1, &[0; 10_000]).repeat(10)];
        let heard = hear(&mut session, &sent.concat());
        assert_eq!(heard, if id < 10 { Ok(()) } else { Err(Reason::FLOW_CONTROL_ERROR) });
    }
}

#[test]
fn heads_that_no_request_may_have_end_its_stream() {
    let all = |more: &[(&'static str, &'static str)]| with_method(&[&GET[..], more].concat());
    let without =
        |name: &str| with_method(&GET.into_iter().filter(|field| field.0 != name).collect::<Vec<_>>());
    for (what, head) in [
        ("no method", without(":method")),
        ("no scheme", without(":scheme")),
        ("no path", without(":path")),
        ("two methods", all(&[(":method", "GET")])),
        ("two paths", all(&[(":path", "/")])),
        ("two hosts", all(&[(":authority", "a")])),
        ("an empty path", with_method(&[GET[0], GET[1], GET[2], (":path", "")])),
        ("a status", all(&[(":status", "200")])),
        ("an unknown field of the protocol", all(&[(":what", "x")])),
        ("a field of the protocol after others", with_method(&[GET[0], GET[1], ("x", "y"), GET[2], GET[3]])),
        ("another protocol to connect to", all(&[(":protocol", "websocket")])),
        ("connection", all(&[("connection", "close")])),
        ("transfer-encoding", all(&[("transfer-encoding", "chunked")])),
        ("te of anything but trailers", all(&[("te", "gzip")])),
        ("a line end in a value", all(&[("x", "a\nb")])),
        ("a zero in a value", all(&[("x", "a\0b")])),
        ("space before a value", all(&[("x", " a")])),
        ("a space in a name", all(&[("x y", "a")])),
        ("a capital in a name", all(&[("X", "a")])),
    ] {
        let mut session = server();
        hear(&mut session, &head).unwrap();
        assert_eq!(broken_off(&mut session), stream(Reason::PROTOCOL_ERROR), "{what}");
        assert!(session.accept().is_none() && session.open_streams() == 0, "{what}");
    }
}

#[test]
fn a_connection_begins_with_the_preface_and_settings() {
    let mut session = Session::new(Role::Server, SETTINGS);
    assert_eq!(session.receive(b"PRI * HTTP/2.0\r\n\r\nXX"), Err(Reason::PROTOCOL_ERROR));
    for first in [frame(Kind::Ping, 0, 0, &[0; 8]), frame(Kind::Settings, ACK, 0, &[]), request(1, 1, &[])] {
        let mut session = Session::new(Role::Server, SETTINGS);
        assert_eq!(session.receive(&[PREFACE, &first].concat()), Err(Reason::PROTOCOL_ERROR));
        assert_eq!(Session::new(Role::Client, SETTINGS).receive(&first), Err(Reason::PROTOCOL_ERROR));
    }
}

fn client_that_asked() -> Session {
    let mut session = client();
    ask(&mut session);
    said(&mut session);
    session
}

#[test]
fn what_no_server_may_say_ends_the_stream_or_the_connection() {
    let data = |flags, bytes: &[u8]| frame(Kind::Data, flags, 1, bytes);
    let ok = |flags, more: &[(&str, &str)]| answer(1, flags, "200", more);
    let five = [("content-length", "5")];
    check(
        client_that_asked,
        vec![
            (
                "a push",
                vec![frame(Kind::PushPromise, 4, 1, &[0, 0, 0, 2])],
                connection(Reason::PROTOCOL_ERROR),
            ),
            ("a stream of its own", vec![answer(2, 1, "200", &[])], connection(Reason::PROTOCOL_ERROR)),
            (
                "an answer that nobody asked for",
                vec![answer(3, 1, "200", &[])],
                connection(Reason::PROTOCOL_ERROR),
            ),
            ("push may be allowed by nobody", vec![settings(2, 1)], connection(Reason::PROTOCOL_ERROR)),
            ("a body before its head", vec![data(0, b"x")], stream(Reason::PROTOCOL_ERROR)),
            (
                "an interim answer that ends",
                vec![answer(1, END_STREAM, "100", &[])],
                stream(Reason::PROTOCOL_ERROR),
            ),
            ("a switch of protocols", vec![answer(1, 0, "101", &[])], stream(Reason::PROTOCOL_ERROR)),
            (
                "interim answers without end",
                vec![answer(1, 0, "103", &[]).repeat(101)],
                stream(Reason::PROTOCOL_ERROR),
            ),
            ("some interim answers", vec![answer(1, 0, "103", &[]).repeat(100), ok(END_STREAM, &[])], vec![]),
            (
                "no status",
                vec![frame(Kind::Headers, 5, 1, &block(&[("x", "y")]))],
                stream(Reason::PROTOCOL_ERROR),
            ),
            ("a status of two digits", vec![answer(1, 1, "20", &[])], stream(Reason::PROTOCOL_ERROR)),
            ("two statuses", vec![ok(1, &[(":status", "200")])], stream(Reason::PROTOCOL_ERROR)),
            (
                "less than the length",
                vec![ok(0, &five), data(END_STREAM, b"abc")],
                stream(Reason::PROTOCOL_ERROR),
            ),
            ("more than the length", vec![ok(0, &five), data(0, b"abcdef")], stream(Reason::PROTOCOL_ERROR)),
            ("nothing, but a length", vec![ok(END_STREAM, &five)], stream(Reason::PROTOCOL_ERROR)),
            (
                "a body of an answer without one",
                vec![answer(1, 0, "304", &five), data(0, b"x")],
                stream(Reason::PROTOCOL_ERROR),
            ),
            ("a length of an answer without a body", vec![answer(1, END_STREAM, "304", &five)], vec![]),
            ("DATA after the end", vec![ok(END_STREAM, &[]), data(0, b"x")], stream(Reason::STREAM_CLOSED)),
            (
                "HEADERS after the end",
                vec![ok(END_STREAM, &[]), ok(END_STREAM, &[])],
                stream(Reason::STREAM_CLOSED),
            ),
        ],
    );
}
