//! All instances that one thread knows, by name and address: a new table that names one again finds its connections and
//! what is known of its health.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::upstream::Upstream;
use crate::{Endpoint, Protocol};

/// The instances of the table in use and, until that one is prepared, of the table before.
#[derive(Default)]
pub(super) struct Instances {
    http1: RefCell<HashMap<Endpoint, Known>>,
    http2: RefCell<HashMap<Endpoint, Known>>,
}

struct Known {
    upstream: Rc<Upstream>,
    /// The last view in which it was looked for.
    named_by: ViewNumber,
}

/// Counts the views of one thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ViewNumber(u64);

impl ViewNumber {
    /// The number of the view that follows.
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl Instances {
    /// The instance that a view names.
    pub(super) fn named(
        &self,
        endpoint: &Endpoint,
        protocol: Protocol,
        view: ViewNumber,
        now: Instant,
    ) -> Rc<Upstream> {
        let mut instances = match protocol {
            Protocol::Http1 => self.http1.borrow_mut(),
            Protocol::Http2 => self.http2.borrow_mut(),
        };
        if let Some(known) = instances.get_mut(endpoint) {
            known.named_by = view;
            return Rc::clone(&known.upstream);
        }
        let upstream = Rc::new(Upstream::new(endpoint, protocol, now));
        instances.insert(endpoint.clone(), Known { upstream: Rc::clone(&upstream), named_by: view });
        upstream
    }

    /// Closes connections to instances that have not been used for so long.
    pub(super) fn close_idle(&self, longest: Duration) {
        for instances in [&self.http1, &self.http2] {
            instances.borrow().values().for_each(|known| known.upstream.close_idle(longest));
        }
    }

    /// Gives up the instances that this view has not named, and closes their idle connections.
    pub(super) fn retire_others(&self, view: ViewNumber) {
        for instances in [&self.http1, &self.http2] {
            instances.borrow_mut().retain(|_, known| {
                let stays = known.named_by == view;
                if !stays {
                    known.upstream.retire();
                }
                stays
            });
        }
    }
}
