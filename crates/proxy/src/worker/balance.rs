//! Which instance takes a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use std::rc::Rc;

use super::random::Random;
use super::room::Seat;
use super::upstream::Upstream;
use super::view::RouteView;
use crate::Address;
use crate::routing::{CompiledPool, InstanceWeight, Load, Siblings, pick};

/// One instance of a route.
pub(super) struct Instance {
    pub(super) upstream: Rc<Upstream>,
    /// How many requests it works on, over all workers; for routes that limit it.
    pub(super) used: Option<Arc<AtomicU32>>,
}

/// An instance, and the pool it was taken from.
pub(super) struct Choice<'v> {
    pub(super) pool: &'v CompiledPool,
    pub(super) upstream: &'v Rc<Upstream>,
    pub(super) siblings: Siblings,
    pub(super) seat: Option<Seat>,
}

/// Which instance takes a request now.
pub(super) enum Chosen<'v> {
    One(Choice<'v>),
    /// All that could are working on as many as they may.
    Full,
    /// There is none.
    Nobody,
}

/// An instance of the client's own pool that was not tried yet; if there is none, of another pool that has a share of the
/// clients. A pool without a share takes nobody that a cohort does not send there. A full pool sends nobody elsewhere.
pub(super) fn choose<'v>(
    view: &'v RouteView,
    own: usize,
    tried: &[Address],
    random: &Random,
    now: Instant,
) -> Chosen<'v> {
    let pools = || view.route.pools.iter().zip(&view.instances);
    let others = pools().enumerate().filter(|(index, _)| *index != own).map(|(_, pool)| pool);
    let others = others.filter(|(pool, _)| pool.weight > 0);
    for (pool, instances) in pools().nth(own).into_iter().chain(others) {
        match choose_in(view, pool, instances, tried, random, now) {
            Chosen::Nobody => {}
            chosen => return chosen,
        }
    }
    Chosen::Nobody
}

/// An instance of one pool.
pub(super) fn choose_in<'v>(
    view: &'v RouteView,
    pool: &'v CompiledPool,
    instances: &'v [Instance],
    tried: &[Address],
    random: &Random,
    now: Instant,
) -> Chosen<'v> {
    let untried = || instances.iter().filter(|instance| !tried.contains(&instance.upstream.address));
    let most = view.route.limits.max_in_flight;
    let has_room = |instance: &&Instance| match (&instance.used, most) {
        (Some(used), Some(most)) => used.load(Ordering::Relaxed) < most,
        _ => true,
    };
    let is_in = |instance: &&Instance| !instance.upstream.is_out(now);
    let out = instances.iter().filter(|instance| instance.upstream.is_out(now)).count();
    let load = loads(instances, view.route.slow_start, now);
    let below = |limit| random.below(limit);
    // Those that failed lately are left out, unless no other is left.
    let picked = if untried().any(|instance| is_in(&instance)) {
        pick(untried().filter(is_in).filter(has_room), load, below)
    } else {
        pick(untried().filter(has_room), load, below)
    };
    let Some(instance) = picked else {
        return if untried().next().is_some() { Chosen::Full } else { Chosen::Nobody };
    };
    let seat = match (&instance.used, most, &view.room) {
        (Some(used), Some(most), Some(room)) => match Seat::take(room, used, most) {
            Some(seat) => Some(seat),
            // Another worker was faster.
            None => return Chosen::Full,
        },
        _ => None,
    };
    let siblings = Siblings { all: instances.len(), out };
    Chosen::One(Choice { pool, upstream: &instance.upstream, siblings, seat })
}

/// What the choice between two of these goes by.
fn loads(instances: &[Instance], slow_start: Duration, now: Instant) -> impl Fn(&&Instance) -> Load + use<> {
    let oldest = if slow_start.is_zero() {
        Duration::ZERO
    } else {
        instances.iter().map(|instance| instance.upstream.age(now)).max().unwrap_or_default()
    };
    move |instance| {
        let upstream = &instance.upstream;
        let weight = if slow_start.is_zero() {
            InstanceWeight::FULL
        } else {
            InstanceWeight::of_age(upstream.age(now), oldest, slow_start)
        };
        Load { in_flight: upstream.in_flight.get(), weight }
    }
}
