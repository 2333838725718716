//! A coarse histogram made of quantiles.

use super::row::Quantiles;

/// So many steps between two quantiles.
const STEPS: u32 = 8;

/// How long requests took, as `(microseconds, requests)` with the times rising, from no more than some quantiles.
///
/// A quantile is taken for the request of its rank (the 99th percentile of 200 requests is the 198th): whoever reads the quantile back finds
/// it. Between two quantiles the times rise in equal ratios, and each request is put at the lower end of its step. All above the
/// highest quantile took as long as that, all below the lowest took no time. So never more requests are slow than the
/// quantiles say.
pub(super) fn latencies(requests: u64, quantiles: &Quantiles) -> Vec<(u64, u64)> {
    if requests == 0 {
        return Vec::new();
    }
    let mut known = Vec::with_capacity(3);
    let Quantiles { p50_micros, p95_micros, p99_micros } = *quantiles;
    for (thousandths, micros) in [(500, p50_micros), (950, p95_micros), (990, p99_micros)] {
        let rank = rank(requests, thousandths);
        // Of two quantiles that are the same request's, the lower one is more like it.
        if let Some(micros) = micros
            && known.last().is_none_or(|(last, _)| *last < rank)
        {
            known.push((rank, micros));
        }
    }
    let (Some((first, _)), Some((last, slowest))) = (known.first(), known.last()) else { return Vec::new() };
    let mut made = Histogram::default();
    made.add(0, first.saturating_sub(1));
    for pair in known.windows(2) {
        if let [(from, low), (to, high)] = *pair {
            made.rise(low, high, to.saturating_sub(from));
        }
    }
    made.add(*slowest, (requests + 1).saturating_sub(*last));
    made.buckets
}

/// Which request in the order of their times is a quantile, counted from one.
fn rank(requests: u64, thousandths: u64) -> u64 {
    let rank = (u128::from(requests) * u128::from(thousandths)).div_ceil(1_000);
    u64::try_from(rank).unwrap_or(u64::MAX)
}

#[derive(Default)]
struct Histogram {
    buckets: Vec<(u64, u64)>,
}

impl Histogram {
    fn add(&mut self, micros: u64, requests: u64) {
        let micros = rounded(micros);
        match self.buckets.last_mut() {
            _ if requests == 0 => {}
            Some((last, already)) if *last == micros => *already = already.saturating_add(requests),
            _ => self.buckets.push((micros, requests)),
        }
    }

    /// The first of these requests took as long as the lower quantile says.
    fn rise(&mut self, low: u64, high: u64, requests: u64) {
        let until = |step: u32| {
            let (whole, rest) = (requests / u64::from(STEPS), requests % u64::from(STEPS));
            whole * u64::from(step) + (rest * u64::from(step)).div_ceil(u64::from(STEPS))
        };
        for step in 0..STEPS {
            self.add(between(low, high, step), until(step + 1) - until(step));
        }
    }
}

/// So many steps of equal ratio on the way from one time to another.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times are kept to three digits, and what is between two of them fits as they do"
)]
fn between(low: u64, high: u64, step: u32) -> u64 {
    let (low, high) = (low.max(1) as f64, high.max(1) as f64);
    (low * (high / low).powf(f64::from(step) / f64::from(STEPS))).round() as u64
}

/// A time to three digits, so that there are few different ones however many rows there are.
fn rounded(micros: u64) -> u64 {
    let digits = micros.checked_ilog10().unwrap_or(0);
    let unit = 10_u64.pow(digits.saturating_sub(2));
    micros.saturating_add(unit / 2) / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Bucket, LatencyCutOff};

    fn of(p50: u64, p95: u64, p99: u64) -> Quantiles {
        Quantiles { p50_micros: Some(p50), p95_micros: Some(p95), p99_micros: Some(p99) }
    }

    fn read_back(buckets: &[(u64, u64)], quantile: f64) -> u64 {
        let mut requests = 0;
        let buckets: Vec<Bucket> = buckets
            .iter()
            .map(|(micros, count)| {
                requests += count;
                Bucket { micros: *micros, requests }
            })
            .collect();
        LatencyCutOff::freeze(&buckets, quantile).unwrap().micros()
    }

    #[test]
    fn quantiles_are_read_back_as_they_were_given() {
        for requests in [1_000, 200, 137, 100] {
            let made = latencies(requests, &of(12_000, 45_000, 180_000));
            assert_eq!(made.iter().map(|(_, requests)| requests).sum::<u64>(), requests);
            assert_eq!([0.5, 0.95, 0.99].map(|q| read_back(&made, q)), [12_000, 45_000, 180_000]);
            assert!(made.is_sorted_by(|a, b| a.0 < b.0), "{made:?}");
        }
    }

    #[test]
    fn few_requests_and_few_quantiles_make_what_they_can() {
        assert_eq!(latencies(0, &of(1, 2, 3)), []);
        assert_eq!(latencies(1, &of(10, 20, 30)), [(10, 1)]);
        assert_eq!(latencies(100, &Quantiles::default()), []);
        let only_p99 = Quantiles { p99_micros: Some(500), ..Quantiles::default() };
        assert_eq!(latencies(1_000, &only_p99), [(0, 989), (500, 11)]);
    }

    #[test]
    fn no_more_requests_are_slow_than_the_quantiles_say() {
        let made = latencies(10_000, &of(10_000, 80_000, 200_000));
        let slower = |than| made.iter().filter(|(at, _)| *at > than).map(|(_, count)| count).sum::<u64>();
        assert_eq!((slower(200_000), slower(199_999)), (0, 101));
        assert!((101..=501).contains(&slower(150_000)), "{}", slower(150_000));
    }

    #[test]
    fn times_are_kept_to_three_digits() {
        assert_eq!([0, 7, 999, 1_004, 1_005, 123_456].map(rounded), [0, 7, 999, 1_000, 1_010, 123_000]);
        assert!(rounded(u64::MAX) > 0);
    }
}
