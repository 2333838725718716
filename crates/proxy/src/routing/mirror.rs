//! Which requests are copied to a version that is tried out, and how many bytes that may cost.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Asked, CompiledRoute};
use crate::comparison::Comparison;
use crate::{FULL_WEIGHT, Mirror};

/// Where copies go, and which requests are copied.
#[derive(Debug)]
pub(crate) struct CompiledMirror {
    /// The index of the pool in its route.
    pub(crate) pool: usize,
    /// How long a copy may take altogether.
    pub(crate) timeout: Duration,
    /// For all workers together; see [`ByteBudget`].
    pub(crate) bytes_per_second: u64,
    /// How answers are compared, if they are.
    pub(crate) comparison: Option<Arc<Comparison>>,
    share: u32,
    max_body_bytes: u64,
    unsafe_methods: bool,
}

impl CompiledMirror {
    pub(super) fn new(mirror: &Mirror, pool: usize) -> Self {
        Self {
            pool,
            timeout: Duration::from_millis(mirror.timeout_ms),
            bytes_per_second: mirror.bytes_per_second,
            comparison: mirror.compare.as_ref().map(|settings| Arc::new(Comparison::new(settings))),
            share: mirror.share,
            max_body_bytes: mirror.max_body_bytes,
            unsafe_methods: mirror.unsafe_methods,
        }
    }
}

/// Whether a request is copied; `draw` is a random number.
///
/// Never copied: what goes to that version anyway (`assigned` is its own pool), what becomes a tunnel, and a body that is
/// too long or does not say how long it is (`None`).
pub(crate) fn mirror_choice(
    route: &CompiledRoute,
    asked: &impl Asked,
    assigned: Option<usize>,
    body_length: Option<u64>,
    draw: u64,
) -> bool {
    let Some(mirror) = &route.mirror else { return false };
    is_drawn(mirror.share, draw)
        && assigned != Some(mirror.pool)
        && (mirror.unsafe_methods || asked.method_is_safe())
        && body_length.is_some_and(|length| length <= mirror.max_body_bytes)
        && asked.header("upgrade").is_none()
}

/// Whether a random number falls into a share in hundredths of a percent.
fn is_drawn(share: u32, draw: u64) -> bool {
    (u128::from(draw) * u128::from(FULL_WEIGHT)) >> 64 < u128::from(share)
}

/// How many bytes one worker may still copy in this second.
#[derive(Debug)]
pub(crate) struct ByteBudget {
    bytes_per_second: u64,
    second_began: Cell<Instant>,
    taken: Cell<u64>,
}

impl ByteBudget {
    /// The part of one worker among so many.
    pub(crate) fn new(bytes_per_second: u64, workers: usize, now: Instant) -> Self {
        // Cannot truncate: a machine has fewer threads.
        let bytes_per_second = bytes_per_second / (workers.max(1) as u64);
        Self { bytes_per_second, second_began: Cell::new(now), taken: Cell::new(0) }
    }

    /// Takes bytes out of this second's, all or none; false if there are not so many left.
    pub(crate) fn take(&self, bytes: u64, now: Instant) -> bool {
        if now.saturating_duration_since(self.second_began.get()) >= Duration::from_secs(1) {
            self.second_began.set(now);
            self.taken.set(0);
        }
        let taken = self.taken.get().saturating_add(bytes);
        let enough = taken <= self.bytes_per_second;
        if enough {
            self.taken.set(taken);
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use proptest::prelude::*;

    use super::super::Registry;
    use super::super::sample::Sample;
    use super::*;
    use crate::{Pool, Protocol, Route};

    fn mirroring(mirror: Mirror) -> CompiledRoute {
        let pool = |version: &str, weight| Pool {
            version: version.to_owned(),
            weight,
            protocol: Protocol::Http1,
            endpoints: vec![],
        };
        let route = Route {
            pools: vec![pool("2", 0), pool("1", FULL_WEIGHT)],
            mirror: Some(mirror),
            ..Route::new("a", SocketAddr::from(([127, 0, 0, 1], 80)))
        };
        CompiledRoute::new(&route, None, &Registry::new(1, 0))
    }

    fn mirror() -> Mirror {
        Mirror {
            version: "2".to_owned(),
            share: FULL_WEIGHT,
            bytes_per_second: 1_000,
            max_body_bytes: 100,
            unsafe_methods: false,
            timeout_ms: 1_000,
            compare: None,
        }
    }

    #[test]
    fn only_what_may_be_repeated_is_copied() {
        let route = mirroring(mirror());
        let choice = |asked: &Sample, assigned, length| mirror_choice(&route, asked, assigned, length, 7);
        let get = Sample::new();
        assert!(choice(&get, Some(1), Some(0)));
        assert!(choice(&get, Some(1), Some(100)) && !choice(&get, Some(1), Some(101)));
        assert!(!choice(&get, Some(1), None), "nobody knows how long it is");
        assert!(!choice(&get, Some(0), Some(0)), "it goes there anyway");
        assert!(!choice(&get.clone().with("upgrade", "websocket"), Some(1), Some(0)));
        let post = Sample { safe: false, ..get };
        assert!(!choice(&post, Some(1), Some(0)));
        let told = mirroring(Mirror { unsafe_methods: true, ..mirror() });
        assert!(mirror_choice(&told, &post, Some(1), Some(0), 7));
    }

    #[test]
    fn a_share_of_nobody_and_of_everybody() {
        let (nobody, everybody) = (mirroring(Mirror { share: 0, ..mirror() }), mirroring(mirror()));
        for draw in [0, 1, u64::MAX / 2, u64::MAX] {
            assert!(!mirror_choice(&nobody, &Sample::new(), Some(1), Some(0), draw));
            assert!(mirror_choice(&everybody, &Sample::new(), Some(1), Some(0), draw));
        }
    }

    #[test]
    fn the_share_is_kept_to_a_hundredth_of_a_percent() {
        const STEP: u64 = u64::MAX / 1_000_000;
        // In the middle of each step, away from the borders.
        let drawn = |share| (0..1_000_000).filter(|step| is_drawn(share, step * STEP + STEP / 2)).count();
        assert_eq!([drawn(1), drawn(100), drawn(9_999)], [100, 10_000, 999_900]);
    }

    #[test]
    fn what_does_not_fit_takes_nothing() {
        let begin = Instant::now();
        let budget = ByteBudget::new(200, 2, begin);
        assert!(budget.take(60, begin));
        assert!(!budget.take(41, begin));
        assert!(budget.take(40, begin) && !budget.take(1, begin));
        assert!(budget.take(100, begin + Duration::from_secs(1)));
        assert!(!budget.take(101, begin + Duration::from_secs(5)));
    }

    proptest! {
        #[test]
        fn no_second_copies_more_than_its_bytes(
            limit in 0..10_000u64,
            copies in proptest::collection::vec((0..400u64, 0..5_000u64), 0..200),
        ) {
            let begin = Instant::now();
            let budget = ByteBudget::new(limit, 1, begin);
            let mut at = begin;
            let mut seconds: Vec<(Instant, u64)> = vec![(begin, 0)];
            for (pause_ms, bytes) in copies {
                at += Duration::from_millis(pause_ms);
                if at - seconds[seconds.len() - 1].0 >= Duration::from_secs(1) {
                    seconds.push((at, 0));
                }
                if budget.take(bytes, at) {
                    seconds.last_mut().unwrap().1 += bytes;
                }
            }
            prop_assert!(seconds.iter().all(|(_, bytes)| *bytes <= limit));
        }
    }
}
