//! `pilotage audit`.

use std::time::{Duration, SystemTime};

use pilotage_server::VerifyReport;
use pilotage_spec::{EnvironmentName, Timestamp, parse_duration};
use pilotage_views::{AuditLine, parse_rfc3339, rfc3339};

use super::Session;
use crate::arguments::{Audit, AuditList, AuditPart};
use crate::failure::{DONE, FAILED, Failure};
use crate::printer::Printer;

pub async fn run(asked: Audit, session: &Session) -> Result<u8, Failure> {
    match asked.part {
        None => list(&asked.list, session).await,
        Some(AuditPart::List(own)) => {
            let AuditList { since, env } = asked.list;
            list(&AuditList { since: own.since.or(since), env: own.env.or(env) }, session).await
        }
        Some(AuditPart::Verify) if asked.list.since.is_some() || asked.list.env.is_some() => {
            Err(Failure::usage("the log is verified as a whole").hint("leave out --since and --env"))
        }
        Some(AuditPart::Verify) => verify(session),
    }
}

async fn list(asked: &AuditList, session: &Session) -> Result<u8, Failure> {
    let environment = asked.env.as_deref().map(str::parse::<EnvironmentName>).transpose()?;
    let since = asked.since.as_deref().map(since).transpose()?;
    let parts: Vec<String> = [
        since.map(|since| format!("since={}", rfc3339(since))),
        environment.map(|environment| format!("environment={environment}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let path = format!("/v1/audit?{}", parts.join("&"));
    let mut lines = session.client().await?.lines::<AuditLine>(&path).await?;
    while let Some(line) = lines.next().await? {
        if session.printer.json() {
            session.printer.object(&line);
        } else {
            session.printer.line(text(&line));
        }
    }
    Ok(DONE)
}

/// A time as it is, or so long ago.
fn since(text: &str) -> Result<Timestamp, Failure> {
    if let Some(at) = parse_rfc3339(text) {
        return Ok(at);
    }
    let unclear = || {
        Failure::usage(format!("`{}` is neither a time nor a span", text.escape_debug()))
            .hint("write 2026-07-01T09:30:00Z, or 24h")
    };
    let span = parse_duration(text).map_err(|_| unclear())?;
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let micros = since_epoch.saturating_sub(span).as_micros();
    Ok(Timestamp::from_micros(micros.try_into().unwrap_or(i64::MAX)))
}

/// One audit line for people.
pub fn text(line: &AuditLine) -> String {
    let place = match (&line.environment, &line.service) {
        (Some(environment), Some(service)) => format!("{environment}/{service}"),
        (None, Some(service)) => service.clone(),
        _ => "-".to_owned(),
    };
    format!(
        "{}  {:<27} {:<12} {:<10} {place:<20} {}",
        rfc3339(line.timestamp),
        line.event,
        line.outcome,
        line.user,
        line.version.as_deref().unwrap_or("-"),
    )
}

/// Reads the file itself, so that it works without a server, and does not take a server's word for it.
fn verify(session: &Session) -> Result<u8, Failure> {
    let report = VerifyReport::new(session.journal()?.verify()).map_err(Failure::failed)?;
    show(&report, &session.printer);
    Ok(if report.verified { DONE } else { FAILED })
}

fn show(report: &VerifyReport, printer: &Printer) {
    if printer.json() {
        printer.object(report);
        return;
    }
    if let (Some(entries), Some(root)) = (report.entries, &report.root) {
        printer.line(format!("✓ verified: {entries} entries are as they were written"));
        printer.line(format!("  root {root}"));
        return;
    }
    printer.line("✗ not verified: the journal is not as it was written");
    for finding in &report.findings {
        printer.line(format!("  - {finding}"));
    }
    printer.hint("keep the file as evidence, find out who could write to it, and restore a backup");
}
