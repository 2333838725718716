//! A histogram of latencies.

use serde::{Deserialize, Serialize};

/// Sub-buckets to each power of two: a value is known to about 3 %.
const SUB_BUCKETS: u64 = 32;
const SUB_BUCKET_BITS: u32 = SUB_BUCKETS.trailing_zeros();

/// Quantiles of latencies, in microseconds, each known to about 3 %; 0 when there was none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of the answers were faster.
    pub p50_micros: u64,
    /// 95 % of the answers were faster.
    pub p95_micros: u64,
    /// 99 % of the answers were faster.
    pub p99_micros: u64,
    /// The slowest answer, exactly.
    pub max_micros: u64,
}

/// A log-linear histogram that is written to.
#[derive(Debug, Clone, Default)]
pub(super) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

impl Histogram {
    pub(super) fn record(&mut self, value: u64) {
        let index = bucket_of(value);
        if self.buckets.len() <= index {
            self.buckets.resize(index + 1, 0);
        }
        self.buckets[index] += 1;
        self.count += 1;
        self.max = self.max.max(value);
    }

    pub(super) fn latency(&self) -> Latency {
        Latency {
            p50_micros: self.quantile(0.50),
            p95_micros: self.quantile(0.95),
            p99_micros: self.quantile(0.99),
            max_micros: self.max,
        }
    }

    /// The upper end of the bucket that holds the quantile, so that no figure is better than the truth.
    fn quantile(&self, share: f64) -> u64 {
        let rank = (self.count as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank && *count > 0 {
                return upper_end(index as u64).min(self.max);
            }
        }
        self.max
    }
}

fn bucket_of(value: u64) -> usize {
    if value < SUB_BUCKETS {
        return value as usize;
    }
    let shift = value.ilog2() - SUB_BUCKET_BITS;
    (u64::from(shift) * SUB_BUCKETS + (value >> shift)) as usize
}

fn upper_end(index: u64) -> u64 {
    if index < SUB_BUCKETS {
        return index;
    }
    let shift = index / SUB_BUCKETS - 1;
    let lower_end = (index - shift * SUB_BUCKETS) << shift;
    lower_end + ((1 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_its_value_to_about_three_percent() {
        for value in (0..100_000).chain([1 << 30, (1 << 40) + 12_345]) {
            let end = upper_end(bucket_of(value) as u64);
            assert!(end >= value && end - value <= value / 32, "{value} in a bucket up to {end}");
        }
    }

    #[test]
    fn quantiles_of_one_to_a_thousand() {
        let mut histogram = Histogram::default();
        (1..=1_000).for_each(|value| histogram.record(value));
        let latency = histogram.latency();
        assert!((500..=516).contains(&latency.p50_micros), "{latency:?}");
        assert!((990..=1_000).contains(&latency.p99_micros), "{latency:?}");
        assert_eq!(latency.max_micros, 1_000);
    }

    #[test]
    fn nothing_recorded_is_zero() {
        assert_eq!(Histogram::default().latency(), Latency::default());
    }
}
