//! Whether a version has a part of the traffic, where only its requests say so.

/// A version that had so many requests in an interval is not without any in the next one by chance.
const MANY: u64 = 10;
/// So many intervals without a request may be chance where there are few.
const QUIET: u32 = 3;

/// Whether a version has a part of the traffic. It depends on requests alone and never on failures, so the tests stay valid.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Presence {
    /// Requests in the last interval that had any.
    last: u64,
    /// Intervals without a request since then.
    quiet: u32,
}

impl Presence {
    pub(super) const fn see(&mut self, requests: u64) {
        if requests > 0 {
            *self = Self { last: requests, quiet: 0 };
        } else {
            self.quiet = self.quiet.saturating_add(1);
        }
    }

    pub(super) const fn is_there(self) -> bool {
        self.last > 0 && (self.quiet == 0 || (self.last < MANY && self.quiet <= QUIET))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(requests: &[u64]) -> bool {
        let mut presence = Presence::default();
        requests.iter().for_each(|requests| presence.see(*requests));
        presence.is_there()
    }

    #[test]
    fn little_traffic_may_pause_and_much_may_not() {
        assert!(!after(&[]) && !after(&[0]));
        assert!(after(&[3]) && after(&[3, 0, 0, 0]) && !after(&[3, 0, 0, 0, 0]));
        assert!(after(&[3, 0, 0, 2, 0]) && after(&[100]) && !after(&[100, 0]));
    }
}
