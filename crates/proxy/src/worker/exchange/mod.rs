//! One request: tried on endpoint after endpoint until one answers, or none can.

mod answer;
mod attempt;
mod comparison;
mod copy;
mod failure;
mod grpc;
mod record;
mod relay;
mod upload;
mod wait;

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use record::Record;
use upload::Upload;

pub(super) use answer::{Answer, HEAD_TOO_SLOW, unreadable, without_port};

use super::asked::AskedRequest;
use super::balance::{Choice, Chosen, choose};
use super::client::{ClientEnd, Visitor};
use super::forwarding::Forwarding;
use super::room::Waiting;
use super::stream::Deadline;
use super::thread::Worker;
use super::tunnel::Tunnel;
use super::view::{RouteView, View};
use crate::Address;
use crate::message::{BodyLength, Fields, Name, Protocol, RequestHead, ResponseHead};
use crate::routing::{NoRoute, VersionCounters, grpc_timeout};

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
    Tunnel(Tunnel),
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
    is_grpc: bool,
    upload: Upload,
    /// Bytes of the answer's body that the client's connection has taken.
    sent: u64,
    /// The random number drawn for a client that has no id, so that it keeps the id however often this is tried.
    drawn: Option<u64>,
    /// The cookie that names such a client from now on.
    cookie: Option<Vec<u8>>,
    /// Instances that have failed this request.
    tried: Vec<Address>,
    resends: u32,
    /// Connections that are open already may refuse it, as the last one did.
    wants_new_connection: bool,
    /// The version that broke the connection last, after it had been sent the request.
    broken_by: Option<Arc<VersionCounters>>,
    /// Until when it waits for an instance to come.
    held_until: Option<Instant>,
    /// Its place in the queue of a full route, and until when it stands there.
    queued: Option<(Waiting, Instant)>,
    /// Whether its failure has been counted for its client.
    failure_noted: bool,
    /// Whether it has been decided if it is copied.
    copy_decided: bool,
    /// The answer, as far as it is kept to be compared with that to the copy.
    kept: Option<comparison::Kept>,
    /// What the access log is going to say; none if nobody wants one.
    record: Option<Box<Record>>,
}

impl<'e, C: ClientEnd> Exchange<'e, C> {
    pub(super) fn new(visitor: &'e Visitor, client: &'e mut C, desk: &'e mut Desk) -> Self {
        let started = Instant::now();
        Self {
            visitor,
            worker: &visitor.worker,
            client,
            upload: Upload::new(desk.request.length, started),
            is_grpc: grpc::is_asked_for(&desk.request),
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
            wants_new_connection: false,
            broken_by: None,
            held_until: None,
            queued: None,
            failure_noted: false,
            copy_decided: false,
            kept: None,
            record: visitor.worker.access_log.enabled().then(Box::default),
        }
    }

    pub(super) async fn run(mut self) -> Outcome {
        let outcome = self.serve().await;
        self.log(outcome)
    }

    /// Tries until there is an answer. Each try looks at the table anew.
    async fn serve(&mut self) -> Outcome {
        if let Err(refusal) = self.look() {
            return self.refused(refusal).await;
        }
        let mut first = true;
        loop {
            let view = self.worker.view();
            let route = match self.route(&view) {
                Ok(route) => route,
                Err(answer) => return self.refused(Refusal::Answer(answer)).await,
            };
            if std::mem::take(&mut first)
                && let Err(answer) = self.begin(route)
            {
                route.route.counters.refused(self.worker.index).add(1);
                return self.say(answer).await;
            }
            match self.choose(route) {
                Chosen::One(choice) => {
                    self.queued = None;
                    if let Some(outcome) = self.attempt(&view, route, choice).await {
                        return outcome;
                    }
                }
                Chosen::Full => match self.queue(route).await {
                    wait::Waited::GoOn => {}
                    wait::Waited::Gone => return Outcome::Cut,
                    wait::Waited::Enough => {
                        route.route.counters.refused(self.worker.index).add(1);
                        return self.say(answer::FULL).await;
                    }
                },
                Chosen::Nobody => match self.hold(route).await {
                    wait::Waited::GoOn => {}
                    wait::Waited::Gone => return Outcome::Cut,
                    wait::Waited::Enough => return self.give_up(route).await,
                },
            }
        }
    }

    /// Looks at the request before it is known where it goes.
    fn look(&mut self) -> Result<(), Refusal> {
        let (view, worker) = (self.worker.view(), self.worker);
        let listener = view.table.listener(self.visitor.listen);
        let trusted = listener.map_or(&[][..], |listener| &listener.trusted);
        self.forwarding.look(self.request, trusted, || worker.random.next());
        self.record(|record| record.looked_at = true);
        if self.request.method() == b"CONNECT" {
            return Err(Refusal::Answer(answer::NO_CONNECT));
        }
        if self.visitor.is_misdirected(self.forwarding.told().host) {
            return Err(Refusal::Answer(answer::MISDIRECTED));
        }
        match listener.and_then(|listener| listener.redirect_to_https) {
            Some(port) => Err(Refusal::Redirect(port)),
            None => Ok(()),
        }
    }

