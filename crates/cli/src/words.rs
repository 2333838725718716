//! How numbers are said.

use std::time::Duration;

use pilotage_engine::gate::GateOutcome;
use pilotage_engine::{Outcome, Phase};
use pilotage_spec::format_duration;

use crate::printer::Tone;

/// A duration as people read it: `12 ms`, `3.4 s`, `5m10s`.
pub fn span(duration: Duration) -> String {
    match duration {
        short if short < Duration::from_secs(1) => format!("{} ms", short.as_millis()),
        medium if medium < Duration::from_secs(60) => format!("{:.1} s", medium.as_secs_f64()),
        long => format_duration(Duration::from_secs(long.as_secs())),
    }
}

/// A share in hundredths of a percent, such as `12.5 %`.
pub fn percent(share: u32) -> String {
    let (whole, rest) = (share / 100, share % 100);
    if rest == 0 { format!("{whole} %") } else { format!("{whole}.{rest:02} %") }
}

/// `2,103`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 step`, `2 steps`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// How a deployment ended: tone, glyph and word.
pub fn outcome(outcome: Outcome) -> (Tone, &'static str, &'static str) {
    match outcome {
        Outcome::Succeeded => (Tone::Good, "✓", "succeeded"),
        Outcome::RolledBack => (Tone::Bad, "↩", "rolled back"),
        Outcome::Failed => (Tone::Bad, "✗", "failed"),
        Outcome::Refused => (Tone::Bad, "✗", "refused"),
        Outcome::Concluded => (Tone::Good, "✓", "concluded"),
    }
}

/// Where a deployment stands: tone, glyph and word.
pub fn phase(phase: Phase) -> (Tone, &'static str, &'static str) {
    match phase {
        Phase::Waiting => (Tone::Moving, "‖", "waiting for its gates"),
        Phase::Moving => (Tone::Moving, "▸", "moving"),
        Phase::Soaking => (Tone::Moving, "▸", "soaking"),
        Phase::Paused => (Tone::Moving, "‖", "paused"),
        Phase::Holding => (Tone::Moving, "‖", "waiting for a person"),
        Phase::Concluding => (Tone::Moving, "▸", "concluding"),
        Phase::RollingBack => (Tone::Bad, "↩", "rolling back"),
        Phase::Ended => (Tone::Plain, "·", "ended"),
    }
}

/// How a gate's decision is shown.
pub fn gate_mark(outcome: GateOutcome) -> (Tone, &'static str, &'static str) {
    match outcome {
        GateOutcome::Passed => (Tone::Good, "✓", "passes"),
        GateOutcome::BrokenGlass => (Tone::Bad, "!", "is broken"),
        GateOutcome::Waiting => (Tone::Moving, "‖", "waits"),
        GateOutcome::Refused => (Tone::Bad, "✗", "refuses"),
        GateOutcome::Error => (Tone::Bad, "✗", "cannot tell"),
    }
}

/// The first line of a reason, without the introduction to what follows it: reasons may carry a log's last lines, and
/// `pilotage explain` shows them all.
pub fn gist(reason: &str) -> &str {
    let first = reason.lines().next().unwrap_or_default();
    let introduced = first.strip_suffix(':').and_then(|first| first.rsplit_once("; "));
    introduced.map_or(first, |(gist, _)| gist)
}

/// The first so many columns of a line.
pub fn cut(line: &str, columns: usize) -> String {
    if line.chars().count() <= columns {
        return line.to_owned();
    }
    let mut short: String = line.chars().take(columns.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_shortly() {
        assert_eq!(span(Duration::from_millis(12)), "12 ms");
        assert_eq!(span(Duration::from_millis(3_440)), "3.4 s");
        assert_eq!(span(Duration::from_secs(310)), "5m10s");
        assert_eq!((percent(10_000), percent(1_250)), ("100 %".to_owned(), "12.50 %".to_owned()));
        assert_eq!((count(1, "step"), count(0, "step")), ("1 step".to_owned(), "0 steps".to_owned()));
        assert_eq!(cut("a long line", 6), "a lon…");
        assert_eq!([7, 208_114, 1_000].map(grouped), ["7", "208,114", "1,000"]);
    }

    #[test]
    fn the_gist_of_a_reason_introduces_nothing() {
        assert_eq!(
            gist("it ended with exit status 3; it wrote last:\n  bare\n  again"),
            "it ended with exit status 3"
        );
        assert_eq!(gist("one; two\nthree"), "one; two");
        assert_eq!(gist(""), "");
    }
}
