//! The engine against a fake clock, a fake target and fake traffic, with faults drawn from a seed.
//!
//! What must never happen is checked here a second time, from the simulated world itself and in other words than
//! [`crate::interlock`] uses, so that a fault in the engine cannot hide behind itself. A seed is a whole history:
//! `run(seed, None)` plays the same one every time.

mod check;
mod driver;
mod random;
mod scenario;
mod strategy;
mod world;

pub use check::Broken;
pub use driver::{Report, run};
pub use random::Random;
pub use scenario::{Behaviour, Sabotage};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;

    /// Enough for every strategy, behaviour and fault to meet every other.
    const SEEDS: u64 = 12_000;

    #[test]
    fn no_seed_breaks_a_rule() {
        let mut ends = [0_u32; 5];
        for seed in 0..SEEDS {
            let report = run(seed, None);
            assert!(
                report.broken.is_none(),
                "run({seed}, None): {}\n{}",
                report.broken.unwrap(),
                report.trace.join("\n")
            );
            let end = match report.outcome.unwrap() {
                Outcome::Succeeded => 0,
                Outcome::RolledBack => 1,
                Outcome::Failed => 2,
                Outcome::Refused => 3,
                Outcome::Concluded => 4,
            };
            ends[end] += 1;
        }
        // A simulation in which one of these never happens would prove nothing about it.
        assert!(ends.iter().all(|count| *count > SEEDS as u32 / 200), "{ends:?}");
    }

    #[test]
    fn every_planted_fault_is_found() {
        for sabotage in Sabotage::ALL {
            let found = (0..2_000).find(|seed| run(*seed, Some(sabotage)).broken.is_some());
            assert!(found.is_some(), "{sabotage:?} was never found");
        }
    }

    #[test]
    fn a_seed_plays_the_same_history_every_time() {
        for seed in 0..50 {
            assert_eq!(run(seed, None).trace, run(seed, None).trace);
        }
    }
}
