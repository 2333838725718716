//! Bodies over many streams at once: all of them arrive, whole and in order, and nobody waits for ever.
//!
//! A task is only looked at when it has been woken, as on a worker. If none is awake and nothing is on its way before all
//! streams have ended, somebody has not been woken who should have been.

use std::sync::Arc;

use proptest::prelude::*;

use super::pair::{Flag, Pair};
use super::*;
use crate::fuzzing::Chance;

/// What one end of a stream does.
#[derive(Debug, Clone)]
struct Plan {
    /// Bytes that it says.
    body: usize,
    /// Bytes that it hands over at a time.
    piece: usize,
    /// Bytes that it takes before others have their turn.
    appetite: usize,
    /// Whether the last piece ends the stream, or a frame after it, or trailers.
    ending: Ending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    WithData,
    Empty,
    Trailers,
}

/// One end of a stream, as a task.
struct Talker {
    role: Role,
    slot: Slot,
    woken: Arc<Flag>,
    plan: Plan,
    /// What the other end does.
    others: Plan,
    begun: bool,
    sent: usize,
    finished: bool,
    received: usize,
    /// What has come and was not taken.
    data: Vec<u8>,
    ended: bool,
}

/// The byte that stands at this place of a body.
fn byte_at(place: usize, from: Role) -> u8 {
    (place ^ place >> 8 ^ place >> 16 ^ if from == Role::Client { 0x55 } else { 0 }) as u8
}

impl Talker {
    fn new(role: Role, slot: Slot, plan: Plan, others: Plan) -> Self {
        let (woken, data) = (Flag::raised(), Vec::new());
        let begun = role == Role::Client;
        Self {
            role,
            slot,
            woken,
            plan,
            others,
            begun,
            sent: 0,
            finished: false,
            received: 0,
            data,
            ended: false,
        }
    }

    /// Goes as far as it can. True when both ends have said and taken all.
    fn poll(&mut self, session: &mut Session) -> bool {
        self.woken.lower();
        let waker = Arc::clone(&self.woken).into();
        let mut cx = Context::from_waker(&waker);
        self.write(session, &mut cx);
        self.read(session, &mut cx);
        self.finished && self.ended
    }

    fn write(&mut self, session: &mut Session, cx: &mut Context<'_>) {
        if self.role == Role::Server && !std::mem::replace(&mut self.begun, true) {
            session.write_fields(self.slot, false, |head| head.field(b":status", b"200"));
        }
        while self.sent < self.plan.body {
            let end = self.plan.body.min(self.sent + self.plan.piece);
            let piece: Vec<u8> = (self.sent..end).map(|place| byte_at(place, self.role)).collect();
            let last = end == self.plan.body && self.plan.ending == Ending::WithData;
            match session.poll_write(self.slot, cx, &piece, last) {
                Poll::Pending => return,
                Poll::Ready(taken) => self.sent += taken.expect("the stream is broken"),
            }
        }
        if !std::mem::replace(&mut self.finished, true) {
            match self.plan.ending {
                Ending::Trailers => session.write_fields(self.slot, true, |head| head.field(b"x-sum", b"7")),
                Ending::WithData | Ending::Empty => session.finish(self.slot),
            }
        }
    }

    fn read(&mut self, session: &mut Session, cx: &mut Context<'_>) {
        if self.role == Role::Client && self.begun {
            match session.poll_answer(self.slot, cx, &mut ResponseHead::default()) {
                Poll::Pending => return,
                Poll::Ready(answer) => assert_eq!(answer, Ok(())),
            }
            self.begun = false;
        }
        let mut appetite = self.plan.appetite;
        let from = if self.role == Role::Client { Role::Server } else { Role::Client };
        while !self.ended {
            if self.data.is_empty() {
                let mut trailers = Fields::default();
                match session.poll_read(self.slot, cx, &mut self.data, &mut trailers) {
                    Poll::Pending => return,
                    Poll::Ready(Ok(Next::Data)) => {}
                    Poll::Ready(next) => {
                        assert_eq!(next, Ok(Next::End));
                        assert_eq!(self.received, self.others.body);
                        assert_eq!(trailers.find("x-sum").is_some(), self.others.ending == Ending::Trailers);
                        self.ended = true;
                        return;
                    }
                }
            }
            if appetite == 0 {
                return cx.waker().wake_by_ref();
            }
            let taken = self.data.len().min(appetite);
            for byte in self.data.drain(..taken) {
                assert_eq!(byte, byte_at(self.received, from), "at {}", self.received);
                self.received += 1;
            }
            appetite -= taken;
            session.give_credit(Some(self.slot), taken);
        }
    }
}

