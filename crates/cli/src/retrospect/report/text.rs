//! A look back in words.

use pilotage_engine::judge::{Finding, Verdict};
use pilotage_engine::retrospect::{Account, TakenBack, Totals};
use pilotage_views::rfc3339;

use super::{Told, rules};
use crate::printer::{Printer, Tone};
use crate::words::{grouped, span};

/// Prints the verdict, and says beside it what people should know of the file.
pub fn show(told: &Told<'_>, printer: &Printer) {
    for note in &told.notes {
        printer.say(format!("note: {note}"));
    }
    printer.line(headline(told));
    printer.line("");
    printer.line(verdict(told, printer));
    for finding in &told.account.judgement.findings {
        printer.line(line(finding, printer));
    }
    printer.line("");
    failures(told).into_iter().for_each(|line| printer.line(line));
    if !told.account.rules.is_empty() {
        printer.line("");
        rules::lines(told).into_iter().for_each(|line| printer.line(line));
    }
}

fn headline(told: &Told<'_>) -> String {
    let Account { intervals, beside, .. } = told.account;
    let plural = if *intervals == 1 { "" } else { "s" };
    format!(
        "{} against {}: {} interval{plural}, {} with both",
        told.pair.candidate,
        told.stable(),
        grouped(*intervals),
        grouped(*beside)
    )
}

fn verdict(told: &Told<'_>, printer: &Printer) -> String {
    let candidate = &told.pair.candidate;
    match (&told.account.taken_back, told.account.judgement.verdict) {
        (Some(taken), _) => format!(
            "{} {candidate} would have been rolled back at {}, {} after its first request",
            printer.paint(Tone::Bad, "↩"),
            rfc3339(taken.at),
            span(taken.after)
        ),
        (None, Verdict::Pass) => {
            format!("{} {candidate} would have stayed: pass", printer.paint(Tone::Good, "✓"))
        }
        (None, _) => {
            format!("{} {candidate} would have stayed: inconclusive", printer.paint(Tone::Moving, "·"))
        }
    }
}

fn line(finding: &Finding, printer: &Printer) -> String {
    let (tone, glyph) = match finding.verdict {
        Verdict::Pass => (Tone::Good, "✓"),
        Verdict::Fail => (Tone::Bad, "✗"),
        Verdict::Inconclusive => (Tone::Quiet, "·"),
    };
    let only = if finding.dry_run { " (only reports)" } else { "" };
    format!("  {} {}{only}: {}", printer.paint(tone, glyph), finding.trigger, finding.words)
}

fn failures(told: &Told<'_>) -> Vec<String> {
    let Account { taken_back, candidate, .. } = told.account;
    let name = &told.pair.candidate;
    let whole = format!("failed requests of {name} in the whole file: {}", of(candidate));
    match taken_back {
        Some(TakenBack { candidate, .. }) => {
            vec![format!("failed requests of {name} until then: {}", of(candidate)), whole]
        }
        None => vec![whole],
    }
}

fn of(totals: &Totals) -> String {
    format!("{} of {}", grouped(totals.failed), grouped(totals.requests))
}