    fn route<'v>(&self, view: &'v View) -> Result<&'v Rc<RouteView>, Answer> {
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

    /// Applies what the route says of all its requests.
    fn begin(&mut self, route: &RouteView) -> Result<(), Answer> {
        route.retries.request(self.started);
        let asked_for = self.request.fields.get(Name::GrpcTimeout).and_then(grpc_timeout);
        let total = route.route.timeouts.total_with(asked_for.filter(|_| self.is_grpc));
        self.ends_at = total.and_then(|total| self.started.checked_add(total));
        let largest = route.route.limits.max_body_bytes;
        self.upload.limit(largest);
        match (self.request.length, largest) {
            (BodyLength::Known(length), Some(largest)) if length > largest => Err(answer::BODY_TOO_LARGE),
            _ => Ok(()),
        }
    }

    fn choose<'v>(&mut self, route: &'v RouteView) -> Chosen<'v> {
        let asked = AskedRequest { head: self.request, origin: &self.forwarding.origin };
        let worker = self.worker;
        let draw = || *self.drawn.get_or_insert_with(|| worker.random.next());
        let assigned = route.route.assign(&asked, &worker.cookies, draw);
        self.cookie = assigned.cookie;
        let Some(own) = assigned.pool else { return Chosen::Nobody };
        let now = if self.tried.is_empty() { self.started } else { Instant::now() };
        let chosen = choose(route, own, &self.tried, &worker.random, now);
        if let Chosen::One(choice) = &chosen {
            self.count_fallback(route, own, choice);
        }
        chosen
    }

    /// A client that another version takes at once, because its own has no instance, was sent elsewhere too.
    fn count_fallback(&self, route: &RouteView, own: usize, choice: &Choice<'_>) {
        let own = &route.route.pools[own];
        if self.tried.is_empty() && !Arc::ptr_eq(&own.counters, &choice.pool.counters) {
            own.counters.shard(self.worker.index).retries.add(1);
        }
    }

    /// Each request that fails is counted once: by the version that had it, or else as one that we could not serve.
    async fn give_up(&mut self, route: &RouteView) -> Outcome {
        match self.broken_by.take() {
            Some(version) => {
                self.broke(&version, route);
                self.say(answer::BAD_GATEWAY).await
            }
            None => {
                route.route.counters.unserved(self.worker.index).add(1);
                self.say(answer::UNAVAILABLE).await
            }
        }
    }

    /// Answers a request that cannot be served at all.
    pub(super) async fn refuse(mut self, answer: Answer) -> Outcome {
        let outcome = self.refused(Refusal::Answer(answer)).await;
        self.log(outcome)
    }

    async fn refused(&mut self, refusal: Refusal) -> Outcome {
        match refusal {
            Refusal::Answer(answer) => {
                self.worker.connections().refused_requests.add(1);
                self.say(answer).await
            }
            Refusal::Redirect(port) => self.redirect(port).await,
        }
    }

    async fn redirect(&mut self, port: u16) -> Outcome {
        let location = answer::https_location(self.forwarding.told().host, port, self.request.target());
        self.added.clear();
        self.added.push(b"Location", &location);
        self.say_with_added(answer::MOVED).await
    }

    /// Answers in our own words.
    async fn say(&mut self, answer: Answer) -> Outcome {
        self.added.clear();
        self.say_with_added(answer).await
    }

    async fn say_with_added(&mut self, answer: Answer) -> Outcome {
        let last = answer.last || self.visitor.is_closing();
        self.record(|record| record.outcome = answer.outcome);
        if self.is_grpc {
            grpc::begin(self.response, answer);
            self.begin_answer(last);
            return self.finish(&[]).await;
        }
        self.response.begin(Protocol::Http11, answer.status, answer.reason.as_bytes());
        let fields = &mut self.response.fields;
        fields.push(b"Content-Type", b"text/plain; charset=utf-8");
        fields.push(b"Content-Length", answer.text.len().to_string().as_bytes());
        if answer.again {
            fields.push(b"Retry-After", b"1");
        }
        self.response.length = BodyLength::Known(answer.text.len() as u64);
        self.begin_answer(last);
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
        let limit = self.worker.limits.request_head;
        self.deadline.set(Instant::now() + limit);
        let written: io::Result<()> = poll_fn(|cx| {
            while !text.is_empty() {
                let Poll::Ready(taken) = self.client.poll_write(cx, text) else {
                    return self.deadline.poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()));
                };
                let taken = taken?;
                self.sent += taken as u64;
                text = &text[taken..];
            }
            Poll::Ready(Ok(()))
        })
        .await;
        if written.is_err() {
            return Outcome::Cut;
        }
        self.client.end(&Fields::default());
        self.flush(limit).await
    }

    fn is_out_of_time(&self) -> bool {
        self.ends_at.is_some_and(|end| end <= Instant::now())
    }

    /// At most so long, and no longer than the whole may take.
    fn time_left(&self, limit: Duration) -> Duration {
        self.ends_at.map_or(limit, |end| limit.min(end.saturating_duration_since(Instant::now())))
    }

    /// The earlier of this and the end of everything.
    fn no_later(&self, at: Instant) -> Instant {
        self.ends_at.map_or(at, |end| end.min(at))
    }
}

/// Why a request is answered by the edge alone.
enum Refusal {
    Answer(Answer),
    /// The same is served on this port, encrypted.
    Redirect(u16),
}
