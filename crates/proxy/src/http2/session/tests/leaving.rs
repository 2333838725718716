//! How connections end: no request is lost, and whoever has sent one that was not begun with learns that.

use super::pair::Pair;
use super::*;

#[test]
fn no_request_is_lost_between_the_first_goaway_and_the_last() {
    let (mut client, mut server) = (client(), server());
    // On their way when the server leaves.
    let slots: Vec<Slot> = (0..3).map(|_| ask(&mut client)).collect();
    server.leave();
    let mut pair = Pair::of(client, server);
    pair.carry_all();
    assert!(!pair.client.takes_requests() && !pair.server.is_done());
    for slot in slots {
        let accepted = pair.server.accept().expect("a request is lost");
        pair.server.write_fields(accepted.slot, true, |head| head.field(b":status", b"204"));
        pair.server.release(accepted.slot);
        pair.carry_all();
        let answered = pair.client.poll_answer(slot, &mut cx(), &mut ResponseHead::default());
        assert_eq!(answered, Poll::Ready(Ok(())));
        pair.client.release(slot);
    }
    assert!(pair.server.is_done() && pair.client.is_done());
}

#[test]
fn what_comes_after_the_last_stream_is_left_out_and_the_last_one_never_rises() {
    let mut session = server();
    hear(&mut session, &request(1, END_STREAM, &[])).unwrap();
    session.leave();
    assert_eq!(broken_off(&mut session), [Said::GoAway((1 << 31) - 1, Reason::NO_ERROR)]);
    hear(&mut session, &frame(Kind::Ping, 1, 0, b"last one")).unwrap();
    assert_eq!(broken_off(&mut session), [Said::GoAway(1, Reason::NO_ERROR)]);
    // Its block is read all the same, and its body is not missed in the window.
    for id in (3..603).step_by(2) {
        let late = [request(id, 0, &[]), frame(Kind::Data, END_STREAM, id, &[0; 10_000])];
        hear(&mut session, &late.concat()).unwrap();
    }
    assert_eq!(broken_off(&mut session), []);
    assert_eq!(session.open_streams(), 1);
    session.close(Reason::NO_ERROR);
    assert_eq!(broken_off(&mut session), [Said::GoAway(1, Reason::NO_ERROR)]);
}

#[test]
fn a_request_that_was_not_begun_with_is_known_as_such() {
    let goaway = |last: u32| frame(Kind::GoAway, 0, 0, &[last.to_be_bytes(), [0; 4]].concat());
    for (said, expected) in [
        (reset(3, Reason::REFUSED_STREAM), [None, Some(Broken::Unprocessed)]),
        (reset(3, Reason::CANCEL), [None, Some(Broken::Off)]),
        (goaway(1), [None, Some(Broken::Unprocessed)]),
        (goaway(3), [None, None]),
        (goaway(0), [Some(Broken::Unprocessed), Some(Broken::Unprocessed)]),
    ] {
        let mut session = client();
        let slots = [ask(&mut session), ask(&mut session)];
        hear(&mut session, &said).unwrap();
        let seen =
            slots.map(|slot| match session.poll_answer(slot, &mut cx(), &mut ResponseHead::default()) {
                Poll::Ready(answer) => answer.err(),
                Poll::Pending => None,
            });
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_client_that_was_told_to_go_ends_its_streams_and_opens_no_more() {
    let mut session = client();
    let slot = ask(&mut session);
    hear(&mut session, &frame(Kind::GoAway, 0, 0, &[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0])).unwrap();
    assert!(!session.takes_requests() && !session.is_done());
    assert_eq!(session.ask(false, true, |_| {}), Err(Broken::Unprocessed));
    hear(&mut session, &answer(1, END_STREAM, "200", &[])).unwrap();
    assert!(!session.is_done(), "its answer was not looked at yet");
    session.release(slot);
    assert!(session.is_done());
}

#[test]
fn a_whole_answer_is_whole_although_its_request_was_cut_short() {
    let mut session = client();
    let slot = session.ask(false, false, |_| {}).unwrap();
    let body = frame(Kind::Data, END_STREAM, 1, b"enough");
    let sent = [answer(1, 0, "200", &[]), body, reset(1, Reason::NO_ERROR)].concat();
    hear(&mut session, &sent).unwrap();
    session.lose();
    assert_eq!(session.poll_answer(slot, &mut cx(), &mut ResponseHead::default()), Poll::Ready(Ok(())));
    let (mut data, mut trailers) = (Vec::new(), Fields::default());
    let mut read = || session.poll_read(slot, &mut cx(), &mut data, &mut trailers);
    assert_eq!(read(), Poll::Ready(Ok(Next::Data)));
    assert_eq!(data, b"enough");
    data.clear();
    let ended = session.poll_read(slot, &mut cx(), &mut data, &mut trailers);
    assert_eq!(ended, Poll::Ready(Ok(Next::End)));
    assert_eq!(session.poll_write(slot, &mut cx(), b"more", false), Poll::Ready(Err(Broken::Off)));
}
