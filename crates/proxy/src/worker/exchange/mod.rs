//! One request: tried on endpoint after endpoint until one answers, or none can.

mod answer;
mod attempt;
mod relay;
mod upload;

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

use upload::Upload;

pub(super) use answer::{Answer, HEAD_TOO_SLOW, unreadable};

use super::asked::AskedRequest;
use super::balance::{Choice, choose};
use super::client::{ClientEnd, Visitor};
use super::flight::Flight;
use super::head::Forwarding;
use super::stream::Deadline;
use super::thread::Worker;
use super::upstream::Http1Link;
use super::view::{RouteView, View};
use crate::Address;
use crate::message::{Fields, Protocol, RequestHead, ResponseHead};
use crate::routing::{NoRoute, RouteCounters, VersionCounters};

/// While a request waits for an endpoint, the known ones are tried again after so long.
const HOLD_PAUSE: Duration = Duration::from_millis(50);

/// Requests of one worker that may wait for an endpoint at a time.
const MOST_HELD: usize = 10_000;

/// What is kept from exchange to exchange of one connection.
pub(super) struct Desk {
    pub(super) request: RequestHead,
    pub(super) response: ResponseHead,
    pub(super) added: Fields,
    pub(super) forwarding: Forwarding,
    pub(super) deadline: Deadline,
}

impl Desk {
    pub(super) fn new(forwarding: Forwarding) -> Self {
        Self {
            request: RequestHead::default(),
            response: ResponseHead::default(),
            added: Fields::default(),
            forwarding,
            deadline: Deadline::default(),
        }
    }
}

/// How an exchange ended.
pub(super) enum Outcome {
    /// The client has an answer.
    Answered,
    /// The client has no answer, or only the beginning of one: its connection is of no further use.
    Cut,
    /// The connection goes on in another protocol.
    Tunnel(Box<Http1Link>, Flight),
}

/// One request on its way.
pub(super) struct Exchange<'e, C> {
    visitor: &'e Visitor,
    worker: &'e Rc<Worker>,
    client: &'e mut C,
    request: &'e RequestHead,
    response: &'e mut ResponseHead,
    added: &'e mut Fields,
    forwarding: &'e mut Forwarding,
    deadline: &'e mut Deadline,
    started: Instant,
    /// When the whole of it must be over.
    ends_at: Option<Instant>,
    upload: Upload,
    /// Bytes of the answer's body that the client's connection has taken.
    sent: u64,
    /// What the id of a client that has none is made of.
    drawn: Option<u64>,
    /// Gives it to the client.
    cookie: Option<Vec<u8>>,
    /// Endpoints that have failed this request.
    tried: Vec<Address>,
    resends: u32,
    most_resends: u32,
    /// The version that broke the connection last, after it had been sent the request.
    broken_by: Option<Arc<VersionCounters>>,
    held_until: Option<Instant>,
}

impl<'e, C: ClientEnd> Exchange<'e, C> {
    pub(super) fn new(visitor: &'e Visitor, client: &'e mut C, desk: &'e mut Desk) -> Self {
        let started = Instant::now();
        Self {
            visitor,
            worker: &visitor.worker,
            client,
            upload: Upload::new(desk.request.length, started),
            request: &desk.request,
            response: &mut desk.response,
            added: &mut desk.added,
            forwarding: &mut desk.forwarding,
            deadline: &mut desk.deadline,
            started,
            ends_at: None,
            sent: 0,
            drawn: None,
            cookie: None,
            tried: Vec::new(),
            resends: 0,
            most_resends: 0,
            broken_by: None,
            held_until: None,
        }
    }

    /// Tries until there is an answer. Each try looks at the table anew.
    pub(super) async fn run(mut self) -> Outcome {
        if self.request.method() == b"CONNECT" {
            return self.say(answer::NO_CONNECT).await;
        }
        loop {
            let view = self.worker.view();
            let route = match self.route(&view) {
                Ok(route) => route,
                Err(answer) => return self.say(answer).await,
            };
            let own = self.own_pool(route);
            let choice = own.and_then(|own| choose(route, own, &self.tried, &self.worker.random));
            let Some(choice) = choice else {
                if self.wait(route.route.hold).await {
                    continue;
                }
                return self.give_up(&route.route.counters).await;
            };
            self.count_fallback(route, own, &choice);
            if let Some(outcome) = self.attempt(&view, route, choice).await {
                return outcome;
            }
        }
    }

