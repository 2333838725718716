//! One request: tried on endpoint after endpoint until one answers, or none can.

use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{SET_COOKIE, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use tokio::task::spawn_local;

use super::answer;
use super::balance::{Choice, choose};
use super::body::{Carrier, Download, Progress, ReplyBody, Upload};
use super::flight::Flight;
use super::head::{Outbound, clean_response};
use super::link::Link;
use super::serve::Visitor;
use super::thread::Worker;
use super::tunnel::announce;
use super::view::{RouteView, View};
use crate::Address;
use crate::routing::{CLIENT_COOKIE, CompiledPool, RouteCounters, VersionCounters, client_id};

const PILOTAGE_VERSION: HeaderName = HeaderName::from_static("pilotage-version");

/// How often a request is sent again after an endpoint took it and then broke the connection. More would let one
/// request that kills its server go through all of them.
const MOST_RESENDS: u32 = 2;

/// While a request waits for an endpoint, the known ones are tried again after so long.
const HOLD_PAUSE: Duration = Duration::from_millis(50);

/// Requests of one worker that may wait for an endpoint at a time.
const MOST_HELD: usize = 10_000;

/// One request on its way.
pub(super) struct Exchange<'w> {
    visitor: &'w Rc<Visitor>,
    worker: &'w Worker,
    outbound: Outbound,
    started: Instant,
    /// The id drawn for a client that has none.
    drawn: Option<String>,
    /// Endpoints that have failed this request.
    tried: Vec<Address>,
    resends: u32,
    /// The version that broke the connection last, after it had been sent the request.
    broken_by: Option<Arc<VersionCounters>>,
    held_until: Option<Instant>,
}

/// What came of one try: what the client gets, or nothing yet, and the request may be tried again.
type Outcome = Option<Response<ReplyBody>>;

impl<'w> Exchange<'w> {
    pub(super) fn new(visitor: &'w Rc<Visitor>, outbound: Outbound) -> Self {
        Self {
            visitor,
            worker: &visitor.worker,
            outbound,
            started: Instant::now(),
            drawn: None,
            tried: Vec::new(),
            resends: 0,
            broken_by: None,
            held_until: None,
        }
    }

    /// Tries until there is an answer. Each try looks at the table anew.
    pub(super) async fn run(mut self) -> Response<ReplyBody> {
        loop {
            let view = self.worker.view();
            let Some(route) = view.route(self.visitor.connection.listen) else {
                return answer::unavailable();
            };
            let own = self.own_pool(route);
            let choice = own.and_then(|own| choose(route, own, &self.tried, &self.worker.random));
            let Some(choice) = choice else {
                if self.wait(route.route.hold).await {
                    continue;
                }
                return self.give_up(&route.route.counters);
            };
            self.count_fallback(route, own, &choice);
            if let Some(response) = self.attempt(&view, choice).await {
                return response;
            }
        }
    }

