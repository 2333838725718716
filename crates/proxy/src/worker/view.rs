//! What one thread sees of a table: the table itself, and its own connections to the endpoints named there.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::upstream::Upstream;
use crate::routing::{CompiledPool, CompiledRoute, CompiledTable, RouteId};
use crate::{Endpoint, Protocol};

/// A table as one thread uses it. Rebuilt when the table changes; endpoints that stay keep their connections.
pub(super) struct View {
    pub(super) table: Arc<CompiledTable>,
    /// In the order of the table.
    routes: Vec<RouteView>,
    upstreams: HashMap<(Endpoint, Protocol), Rc<Upstream>>,
}

/// A route with this thread's connections, pool by pool.
pub(super) struct RouteView {
    pub(super) route: Arc<CompiledRoute>,
    pub(super) upstreams: Vec<Vec<Rc<Upstream>>>,
}

impl View {
    /// Prepares a table, taking over what is still of use from the view before it.
    pub(super) fn new(table: Arc<CompiledTable>, before: Option<&Self>) -> Self {
        let mut upstreams = HashMap::new();
        let mut known = |endpoint: &Endpoint, protocol| {
            let key = (endpoint.clone(), protocol);
            let kept = before.and_then(|view| view.upstreams.get(&key).map(Rc::clone));
            let upstream = upstreams.entry(key).or_insert_with(|| {
                kept.unwrap_or_else(|| Rc::new(Upstream::new(endpoint.address.clone(), protocol)))
            });
            Rc::clone(upstream)
        };
        let mut of_pool = |pool: &CompiledPool| {
            pool.endpoints.iter().map(|endpoint| known(endpoint, pool.protocol)).collect()
        };
        let routes = table
            .routes
            .iter()
            .map(|route| {
                let upstreams = route.pools.iter().map(&mut of_pool).collect();
                RouteView { route: Arc::clone(route), upstreams }
            })
            .collect();
        let view = Self { table, routes, upstreams };
        if let Some(before) = before {
            view.retire_missing(before);
        }
        view
    }

    pub(super) fn route(&self, id: RouteId) -> &RouteView {
        &self.routes[id.index()]
    }

    /// Closes connections to endpoints that have not been used for so long.
    pub(super) fn close_idle(&self, longest: Duration) {
        self.upstreams.values().for_each(|upstream| upstream.close_idle(longest));
    }

    fn retire_missing(&self, before: &Self) {
        let gone = before.upstreams.iter().filter(|(key, _)| !self.upstreams.contains_key(key));
        gone.for_each(|(_, upstream)| upstream.retire());
    }
}