    fn route<'v>(&self, view: &'v View) -> Result<&'v RouteView, Answer> {
        let listen = self.visitor.listen;
        let host = self.request.host().unwrap_or_default();
        match view.table.find(listen, host, self.request.target()) {
            Ok(id) => Ok(view.route(id)),
            Err(NoRoute::AmbiguousPath) => Err(answer::AMBIGUOUS_PATH),
            // The whole address has left the table.
            Err(NoRoute::Unknown) if view.table.listener(listen).is_none() => Err(answer::UNAVAILABLE),
            Err(NoRoute::Unknown) => Err(answer::UNKNOWN),
        }
    }

    fn own_pool(&mut self, route: &RouteView) -> Option<usize> {
        let asked = AskedRequest { head: self.request, visitor: self.visitor };
        let worker = self.worker;
        let draw = || *self.drawn.get_or_insert_with(|| worker.random.next());
        let assigned = route.route.assign(&asked, worker.cookie_key(), draw);
        self.cookie = assigned.cookie;
        assigned.pool
    }

    /// A client that another version takes at once, because its own has no endpoint, was sent elsewhere too.
    fn count_fallback(&self, route: &RouteView, own: Option<usize>, choice: &Choice<'_>) {
        let own = own.and_then(|own| route.route.pools.get(own));
        if let Some(own) = own
            && self.tried.is_empty()
            && !Arc::ptr_eq(&own.counters, &choice.pool.counters)
        {
            own.counters.shard(self.worker.index).retries.add(1);
        }
    }

    /// Waits for another table, or for an endpoint to come back; false when the time is up.
    async fn wait(&mut self, hold: Duration) -> bool {
        let now = Instant::now();
        let until = *self.held_until.get_or_insert(now + hold);
        let held = &self.worker.held;
        if now >= until || held.get() >= MOST_HELD {
            return false;
        }
        let _place = HeldPlace::take(self.worker);
        // Either way the endpoints are looked at again.
        let _ = tokio::time::timeout(HOLD_PAUSE.min(until - now), self.worker.changed.notified()).await;
        self.tried.clear();
        true
    }

    /// Each request that fails is counted once: by the version that had it, or else as one that we could not serve.
    async fn give_up(&mut self, route: &RouteCounters) -> Outcome {
        match &self.broken_by {
            Some(version) => {
                version.shard(self.worker.index).broken.add(1);
                self.say(answer::BAD_GATEWAY).await
            }
            None => {
                route.unserved(self.worker.index).add(1);
                self.say(answer::UNAVAILABLE).await
            }
        }
    }

    /// Answers a request that cannot be served at all.
    pub(super) async fn refuse(mut self, answer: Answer) -> Outcome {
        self.say(answer).await
    }

    /// Answers in our own words.
    async fn say(&mut self, answer: Answer) -> Outcome {
        self.response.begin(Protocol::Http11, answer.status, answer.reason.as_bytes());
        let fields = &mut self.response.fields;
        fields.push(b"Content-Type", b"text/plain; charset=utf-8");
        fields.push(b"Content-Length", answer.text.len().to_string().as_bytes());
        if answer.again {
            fields.push(b"Retry-After", b"1");
        }
        self.added.clear();
        self.client.begin(self.response, self.added, answer.last || self.visitor.is_closing());
        let text = if self.request.is_head() { "" } else { answer.text };
        self.finish(text.as_bytes()).await
    }

    /// Sends what waits to go out.
    async fn flush(&mut self, idle: Duration) -> Outcome {
        self.deadline.set(self.no_later(Instant::now() + idle));
        let flushed = poll_fn(|cx| match self.client.poll_flush(cx) {
            Poll::Pending => self.deadline.poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into())),
            flushed => flushed,
        });
        if flushed.await.is_ok() { Outcome::Answered } else { Outcome::Cut }
    }

    /// Sends the rest of an answer.
    async fn finish(&mut self, mut text: &[u8]) -> Outcome {
        let written: io::Result<()> = poll_fn(|cx| {
            while !text.is_empty() {
                let taken = ready!(self.client.poll_write(cx, text))?;
                text = &text[taken..];
            }
            Poll::Ready(Ok(()))
        })
        .await;
        if written.is_err() {
            return Outcome::Cut;
        }
        self.client.end(&Fields::default());
        self.flush(self.worker.limits.request_head).await
    }

    /// The earlier of this and the end of everything.
    fn no_later(&self, at: Instant) -> Instant {
        self.ends_at.map_or(at, |end| end.min(at))
    }
}

/// A request that waits, counted for as long as this value lives.
struct HeldPlace<'w>(&'w Worker);

impl<'w> HeldPlace<'w> {
    fn take(worker: &'w Worker) -> Self {
        worker.held.set(worker.held.get() + 1);
        Self(worker)
    }
}

impl Drop for HeldPlace<'_> {
    fn drop(&mut self) {
        self.0.held.set(self.0.held.get().saturating_sub(1));
    }
}
