//! `pilotage history`.

use std::time::Duration;

use pilotage_views::{HistoryLine, rfc3339};

use super::{Session, status};
use crate::arguments::History;
use crate::failure::{DONE, Failure};
use crate::printer::Printer;
use crate::words;

pub async fn run(asked: &History, session: &Session) -> Result<u8, Failure> {
    let query = status::query(&asked.selection)?;
    let separator = if query.is_empty() { '?' } else { '&' };
    let path = format!("/v1/history{query}{separator}limit={}", asked.limit);
    let lines: Vec<HistoryLine> = session.client().await?.lines(&path).await?.all().await?;
    let printer = &session.printer;
    if lines.is_empty() && !printer.json() {
        printer.say("nothing was deployed yet");
        printer.hint("pilotage deploy SERVICE VERSION");
    }
    for line in &lines {
        if printer.json() {
            printer.object(line);
        } else {
            printer.line(text(line, printer));
        }
    }
    Ok(DONE)
}

fn text(line: &HistoryLine, printer: &Printer) -> String {
    let (tone, glyph, word) = line.outcome.map_or_else(|| words::phase(line.phase), words::outcome);
    let from = line.from.as_ref().map(|from| format!("{from} → ")).unwrap_or_default();
    let what = format!("{}/{}", line.environment, line.service);
    let took = line.duration_seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let row = format!(
        "{:<5} {}  {what:<20} {:<18} {} {word:<12} {:<8} {}",
        line.id.to_string(),
        rfc3339(line.started_at),
        format!("{from}{}", line.version),
        printer.paint(tone, glyph),
        took.map(words::span).unwrap_or_default(),
        line.started_by,
    );
    match line.reason.as_deref().map(words::gist) {
        Some(reason) => format!("{row}\n      {reason}"),
        None => row,
    }
}
