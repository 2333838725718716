//! Gives services the secrets that they have as files anew, while they run.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use pilotage_journal::{Append, Expected};
use pilotage_spec::Workload;
use pilotage_views::{self as views, WorkloadEvent};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::ConductorError;
use crate::conductor::Inner;
use crate::log::SELF;

/// How often it is looked at whether the file wants secrets to be read anew, and how often.
const LOOK: Duration = Duration::from_secs(1);

/// Goes round until the process ends.
pub(crate) async fn rotate(inner: Arc<Inner>) {
    let mut last = Instant::now();
    loop {
        tokio::time::sleep(LOOK).await;
        match inner.secrets.settings().refresh {
            Some(every) if last.elapsed() >= every => {
                round(&inner).await;
                last = Instant::now();
            }
            Some(_) => {}
            None => last = Instant::now(),
        }
    }
}

async fn round(inner: &Inner) {
    let workloads = views::workloads(&inner.journal.reader()).unwrap_or_else(|error| {
        warn!(%error, "the workloads are not known");
        Vec::new()
    });
    // All at once: one whose target is out of reach must not hold up the others.
    join_all(workloads.iter().map(|workload| async move {
        if let Err(error) = refresh(inner, workload).await {
            warn!(%workload, %error, "its secrets could not be given anew");
        }
    }))
    .await;
}

async fn refresh(inner: &Inner, workload: &Workload) -> Result<(), ConductorError> {
    let refreshed = inner.target.refresh_secrets(workload).await?;
    if refreshed.is_empty() {
        return Ok(());
    }
    let mut secrets: Vec<String> = refreshed.iter().flat_map(|one| one.references.clone()).collect();
    secrets.sort_unstable();
    secrets.dedup();
    let instances: Vec<String> = refreshed.into_iter().map(|one| one.instance).collect();
    info!(%workload, ?secrets, ?instances, "secrets have changed and were given anew");
    let event = WorkloadEvent::SecretsRotated { secrets, instances }.new_event()?;
    let stream = views::workload_stream(workload)?;
    inner.journal.append(Append::new(stream, Expected::Any, SELF, vec![event])).await?;
    Ok(())
}
