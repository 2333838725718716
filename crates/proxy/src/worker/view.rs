//! What one thread sees of a table: the table itself, and its own connections to the instances named there.
//!
//! A new table is seen at once, however many routes it has. What a thread keeps for each of them is made when the first
//! request needs it, and for the others little by little between requests, so that none of them waits for a thousand.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::balance::Instance;
use super::instances::{Instances, ViewNumber};
use super::room::Room;
use super::thread::Shared;
use super::upstream::Upstream;
use crate::Endpoint;
use crate::routing::{ByteBudget, CompiledPool, CompiledRoute, CompiledTable, RetryBudget, RouteId};

/// How many routes are prepared at a time: some tens of microseconds.
const AT_A_TIME: usize = 32;

/// A table as one thread uses it. Made anew when the table changes; what stays is taken over.
pub(super) struct View {
    pub(super) table: Arc<CompiledTable>,
    /// In the order of the table, each made when it is first needed.
    routes: Vec<OnceCell<Rc<RouteView>>>,
    /// How many were prepared, from the first on.
    prepared: Cell<usize>,
    /// The view before, until all has been taken over from it.
    before: RefCell<Option<Rc<Self>>>,
    number: ViewNumber,
    instances: Rc<Instances>,
    shared: Arc<Shared>,
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
    /// The first view of a thread.
    pub(super) fn first(shared: Arc<Shared>) -> Self {
        Self::new(shared.table.load_full(), None, ViewNumber::default(), Rc::default(), shared)
    }

    /// A view of another table, which takes over what is still of use from this one.
    pub(super) fn next(self: &Rc<Self>, table: Arc<CompiledTable>) -> Self {
        // Mostly it has been prepared long ago. If not, a chain of views would come about.
        while self.prepare() {}
        let (instances, shared) = (Rc::clone(&self.instances), Arc::clone(&self.shared));
        Self::new(table, Some(Rc::clone(self)), self.number.next(), instances, shared)
    }

    fn new(
        table: Arc<CompiledTable>,
        before: Option<Rc<Self>>,
        number: ViewNumber,
        instances: Rc<Instances>,
        shared: Arc<Shared>,
    ) -> Self {
        let routes = table.routes.iter().map(|_| OnceCell::new()).collect();
        let before = RefCell::new(before);
        Self { table, routes, prepared: Cell::new(0), before, number, instances, shared }
    }

    pub(super) fn route(&self, id: RouteId) -> &Rc<RouteView> {
        let route = &self.table.routes[id.index()];
        self.routes[id.index()].get_or_init(|| self.make(route))
    }

    /// The route of this name.
    pub(super) fn named(&self, name: &str) -> Option<&Rc<RouteView>> {
        self.table.named(name).map(|id| self.route(id))
    }

    /// Prepares some routes that no request has needed yet; `false` when nothing is left to do. Then, instances that the
    /// table no longer names are given up.
    pub(super) fn prepare(&self) -> bool {
        let (from, all) = (self.prepared.get(), self.routes.len());
        let to = all.min(from + AT_A_TIME);
        for (cell, route) in self.routes[from..to].iter().zip(&self.table.routes[from..to]) {
            cell.get_or_init(|| self.make(route));
        }
        self.prepared.set(to);
        if to == all && self.before.take().is_some() {
            self.instances.retire_others(self.number);
        }
        to < all
    }

    /// Closes connections to instances that have not been used for so long.
    pub(super) fn close_idle(&self, longest: Duration) {
        self.instances.close_idle(longest);
    }

    fn make(&self, route: &Arc<CompiledRoute>) -> Rc<RouteView> {
        let now = Instant::now();
        let before = self.before.borrow();
        let before = before.as_ref().and_then(|view| view.named(&route.name));
        let limited = route.limits.max_in_flight.is_some();
        let room = limited.then(|| self.shared.rooms.of(&route.name));
        // Also of a route that is unchanged: who is not named any more is given up.
        let instances =
            route.pools.iter().map(|pool| self.instances_of(pool, room.as_deref(), now)).collect();
        if let Some(unchanged) = before.filter(|before| Arc::ptr_eq(&before.route, route)) {
            return Rc::clone(unchanged);
        }
        let retries = before.filter(|before| before.route.retries == route.retries);
        let copies = before.filter(|before| copied_bytes(&before.route) == copied_bytes(route));
        Rc::new(RouteView {
            instances,
            room,
            retries: retries.map_or_else(
                || Rc::new(RetryBudget::new(route.retries, now)),
                |before| Rc::clone(&before.retries),
            ),
            copies: copies
                .map_or_else(|| Rc::new(self.copies(route, now)), |before| Rc::clone(&before.copies)),
            route: Arc::clone(route),
        })
    }

    fn instances_of(&self, pool: &CompiledPool, room: Option<&Room>, now: Instant) -> Vec<Instance> {
        let of = |endpoint: &Endpoint| Instance {
            upstream: self.upstream(endpoint, pool, now),
            used: room.map(|room| room.used(endpoint)),
        };
        pool.endpoints.iter().map(of).collect()
    }

    fn upstream(&self, endpoint: &Endpoint, pool: &CompiledPool, now: Instant) -> Rc<Upstream> {
        self.instances.named(endpoint, pool.protocol, self.number, now)
    }

    fn copies(&self, route: &CompiledRoute, now: Instant) -> Copies {
        Copies { bytes: ByteBudget::new(copied_bytes(route), self.shared.workers, now), open: Cell::new(0) }
    }
}

fn copied_bytes(route: &CompiledRoute) -> u64 {
    route.mirror.as_ref().map_or(0, |mirror| mirror.bytes_per_second)
}
