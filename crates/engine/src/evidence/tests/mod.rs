mod ab_test;
mod draws;
mod error_test;
mod false_alarms;
mod limit_test;
mod risk_ratio;

use super::{ErrorSettings, ErrorTest, Increment};

/// Candidate's requests and failures, stable version's requests and failures.
fn increment(candidate: (u64, u64), stable: (u64, u64)) -> Increment {
    Increment {
        candidate_requests: candidate.0,
        candidate_failed: candidate.1,
        stable_requests: stable.0,
        stable_failed: stable.1,
    }
}

fn observed(increments: &[Increment]) -> ErrorTest {
    let mut test = ErrorTest::new(ErrorSettings::default()).unwrap();
    increments.iter().for_each(|increment| test.observe(increment).unwrap());
    test
}

#[track_caller]
fn close(ours: f64, theirs: f64, within: f64) {
    assert!((ours - theirs).abs() <= within * theirs.abs().max(1.0), "{ours} is not {theirs}");
}
