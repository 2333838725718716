//! What one thread sees of a table: the table itself, and its own connections to the instances named there.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::balance::Instance;
use super::room::{Room, Rooms};
use super::upstream::Upstream;
use crate::routing::{ByteBudget, CompiledRoute, CompiledTable, RetryBudget, RouteId};
use crate::{Endpoint, Protocol};

/// A table as one thread uses it. Made anew when the table changes; what stays is taken over.
pub(super) struct View {
    pub(super) table: Arc<CompiledTable>,
    /// In the order of the table.
    routes: Vec<Rc<RouteView>>,
    by_name: HashMap<Arc<str>, usize>,
    upstreams: HashMap<(Endpoint, Protocol), Rc<Upstream>>,
}

/// A route with this thread's connections and budgets.
pub(super) struct RouteView {
    pub(super) route: Arc<CompiledRoute>,
    /// Pool by pool.
    pub(super) instances: Vec<Vec<Instance>>,
    /// Of a route that limits what its instances work on.
    pub(super) room: Option<Arc<Room>>,
    pub(super) retries: Rc<RetryBudget>,
    pub(super) copies: Rc<Copies>,
}

/// What this thread may still copy of a route's requests.
pub(super) struct Copies {
    pub(super) bytes: ByteBudget,
    /// Copies under way.
    pub(super) open: Cell<u32>,
}

impl View {
    /// Prepares a table, taking over what is still of use from the view before it.
    pub(super) fn new(
        table: Arc<CompiledTable>,
        before: Option<&Self>,
        rooms: &Rooms,
        workers: usize,
    ) -> Self {
        let mut making = Making { before, rooms, workers, now: Instant::now(), upstreams: HashMap::new() };
        let routes: Vec<_> = table.routes.iter().map(|route| making.route(route)).collect();
        let by_name =
            routes.iter().enumerate().map(|(index, route)| (Arc::clone(&route.route.name), index)).collect();
        let view = Self { table, routes, by_name, upstreams: making.upstreams };
        if let Some(before) = before {
            view.retire_missing(before);
        }
        view
    }

    pub(super) fn route(&self, id: RouteId) -> &Rc<RouteView> {
        &self.routes[id.index()]
    }

    /// The route of this name.
    pub(super) fn named(&self, name: &str) -> Option<&Rc<RouteView>> {
        self.routes.get(*self.by_name.get(name)?)
    }

    /// Closes connections to instances that have not been used for so long.
    pub(super) fn close_idle(&self, longest: Duration) {
        self.upstreams.values().for_each(|upstream| upstream.close_idle(longest));
    }

    fn retire_missing(&self, before: &Self) {
        let gone = before.upstreams.iter().filter(|(key, _)| !self.upstreams.contains_key(key));
        gone.for_each(|(_, upstream)| upstream.retire());
    }
}

/// A view that is being made.
struct Making<'v> {
    before: Option<&'v View>,
    rooms: &'v Rooms,
    workers: usize,
    now: Instant,
    upstreams: HashMap<(Endpoint, Protocol), Rc<Upstream>>,
}

impl Making<'_> {
    fn route(&mut self, route: &Arc<CompiledRoute>) -> Rc<RouteView> {
        let before = self.before.and_then(|view| view.named(&route.name));
        let limited = route.limits.max_in_flight.is_some();
        let room = limited.then(|| self.rooms.of(&route.name));
        let instances = route
            .pools
            .iter()
            .map(|pool| {
                let of = |endpoint: &Endpoint| Instance {
                    upstream: self.upstream(endpoint, pool.protocol),
                    used: room.as_ref().map(|room| room.used(endpoint)),
                };
                pool.endpoints.iter().map(of).collect()
            })
            .collect();
        let unchanged = before.filter(|before| Arc::ptr_eq(&before.route, route));
        if let Some(unchanged) = unchanged {
            return Rc::clone(unchanged);
        }
        let retries = before.filter(|before| before.route.retries == route.retries);
        let copies = before.filter(|before| copied_bytes(&before.route) == copied_bytes(route));
        Rc::new(RouteView {
            instances,
            room,
            retries: retries.map_or_else(
                || Rc::new(RetryBudget::new(route.retries, self.now)),
                |before| Rc::clone(&before.retries),
            ),
            copies: copies.map_or_else(|| Rc::new(self.copies(route)), |before| Rc::clone(&before.copies)),
            route: Arc::clone(route),
        })
    }

    fn copies(&self, route: &CompiledRoute) -> Copies {
        Copies { bytes: ByteBudget::new(copied_bytes(route), self.workers, self.now), open: Cell::new(0) }
    }

    fn upstream(&mut self, endpoint: &Endpoint, protocol: Protocol) -> Rc<Upstream> {
        let key = (endpoint.clone(), protocol);
        let kept = self.before.and_then(|view| view.upstreams.get(&key).map(Rc::clone));
        let upstream = self
            .upstreams
            .entry(key)
            .or_insert_with(|| kept.unwrap_or_else(|| Rc::new(Upstream::new(endpoint, protocol, self.now))));
        Rc::clone(upstream)
    }
}

fn copied_bytes(route: &CompiledRoute) -> u64 {
    route.mirror.as_ref().map_or(0, |mirror| mirror.bytes_per_second)
}