    fn own_pool(&mut self, route: &RouteView) -> Option<usize> {
        if !route.route.split {
            return route.route.pool_of(&[]);
        }
        let known = self.outbound.headers().and_then(client_id);
        let worker = self.worker;
        match known {
            Some(id) => route.route.pool_of(id),
            None => {
                let id = self.drawn.get_or_insert_with(|| format!("{:016x}", worker.random.next()));
                route.route.pool_of(id.as_bytes())
            }
        }
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
    fn give_up(&self, route: &RouteCounters) -> Response<ReplyBody> {
        match &self.broken_by {
            Some(version) => {
                version.shard(self.worker.index).broken.add(1);
                answer::bad_gateway()
            }
            None => {
                route.unserved(self.worker.index).add(1);
                answer::unavailable()
            }
        }
    }

    async fn attempt(&mut self, view: &View, choice: Choice<'_>) -> Outcome {
        let Choice { pool, upstream } = choice;
        let flight = Flight::begin(self.worker, &pool.counters, upstream);
        // After a broken connection the others to the same endpoint are doubtful too.
        let idle = if self.resends == 0 { upstream.take_idle(self.outbound.repeatable) } else { None };
        let (mut link, reused) = match idle {
            Some(link) => (link, true),
            None => match Link::connect(&upstream.address, self.worker.limits.connect).await {
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
            upstream.park(link);
            return None;
        }
        let Some(request) = self.outbound.take() else {
            return Some(answer::bad_gateway());
        };
        flight.shard().sent(self.worker.clock.micros(Instant::now()));
        let sending = link.sender.try_send_request(request);
        match in_time(sending, &self.outbound.progress, self.worker.limits.response_head).await {
            Some(Ok(response)) => Some(self.reply(response, pool, flight, link)),
            Some(Err(mut error)) => match error.take_message() {
                Some(request) => {
                    // The connection was closed before anything was written: nobody has seen the request.
                    self.outbound.put_back(request);
                    if reused { None } else { self.again(&flight) }
                }
                None => self.broken(&flight, reused),
            },
            None => Some(self.timed_out(&flight)),
        }
    }

    /// This endpoint cannot take the request; another may.
    fn again(&mut self, flight: &Flight) -> Outcome {
        if self.held_until.is_none() {
            flight.shard().retries.add(1);
        }
        self.tried.push(flight.upstream.address.clone());
        None
    }

    /// The connection broke after the request was sent.
    fn broken(&mut self, flight: &Flight, reused: bool) -> Outcome {
        if self.outbound.progress.client_failed() {
            let text = "The body of the request could not be read.\n";
            return Some(answer::refused(StatusCode::BAD_REQUEST, text));
        }
        if !self.outbound.repeatable || self.resends >= MOST_RESENDS {
            flight.shard().broken.add(1);
            return Some(answer::bad_gateway());
        }
        self.resends += 1;
        self.broken_by = Some(Arc::clone(&flight.counters));
        flight.shard().retries.add(1);
        if !reused {
            self.tried.push(flight.upstream.address.clone());
        }
        None
    }

    fn timed_out(&self, flight: &Flight) -> Response<ReplyBody> {
        if self.outbound.progress.waits_for_client() {
            let text = "The body of the request did not come in time.\n";
            return answer::refused(StatusCode::REQUEST_TIMEOUT, text);
        }
        flight.shard().broken.add(1);
        answer::gateway_timeout()
    }

    fn reply(
        &mut self,
        response: Response<Incoming>,
        pool: &CompiledPool,
        flight: Flight,
        link: Link,
    ) -> Response<ReplyBody> {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return self.switch_protocols(response, pool, flight);
        }
        self.count_answer(&response, &flight);
        let (mut parts, body) = response.into_parts();
        // What the endpoint speaks is between it and us.
        parts.version = Version::HTTP_11;
        clean_response(&mut parts.headers);
        self.add_headers(&mut parts.headers, pool);
        let carrier = Carrier { flight, link, upload: Rc::clone(&self.outbound.progress) };
        Response::from_parts(parts, ReplyBody::Download(Download::new(body, carrier)))
    }

    fn switch_protocols(
        &mut self,
        mut response: Response<Incoming>,
        pool: &CompiledPool,
        flight: Flight,
    ) -> Response<ReplyBody> {
        let protocol = response.headers().get(UPGRADE).cloned();
        let (Some(upgrade), Some(protocol)) = (self.outbound.upgrade.take(), protocol) else {
            // Nobody asked for it.
            flight.shard().broken.add(1);
            return answer::bad_gateway();
        };
        self.count_answer(&response, &flight);
        let upstream = hyper::upgrade::on(&mut response);
        let (mut parts, _) = response.into_parts();
        clean_response(&mut parts.headers);
        self.add_headers(&mut parts.headers, pool);
        announce(&mut parts.headers, protocol);
        self.visitor.watch.release();
        spawn_local(upgrade.carry(upstream, flight, Rc::clone(self.visitor)));
        Response::from_parts(parts, ReplyBody::Text(None))
    }

    fn count_answer(&self, response: &Response<Incoming>, flight: &Flight) {
        let latency = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        flight.shard().answered(response.status().is_server_error(), latency);
    }

    fn add_headers(&self, headers: &mut HeaderMap, pool: &CompiledPool) {
        headers.insert(PILOTAGE_VERSION, pool.version.clone());
        if let Some(cookie) = self.drawn.as_deref().and_then(client_cookie) {
            headers.append(SET_COOKIE, cookie);
        }
    }
}

fn client_cookie(id: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("{CLIENT_COOKIE}={id}; Path=/; HttpOnly; SameSite=Lax")).ok()
}

/// Waits for the response head, for at most `limit` since the request moved last. `None` when that has passed.
async fn in_time(
    sending: impl Future<Output = Result<Response<Incoming>, TrySendError<Request<Upload>>>>,
    progress: &Progress,
    limit: Duration,
) -> Option<Result<Response<Incoming>, TrySendError<Request<Upload>>>> {
    let mut sending = pin!(sending);
    let mut deadline = Instant::now() + limit;
    loop {
        if let Ok(result) = tokio::time::timeout_at(deadline.into(), sending.as_mut()).await {
            return Some(result);
        }
        let extended = progress.moved_at() + limit;
        if extended <= Instant::now() {
            return None;
        }
        deadline = extended;
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
