//! Which of several instances takes a request: the less loaded of two taken at random, and less for a new one.

use std::time::Duration;

/// How much of its part of the requests an instance gets, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InstanceWeight(u32);

impl InstanceWeight {
    /// Its whole part.
    pub(crate) const FULL: Self = Self(1_000);

    /// What an instance begins with.
    const LEAST: Self = Self(100);

    /// The weight of an instance of this age beside others of which the oldest has that one: from a tenth to all of it
    /// over the time of the slow start, in a straight line. While none has been through its slow start, all are alike.
    pub(crate) fn of_age(age: Duration, oldest: Duration, slow_start: Duration) -> Self {
        if age >= slow_start || oldest < slow_start {
            return Self::FULL;
        }
        let part = age.as_secs_f64() / slow_start.as_secs_f64();
        // Cannot truncate: the part is below 1.
        Self(Self::LEAST.0 + (part * f64::from(Self::FULL.0 - Self::LEAST.0)) as u32)
    }
}

/// What is known of an instance when it is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    /// Requests that it works on.
    pub(crate) in_flight: u32,
    pub(crate) weight: InstanceWeight,
}

/// One of the candidates; `None` if there are none. `below` gives a random number below another.
///
/// Between two of full weight, the one with fewer requests in flight. If one is in its slow start, each is taken with a
/// chance in proportion to its weight and against its load: a strict comparison would give a new instance nothing while
/// the others are idle, and then its full part at once.
pub(crate) fn pick<T>(
    candidates: impl Iterator<Item = T> + Clone,
    load: impl Fn(&T) -> Load,
    mut below: impl FnMut(usize) -> usize,
) -> Option<T> {
    let count = candidates.clone().count();
    if count < 2 {
        return candidates.into_iter().next();
    }
    let first = below(count);
    let second = (first + 1 + below(count - 1)) % count;
    let (first, second) = (candidates.clone().nth(first)?, candidates.clone().nth(second)?);
    let takes_second = {
        let (first, second) = (load(&first), load(&second));
        if first.weight == second.weight {
            second.in_flight < first.in_flight
        } else {
            let (first, second) = (chance(first, second), chance(second, first));
            below(first.saturating_add(second)) >= first
        }
    };
    Some(if takes_second { second } else { first })
}

/// In proportion to one's weight, and to the other's load with this request.
fn chance(one: Load, other: Load) -> usize {
    (one.weight.0 as usize).saturating_mul(other.in_flight as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW_START: Duration = Duration::from_secs(10);

    fn weight(age_s: u64, oldest_s: u64) -> u32 {
        InstanceWeight::of_age(Duration::from_secs(age_s), Duration::from_secs(oldest_s), SLOW_START).0
    }

    fn load(in_flight: u32, weight: InstanceWeight) -> Load {
        Load { in_flight, weight }
    }

    /// Random enough, and the same in every run.
    fn draws() -> impl FnMut(usize) -> usize {
        let mut state = 1u64;
        move |limit| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % limit
        }
    }

    /// How many of 10,000 requests each gets.
    fn picked(loads: &[Load]) -> Vec<u32> {
        let mut draw = draws();
        let mut counts = vec![0; loads.len()];
        for _ in 0..10_000 {
            counts[pick(0..loads.len(), |index| loads[*index], &mut draw).unwrap()] += 1;
        }
        counts
    }

    #[test]
    fn a_new_instance_beside_older_ones_begins_with_a_tenth() {
        assert_eq!([0, 5, 10, 99].map(|age| weight(age, 100)), [100, 550, 1_000, 1_000]);
        assert_eq!([weight(0, 0), weight(3, 9)], [1_000, 1_000], "none has been through it");
        assert_eq!(
            InstanceWeight::of_age(Duration::ZERO, Duration::ZERO, Duration::ZERO),
            InstanceWeight::FULL
        );
    }

    #[test]
    fn nobody_and_the_only_one() {
        assert_eq!(pick(0..0, |_| load(0, InstanceWeight::FULL), draws()), None);
        assert_eq!(pick(4..5, |_| load(9, InstanceWeight::FULL), draws()), Some(4));
    }

    #[test]
    fn everyone_has_a_turn_unless_busier_than_all_others() {
        let counts = picked(&[0, 0, 9, 0].map(|in_flight| load(in_flight, InstanceWeight::FULL)));
        assert_eq!(counts[2], 0);
        assert!(counts.iter().enumerate().all(|(index, count)| index == 2 || *count > 2_500), "{counts:?}");
    }

    #[test]
    fn a_new_instance_gets_its_part_whether_the_others_are_idle_or_busy() {
        for in_flight in [0, 1, 20] {
            let counts =
                picked(&[load(in_flight, InstanceWeight::LEAST), load(in_flight, InstanceWeight::FULL)]);
            // A tenth of what the other gets is one in eleven.
            assert!((700..1_150).contains(&counts[0]), "{counts:?} with {in_flight} in flight");
        }
        let counts = picked(&[load(0, InstanceWeight::LEAST), load(9, InstanceWeight::FULL)]);
        assert!(
            (4_500..5_500).contains(&counts[0]),
            "ten times the load on ten times the weight: {counts:?}"
        );
    }
}
