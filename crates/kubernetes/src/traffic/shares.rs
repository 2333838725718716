//! Shares of the traffic as weights of routes, and back.

use pilotage_spec::{Cohort, Version};

/// All of the traffic, in hundredths of a percent.
pub(super) const ALL: u32 = 10_000;

/// What each version gets of a rule's requests: its weight divided by the sum of all.
pub(super) type Weights = Vec<(Version, u64)>;

/// The weights of a rule for everybody: the shares themselves, without versions that have none.
pub(super) fn of_shares(shares: &[(Version, u32)]) -> Weights {
    let served = shares.iter().filter(|(_, share)| *share > 0);
    served.map(|(version, share)| (version.clone(), u64::from(*share))).collect()
}

/// The weights of a cohort's rule: its part goes to its version, what is left of it by the shares.
pub(super) fn of_cohort(cohort: &Cohort, shares: &[(Version, u32)]) -> Weights {
    let own = cohort.share.min(ALL);
    let rest = u64::from(ALL - own);
    let mut weights = vec![(cohort.version.clone(), u64::from(own) * u64::from(ALL))];
    for (version, share) in shares {
        let weight = rest * u64::from(*share);
        match weights.iter_mut().find(|(known, _)| known == version) {
            Some((_, sum)) => *sum += weight,
            None => weights.push((version.clone(), weight)),
        }
    }
    weights.retain(|(_, weight)| *weight > 0);
    in_lowest_terms(weights)
}

fn in_lowest_terms(mut weights: Weights) -> Weights {
    let divisor = weights.iter().map(|(_, weight)| *weight).fold(0, greatest_common_divisor);
    for (_, weight) in &mut weights {
        *weight /= divisor.max(1);
    }
    weights
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The same proportions with this sum, if whole numbers can say them.
pub(super) fn with_sum(weights: &Weights, sum: u64) -> Option<Weights> {
    let total: u64 = weights.iter().map(|(_, weight)| weight).sum();
    let scaled = |(version, weight): &(Version, u64)| {
        let product = weight.checked_mul(sum)?;
        (total > 0 && product % total == 0).then(|| (version.clone(), product / total))
    };
    weights.iter().map(scaled).collect()
}

/// The shares that these weights stand for. `foreign` is the weight of what is none of our versions: then the shares do not
/// add up to everything. What is lost by rounding goes to the largest remainders, the first of them first.
pub(super) fn from_weights(weights: &Weights, foreign: u64) -> Vec<(Version, u32)> {
    let own: u128 = weights.iter().map(|(_, weight)| u128::from(*weight)).sum();
    let total = own + u128::from(foreign);
    if total == 0 {
        return Vec::new();
    }
    let all = u128::from(ALL);
    let mut parts: Vec<(Version, u128, u128)> = weights
        .iter()
        .map(|(version, weight)| {
            let product = u128::from(*weight) * all;
            (version.clone(), product / total, product % total)
        })
        .collect();
    let wanted = (own * all + total / 2) / total;
    let given: u128 = parts.iter().map(|(_, share, _)| share).sum();
    let missing = usize::try_from(wanted.saturating_sub(given)).unwrap_or_default();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(parts[*index].2));
    for index in order.into_iter().take(missing) {
        parts[index].1 += 1;
    }
    let shares = parts.into_iter().filter(|(_, share, _)| *share > 0);
    shares.map(|(version, share, _)| (version, u32::try_from(share).unwrap_or(ALL))).collect()
}

/// Which part of a cohort goes to the version that takes it, and which that is, told from the weights of its rule.
pub(super) fn cohort_of(
    weights: &Weights,
    foreign: u64,
    shares: &[(Version, u32)],
) -> Option<(Version, u32)> {
    let total = weights.iter().map(|(_, weight)| u128::from(*weight)).sum::<u128>() + u128::from(foreign);
    let all = u128::from(ALL);
    let mut found = None;
    for (version, weight) in weights {
        let share = shares.iter().find(|(known, _)| known == version).map_or(0, |(_, share)| *share);
        // weight / total = part + (1 - part) * share, solved for part.
        let above = (u128::from(*weight) * all).saturating_sub(total * u128::from(share));
        let room = total * u128::from(ALL - share.min(ALL));
        let part = (above * all + room / 2).checked_div(room).unwrap_or(all);
        let part = u32::try_from(part).unwrap_or(ALL).min(ALL);
        if part > 0 && found.as_ref().is_none_or(|(_, best)| part > *best) {
            found = Some((version.clone(), part));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn cohort(share: u32) -> Cohort {
        Cohort { name: "staff".to_owned(), when: Vec::new(), version: version("2.0.0"), share }
    }

    fn two(share: u32) -> Vec<(Version, u32)> {
        vec![(version("2.0.0"), share), (version("1.0.0"), ALL - share)]
    }

    #[test]
    fn a_cohort_in_part_adds_to_the_shares_of_the_rest() {
        let weights = of_cohort(&cohort(5_000), &two(1_000));
        // A half goes to the new version, and a tenth of the other half: 55 %.
        assert_eq!(weights, vec![(version("2.0.0"), 11), (version("1.0.0"), 9)]);
        assert_eq!(of_cohort(&cohort(ALL), &two(1_000)), vec![(version("2.0.0"), 1)]);
    }

    #[test]
    fn whole_percents_have_a_sum_of_a_hundred_and_others_do_not() {
        assert!(with_sum(&of_shares(&two(2_500)), 100).is_some());
        assert_eq!(with_sum(&of_shares(&two(2_550)), 100), None);
        assert_eq!(with_sum(&Vec::new(), 100), Some(Vec::new()));
    }

    #[test]
    fn weights_of_others_leave_the_shares_short() {
        let weights = vec![(version("1.0.0"), 3)];
        assert_eq!(from_weights(&weights, 1), vec![(version("1.0.0"), 7_500)]);
        assert_eq!(from_weights(&Vec::new(), 5), Vec::new());
    }

    #[test]
    fn thirds_add_up() {
        let weights = ["1.0.0", "1.1.0", "1.2.0"].map(|text| (version(text), 1)).to_vec();
        let shares: Vec<u32> = from_weights(&weights, 0).into_iter().map(|(_, share)| share).collect();
        assert_eq!(shares, [3_334, 3_333, 3_333]);
    }

    proptest! {
        #[test]
        fn shares_in_are_shares_read_back(share in 0..=ALL) {
            let shares = two(share);
            let read = from_weights(&of_shares(&shares), 0);
            let served: Vec<_> = shares.into_iter().filter(|(_, share)| *share > 0).collect();
            prop_assert_eq!(read, served);
        }

        #[test]
        fn a_cohort_is_read_back_from_its_weights(part in 1..=ALL, share in 0..ALL) {
            let shares = two(share);
            let weights = of_cohort(&cohort(part), &shares);
            let total: u64 = weights.iter().map(|(_, weight)| weight).sum();
            prop_assert!(total <= u64::from(ALL) * u64::from(ALL));
            prop_assert_eq!(cohort_of(&weights, 0, &shares), Some((version("2.0.0"), part)));
        }

        #[test]
        fn a_sum_that_can_be_had_keeps_the_proportions(share in 0..=100u32) {
            let weights = with_sum(&of_shares(&two(share * 100)), 100).unwrap();
            prop_assert_eq!(weights.iter().map(|(_, weight)| weight).sum::<u64>(), 100);
            prop_assert_eq!(from_weights(&weights, 0), from_weights(&of_shares(&two(share * 100)), 0));
        }
    }
}