/// Has all streams talk, whoever is woken in any order.
fn talk(mut pair: Pair, plans: &[(Plan, Plan)], seed: u64) {
    pair.carry_all();
    let mut talkers: Vec<Talker> = Vec::new();
    for (own, others) in plans {
        let slot = pair
            .client
            .ask(false, false, |head| {
                GET.iter().for_each(|(name, value)| head.field(name.as_bytes(), value.as_bytes()))
            })
            .unwrap();
        talkers.push(Talker::new(Role::Client, slot, own.clone(), others.clone()));
    }
    let (mut chance, mut accepted) = (Chance(seed | 1), 0);
    loop {
        while let Some(request) = pair.server.accept() {
            let (others, own) = &plans[accepted];
            accepted += 1;
            talkers.push(Talker::new(Role::Server, request.slot, own.clone(), others.clone()));
        }
        let awake: Vec<usize> = (0..talkers.len()).filter(|at| talkers[*at].woken.is_up()).collect();
        let carriers: Vec<Role> =
            [Role::Client, Role::Server].into_iter().filter(|role| pair.can_carry(*role)).collect();
        if awake.is_empty() && carriers.is_empty() {
            break;
        }
        let next = chance.below(awake.len() + carriers.len());
        let Some(at) = awake.get(next) else {
            pair.carry(carriers[next - awake.len()]);
            continue;
        };
        let talker = &mut talkers[*at];
        let session = pair.end(talker.role);
        if talker.poll(session) {
            session.release(talker.slot);
            talkers.swap_remove(*at);
        }
    }
    assert_eq!((talkers.len(), accepted), (0, plans.len()), "somebody was not woken");
    assert_eq!((pair.client.open_streams(), pair.server.open_streams()), (0, 0));
}

fn session(role: Role, stream_window: u32) -> Session {
    Session::new(role, Settings { stream_window, connection_window: 0, ..SETTINGS })
}

/// Bodies are so long that every window is full many times, but no test takes long.
fn plan(window: u32) -> impl Strategy<Value = Plan> {
    let longest = (window as usize * 100).min(100_000);
    let ending = prop_oneof![Just(Ending::WithData), Just(Ending::Empty), Just(Ending::Trailers)];
    (0..=longest, 1..5_000usize, prop_oneof![1..100usize, 1_000..100_000usize], ending).prop_map(
        |(body, piece, appetite, ending)| Plan { body, piece, appetite: appetite.max(body / 100), ending },
    )
}

fn talks() -> impl Strategy<Value = (u32, Vec<(Plan, Plan)>)> {
    prop_oneof![1..50u32, 1_000..100_000u32, Just(1_000_000)].prop_flat_map(|window| {
        (Just(window), proptest::collection::vec((plan(window), plan(window)), 1..10))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn bodies_arrive_whole_over_any_connection(
        (window, plans) in talks(),
        capacity in prop_oneof![50..5_000usize, 10_000..300_000usize],
        piece in prop_oneof![20..50usize, 1_000..100_000usize],
        seed: u64,
    ) {
        let pair = Pair::on(session(Role::Client, window), session(Role::Server, window), capacity, piece);
        talk(pair, &plans, seed);
    }
}

#[test]
fn a_stream_that_is_given_up_does_not_keep_others_from_their_turn() {
    let mut session = server();
    let opened: Vec<u8> = [1, 3, 5].into_iter().flat_map(|id| request(id, END_STREAM, &[])).collect();
    hear(&mut session, &opened).unwrap();
    let slots: Vec<Slot> = std::iter::from_fn(|| session.accept()).map(|accepted| accepted.slot).collect();
    let flags = [Flag::raised(), Flag::raised(), Flag::raised()];
    let body = [0; 65_535];
    let write = |session: &mut Session, at: usize| {
        flags[at].lower();
        let waker = Arc::clone(&flags[at]).into();
        session.poll_write(slots[at], &mut Context::from_waker(&waker), &body, false)
    };
    // The window of the connection is used up, and two streams wait for it.
    assert_eq!(write(&mut session, 0), Poll::Ready(Ok(65_535)));
    assert!(write(&mut session, 1).is_pending() && write(&mut session, 2).is_pending());
    hear(&mut session, &widened(0, 10)).unwrap();
    assert!(flags[1].is_up() && !flags[2].is_up(), "one after the other");
    hear(&mut session, &reset(3, Reason::CANCEL)).unwrap();
    assert_eq!(write(&mut session, 1), Poll::Ready(Err(Broken::Off)));
    assert!(flags[2].is_up(), "it is the next one's turn");
    assert_eq!(write(&mut session, 2), Poll::Ready(Ok(10)));
}

#[test]
fn who_comes_too_late_to_its_turn_is_the_first_to_have_another() {
    let mut session = server();
    let opened: Vec<u8> = (0..4).flat_map(|number| request(2 * number + 1, END_STREAM, &[])).collect();
    hear(&mut session, &opened).unwrap();
    let slots: Vec<Slot> = std::iter::from_fn(|| session.accept()).map(|accepted| accepted.slot).collect();
    let flags: Vec<_> = slots.iter().map(|_| Flag::raised()).collect();
    let write = |session: &mut Session, at: usize, bytes: usize| {
        flags[at].lower();
        let waker = Arc::clone(&flags[at]).into();
        session.poll_write(slots[at], &mut Context::from_waker(&waker), &vec![0; bytes], false)
    };
    assert!(write(&mut session, 0, 65_535).is_ready());
    assert!(write(&mut session, 1, 10).is_pending() && write(&mut session, 2, 10).is_pending());
    hear(&mut session, &widened(0, 10)).unwrap();
    // Another takes all there is before stream 1 looks.
    assert!(flags[1].is_up() && write(&mut session, 3, 10).is_ready());
    assert!(write(&mut session, 1, 10).is_pending());
    flags.iter().for_each(|flag| flag.lower());
    hear(&mut session, &widened(0, 10)).unwrap();
    assert!(flags[1].is_up() && !flags[2].is_up());
}
