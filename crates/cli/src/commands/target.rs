//! `pilotage target check`.

use pilotage_server::TargetReport;
use pilotage_spec::{Capabilities, EnvironmentName, Weights};
use pilotage_targets::{Finding, Verdict};

use super::Session;
use crate::arguments::{TargetCheck, TargetVerb};
use crate::failure::{DONE, FAILED, Failure};
use crate::printer::{Printer, Tone};

pub async fn run(verb: TargetVerb, session: &Session) -> Result<u8, Failure> {
    match verb {
        TargetVerb::Check(asked) => check(&asked, session).await,
    }
}

async fn check(asked: &TargetCheck, session: &Session) -> Result<u8, Failure> {
    let environment = asked.environment.as_deref().map(str::parse::<EnvironmentName>).transpose()?;
    let query = environment.map(|name| format!("?environment={name}")).unwrap_or_default();
    let reports: Vec<TargetReport> = session.client().await?.get(&format!("/v1/targets{query}")).await?;
    let printer = &session.printer;
    for report in &reports {
        match printer.json() {
            true => printer.object(report),
            false => lines(report, printer).iter().for_each(|line| printer.line(line)),
        }
    }
    Ok(if reports.iter().all(|report| report.inspection.is_good()) { DONE } else { FAILED })
}

fn lines(report: &TargetReport, printer: &Printer) -> Vec<String> {
    let verdict = if report.inspection.is_good() { Verdict::Good } else { Verdict::Bad };
    let traffic = report.capabilities.as_ref().map(|can| format!("; {}", abilities(can))).unwrap_or_default();
    let head = format!("{} {}  {}{traffic}", glyph(verdict, printer), report.environment, report.kind);
    std::iter::once(head).chain(findings(&report.inspection.findings, printer)).collect()
}

/// Findings one below the other; what is to be copied stands at the end, without anything before it.
pub fn findings(findings: &[Finding], printer: &Printer) -> Vec<String> {
    let width = findings.iter().map(|finding| finding.subject.len()).max().unwrap_or(0);
    let (mut lines, mut copies) = (Vec::new(), Vec::new());
    for finding in findings {
        let (glyph, subject) = (glyph(finding.verdict, printer), &finding.subject);
        lines.push(format!("    {glyph} {subject:width$}  {}", finding.text));
        match &finding.mend {
            Some(mend) if mend.contains('\n') => copies.extend(mend.lines().map(str::to_owned)),
            Some(mend) => lines.push(format!("      {:width$}  → {mend}", "")),
            None => {}
        }
    }
    if !copies.is_empty() {
        lines.push("    to be added, by `kubectl apply -f -`:".to_owned());
    }
    lines.extend(copies);
    lines
}

pub fn glyph(verdict: Verdict, printer: &Printer) -> String {
    let (tone, glyph) = match verdict {
        Verdict::Good => (Tone::Good, "✓"),
        Verdict::Note => (Tone::Moving, "!"),
        Verdict::Bad => (Tone::Bad, "✗"),
    };
    printer.paint(tone, glyph)
}

/// What a target can do with traffic, in words.
fn abilities(can: &Capabilities) -> String {
    let weights = match can.weights {
        Weights::Exact => "exact weights",
        Weights::ByReplicas => "weights as replicas allow",
        Weights::Switch => "all or nothing",
    };
    let more = [
        (can.cohorts, "cohorts"),
        (can.mirror, "mirror"),
        (can.preview, "preview"),
        (can.counters, "counters"),
        (can.holds_requests, "holds requests"),
    ];
    let more = more.into_iter().filter_map(|(can, word)| can.then_some(word));
    std::iter::once(weights).chain(more).collect::<Vec<_>>().join(", ")
}
