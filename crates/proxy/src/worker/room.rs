//! Room at the instances of a route that take only so many requests at a time, counted over all workers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::Endpoint;

/// The rooms of all routes that have limits. Looked at when a table is taken up, never by a request.
#[derive(Debug, Default)]
pub(crate) struct Rooms(Mutex<HashMap<String, Arc<Room>>>);

/// The room of one route.
#[derive(Debug, Default)]
pub(super) struct Room {
    used: Mutex<HashMap<Endpoint, Arc<AtomicU32>>>,
    waiting: AtomicU32,
    freed: Notify,
}

impl Rooms {
    pub(super) fn of(&self, route: &str) -> Arc<Room> {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !rooms.contains_key(route) {
            // Those of routes that are gone.
            rooms.retain(|_, room| Arc::strong_count(room) > 1);
        }
        Arc::clone(rooms.entry(route.to_owned()).or_default())
    }
}

impl Room {
    /// How many requests an instance works on.
    pub(super) fn used(&self, endpoint: &Endpoint) -> Arc<AtomicU32> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if !used.contains_key(endpoint) {
            used.retain(|_, used| Arc::strong_count(used) > 1);
        }
        Arc::clone(used.entry(endpoint.clone()).or_default())
    }

    /// Stands in the queue, unless so many do already.
    pub(super) fn queue(self: &Arc<Self>, longest: u32) -> Option<Waiting> {
        let enter = |waiting| (waiting < longest).then_some(waiting + 1);
        self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enter).ok()?;
        Some(Waiting(Arc::clone(self)))
    }
}

/// A request in the queue.
pub(super) struct Waiting(Arc<Room>);

impl Waiting {
    /// Ready when there may be room. Room that was freed since it was looked for is
    /// remembered for one; others find theirs when they look again.
    pub(super) fn freed(&self) -> tokio::sync::futures::Notified<'_> {
        self.0.freed.notified()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request's seat at an instance.
pub(super) struct Seat {
    used: Arc<AtomicU32>,
    room: Arc<Room>,
}

impl Seat {
    /// None if the instance is full.
    pub(super) fn take(room: &Arc<Room>, used: &Arc<AtomicU32>, most: u32) -> Option<Self> {
        let sit = |taken| (taken < most).then_some(taken + 1);
        used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sit).ok()?;
        Some(Self { used: Arc::clone(used), room: Arc::clone(room) })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.used.fetch_sub(1, Ordering::Relaxed);
        self.room.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_and_the_queue_are_limited_and_given_back() {
        let rooms = Rooms::default();
        let room = rooms.of("production/web");
        let endpoint = Endpoint { instance: "web-1".into(), address: "127.0.0.1:1".parse().unwrap() };
        let used = room.used(&endpoint);
        let first = Seat::take(&room, &used, 2);
        let second = Seat::take(&room, &room.used(&endpoint), 2);
        assert!(first.is_some() && second.is_some() && Seat::take(&room, &used, 2).is_none());
        drop(first);
        assert!(Seat::take(&room, &used, 2).is_some());

        let queued = rooms.of("production/web").queue(1);
        assert!(queued.is_some() && room.queue(1).is_none());
        drop(queued);
        assert!(room.queue(1).is_some());
    }
}
