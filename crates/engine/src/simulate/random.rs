//! SplitMix64 (Steele, Lea, Flood 2014): a seed in, the same numbers out, on every machine.

/// A source of repeatable numbers.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The numbers of one of many runs of a seed. Those of neighbours have nothing in common.
    pub fn of_run(seed: u64, run: u64) -> Self {
        // A seed and the next one number give the same sequence, moved by one: both are scrambled first.
        let key = Self::new(seed).next() ^ run;
        Self(Self::new(key).next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    /// True so many times in a hundred.
    pub(super) fn percent(&mut self, chance: u64) -> bool {
        self.between(1, 100) <= chance
    }

    /// One of the options.
    pub(super) fn pick<T: Copy, const N: usize>(&mut self, options: [T; N]) -> T {
        let index = usize::try_from(self.next() % N as u64).unwrap_or(0);
        options[index]
    }

    /// Evenly from 0 to 1, never either.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are kept")]
    pub fn share(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// A number of events of which `mean` are expected: by multiplying shares where that is small, else by transformed
    /// rejection (Hörmann, The transformed rejection method for generating Poisson random variables, 1993, PTRS).
    pub fn poisson(&mut self, mean: f64) -> u64 {
        if mean <= 0.0 {
            return 0;
        }
        if mean < 10.0 {
            let floor = (-mean).exp();
            let (mut count, mut product) = (0, self.share());
            while product > floor {
                product *= self.share();
                count += 1;
            }
            return count;
        }
        let b = 0.931 + 2.53 * mean.sqrt();
        let a = -0.059 + 0.02483 * b;
        let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
        let v_r = 0.9277 - 3.6224 / (b - 2.0);
        loop {
            let u = self.share() - 0.5;
            let v = self.share();
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + mean + 0.43).floor();
            if us >= 0.07 && v <= v_r {
                return whole(k);
            }
            if k < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            let accepted = v.ln() + inverse_alpha.ln() - (a / (us * us) + b).ln();
            if accepted <= k * mean.ln() - mean - ln_factorial(k) {
                return whole(k);
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole numbers from 0 to 2^53")]
fn whole(number: f64) -> u64 {
    number.max(0.0) as u64
}

#[expect(clippy::cast_precision_loss, reason = "factors below ten")]
fn ln_factorial(k: f64) -> f64 {
    let x = k + 1.0;
    if x < 10.0 {
        return (1..=whole(k)).map(|factor| f64::ln(factor as f64)).sum();
    }
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + 1.0 / (12.0 * x)
        - 1.0 / (360.0 * x * x * x)
}
