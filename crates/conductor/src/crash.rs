//! Named points at which a test kills the process, to prove that it goes on afterwards.
//!
//! With `PILOTAGE_CRASH_POINT=route.after_effect` in its environment, the process sends itself SIGKILL when it comes by
//! that point; with `route.after_effect@2`, the second time. Without the variable a point costs one comparison.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The variable that arms a point.
pub const VARIABLE: &str = "PILOTAGE_CRASH_POINT";

const EFFECTS: [&str; 4] = ["ensure", "smoke", "route", "retire"];
const EFFECT_STAGES: [&str; 4] = ["before_intent", "after_intent", "after_effect", "after_outcome"];
const RECORDS: [&str; 5] = ["started", "adopted", "health_check", "rollback", "completed"];
const RECORD_STAGES: [&str; 2] = ["before_record", "after_record"];

/// Every point: before and after each commit and each effect.
pub fn points() -> Vec<String> {
    let cross = |subjects: &[&str], stages: &[&str]| -> Vec<String> {
        subjects
            .iter()
            .flat_map(|subject| stages.iter().map(move |stage| format!("{subject}.{stage}")))
            .collect()
    };
    [cross(&EFFECTS, &EFFECT_STAGES), cross(&RECORDS, &RECORD_STAGES)].concat()
}

struct Armed {
    point: String,
    left: AtomicU32,
}

fn armed() -> Option<&'static Armed> {
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    let read = || {
        let text = std::env::var(VARIABLE).ok()?;
        let (point, count) = text.split_once('@').unwrap_or((&text, "1"));
        Some(Armed { point: point.to_owned(), left: AtomicU32::new(count.parse().ok()?) })
    };
    ARMED.get_or_init(read).as_ref()
}

/// Kills this process if this point is armed and its turn has come.
pub(crate) fn point(subject: &str, stage: &str) {
    let Some(armed) = armed() else { return };
    let here = armed.point.split_once('.') == Some((subject, stage));
    if here && armed.left.fetch_sub(1, Ordering::Relaxed) == 1 {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}
