//! Has the engine fetch an image.

use std::time::{Duration, Instant};

use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt;
use pilotage_targets::TargetError;

use super::login::Login;
use crate::engine::{Engine, Fault};

/// So long may the registry be silent.
const SILENCE: Duration = Duration::from_secs(120);
/// The progress of a long pull is logged this often.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Pulls `name@digest` or `name:tag`.
pub(super) async fn pull(engine: &Engine, login: &Login, image: &str) -> Result<(), TargetError> {
    let credentials = login.credentials().await?;
    let is_known = credentials.is_some();
    let failed = |fault: Fault| refused(engine, image, is_known, fault);
    tracing::info!(image, "pulling an image");
    let begin = Instant::now();
    let options = CreateImageOptionsBuilder::default().from_image(image).build();
    let client = engine.patient(SILENCE);
    let mut progress = std::pin::pin!(client.create_image(Some(options), None, credentials));
    let mut told = begin;
    loop {
        let next = tokio::time::timeout(SILENCE, progress.next()).await;
        let Ok(next) = next else {
            let reason = format!("the registry was silent for {} s; try again", SILENCE.as_secs());
            return Err(TargetError::Image { image: image.to_owned(), reason });
        };
        let Some(step) = next else { break };
        let step = step.map_err(|error| failed(engine.fault(&error)))?;
        if let Some(message) = step.error_detail.and_then(|error| error.message) {
            return Err(failed(Fault::Refused { status: None, message }));
        }
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            tracing::info!(image, status = step.status.unwrap_or_default(), "still pulling an image");
        }
    }
    tracing::info!(image, seconds = begin.elapsed().as_secs(), "pulled an image");
    Ok(())
}

/// Why an image cannot be had, with what to do.
fn refused(engine: &Engine, image: &str, is_known: bool, fault: Fault) -> TargetError {
    if matches!(fault, Fault::Unreachable { .. } | Fault::NoRoom) {
        return engine.refused("pull an image", fault);
    }
    let words = fault.words();
    let mend = if is_known {
        "push it there, or correct `image`; the login of `registry` was used"
    } else {
        "push it there, correct `image`, build it on that engine, or name a login in `registry`"
    };
    TargetError::Image { image: image.to_owned(), reason: format!("{words}; {mend}") }
}
