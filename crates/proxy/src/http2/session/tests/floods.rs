//! Whoever asks for work and takes nothing of it is stopped.

use super::*;

/// Lets the other end go on for so many rounds; the reason why it was stopped, if it was.
fn stopped(rounds: u32, round: impl Fn(u32) -> Vec<u8>) -> Option<Reason> {
    let mut session = server();
    let mut held = VecDeque::new();
    for number in 0..rounds {
        if let Err(reason) = hear(&mut session, &round(2 * number + 1)) {
            return Some(reason);
        }
        // Requests are looked at, and given up somewhat later.
        held.extend(std::iter::from_fn(|| session.accept()).map(|accepted| accepted.slot));
        if held.len() > 10 {
            held.drain(..5).for_each(|slot| session.release(slot));
        }
        said(&mut session);
    }
    None
}

#[test]
fn requests_that_are_taken_back_again_and_again_end_the_connection() {
    let opened = |id| request(id, 0, &[]);
    let ended = |id| request(id, END_STREAM, &[]);
    let flood = |round: &dyn Fn(u32) -> Vec<u8>| stopped(1_100, round);
    let calm = Some(Reason::ENHANCE_YOUR_CALM);
    assert_eq!(flood(&|id| [ended(id), reset(id, Reason::CANCEL)].concat()), calm);
    // It is we who reset these.
    assert_eq!(flood(&|id| [opened(id), widened(id, 0)].concat()), calm);
    assert_eq!(flood(&|id| [opened(id), widened(id, (1 << 31) - 1)].concat()), calm);
    assert_eq!(flood(&|id| [ended(id), frame(Kind::Data, 0, id, b"x")].concat()), calm);
    assert_eq!(flood(&|id| [ended(id), ended(id)].concat()), calm);
    assert_eq!(flood(&|id| [opened(id), opened(id)].concat()), calm);
    let longer = |id| {
        let body = frame(Kind::Data, 0, id, b"too long");
        [request(id, 0, &[("content-length", "1")]), body].concat()
    };
    assert_eq!(flood(&longer), calm);
    assert_eq!(flood(&|id| request(id, 0, &[("connection", "x")])), calm);
}

#[test]
fn requests_that_are_looked_at_before_they_are_taken_back_count_as_well() {
    let mut session = server();
    let mut rounds = 0;
    let reason = loop {
        rounds += 1;
        hear(&mut session, &request(2 * rounds - 1, 0, &[])).unwrap();
        let accepted = session.accept().unwrap();
        if let Err(reason) = hear(&mut session, &widened(2 * rounds - 1, 0)) {
            break reason;
        }
        session.release(accepted.slot);
        said(&mut session);
    };
    assert_eq!((reason, rounds), (Reason::ENHANCE_YOUR_CALM, 1_001));
}

#[test]
fn who_takes_answers_may_take_back_as_many_requests() {
    let mut session = server();
    for number in 0..5_000 {
        let id = 4 * number + 1;
        let sent = [request(id, END_STREAM, &[]), request(id + 2, END_STREAM, &[])];
        hear(&mut session, &sent.concat()).unwrap();
        let (answered, taken_back) = (session.accept().unwrap(), session.accept().unwrap());
        session.write_fields(answered.slot, true, |head| head.field(b":status", b"204"));
        session.release(answered.slot);
        hear(&mut session, &reset(id + 2, Reason::CANCEL)).unwrap();
        session.release(taken_back.slot);
        said(&mut session);
    }
    assert_eq!(session.open_streams(), 0);
}

#[test]
fn many_requests_that_are_taken_back_at_once_are_an_attack() {
    let pair =
        |number: u32| [request(2 * number + 1, 1, &[]), reset(2 * number + 1, Reason::CANCEL)].concat();
    let mut session = server();
    let flood: Vec<u8> = (0..65).flat_map(pair).collect();
    assert_eq!(session.receive(&flood), Err(Reason::ENHANCE_YOUR_CALM));
}

#[test]
fn blocks_are_neither_cut_to_pieces_nor_continued_for_ever() {
    let begun = || {
        let mut session = server();
        hear(&mut session, &frame(Kind::Headers, 1, 1, &block(&GET))).unwrap();
        session
    };
    let piece = |bytes: &[u8]| frame(Kind::Continuation, 0, 1, bytes);
    assert_eq!(hear(&mut begun(), &piece(b"").repeat(64)), Err(Reason::ENHANCE_YOUR_CALM));
    assert_eq!(hear(&mut begun(), &piece(&[0; 16_384]).repeat(9)), Err(Reason::ENHANCE_YOUR_CALM));
    let last = frame(Kind::Continuation, END_HEADERS, 1, &[]);
    let mut whole = begun();
    hear(&mut whole, &[piece(b"").repeat(62), last].concat()).unwrap();
    assert!(whole.accept().is_some());
}

#[test]
fn streams_beyond_those_that_are_allowed_are_refused() {
    let mut session = server();
    let flood: Vec<u8> = (0..101).flat_map(|number| request(2 * number + 1, 1, &[])).collect();
    hear(&mut session, &flood).unwrap();
    assert_eq!(broken_off(&mut session), [Said::Reset(201, Reason::REFUSED_STREAM)]);
    assert_eq!(session.open_streams(), 100);
    // One that was taken back makes room only when nobody works on it any more.
    let accepted: Vec<_> = std::iter::from_fn(|| session.accept()).collect();
    hear(&mut session, &[reset(1, Reason::CANCEL), request(203, 1, &[])].concat()).unwrap();
    assert_eq!(broken_off(&mut session), [Said::Reset(203, Reason::REFUSED_STREAM)]);
    session.release(accepted[0].slot);
    hear(&mut session, &request(205, 1, &[])).unwrap();
    assert_eq!(broken_off(&mut session), []);
}

#[test]
fn whoever_reads_nothing_is_not_read_from() {
    let mut session = server();
    let pings = frame(Kind::Ping, 0, 0, &[0; 8]).repeat(1_000);
    let mut rounds = 0;
    while !session.is_clogged() {
        hear(&mut session, &pings).unwrap();
        rounds += 1;
    }
    assert!(rounds < 20);
}

#[test]
fn a_small_block_that_stands_for_much_is_decoded_without_looking_at_all_of_it() {
    // A field of four thousand bytes, and a hundred thousand times one byte that stands for it.
    let mut session = server();
    let value = vec![b'v'; 3_900];
    let stored = [&b"\x40\x01x\x7f"[..], &[0xbd, 0x1d], &value].concat();
    let bomb = vec![0xbe; 16_384];
    let head = [&block(&GET)[..], &stored].concat();
    hear(&mut session, &frame(Kind::Headers, END_HEADERS, 1, &head)).unwrap();
    let accepted = session.accept().unwrap();
    assert_eq!(accepted.read, Ok(()));
    for (id, whole) in [(1, &b""[..]), (3, &block(&GET))] {
        hear(&mut session, &frame(Kind::Headers, END_STREAM, id, whole)).unwrap();
        hear(&mut session, &frame(Kind::Continuation, 0, id, &bomb).repeat(6)).unwrap();
        hear(&mut session, &frame(Kind::Continuation, END_HEADERS, id, &bomb)).unwrap();
    }
    assert_eq!(broken_off(&mut session), [Said::Reset(1, Reason::PROTOCOL_ERROR)]);
    let refused = session.accept().unwrap();
    assert_eq!(refused.read, Err(HeadFault::TooLarge));
    assert!(refused.head.fields.size() < 100_000);
}
