//! The audit log, its proof and its copy.

use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json};
use pilotage_access::Caller;
use pilotage_journal::VerifyError;
use pilotage_spec::Verb;
use pilotage_views::{AuditFold, AuditLine, parse_rfc3339};
use serde::Deserialize;

use super::extract::{Asked, Body};
use super::ndjson;
use super::selection::{self, Selection};
use crate::api::{BackupBody, BackupDone, VerifyReport};
use crate::context::{Context, blocking};
use crate::error::{ErrorBody, ErrorKind};

/// So many events are read at once.
const PAGE: usize = 1_000;

/// Which lines are wanted.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    /// Those recorded at this time or later, in RFC 3339 form.
    since: Option<String>,
    environment: Option<String>,
}

pub(crate) async fn audit(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, ErrorBody> {
    let since = match &wanted.since {
        None => None,
        Some(text) => Some(parse_rfc3339(text).ok_or_else(|| {
            ErrorBody::new(ErrorKind::Usage, format!("`{}` is not an RFC 3339 time", text.escape_debug()))
        })?),
    };
    let project = context.project().await.ok();
    let lines = blocking(move || {
        let selected = Selection { service: None, environment: wanted.environment };
        let known = selection::known(&context, project.as_ref())?;
        let Selection { environment, .. } = selected.resolve(project.as_ref(), &known)?;
        let is_wanted = |line: &AuditLine| {
            since.is_none_or(|since| line.timestamp >= since)
                && environment.as_ref().is_none_or(|name| line.environment.as_ref() == Some(name))
                && may_see(&caller, line)
        };
        let reader = context.reader();
        let (mut fold, mut lines, mut seq) = (AuditFold::default(), Vec::new(), 0);
        loop {
            let page = reader.after(seq, PAGE)?;
            let Some(last) = page.last() else { return Ok(lines) };
            seq = last.seq;
            for event in &page {
                lines.push(fold.line(event)?);
            }
            lines.retain(&is_wanted);
        }
    })
    .await?;
    Ok(ndjson::complete(lines))
}

/// What is about no service is shown to those who may audit everything.
fn may_see(caller: &Caller, line: &AuditLine) -> bool {
    match (&line.environment, &line.service) {
        (Some(environment), Some(service)) => caller.may(Verb::Audit, environment, service),
        _ => caller.permissions.everywhere(Verb::Audit),
    }
}

pub(crate) async fn verify(State(context): State<Context>) -> Result<Json<VerifyReport>, ErrorBody> {
    let reader = context.reader();
    let verified = blocking(move || Ok(reader.verify())).await?;
    Ok(Json(VerifyReport::new(verified).map_err(|error| ErrorBody::new(ErrorKind::Internal, error))?))
}

impl VerifyReport {
    /// What verifying has found.
    ///
    /// # Errors
    /// Says why the journal could not be read.
    pub fn new(result: Result<pilotage_journal::Verified, VerifyError>) -> Result<Self, String> {
        match result {
            Ok(intact) => Ok(Self {
                verified: true,
                entries: Some(intact.size),
                root: Some(intact.root),
                findings: Vec::new(),
            }),
            Err(VerifyError::Differs { findings, more }) => {
                let mut words: Vec<String> = findings.iter().map(ToString::to_string).collect();
                words.extend((more > 0).then(|| format!("and {more} more")));
                Ok(Self { verified: false, entries: None, root: None, findings: words })
            }
            Err(VerifyError::Storage(error)) => Err(error.to_string()),
        }
    }
}

pub(crate) async fn backup(
    State(context): State<Context>,
    Body(body): Body<BackupBody>,
) -> Result<Json<BackupDone>, ErrorBody> {
    if !body.path.is_absolute() {
        let message = format!("the path {} is not absolute", body.path.display());
        return Err(ErrorBody::new(ErrorKind::Usage, message));
    }
    let report = context.journal.backup(&body.path).await?;
    Ok(Json(BackupDone { path: report.path, bytes: report.bytes, entries: report.verified.size }))
}
