//! What the faults that are there now make of the traffic.

use pilotage_spec::Timestamp;

use super::draw::{Behaviour, Traffic};
use super::fault::{Beginning, Effect, Fault};

/// When each fault began, as far as it has.
#[derive(Debug, Clone)]
pub(super) struct Begun<'a>(Vec<(&'a Fault, Option<Timestamp>)>);

/// What holds now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Conditions {
    /// Requests a second, all versions together.
    pub(super) requests_per_second: f64,
    pub(super) candidate: Behaviour,
    pub(super) stable: Behaviour,
    pub(super) crash_loop: bool,
}

impl<'a> Begun<'a> {
    pub(super) fn none(faults: &'a [Fault]) -> Self {
        Self(faults.iter().map(|fault| (fault, None)).collect())
    }

    /// A switch has given the candidate this share, as the switch of this number, from 1, that reaches it at all.
    pub(super) fn switched(&mut self, now: Timestamp, number: usize, share: u32) {
        for (fault, begun) in self.0.iter_mut().filter(|(_, begun)| begun.is_none()) {
            *begun = match fault.beginning {
                Beginning::FirstRequest => Some(now),
                Beginning::Step(wanted) => (number >= wanted).then_some(now),
                Beginning::Share(wanted) => (share >= wanted).then_some(now),
                // The first switch that reaches it brings its first request.
                Beginning::After(time) => Some(now.plus(time)),
            };
        }
    }

    /// The latest time up to now, and the next one, at which a fault began or ended.
    pub(super) fn changes_around(&self, now: Timestamp) -> (Option<Timestamp>, Option<Timestamp>) {
        let changes = || self.0.iter().flat_map(|(fault, begun)| [*begun, end(fault, *begun)]).flatten();
        (changes().filter(|change| *change <= now).max(), changes().filter(|change| *change > now).min())
    }

    /// What holds now. Of several faults that speak of the same, the last one counts.
    pub(super) fn conditions(&self, traffic: &Traffic, now: Timestamp) -> Conditions {
        let usual = traffic.failed_share;
        let (mut rate, mut crash_loop) = (traffic.requests_per_second, false);
        let (mut failing, mut slowness, mut outage) = (usual, 1.0, 0.0);
        for (fault, begun) in &self.0 {
            if begun.is_none_or(|begun| begun > now) || end(fault, *begun).is_some_and(|end| end <= now) {
                continue;
            }
            match fault.effect {
                Effect::Nothing => {}
                Effect::Errors(share) => failing = share,
                Effect::ErrorsTimes(times) => failing = (usual * times).min(1.0),
                Effect::Slow(times) => slowness = times,
                Effect::CrashLoop => crash_loop = true,
                Effect::Traffic(wanted) => rate = wanted,
                Effect::SharedOutage(share) => outage = share,
            }
        }
        // A request fails by the version's own doing, or by that of something that both share.
        let either = |own: f64| 1.0 - (1.0 - own) * (1.0 - outage);
        Conditions {
            requests_per_second: rate,
            candidate: Behaviour { failing: either(failing), slowness },
            stable: Behaviour { failing: either(usual), slowness: 1.0 },
            crash_loop,
        }
    }
}

fn end(fault: &Fault, begun: Option<Timestamp>) -> Option<Timestamp> {
    Some(begun?.plus(fault.lasting?))
}
