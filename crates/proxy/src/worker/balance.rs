//! Which endpoint takes a request.

use std::net::SocketAddr;
use std::rc::Rc;

use super::endpoint::Upstream;
use super::thread::Random;
use super::view::RouteView;
use crate::routing::CompiledPool;

/// An endpoint, and the pool it was taken from.
pub(super) struct Choice<'v> {
    pub(super) pool: &'v CompiledPool,
    pub(super) upstream: &'v Rc<Upstream>,
}

/// An endpoint of the client's own pool that was not tried yet; if there is none, of another pool that has a share of the
/// clients. A pool without a share takes nobody, come what may.
pub(super) fn choose<'v>(
    view: &'v RouteView,
    own: usize,
    tried: &[SocketAddr],
    random: &Random,
) -> Option<Choice<'v>> {
    let pools = || view.route.pools.iter().zip(&view.upstreams);
    let others = pools().enumerate().filter(|(index, _)| *index != own).map(|(_, pool)| pool);
    pools().nth(own).into_iter().chain(others).filter(|(pool, _)| pool.weight > 0).find_map(
        |(pool, upstreams)| pick(upstreams, tried, random).map(|upstream| Choice { pool, upstream }),
    )
}

/// The less loaded of two taken at random. Endpoints that could not be reached lately are left out, unless no other is
/// left.
fn pick<'v>(
    upstreams: &'v [Rc<Upstream>],
    tried: &[SocketAddr],
    random: &Random,
) -> Option<&'v Rc<Upstream>> {
    let untried = || upstreams.iter().filter(|upstream| !tried.contains(&upstream.address));
    let reachable = || untried().filter(|upstream| !upstream.is_ejected());
    match reachable().count() {
        0 => untried().nth(random.below(untried().count())),
        1 => reachable().next(),
        count => {
            let first = random.below(count);
            let second = (first + 1 + random.below(count - 1)) % count;
            let (first, second) = (reachable().nth(first)?, reachable().nth(second)?);
            Some(if second.in_flight.get() < first.in_flight.get() { second } else { first })
        }
    }
}
