//! Rolling: a few instances at a time, within a surge above and an unavailability below the wanted number.
//!
//! One old instance stays warm until the soak is over, even where that is one instance more than the surge allows: the
//! last good version is never retired before the new one has soaked.

use pilotage_spec::{RollingUnit, Version};

use super::request::{PlanError, PlanRequest};
use super::{Step, blue_green};
use crate::{Shares, Split};

/// How far a rolling update may leave the wanted number of instances.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    replicas: u32,
    surge: u32,
    pub(super) unavailable: u32,
}

impl Room {
    /// Resolves percentages as Kubernetes does: the surge is rounded up, the unavailability down.
    pub(super) fn new(
        replicas: u32,
        max_surge: RollingUnit,
        max_unavailable: RollingUnit,
    ) -> Result<Self, PlanError> {
        let share = |percent: u32| u64::from(replicas) * u64::from(percent);
        let surge = match max_surge {
            RollingUnit::Count(count) => count.min(replicas),
            RollingUnit::Percent(percent) => {
                u32::try_from(share(percent).div_ceil(100)).unwrap_or(replicas).min(replicas)
            }
        };
        let unavailable = match max_unavailable {
            RollingUnit::Count(count) => count,
            RollingUnit::Percent(percent) => u32::try_from(share(percent) / 100).unwrap_or(replicas),
        };
        // At least one instance always serves: a rolling update takes no downtime.
        let unavailable = unavailable.min(replicas.saturating_sub(1));
        if surge == 0 && unavailable == 0 {
            return Err(PlanError::NoRoom { replicas, surge, unavailable });
        }
        Ok(Self { replicas, surge, unavailable })
    }

    /// The number of ready instances that carries all the traffic.
    fn capacity(self) -> u32 {
        self.replicas - self.unavailable
    }
}

pub(super) fn steps(request: &PlanRequest, room: Room) -> Vec<Step> {
    let candidate = request.candidate.id.version.clone();
    let Some(stable) = request.stable.as_ref().map(|stable| stable.id.version.clone()) else {
        return blue_green::steps(request);
    };
    let wanted = room.replicas;
    let (mut new, mut old) = (0, request.stable_replicas.max(1));
    let mut steps = Vec::new();
    while new < wanted {
        let mut free = (wanted + room.surge).saturating_sub(new + old);
        let fewer = room.capacity().saturating_sub(new).max(1);
        if free == 0 && fewer < old {
            old = fewer;
            if new > 0 {
                steps.push(Step::Route(Split::of(shares(&candidate, new, &stable, old))));
            }
            steps.push(Step::Retire { version: stable.clone(), keep: old });
            free = (wanted + room.surge).saturating_sub(new + old);
        }
        // The last old instance stays warm, so the last new one may stand beside it.
        let next = (new + free.max(1)).min(wanted);
        steps.extend(blue_green::bring_up(request, next, new == 0));
        new = next;
        let serving_old = if new == wanted { 0 } else { old };
        steps.push(Step::Route(Split::of(shares(&candidate, new, &stable, serving_old))));
        steps.push(blue_green::watch(request));
    }
    if old > 1 {
        steps.push(Step::Retire { version: stable, keep: 1 });
    }
    steps.extend(blue_green::finish(request));
    steps
}

/// Every instance gets the same share of the traffic; what does not divide goes to the old version.
fn shares(candidate: &Version, new: u32, stable: &Version, old: u32) -> Shares {
    let share = u64::from(new) * 10_000 / u64::from(new + old).max(1);
    let share = u32::try_from(share).unwrap_or(10_000);
    let mut shares = vec![(candidate.clone(), share)];
    if old > 0 {
        shares.push((stable.clone(), 10_000 - share));
    }
    shares
}
