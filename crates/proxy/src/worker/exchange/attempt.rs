//! One try on one instance.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::relay::{Heard, Passed};
use super::{Exchange, Outcome, answer, grpc};
use crate::message::Name;
use crate::routing::CompiledPool;
use crate::telemetry::RequestOutcome;
use crate::worker::balance::Choice;
use crate::worker::body::BodyFault;
use crate::worker::client::ClientEnd;
use crate::worker::flight::Flight;
use crate::worker::tunnel::Tunnel;
use crate::worker::upstream::{Link, LinkFault, Outgoing};
use crate::worker::view::{RouteView, View};

/// What came of one try: how the exchange ended, or nothing yet, and the request may be tried again.
type Tried = Option<Outcome>;

impl<C: ClientEnd> Exchange<'_, C> {
    pub(super) async fn attempt(&mut self, view: &View, route: &Rc<RouteView>, choice: Choice<'_>) -> Tried {
        let pool = choice.pool;
        let timeouts = route.route.timeouts;
        let flight = Flight::begin(self.worker, choice);
        // After a broken connection the others to the same instance are doubtful too.
        let open = if self.resends == 0 && !self.wants_new_connection {
            flight.upstream.take_open(self.request.is_repeatable())
        } else {
            None
        };
        let (mut link, reused) = match open {
            Some(link) => (link, true),
            None => match flight.upstream.connect(self.time_left(timeouts.connect), self.worker).await {
                Ok(link) => (link, false),
                Err(_) if self.is_out_of_time() => return Some(self.out_of_time(route).await),
                Err(_) => {
                    flight.unreachable();
                    return self.again(&flight);
                }
            },
        };
        if !reused && !self.worker.is_current(view) {
            // While we connected, the version may have lost its share; its last request must not come after that.
            flight.upstream.park_unused(link);
            return None;
        }
        if self.is_out_of_time() {
            flight.upstream.park_unused(link);
            return Some(self.out_of_time(route).await);
        }
        self.decide_copy(route, pool);
        self.record(|record| record.sent_to(&route.route, pool, &flight.upstream));
        let now = Instant::now();
        flight.shard().sent(self.worker.clock.micros(now));
        self.upload.begin(self.request.length, now);
        let upgrade = self.client.wanted_upgrade();
        link.begin(Outgoing { head: self.request, told: self.forwarding.told(), upgrade });
        match self.hear(&mut link, &timeouts).await {
            Heard::Head => {
                let failed = matches!(self.response.status, 502..=504);
                flight.judge(!failed, &route.route.ejection);
                Some(self.answered(link, pool, flight, route).await)
            }
            Heard::Fault(fault) => self.failed(fault, &link, &flight, reused, route).await,
            Heard::Client(BodyFault::Chunks(_)) => {
                drop(link);
                Some(self.say(answer::BODY_UNREADABLE).await)
            }
            Heard::Client(BodyFault::Broken) | Heard::Gone => Some(Outcome::Cut),
            Heard::TooLarge => {
                route.route.counters.refused(self.worker.index).add(1);
                // Others on the same connection must not wait for what is said to the client.
                drop(link);
                Some(self.say(answer::BODY_TOO_LARGE).await)
            }
            Heard::Late => {
                drop(link);
                Some(self.timed_out(&flight, route).await)
            }
        }
    }

    /// This instance cannot take the request; another may.
    fn again(&mut self, flight: &Flight) -> Tried {
        if self.held_until.is_none() {
            flight.shard().retries.add(1);
            self.record(|record| record.retries += 1);
        }
        self.tried.push(flight.upstream.address.clone());
        None
    }

    /// The answer's head did not come.
    async fn failed(
        &mut self,
        fault: LinkFault,
        link: &Link,
        flight: &Flight,
        reused: bool,
        route: &RouteView,
    ) -> Tried {
        let untouched = link.is_untouched() || matches!(fault, LinkFault::Unprocessed);
        if untouched && self.upload.bytes == 0 {
            // Nobody has seen the request. An instance that closes a connection in good order takes it on another one.
            let another_would_do = matches!(fault, LinkFault::Unprocessed) && !self.wants_new_connection;
            if !reused && !another_would_do {
                return self.again(flight);
            }
            self.wants_new_connection |= matches!(fault, LinkFault::Unprocessed);
            return None;
        }
        if !reused || matches!(fault, LinkFault::Nonsense) {
            flight.judge(false, &route.route.ejection);
        }
        let repeatable = self.request.is_repeatable() && !matches!(fault, LinkFault::Nonsense);
        let may_resend = repeatable && self.resends < route.route.retries.attempts;
        if !may_resend || !route.retries.retry(Instant::now()) {
            self.broke(&flight.counters, route);
            return Some(self.say(answer::BAD_GATEWAY).await);
        }
        self.resends += 1;
        self.broken_by = Some(Arc::clone(&flight.counters));
        flight.shard().retries.add(1);
        self.record(|record| record.retries += 1);
        if !reused {
            self.tried.push(flight.upstream.address.clone());
        }
        None
    }

    /// Its time is up before any instance has seen it.
    async fn out_of_time(&mut self, route: &RouteView) -> Outcome {
        route.route.counters.unserved(self.worker.index).add(1);
        self.say(answer::GATEWAY_TIMEOUT).await
    }

    async fn timed_out(&mut self, flight: &Flight, route: &RouteView) -> Outcome {
        if self.upload.waits_for_client {
            return self.say(answer::BODY_TOO_SLOW).await;
        }
        self.broke(&flight.counters, route);
        flight.judge(false, &route.route.ejection);
        self.say(answer::GATEWAY_TIMEOUT).await
    }

    /// The answer's head has come.
    async fn answered(
        &mut self,
        mut link: Link,
        pool: &CompiledPool,
        flight: Flight,
        route: &RouteView,
    ) -> Outcome {
        if self.response.status == 101 {
            return self.switch_protocols(link, pool, flight, route).await;
        }
        let latency = self.latency();
        if !self.is_grpc {
            self.count_answer(self.response.status >= 500, latency, &flight, route);
        }
        self.begin_reply(pool);
        let idle = route.route.timeouts.idle;
        let passed = self.pass_on(&mut link, idle).await;
        flight.shard().bytes_in.add(self.upload.bytes);
        flight.shard().bytes_out.add(self.sent);
        match passed {
            Passed::Whole => {
                self.hand_over_answer();
                if self.is_grpc {
                    let failed = self.response.status >= 500
                        || grpc::has_failed(&self.response.fields)
                        || grpc::has_failed(link.body_trailers());
                    self.count_answer(failed, latency, &flight, route);
                }
                // An instance may answer before it has read the request; such a connection is of no further use.
                if self.upload.is_whole {
                    flight.upstream.park(link);
                }
                // The instance's part is over, however long the client takes.
                drop(flight);
                let flushed = self.flush(idle).await;
                if let Outcome::Answered = flushed {
                    self.record(|record| record.outcome = RequestOutcome::Answered);
                }
                flushed
            }
            Passed::Broken | Passed::Late => {
                let late = matches!(passed, Passed::Late);
                let outcome = if late { RequestOutcome::TimedOut } else { RequestOutcome::Broken };
                self.record(|record| record.outcome = outcome);
                self.broke(&flight.counters, route);
                flight.judge(false, &route.route.ejection);
                if late && self.is_grpc && self.is_out_of_time() {
                    // A stream that is broken off would be taken for a fault of somebody's, as the client's own clock may be late.
                    drop((link, flight));
                    self.client.end(&grpc::deadline_exceeded());
                    return self.flush(idle).await;
                }
                Outcome::Cut
            }
            Passed::Gone => {
                // A stream that the client ends when it has enough was answered all the same.
                if self.is_grpc {
                    flight.shard().answered(false, latency);
                }
                Outcome::Cut
            }
        }
    }

    fn begin_reply(&mut self, pool: &CompiledPool) {
        self.added.clear();
        self.added.push(b"Pilotage-Version", pool.version.as_bytes());
        if let Some(cookie) = &self.cookie {
            self.added.push(b"Set-Cookie", cookie);
        }
        self.begin_answer(self.visitor.is_closing());
    }

    /// Microseconds since the request came.
    fn latency(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    async fn switch_protocols(
        &mut self,
        link: Link,
        pool: &CompiledPool,
        flight: Flight,
        route: &RouteView,
    ) -> Outcome {
        let protocol = self.response.fields.get(Name::Upgrade).map(<[u8]>::to_vec);
        let (true, Some(protocol), Link::Http1(link)) = (self.client.wanted_upgrade(), protocol, link) else {
            // Nobody asked for it.
            self.broke(&flight.counters, route);
            return self.say(answer::BAD_GATEWAY).await;
        };
        flight.shard().answered(false, self.latency());
        self.added.clear();
        self.added.push(b"Pilotage-Version", pool.version.as_bytes());
        self.added.push(b"Connection", b"upgrade");
        self.added.push(b"Upgrade", &protocol);
        if let Some(cookie) = &self.cookie {
            self.added.push(b"Set-Cookie", cookie);
        }
        self.begin_answer(false);
        match self.finish(&[]).await {
            Outcome::Answered => Outcome::Tunnel(Tunnel {
                entry: None,
                link,
                flight,
                route: Arc::clone(&route.route),
                version: Arc::clone(&pool.version),
                is_websocket: protocol.eq_ignore_ascii_case(b"websocket"),
            }),
            cut => cut,
        }
    }
}
