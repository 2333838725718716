//! What the demo shows while it plays, and at its end.

use pilotage_engine::{Deployment, DeploymentEvent};
use pilotage_journal::Event;
use pilotage_load::LoadReport;
use pilotage_spec::Version;
use pilotage_views::AuditLine;

use super::summary::Summary;
use crate::commands::audit_text;
use crate::follow::transition_lines;
use crate::printer::{Printer, Tone};
use crate::terminal;
use crate::words::{cut, outcome, percent, span};

/// What the demo shows.
pub struct Show {
    printer: Printer,
    live: bool,
}

impl Show {
    pub fn new(printer: &Printer, plain: bool) -> Self {
        Self { printer: printer.clone(), live: printer.live() && !plain }
    }

    pub fn printer(&self) -> &Printer {
        &self.printer
    }

    /// Whether counts are shown while they change.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// A new act.
    pub fn act(&self, title: &str) {
        if !self.printer.json() {
            self.clear();
            self.printer.say(format!("\n{title}"));
        }
    }

    /// What has happened.
    pub fn transition(
        &self,
        before: Option<&Deployment>,
        fact: &DeploymentEvent,
        event: &Event,
        line: &AuditLine,
    ) {
        if self.printer.json() {
            self.printer.object(line);
            return;
        }
        self.clear();
        for line in transition_lines(before, fact, event, &self.printer) {
            self.printer.line(line);
        }
        if let (Some(before), DeploymentEvent::Completed { outcome: how, .. }) = (before, fact) {
            let (tone, glyph, word) = outcome(*how);
            let took = span(event.time.since(before.started_at));
            self.printer.line(format!("{} {word} after {took}", self.printer.paint(tone, glyph)));
        }
    }

    /// The counts, in the last line of the terminal.
    pub fn counts(&self, report: &LoadReport, shares: &[(Version, u32)]) {
        if !self.live {
            return;
        }
        let shares: Vec<String> =
            shares.iter().map(|(version, share)| format!("{} {version}", percent(*share))).collect();
        let line = format!(
            "  {} requests, {} failed by the service, {} dropped   {}",
            report.requests,
            report.outcomes.failed_by_service,
            report.outcomes.dropped,
            shares.join(", ")
        );
        let (columns, _) = terminal::size();
        self.printer.raw(&format!("\r{}\u{1b}[K", cut(&line, columns)));
    }

    /// Takes the counts away again.
    pub fn clear(&self) {
        if self.live {
            self.printer.raw("\r\u{1b}[K");
        }
    }

    /// The end.
    pub fn summary(&self, summary: &Summary) {
        if self.printer.json() {
            self.printer.object(summary);
            return;
        }
        let printer = &self.printer;
        printer.line("\nthe audit log of the release that came back");
        for line in summary.audit.iter().filter(|line| line.event != "deployment.intended") {
            printer.line(format!("  {}", audit_text(line)));
        }
        let good = |good: bool| if good { (Tone::Good, "✓") } else { (Tone::Bad, "✗") };
        let rows = [
            (good(true), "requests", format!("{}", summary.requests)),
            (good(true), "failed by the service", format!("{}", summary.failed_by_service)),
            (good(summary.dropped == 0), "dropped by us", format!("{}{}", summary.dropped, reasons(summary))),
            (good(summary.switch_ms.is_some()), "switch to 1.1.0", milliseconds(summary.switch_ms)),
            (good(summary.rollback_ms.is_some()), "rollback of 1.2.0", milliseconds(summary.rollback_ms)),
            (good(summary.audit_verified), "audit log verified", yes(summary.audit_verified)),
        ];
        printer.line(format!("\nin {:.0} s", summary.duration_seconds));
        for ((tone, glyph), name, value) in rows {
            printer.line(format!("  {} {name:<22} {value}", printer.paint(tone, glyph)));
        }
        printer.line(
            "\nswitch and rollback: from the decision to the last request sent to the version left behind",
        );
    }
}

/// A measured time. One close to zero looks as if nothing had been measured, and gets its meaning in words.
fn milliseconds(value: Option<f64>) -> String {
    match value {
        None => "not measured".to_owned(),
        Some(value) if value < 1.0 => "< 1 ms (no request reached it after the decision)".to_owned(),
        Some(value) => format!("{value:.1} ms"),
    }
}

fn reasons(summary: &Summary) -> String {
    let reasons: Vec<String> =
        summary.drop_reasons.iter().map(|(reason, number)| format!("{number} {reason}")).collect();
    if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) }
}

fn yes(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}
