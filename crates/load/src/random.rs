//! Numbers that look random and are the same for the same seed.

/// A SplitMix64 generator (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014): small, fast,
/// and good enough for spreading load; not for secrets.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// A generator for one numbered thing, so that its draws do not depend on the order in which things happen.
    pub(crate) fn for_item(seed: u64, number: u64) -> Self {
        let mut random = Self(seed ^ number.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 up to, but not including, `limit`; 0 if `limit` is 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        // The high half of the product: an even spread without the bias of a remainder.
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// True for this share of the draws, 0 to 1.
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        // 53 bits are what a double holds.
        ((self.next() >> 11) as f64 / (1_u64 << 53) as f64) < share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chance_of_one_tenth_is_met_in_about_a_tenth_of_numbered_draws() {
        let hits = (0..10_000).filter(|number| Random::for_item(7, *number).chance(0.1)).count();
        assert!((900..1_100).contains(&hits), "{hits} of 10000");
    }

    #[test]
    fn never_and_always_are_meant_literally() {
        let mut random = Random::for_item(1, 0);
        assert!((0..1_000).all(|_| !random.chance(0.0)));
        assert!((0..1_000).all(|_| random.chance(1.0)));
    }

    #[test]
    fn a_draw_stays_below_its_limit() {
        let mut random = Random::for_item(3, 0);
        assert!((0..1_000).all(|_| random.below(10) < 10));
        assert_eq!(random.below(0), 0);
    }
}
