//! Copies of requests to a version that is tried out. Nobody waits for them, and nobody sees their answers.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Instant;

use tokio::task::spawn_local;

use super::comparison::Awaited;
use super::{Exchange, comparison};
use crate::comparison::KeptAnswer;
use crate::message::{BodyLength, Fields, RequestHead, ResponseHead};
use crate::routing::{CompiledMirror, CompiledPool, mirror_choice};
use crate::worker::asked::AskedRequest;
use crate::worker::balance::{Chosen, choose_in};
use crate::worker::body::Part;
use crate::worker::client::ClientEnd;
use crate::worker::flight::Flight;
use crate::worker::forwarding::Told;
use crate::worker::thread::Worker;
use crate::worker::upstream::{Link, Outgoing, Upstream};
use crate::worker::view::RouteView;

/// Copies of one route that one worker may have under way.
const MOST_OPEN: u32 = 64;

impl<C: ClientEnd> Exchange<'_, C> {
    /// Decides, once, whether the request is copied. The copy goes out when its body is complete.
    pub(super) fn decide_copy(&mut self, route: &Rc<RouteView>, own: &CompiledPool) {
        let Some(mirror) = &route.route.mirror else { return };
        if std::mem::replace(&mut self.copy_decided, true) {
            return;
        }
        let asked = AskedRequest { head: self.request, origin: &self.forwarding.origin };
        let assigned = route.route.pools.iter().position(|pool| std::ptr::eq(pool, own));
        let length = match self.request.length {
            BodyLength::Empty => Some(0),
            BodyLength::Known(length) => Some(length),
            BodyLength::Streamed | BodyLength::UntilClose => None,
        };
        let draw = self.worker.random.next();
        if !mirror_choice(&route.route, &asked, assigned, length, draw) {
            return;
        }
        let bytes = self.request.fields.size() as u64 + length.unwrap_or_default();
        let shard = route.route.pools[mirror.pool].counters.shard(self.worker.index).mirror();
        if route.copies.open.get() >= MOST_OPEN || !route.copies.bytes.take(bytes, self.started) {
            return shard.dropped.add(1);
        }
        shard.bytes.add(bytes);
        let (kept, awaited) = mirror.comparison.as_ref().map(comparison::keep).unzip();
        self.kept = kept;
        let told = self.forwarding.told();
        let copy = Copy {
            worker: Rc::clone(self.worker),
            head: self.request.clone(),
            host: told.host.to_vec(),
            fields: told.fields.clone(),
            drops_trace: told.drops_trace,
            body: Vec::new(),
            awaited,
            _open: Open::one(route),
            route: Rc::clone(route),
        };
        if length == Some(0) { copy.go() } else { self.upload.copy = Some(copy) }
    }
}

/// A copy of a request, being made or under way.
pub(super) struct Copy {
    pub(super) worker: Rc<Worker>,
    route: Rc<RouteView>,
    pub(super) head: RequestHead,
    host: Vec<u8>,
    fields: Fields,
    drops_trace: bool,
    pub(super) body: Vec<u8>,
    /// What its answer is to be compared with.
    pub(super) awaited: Option<Awaited>,
    _open: Open,
}

impl Copy {
    /// Sends it.
    pub(super) fn go(mut self) {
        spawn_local(async move {
            let route = Arc::clone(&self.route.route);
            let Some(mirror) = &route.mirror else { return };
            let pool = &route.pools[mirror.pool];
            let shard = pool.counters.shard(self.worker.index).mirror();
            let is_still_copied = |route: &Rc<RouteView>| {
                let mirror = route.route.mirror.as_ref().map(|mirror| &route.route.pools[mirror.pool]);
                mirror.is_some_and(|current| current.version == pool.version)
            };
            if !self.worker.view().named(&route.name).is_some_and(is_still_copied) {
                // The version may be drained by now, and stopped.
                return shard.dropped.add(1);
            }
            match tokio::time::timeout(mirror.timeout, self.send(mirror, pool)).await {
                Ok(Some(answer)) => self.compare(answer, mirror, &pool.counters).await,
                _ => shard.broken.add(1),
            }
        });
    }

    async fn send(&self, mirror: &CompiledMirror, pool: &CompiledPool) -> Option<KeptAnswer> {
        let started = Instant::now();
        let instances = &self.route.instances[mirror.pool];
        let chosen = choose_in(&self.route, pool, instances, &[], &self.worker.random, started);
        let Chosen::One(choice) = chosen else { return None };
        // The version is not drained before its copies have ended.
        let flight = Flight::begin(&self.worker, choice);
        let mut link = self.connect(&flight.upstream).await?;
        let told = Told { host: &self.host, fields: &self.fields, drops_trace: self.drops_trace };
        link.begin(Outgoing { head: &self.head, told, upgrade: false });
        let mut response = ResponseHead::default();
        let mut body = &self.body[..];
        poll_fn(|cx| {
            while !body.is_empty() {
                let sent = ready!(link.poll_write(cx, body)).ok();
                let Some(sent) = sent else { return Poll::Ready(None) };
                body = &body[sent..];
                if body.is_empty() {
                    link.end(&Fields::default());
                }
            }
            if let Poll::Ready(Err(_)) = link.poll_flush(cx) {
                return Poll::Ready(None);
            }
            link.poll_head(cx, &mut response).map(Result::ok)
        })
        .await?;
        let latency = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut kept = self.awaited.as_ref().map(Awaited::body).unwrap_or_default();
        poll_fn(|cx| {
            loop {
                match ready!(link.poll_body(cx)) {
                    Ok(Part::Data) => {
                        kept.push(link.body_data());
                        let length = link.body_data().len();
                        link.take_body(length);
                    }
                    Ok(Part::End) => return Poll::Ready(Some(())),
                    Err(_) => return Poll::Ready(None),
                }
            }
        })
        .await?;
        flight.shard().mirror().answered(response.status >= 500, latency);
        flight.upstream.park(link);
        Some(KeptAnswer::new(&response, kept))
    }

    async fn connect(&self, upstream: &Upstream) -> Option<Link> {
        match upstream.take_open(self.head.is_repeatable()) {
            Some(link) => Some(link),
            None => upstream.connect(self.route.route.timeouts.connect, &self.worker).await.ok(),
        }
    }
}

/// Counts a copy that is under way for as long as this value lives.
struct Open(Rc<RouteView>);

impl Open {
    fn one(route: &Rc<RouteView>) -> Self {
        route.copies.open.set(route.copies.open.get() + 1);
        Self(Rc::clone(route))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.copies.open.set(self.0.copies.open.get().saturating_sub(1));
    }
}
