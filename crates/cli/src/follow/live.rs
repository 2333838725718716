//! A view of a deployment that redraws itself.

use pilotage_conductor::Live;
use pilotage_engine::judge::Counted;
use pilotage_server::DeploymentDetail;
use pilotage_views::{StepState, StepStatus};

use crate::printer::{Printer, Tone};
use crate::terminal;
use crate::words::{cut, percent, phase};

/// Lines around the steps, and one below for the cursor.
const OTHER_LINES: usize = 8;

/// What is on the screen.
#[derive(Debug, Default)]
pub struct LiveView {
    height: usize,
}

impl LiveView {
    /// Draws over what was drawn before.
    pub fn draw(&mut self, detail: &DeploymentDetail, printer: &Printer) {
        let (columns, rows) = terminal::size();
        let lines = lines(detail, rows.saturating_sub(OTHER_LINES).max(3));
        let up = if self.height > 0 { format!("\u{1b}[{}A", self.height) } else { String::new() };
        // Each line clears what is left of the one before it, and the end whatever stands below.
        let drawn: String = lines
            .iter()
            .map(|(tone, line)| format!("{}\u{1b}[K\n", printer.paint(*tone, &cut(line, columns))))
            .collect();
        printer.raw(&format!("{up}\r{drawn}\u{1b}[J"));
        self.height = lines.len();
    }
}

fn lines(detail: &DeploymentDetail, steps_shown: usize) -> Vec<(Tone, String)> {
    let status = &detail.status;
    let summary = &detail.summary;
    let from = status.from.as_ref().map(|from| format!("{from} → ")).unwrap_or_default();
    let (tone, glyph, word) = phase(status.phase);
    let headline = format!(
        "{glyph} {} {}/{}: {from}{} by {}, {word}",
        status.id, summary.environment, summary.service, status.to, status.strategy
    );
    let mut lines = vec![(tone, headline)];
    if let Some(cause) = &status.cause {
        lines.push((Tone::Bad, format!("  because {}", cause.lines().next().unwrap_or_default())));
    }
    lines.extend(steps(&status.steps, steps_shown));
    if let Some(live) = &detail.live {
        lines.push((Tone::Plain, format!("  {}", live.activity)));
        lines.extend(measured(live).into_iter().map(|line| (Tone::Quiet, line)));
    }
    lines
}

/// The steps around the one that is being taken.
fn steps(steps: &[StepStatus], shown: usize) -> Vec<(Tone, String)> {
    let now = steps.iter().position(|step| step.state == StepState::Now).unwrap_or(steps.len());
    let first = now.saturating_sub(shown / 2).min(steps.len().saturating_sub(shown));
    let line = |(number, step): (usize, &StepStatus)| {
        let (tone, glyph) = match step.state {
            StepState::Done => (Tone::Good, "✓"),
            StepState::Now => (Tone::Moving, "▸"),
            StepState::Next => (Tone::Quiet, "·"),
        };
        (tone, format!("  {glyph} {:>2}  {}", number + 1, step.step))
    };
    steps.iter().enumerate().skip(first).take(shown).map(line).collect()
}

fn measured(live: &Live) -> Vec<String> {
    let mut lines = Vec::new();
    if !live.shares.is_empty() {
        let shares = live.shares.iter().map(|(version, share)| format!("{} {version}", percent(*share)));
        lines.push(format!("  traffic  {}", shares.collect::<Vec<_>>().join(", ")));
    }
    if let Some(reading) = &live.reading {
        lines.push(format!("  new      {}", counted(&reading.candidate)));
        lines.push(format!("  stable   {}", counted(&reading.stable)));
    }
    lines
}

fn counted(counted: &Counted) -> String {
    let p99 =
        counted.p99_micros.map(|micros| format!(", p99 {}.{} ms", micros / 1_000, micros % 1_000 / 100));
    format!("{} requests, {} failed{}", counted.requests, counted.failed, p99.unwrap_or_default())
}
