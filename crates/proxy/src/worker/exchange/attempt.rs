//! One try on one endpoint.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::relay::{Heard, Passed};
use super::{Exchange, Outcome, answer};
use crate::message::Name;
use crate::routing::CompiledPool;
use crate::worker::balance::Choice;
use crate::worker::body::BodyFault;
use crate::worker::client::ClientEnd;
use crate::worker::flight::Flight;
use crate::worker::upstream::{Link, LinkFault, Outgoing};
use crate::worker::view::{RouteView, View};

/// What came of one try: how the exchange ended, or nothing yet, and the request may be tried again.
type Tried = Option<Outcome>;

impl<C: ClientEnd> Exchange<'_, C> {
    pub(super) async fn attempt(&mut self, view: &View, route: &RouteView, choice: Choice<'_>) -> Tried {
        let Choice { pool, upstream } = choice;
        let timeouts = route.route.timeouts;
        let flight = Flight::begin(self.worker, &pool.counters, upstream);
        // After a broken connection the others to the same endpoint are doubtful too.
        let idle =
            if self.resends == 0 { upstream.take_open(self.request.is_repeatable()).await } else { None };
        let (mut link, reused) = match idle {
            Some(link) => (link, true),
            None => match upstream.connect(timeouts.connect, self.worker).await {
                Ok(link) => (link, false),
                Err(_) => {
                    upstream.eject();
                    return self.again(&flight);
                }
            },
        };
        upstream.reached();
        if !reused && !self.worker.is_current(view) {
            // While we connected, the version may have lost its share; its last request must not come after that.
            upstream.park_unused(link);
            return None;
        }
        self.ends_at = timeouts.total.map(|limit| self.started + limit);
        self.most_resends = route.route.retries.attempts;
        self.upload.limit(route.route.limits.max_body_bytes);
        flight.shard().sent(self.worker.clock.micros(Instant::now()));
        let (host, added) = self.forwarding.of(self.request);
        let upgrade = self.client.wanted_upgrade();
        link.begin(Outgoing { head: self.request, host, added, upgrade });
        match self.hear(&mut link, timeouts.first_byte).await {
            Heard::Head if self.response.status == 101 => {
                Some(self.switch_protocols(link, pool, flight).await)
            }
            Heard::Head => Some(self.reply(link, pool, flight, timeouts.idle).await),
            Heard::Fault(fault) => self.failed(fault, &link, &flight, reused).await,
            Heard::Client(BodyFault::Chunks(_)) => Some(self.say(answer::BODY_UNREADABLE).await),
            Heard::Client(BodyFault::Broken) | Heard::Gone => Some(Outcome::Cut),
            Heard::TooLarge => Some(self.say(answer::BODY_TOO_LARGE).await),
            Heard::Late => Some(self.timed_out(&flight).await),
        }
    }

    /// This endpoint cannot take the request; another may.
    fn again(&mut self, flight: &Flight) -> Tried {
        if self.held_until.is_none() {
            flight.shard().retries.add(1);
        }
        self.tried.push(flight.upstream.address.clone());
        None
    }

    /// The answer's head did not come.
    async fn failed(&mut self, fault: LinkFault, link: &Link, flight: &Flight, reused: bool) -> Tried {
        let untouched = link.is_untouched() || matches!(fault, LinkFault::Unprocessed);
        if untouched && self.upload.bytes == 0 {
            // Nobody has seen the request.
            return if reused { None } else { self.again(flight) };
        }
        let repeatable = self.request.is_repeatable() && !matches!(fault, LinkFault::Nonsense);
        if !repeatable || self.resends >= self.most_resends {
            flight.shard().broken.add(1);
            return Some(self.say(answer::BAD_GATEWAY).await);
        }
        self.resends += 1;
        self.broken_by = Some(Arc::clone(&flight.counters));
        flight.shard().retries.add(1);
        if !reused {
            self.tried.push(flight.upstream.address.clone());
        }
        None
    }

    async fn timed_out(&mut self, flight: &Flight) -> Outcome {
        if self.upload.waits_for_client {
            return self.say(answer::BODY_TOO_SLOW).await;
        }
        flight.shard().broken.add(1);
        self.say(answer::GATEWAY_TIMEOUT).await
    }

    async fn reply(
        &mut self,
        mut link: Link,
        pool: &CompiledPool,
        flight: Flight,
        idle: Duration,
    ) -> Outcome {
        self.begin_reply(pool, &flight);
        match self.pass_on(&mut link, idle).await {
            Passed::Whole => {
                // An endpoint may answer before it has read the request; such a connection is of no further use.
                if self.upload.is_whole {
                    flight.upstream.park(link);
                }
                // The instance's part is over, however long the client takes.
                drop(flight);
                self.flush(idle).await
            }
            Passed::Broken | Passed::Late => {
                flight.shard().broken.add(1);
                Outcome::Cut
            }
            Passed::Gone => Outcome::Cut,
        }
    }

    fn begin_reply(&mut self, pool: &CompiledPool, flight: &Flight) {
        let latency = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        flight.shard().answered(self.response.status >= 500, latency);
        self.added.clear();
        self.added.push(b"Pilotage-Version", pool.version.as_bytes());
        if let Some(cookie) = &self.cookie {
            self.added.push(b"Set-Cookie", cookie);
        }
        let last = self.visitor.is_closing();
        self.client.begin(self.response, self.added, last);
    }

    async fn switch_protocols(&mut self, link: Link, pool: &CompiledPool, flight: Flight) -> Outcome {
        let protocol = self.response.fields.get(Name::Upgrade).map(<[u8]>::to_vec);
        let (true, Some(protocol), Link::Http1(link)) = (self.client.wanted_upgrade(), protocol, link) else {
            // Nobody asked for it.
            flight.shard().broken.add(1);
            return self.say(answer::BAD_GATEWAY).await;
        };
        let latency = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        flight.shard().answered(false, latency);
        self.added.clear();
        self.added.push(b"Pilotage-Version", pool.version.as_bytes());
        self.added.push(b"Connection", b"upgrade");
        self.added.push(b"Upgrade", &protocol);
        self.client.begin(self.response, self.added, false);
        match self.finish(&[]).await {
            Outcome::Answered => Outcome::Tunnel(link, flight),
            cut => cut,
        }
    }
}
