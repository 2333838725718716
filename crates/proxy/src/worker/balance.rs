//! Which endpoint takes a request.

use std::rc::Rc;

use super::random::Random;
use super::upstream::Upstream;
use super::view::RouteView;
use crate::Address;
use crate::routing::CompiledPool;

/// An endpoint, and the pool it was taken from.
pub(super) struct Choice<'v> {
    pub(super) pool: &'v CompiledPool,
    pub(super) upstream: &'v Rc<Upstream>,
}

/// An endpoint of the client's own pool that was not tried yet; if there is none, of another pool that has a share of the
/// clients. A pool without a share takes nobody that a cohort does not send there.
pub(super) fn choose<'v>(
    view: &'v RouteView,
    own: usize,
    tried: &[Address],
    random: &Random,
) -> Option<Choice<'v>> {
    let pools = || view.route.pools.iter().zip(&view.upstreams);
    let others = pools().enumerate().filter(|(index, _)| *index != own).map(|(_, pool)| pool);
    let others = others.filter(|(pool, _)| pool.weight > 0);
    pools().nth(own).into_iter().chain(others).find_map(|(pool, upstreams)| {
        pick(upstreams, tried, random).map(|upstream| Choice { pool, upstream })
    })
}

/// The less loaded of two taken at random. Endpoints that could not be reached lately are left out, unless no other is
/// left.
fn pick<'v>(upstreams: &'v [Rc<Upstream>], tried: &[Address], random: &Random) -> Option<&'v Rc<Upstream>> {
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

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn upstreams(count: u16) -> Vec<Rc<Upstream>> {
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        (1..=count).map(|port| Rc::new(Upstream::new(address(port).into(), crate::Protocol::Http1))).collect()
    }

    fn port(address: &Address) -> u16 {
        match address {
            Address::Tcp(address) => address.port(),
            Address::Unix(_) => 0,
        }
    }

    fn picked(upstreams: &[Rc<Upstream>], tried: &[Address]) -> Vec<u16> {
        let random = Random::from_system().unwrap();
        let mut ports: Vec<_> =
            (0..200).filter_map(|_| Some(port(&pick(upstreams, tried, &random)?.address))).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    #[test]
    fn everyone_has_a_turn_unless_busier_than_all_others() {
        let upstreams = upstreams(4);
        assert_eq!(picked(&upstreams, &[]), [1, 2, 3, 4]);
        upstreams[2].in_flight.set(9);
        assert_eq!(picked(&upstreams, &[]), [1, 2, 4]);
    }

    #[test]
    fn those_that_failed_the_request_are_not_tried_again() {
        let upstreams = upstreams(2);
        assert_eq!(picked(&upstreams, &[upstreams[0].address.clone()]), [2]);
        assert!(picked(&upstreams, &[upstreams[0].address.clone(), upstreams[1].address.clone()]).is_empty());
    }

    #[test]
    fn those_that_cannot_be_reached_are_left_out_but_never_all() {
        let upstreams = upstreams(2);
        // Often enough to be left out for seconds.
        (0..8).for_each(|_| upstreams[0].eject());
        assert_eq!(picked(&upstreams, &[]), [2]);
        (0..8).for_each(|_| upstreams[1].eject());
        assert_eq!(picked(&upstreams, &[]), [1, 2]);
        upstreams[1].reached();
        assert_eq!(picked(&upstreams, &[]), [2]);
    }
}
