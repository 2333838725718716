//! How far an edge is in its life, which decides who may change the table.

use tokio::sync::watch;

/// How far an edge is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It serves.
    Serving,
    /// It serves, while another edge prepares to take its place. No table is applied meanwhile.
    HandingOver,
    /// Another edge serves in its place; it finishes what it has.
    HandedOver,
    /// Another edge serves in its place, and it has finished.
    Drained,
    /// It was told to stop.
    Stopping,
}

/// The phase of this edge; it can be waited for.
#[derive(Debug)]
pub(super) struct Phases(watch::Sender<Phase>);

/// A hand-over that is going on. Dropped before it is completed, the edge serves on as if nothing had been.
#[derive(Debug)]
pub(super) struct HandOver<'a>(&'a Phases);

impl Phases {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Phase::Serving))
    }

    pub(super) fn now(&self) -> Phase {
        *self.0.borrow()
    }

    /// Returns when the phase is one of these.
    pub(super) async fn reached(&self, wanted: &[Phase]) -> Phase {
        match self.0.subscribe().wait_for(|phase| wanted.contains(phase)).await {
            Ok(phase) => *phase,
            // The sender lives as long as this borrow of it.
            Err(_) => self.now(),
        }
    }

    /// Begins a hand-over, unless the edge does something else already.
    pub(super) fn begin_hand_over(&self) -> Option<HandOver<'_>> {
        self.go(&[Phase::Serving], Phase::HandingOver).then_some(HandOver(self))
    }

    /// Begins to stop; `false` if another edge serves already.
    pub(super) fn stop(&self) -> bool {
        self.go(&[Phase::Serving, Phase::HandingOver], Phase::Stopping)
    }

    /// Nothing is left of what was served here.
    pub(super) fn drained(&self) {
        self.go(&[Phase::HandedOver], Phase::Drained);
    }

    fn go(&self, from: &[Phase], to: Phase) -> bool {
        self.0.send_if_modified(|phase| {
            let allowed = from.contains(phase);
            if allowed {
                *phase = to;
            }
            allowed
        })
    }
}

impl HandOver<'_> {
    /// The other edge serves from now on; `false` if this one was told to stop meanwhile.
    pub(super) fn complete(self) -> bool {
        self.0.go(&[Phase::HandingOver], Phase::HandedOver)
    }
}

impl Drop for HandOver<'_> {
    fn drop(&mut self) {
        self.0.go(&[Phase::HandingOver], Phase::Serving);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_over_that_is_given_up_changes_nothing() {
        let phases = Phases::new();
        let begun = phases.begin_hand_over().unwrap();
        assert!(phases.begin_hand_over().is_none(), "one at a time");
        drop(begun);
        assert_eq!(phases.now(), Phase::Serving);

        let begun = phases.begin_hand_over().unwrap();
        assert!(phases.stop());
        assert!(!begun.complete(), "an edge that stops hands nothing over");
        assert_eq!(phases.now(), Phase::Stopping);
    }

    #[test]
    fn an_edge_that_was_replaced_is_not_stopped_again() {
        let phases = Phases::new();
        assert!(phases.begin_hand_over().unwrap().complete());
        assert!(!phases.stop());
        phases.drained();
        assert_eq!(phases.now(), Phase::Drained);
    }
}
