//! A histogram of latencies.

use serde::{Deserialize, Serialize};

/// A log-linear histogram: 32 sub-buckets to each power of two, so that a value is known to about 3 %.
///
/// Stored sparsely as `(bucket, count)` in rising order of bucket. Values below 64 have a bucket each; from there on,
/// bucket `32 * (e - 4) + s` holds the values whose highest bit is `e` and whose next five bits are `s`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Histogram {
    /// `(bucket, count)`, rising by bucket, no zero counts.
    pub buckets: Vec<(u32, u64)>,
}

/// Sub-buckets to a power of two.
const SUB_BUCKETS: u64 = 32;
const SUB_BUCKET_BITS: u32 = SUB_BUCKETS.trailing_zeros();

/// Values above this count as this: more than an hour, in microseconds.
const LARGEST: u64 = (1 << 32) - 1;

/// How many buckets there are up to [`LARGEST`].
pub(crate) const BUCKETS: usize = bucket_of(LARGEST) + 1;

/// The bucket of a value in microseconds; always below [`BUCKETS`].
pub(crate) const fn bucket_of(micros: u64) -> usize {
    let value = if micros > LARGEST { LARGEST } else { micros };
    if value < SUB_BUCKETS {
        return value as usize;
    }
    let shift = value.ilog2() - SUB_BUCKET_BITS;
    (SUB_BUCKETS * shift as u64 + (value >> shift)) as usize
}

/// The largest value that falls into a bucket.
fn upper_bound(bucket: u32) -> u64 {
    let bucket = u64::from(bucket);
    if bucket < SUB_BUCKETS {
        return bucket;
    }
    let shift = bucket / SUB_BUCKETS - 1;
    let lower = SUB_BUCKETS + bucket % SUB_BUCKETS;
    // A bucket number from elsewhere may be too large to be ours; it then stands for the largest value.
    if shift > 58 { u64::MAX } else { (lower << shift) + ((1 << shift) - 1) }
}

impl Histogram {
    /// From `(bucket, count)` in rising order; zero counts are left out.
    pub(crate) fn from_counts(counts: impl Iterator<Item = (usize, u64)>) -> Self {
        let buckets = counts.filter(|(_, count)| *count > 0);
        Self { buckets: buckets.map(|(bucket, count)| (bucket as u32, count)).collect() }
    }

    /// Counts one value, in microseconds.
    pub fn record(&mut self, micros: u64) {
        let bucket = bucket_of(micros) as u32;
        match self.buckets.binary_search_by_key(&bucket, |(at, _)| *at) {
            Ok(index) => self.buckets[index].1 += 1,
            Err(index) => self.buckets.insert(index, (bucket, 1)),
        }
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }

    /// The largest value of each bucket in microseconds, and how many values it has counted, rising.
    pub fn bounded_counts(&self) -> impl Iterator<Item = (u64, u64)> {
        self.buckets.iter().map(|(bucket, count)| (upper_bound(*bucket), *count))
    }

    /// For each bound in microseconds, rising, how many values certainly do not exceed it.
    pub(crate) fn counts_up_to<const N: usize>(&self, bounds: &[u64; N]) -> [u64; N] {
        let mut counts = [0; N];
        for (bucket, count) in &self.buckets {
            let first = bounds.partition_point(|bound| *bound < upper_bound(*bucket));
            counts[first..].iter_mut().for_each(|sum| *sum += count);
        }
        counts
    }

    /// The smallest value in microseconds that at least the fraction `q` (0 to 1) of all values do not exceed, rounded up
    /// to the end of its bucket. `None` if nothing was counted.
    pub fn quantile(&self, q: f64) -> Option<u64> {
        let rank = ((self.count() as f64 * q.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut seen = 0;
        self.buckets.iter().find_map(|(bucket, count)| {
            seen += count;
            (seen >= rank).then(|| upper_bound(*bucket))
        })
    }

    /// Adds what another histogram has counted.
    pub fn merge(&mut self, other: &Self) {
        *self = self.combined(other, u64::saturating_add);
    }

    /// What was counted since an earlier reading of the same histogram.
    #[must_use]
    pub fn minus(&self, earlier: &Self) -> Self {
        self.combined(earlier, u64::saturating_sub)
    }

    fn combined(&self, other: &Self, combine: fn(u64, u64) -> u64) -> Self {
        let mut buckets = Vec::with_capacity(self.buckets.len().max(other.buckets.len()));
        let (mut ours, mut theirs) = (self.buckets.iter().peekable(), other.buckets.iter().peekable());
        while let Some(bucket) = ours.peek().into_iter().chain(theirs.peek()).map(|(bucket, _)| *bucket).min()
        {
            let left = ours.next_if(|(at, _)| *at == bucket).map_or(0, |(_, count)| *count);
            let right = theirs.next_if(|(at, _)| *at == bucket).map_or(0, |(_, count)| *count);
            let count = combine(left, right);
            if count > 0 {
                buckets.push((bucket, count));
            }
        }
        Self { buckets }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        values.iter().for_each(|value| histogram.record(*value));
        histogram
    }

    #[test]
    fn buckets_are_where_the_format_says() {
        assert_eq!([0, 63, 64, 65, 66, 127, 128].map(bucket_of), [0, 63, 64, 64, 65, 95, 96]);
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_of_nothing_are_none() {
        assert_eq!(Histogram::default().quantile(0.5), None);
    }

    proptest! {
        #[test]
        fn a_value_is_known_to_three_percent(value in 0..=LARGEST) {
            let known = histogram(&[value]).quantile(0.5).unwrap();
            prop_assert!(known >= value && (known - value) * SUB_BUCKETS <= value, "{value} read as {known}");
        }

        #[test]
        fn quantiles_are_those_of_the_values(mut values in proptest::collection::vec(0..10_000_000u64, 1..200), q in 0.0..=1.0f64) {
            let read = histogram(&values).quantile(q).unwrap();
            values.sort_unstable();
            let rank = ((values.len() as f64 * q).ceil() as usize).max(1);
            prop_assert_eq!(bucket_of(read), bucket_of(values[rank - 1]));
        }

        #[test]
        fn what_is_above_a_quantile_is_known_exactly(
            values in proptest::collection::vec(0..10_000_000u64, 1..200),
            q in 0.0..=1.0f64,
        ) {
            let histogram = histogram(&values);
            let cut_off = histogram.quantile(q).unwrap();
            let above = values.iter().filter(|value| **value > cut_off).count();
            let counted: u64 = histogram.bounded_counts().filter(|(bound, _)| *bound > cut_off).map(|(_, count)| count).sum();
            prop_assert_eq!(counted, above as u64);
        }

        #[test]
        fn minus_takes_back_what_merge_added(
            first in proptest::collection::vec(0..LARGEST, 0..50),
            second in proptest::collection::vec(0..LARGEST, 0..50),
        ) {
            let (first, second) = (histogram(&first), histogram(&second));
            let mut both = first.clone();
            both.merge(&second);
            prop_assert_eq!(both.count(), first.count() + second.count());
            prop_assert_eq!(both.minus(&first), second);
        }
    }
}
