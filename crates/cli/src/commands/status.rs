//! `pilotage status`.

use std::time::Duration;

use pilotage_server::{Client, StatusReport, Stopped};
use pilotage_spec::EnvironmentName;
use pilotage_spec::ServiceName;
use pilotage_views::{MovingStatus, StepState, WorkloadStatus};

use super::Session;
use crate::arguments::{Selection, Status};
use crate::failure::{DONE, Failure};
use crate::printer::{Printer, Tone};
use crate::words;

/// How often a change is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(300);

pub async fn run(asked: &Status, session: &Session) -> Result<u8, Failure> {
    let path = format!("/v1/status{}", query(&asked.selection)?);
    let client = session.client().await?;
    if asked.watch {
        return watch(&client, &path, session).await;
    }
    let report: StatusReport = client.get(&path).await?;
    if session.printer.json() {
        session.printer.object(&report);
    } else {
        show(&report, &session.printer);
    }
    Ok(DONE)
}

/// The selection as the part of an address after the path. Names hold nothing that would have to be escaped.
pub fn query(selection: &Selection) -> Result<String, Failure> {
    let environment = selection.env.as_deref().map(str::parse::<EnvironmentName>).transpose()?;
    let service = selection.service.as_deref().map(str::parse::<ServiceName>).transpose()?;
    let parts: Vec<String> = [
        environment.map(|environment| format!("environment={environment}")),
        service.map(|service| format!("service={service}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    Ok(if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) })
}

async fn watch(client: &Client, path: &str, session: &Session) -> Result<u8, Failure> {
    let printer = &session.printer;
    let mut before = String::new();
    loop {
        let report: StatusReport = client.get(path).await?;
        let now = if printer.json() {
            format!("{}\n", serde_json::to_string(&report).unwrap_or_default())
        } else {
            format!("{}\n", lines(&report, printer).join("\n"))
        };
        if now != before {
            // To the upper left corner, and everything from there on cleared.
            let clear = if printer.live() { "\u{1b}[H\u{1b}[J" } else { "" };
            printer.raw(&format!("{clear}{now}"));
            before = now;
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = tokio::signal::ctrl_c() => return Ok(DONE),
        }
    }
}

/// Prints what is where.
pub fn show(report: &StatusReport, printer: &Printer) {
    for line in lines(report, printer) {
        printer.line(line);
    }
}

fn lines(report: &StatusReport, printer: &Printer) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(error) = &report.file_error {
        lines.push(format!("{} the project's file cannot be used now:", printer.paint(Tone::Bad, "✗")));
        lines.extend(error.lines().map(|line| format!("  {line}")));
    }
    if let Some(Stopped { since, by }) = &report.stopped {
        lines.push(format!("‖ stopped since {since} by {by}; `pilotage up` brings it back"));
    }
    let (there, never): (Vec<_>, Vec<_>) = report.workloads.iter().partition(|workload| is_there(workload));
    let width = there.iter().map(|workload| name(workload).len()).max().unwrap_or(0);
    for workload in &there {
        lines.extend(one(workload, width, report.stopped.is_some(), printer));
    }
    if !never.is_empty() {
        let names: Vec<String> = never.iter().map(|workload| name(workload)).collect();
        lines.push(printer.paint(Tone::Quiet, &format!("· never deployed: {}", names.join(", "))));
    }
    if there.is_empty() {
        let next = never.first().and_then(|workload| workload.next_action.as_ref());
        lines.extend(next.map(|next| format!("next: {}", next.command)));
    }
    lines
}

fn is_there(workload: &WorkloadStatus) -> bool {
    workload.version.is_some()
        || workload.moving.is_some()
        || workload.waiting.is_some()
        || workload.last.is_some()
}

fn name(workload: &WorkloadStatus) -> String {
    format!("{}/{}", workload.environment, workload.service)
}

fn one(workload: &WorkloadStatus, width: usize, stopped: bool, printer: &Printer) -> Vec<String> {
    let healthy = workload.replicas_ready >= workload.replicas_wanted && workload.version.is_some();
    let (tone, glyph) = match (&workload.moving, healthy) {
        (Some(moving), _) => (words::phase(moving.phase).0, words::phase(moving.phase).1),
        (None, true) => (Tone::Good, "✓"),
        (None, false) if stopped => (Tone::Quiet, "‖"),
        (None, false) => (Tone::Bad, "✗"),
    };
    let mut lines =
        vec![format!("{} {:width$}  {}", printer.paint(tone, glyph), name(workload), summary(workload))];
    if let Some(moving) = &workload.moving {
        lines.extend(moving_lines(moving, workload));
    }
    if let Some(waiting) = &workload.waiting {
        lines.extend(moving_lines(waiting, workload));
    }
    lines.extend(
        workload.troubles.iter().map(|trouble| format!("    {} {trouble}", printer.paint(Tone::Bad, "!"))),
    );
    if let (None, Some(last)) = (&workload.moving, &workload.last)
        && last.outcome != pilotage_engine::Outcome::Succeeded
    {
        let (tone, glyph, word) = words::outcome(last.outcome);
        let reason = last.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let glyph = printer.paint(tone, glyph);
        lines.push(format!("    {glyph} {} ({}) {word}{}", last.id, last.version, words::gist(&reason)));
    }
    if let Some(next) = &workload.next_action {
        lines.push(format!("    next: {}   ({})", next.command, next.why));
    }
    lines
}

fn summary(workload: &WorkloadStatus) -> String {
    let version = workload.version.as_ref().map_or_else(|| "nothing serves".to_owned(), ToString::to_string);
    let ready = format!("{}/{} ready", workload.replicas_ready, workload.replicas_wanted);
    let address = workload.url.as_deref().unwrap_or_default();
    format!("{version:<10} {ready:<10} {address}").trim_end().to_owned()
}

fn moving_lines(moving: &MovingStatus, workload: &WorkloadStatus) -> Vec<String> {
    let from = moving.from.as_ref().map(|from| format!("{from} → ")).unwrap_or_default();
    let (_, _, phase) = words::phase(moving.phase);
    let now = moving.steps.iter().position(|step| step.state == StepState::Now);
    let at = now.map_or_else(String::new, |now| format!(", step {} of {}", now + 1, moving.steps.len()));
    let mut lines = vec![format!(
        "    {}: {from}{} by {}, {phase}{at}; {} started it at {}",
        moving.id,
        moving.to,
        moving.strategy,
        moving.started_by,
        pilotage_views::rfc3339(moving.started_at)
    )];
    let shares = workload.serving.iter().filter(|serving| serving.share > 0);
    let shares: Vec<String> =
        shares.map(|serving| format!("{} {}", words::percent(serving.share), serving.version)).collect();
    if !shares.is_empty() {
        lines.push(format!("    traffic: {}", shares.join(", ")));
    }
    lines.push(format!("    now: {}", moving.activity));
    lines.extend(moving.cause.as_ref().map(|cause| format!("    because: {}", words::gist(cause))));
    lines
}
