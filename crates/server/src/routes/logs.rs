//! What instances write.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use pilotage_access::Caller;
use pilotage_spec::{Version, Workload};
use pilotage_targets::{LogLine, LogQuery, Target};
use serde::Deserialize;
use tracing::warn;

use super::extract::Asked;
use super::ndjson::{self, Gone, Writer};
use crate::context::Context;
use crate::error::{ErrorBody, ErrorKind};

/// How often new lines are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The most lines that are given at once.
const LINES_LIMIT: usize = 10_000;

/// Which lines are wanted.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    service: String,
    environment: String,
    version: Option<String>,
    #[serde(default = "usual_lines")]
    lines: usize,
    #[serde(default)]
    follow: bool,
}

fn usual_lines() -> usize {
    100
}

pub(crate) async fn logs(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, ErrorBody> {
    if wanted.lines > LINES_LIMIT {
        let message = format!("at most {LINES_LIMIT} lines are given at once");
        return Err(ErrorBody::new(ErrorKind::Usage, message));
    }
    let workload = context.workload(&context.project().await?, &wanted.environment, &wanted.service)?;
    let version: Option<Version> = wanted.version.map(|version| version.parse()).transpose()?;
    let query = LogQuery { version, lines: wanted.lines, after: None };
    let first = context.target.logs(&workload, &query).await?;
    if !wanted.follow {
        return Ok(ndjson::complete(first));
    }
    Ok(ndjson::answer(|writer| follow(context, caller, workload, query, first, writer)))
}

async fn follow(
    context: Context,
    caller: Caller,
    workload: Workload,
    mut query: LogQuery,
    first: Vec<LogLine>,
    writer: Writer,
) -> Result<(), Gone> {
    let mut closing = context.closing.subscribe();
    let mut lines = first;
    query.lines = LINES_LIMIT;
    loop {
        writer.write(&lines).await?;
        query.after = lines.last().map(|line| line.at).or(query.after);
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = closing.wait_for(|closing| *closing) => return Ok(()),
            () = writer.gone() => return Ok(()),
        }
        if !context.guard.still_counts(&caller) {
            return Ok(());
        }
        lines = match context.target.logs(&workload, &query).await {
            Ok(lines) => lines,
            Err(error) => {
                warn!(%error, "logs could not be read");
                return Ok(());
            }
        };
    }
}
