//! Saying that lines are dropped: once, not once a line.

use std::time::Duration;

use super::writer::Wishes;
use crate::routing::AccessLogCounters;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After so long without a dropped line, the next one is said again.
const QUIET_LOOKS: u32 = 60;

/// What is to be said about a log that drops lines.
#[derive(Debug, PartialEq, Eq)]
enum Remark {
    Drops { lines: u64 },
    WroteAgain { lines: u64 },
}

/// When something is to be said.
#[derive(Debug, Default)]
struct Drops {
    seen: u64,
    /// What had been dropped before the trouble that was told of, and how often it was looked since without any more.
    told: Option<(u64, u32)>,
}

impl Drops {
    fn look(&mut self, dropped: u64) -> Option<Remark> {
        let before = std::mem::replace(&mut self.seen, dropped);
        match &mut self.told {
            None if dropped > before => {
                self.told = Some((before, 0));
                Some(Remark::Drops { lines: dropped - before })
            }
            None => None,
            Some((_, quiet)) if dropped > before => {
                *quiet = 0;
                None
            }
            Some((begun, quiet)) => {
                *quiet += 1;
                let lines = dropped - *begun;
                let over = *quiet >= QUIET_LOOKS;
                over.then(|| {
                    self.told = None;
                    Remark::WroteAgain { lines }
                })
            }
        }
    }
}

/// Looks for dropped lines, and says so, for ever. Not done by the thread that writes, which may be waiting for a disk.
pub(super) async fn watch(wishes: &Wishes, counters: &AccessLogCounters) {
    let mut drops = Drops::default();
    let mut again = tokio::time::interval(LOOK_EVERY);
    loop {
        again.tick().await;
        match drops.look(counters.read().dropped) {
            Some(Remark::Drops { lines }) => {
                let why = wishes.take_trouble();
                let why = why.unwrap_or_else(|| "it is written more slowly than requests come".to_owned());
                tracing::warn!(
                    lines,
                    "the access log drops lines: {why}; they are counted, and no request waits"
                );
            }
            Some(Remark::WroteAgain { lines }) => {
                wishes.take_trouble();
                tracing::info!(lines, "the access log drops no lines any more");
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_told_once_and_so_is_its_end() {
        let mut drops = Drops::default();
        assert_eq!(drops.look(0), None);
        assert_eq!(drops.look(3), Some(Remark::Drops { lines: 3 }));
        assert_eq!(drops.look(900), None);
        for _ in 1..QUIET_LOOKS {
            assert_eq!(drops.look(900), None);
        }
        assert_eq!(drops.look(900), Some(Remark::WroteAgain { lines: 900 }));
        assert_eq!(drops.look(900), None);
        assert_eq!(drops.look(901), Some(Remark::Drops { lines: 1 }));
    }
}
