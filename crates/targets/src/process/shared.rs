//! What all parts of a process target share.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use super::config::ProcessConfig;
use super::files::{file_error, private_folder};
use super::held::Held;
use super::monitor::follow;
use super::orphan::Orphan;
use super::registry::Registry;
use super::retire::IRREVOCABLE;
use super::secrets::remove_files;
use super::shim::{ShimClient, ShimRequest};
use super::store::Store;
use super::tasks::Tasks;
use crate::claims::Claims;
use crate::edge::HostEdge;
use crate::{InstanceState, TargetError};

/// After the grace is over, ending what is left and writing the record takes at most this long.
const STOP_MARGIN: Duration = Duration::from_secs(15);

/// A shim that has closed its connections is gone by then.
const SHIM_ENDS_WITHIN: Duration = Duration::from_secs(5);

/// The parts of a process target.
pub struct Shared {
    pub(super) config: ProcessConfig,
    pub(super) store: Arc<Store>,
    pub(super) registry: Arc<Registry>,
    pub(super) claims: Claims,
    pub(super) edge: HostEdge,
    pub(super) tasks: Tasks,
}

impl Shared {
    /// Waits until no request is in flight to an instance that gets no new ones, or the limit is over.
    pub async fn drain(&self, held: &Held, limit: Duration) -> Result<(), TargetError> {
        let record = &held.record;
        self.edge.drain(&record.workload, &record.release.id.version, held.status().address(), limit).await
    }

    /// Follows an instance from now on.
    pub fn hold(&self, held: Held) {
        hold(held, &self.registry, &self.tasks);
    }

    /// Stops one instance, and waits until it is gone. `grace` is from SIGTERM to SIGKILL.
    pub async fn stop_instance(&self, held: &Held, grace: Duration) -> Result<(), TargetError> {
        match held.orphan() {
            Some(orphan) => orphan.stop(grace).await,
            None => self.stop_shim(held, grace).await?,
        }
        self.conclude(held)
    }

    async fn stop_shim(&self, held: &Held, grace: Duration) -> Result<(), TargetError> {
        let request = ShimRequest::Stop { grace_ms: grace.as_millis().try_into().unwrap_or(u64::MAX) };
        let stopped = async {
            let mut client = ShimClient::ask(&held.socket, request).await?;
            while client.next().await?.is_some() {}
            Ok::<(), std::io::Error>(())
        };
        let reason = match timeout(grace + STOP_MARGIN, stopped).await {
            Ok(Ok(())) => "its supervisor did not stop it".to_owned(),
            Ok(Err(error)) => format!("its supervisor cannot be asked: {error}"),
            Err(_) => "it did not end in time".to_owned(),
        };
        let shim = held.status().shim;
        let deadline = Instant::now() + SHIM_ENDS_WITHIN;
        // A connection that is closed is closed a moment before its process is gone.
        while shim.is_alive() && !held.records().has_ended() {
            if Instant::now() > deadline {
                return Err(TargetError::Failed { doing: format!("stop {}", held.record.name), reason });
            }
            sleep(Duration::from_millis(5)).await;
        }
        if !held.records().has_ended() {
            // The shim died meanwhile: what it held has to be stopped without it.
            Orphan::of(&held.status()).stop(grace).await;
        }
        Ok(())
    }

    /// Marks an instance as ended, if its shim could not, and forgets it.
    fn conclude(&self, held: &Held) -> Result<(), TargetError> {
        if !held.records().has_ended() {
            held.records()
                .write_exit_of(held.status())
                .map_err(|error| file_error("write the exit record in", &held.folder, &error))?;
            for socket in [Some(held.socket.clone()), held.status().socket].into_iter().flatten() {
                let _ = std::fs::remove_file(socket);
            }
        }
        remove_files(&self.config.secrets_folder(&held.record.name));
        self.registry.forget(&held.record.name);
        Ok(())
    }

    /// Stops several instances at once; the first error, if any, after all have been tried.
    pub async fn stop_all(self: &Arc<Self>, instances: Vec<Arc<Held>>) -> Result<(), TargetError> {
        let mut stops = JoinSet::new();
        for held in instances {
            let shared = Arc::clone(self);
            let grace = held.record.release.instance.stop_grace;
            stops.spawn(async move { shared.stop_instance(&held, grace).await });
        }
        let mut result = Ok(());
        while let Some(stopped) = stops.join_next().await {
            result = result.and(stopped.unwrap_or_else(|error| interrupted("stop an instance", &error)));
        }
        result
    }

    /// Stops the orphans whose replacements have become ready.
    pub async fn relieve_orphans(self: Arc<Self>) {
        let mut changes = self.registry.subscribe();
        while changes.changed().await.is_ok() {
            for held in self.registry.all() {
                let Some(replaced) = held.record.replaces.as_ref().and_then(|name| self.registry.get(name))
                else {
                    continue;
                };
                let relieved =
                    held.state() == InstanceState::Ready && replaced.state() == InstanceState::Lost;
                if relieved {
                    self.relieve(&replaced).await;
                }
            }
        }
    }

    async fn relieve(&self, lost: &Held) {
        lost.drain(Some(IRREVOCABLE));
        let grace = lost.record.release.instance.stop_grace;
        let drained = self.drain(lost, grace).await;
        if let Err(error) = drained.and(self.stop_instance(lost, grace).await) {
            tracing::warn!(instance = lost.record.name, %error, "an orphan could not be stopped");
        }
    }
}

/// Creates the folders that are not there yet.
pub fn create_folders(config: &ProcessConfig) -> Result<(), TargetError> {
    let folders = [
        config.state_folder.clone(),
        config.claims_folder(),
        config.instances_folder(),
        config.edge_folder(),
        config.run_folder.clone(),
    ];
    for folder in folders {
        private_folder(&folder).map_err(|error| file_error("create the folder", &folder, &error))?;
    }
    Ok(())
}

/// Follows an instance from now on.
pub fn hold(held: Held, registry: &Arc<Registry>, tasks: &Tasks) {
    let held = Arc::new(held);
    registry.add(Arc::clone(&held));
    tasks.spawn(follow(held, Arc::clone(registry)));
}

/// What comes of a task that was not run to its end.
pub fn interrupted<T>(doing: &str, error: &JoinError) -> Result<T, TargetError> {
    Err(TargetError::Failed { doing: doing.to_owned(), reason: error.to_string() })
}

/// Runs what blocks (files, hashing) where it holds nobody up.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TargetError> + Send + 'static,
) -> Result<T, TargetError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| interrupted("work on files", &error))
}
