//! When patience ends.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::task::coop::unconstrained;
use tokio::time::Sleep;

/// A deadline that is moved with every request and seldom met. The timer behind it is set anew only when it fires, or when
/// the deadline comes nearer than that.
#[derive(Default)]
pub(in crate::worker) struct Deadline {
    at: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// From now on this is the deadline.
    pub(in crate::worker) fn set(&mut self, at: Instant) {
        self.at = Some(at);
        if let Some(timer) = &mut self.timer
            && timer.deadline().into_std() > at
        {
            timer.as_mut().reset(at.into());
        }
    }

    /// There is none from now on.
    pub(in crate::worker) fn clear(&mut self) {
        self.at = None;
    }

    pub(in crate::worker) fn at(&self) -> Option<Instant> {
        self.at
    }

    /// Ready once the deadline has passed.
    pub(in crate::worker) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at.into())));
        // A task that has used up its share of input and output must still notice that its time is up: else whoever sends fast
        // enough is never late.
        while pin!(unconstrained(timer.as_mut())).poll(cx).is_ready() {
            if Instant::now() >= at {
                return Poll::Ready(());
            }
            timer.as_mut().reset(at.into());
        }
        Poll::Pending
    }
}
