//! Brings instances up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pilotage_spec::{ListenOn, Release, Workload};
use tokio::task::JoinSet;

use super::files::{file_error, now, private_folder, write_json};
use super::held::Held;
use super::history::forget_oldest;
use super::instance::{InstanceRecord, RECORD_FILE};
use super::secrets::{ServiceEnvironment, remove_files, resolve, write_files};
use super::shared::{Shared, blocking, interrupted};
use super::shim::ShimSpec;
use super::start::start_shim;
use crate::{Fence, InstanceState, TargetError};

/// So many failed instances of a release are kept to be looked at; each further attempt takes the place of the oldest.
const FAILED_KEPT: usize = 3;

impl Shared {
    /// See [`crate::Target::ensure`]. What was begun is brought to its end even if nobody waits for it any more: an
    /// instance that runs and is not known here would be lost sight of.
    pub async fn ensure(
        self: &Arc<Self>,
        workload: &Workload,
        release: &Release,
        replicas: u32,
        fence: Fence,
    ) -> Result<(), TargetError> {
        let (shared, workload, release) = (Arc::clone(self), workload.clone(), release.clone());
        let bring_up = async move { shared.bring_up(&workload, &release, replicas, fence).await };
        tokio::spawn(bring_up).await.unwrap_or_else(|error| interrupted("start an instance", &error))
    }

    async fn bring_up(
        self: &Arc<Self>,
        workload: &Workload,
        release: &Release,
        replicas: u32,
        fence: Fence,
    ) -> Result<(), TargetError> {
        let mut claim = self.claims.claim(workload, fence).await?;
        self.take_back(workload, fence);
        forget_oldest(&self.config, workload);
        let existing = self.ask_all(self.of_release(workload, release)).await;
        let kept_up = existing.iter().filter(|instance| is_kept_up(&instance.state)).count();
        let missing = (replicas as usize).saturating_sub(kept_up);
        if missing == 0 {
            return Ok(());
        }
        let store = Arc::clone(&self.store);
        let digest = release.id.digest.clone();
        let folder = blocking(move || store.verified(&digest)).await?;
        let environment = Arc::new(resolve(&release.instance, &self.config.secrets).await?);

        let mut lost = self.unreplaced(workload, release).into_iter();
        let mut starts = JoinSet::new();
        for number in claim.take_numbers(missing as u64)? {
            let record = InstanceRecord {
                format: InstanceRecord::FORMAT,
                name: InstanceRecord::name(workload, number),
                number,
                workload: workload.clone(),
                release: release.clone(),
                created_at: now(),
                replaces: lost.next(),
            };
            let (shared, folder, environment) = (Arc::clone(self), folder.clone(), Arc::clone(&environment));
            starts.spawn(async move { shared.start(record, &folder, &environment).await });
        }
        let mut result = Ok(());
        while let Some(started) = starts.join_next().await {
            result = result.and(started.unwrap_or_else(|error| interrupted("start an instance", &error)));
        }
        self.discard_failed(workload, release).await;
        result
    }

    /// A new holder keeps what the holder before wanted to stop and has not stopped yet.
    fn take_back(&self, workload: &Workload, fence: Fence) {
        for held in self.registry.of(workload) {
            if held.draining().is_some_and(|by| by < fence) {
                held.drain(None);
                self.registry.announce();
            }
        }
    }

    fn of_release(&self, workload: &Workload, release: &Release) -> Vec<Arc<Held>> {
        let mut found = self.registry.of_version(workload, &release.id.version);
        found.retain(|held| held.record.release.id == release.id);
        found
    }

    /// Lost instances for which no other has been started.
    fn unreplaced(&self, workload: &Workload, release: &Release) -> Vec<String> {
        let existing = self.of_release(workload, release);
        let replaced: BTreeSet<&String> = existing
            .iter()
            .filter(|held| is_kept_up(&held.state()))
            .filter_map(|held| held.record.replaces.as_ref())
            .collect();
        existing
            .iter()
            .filter(|held| held.state() == InstanceState::Lost && !replaced.contains(&held.record.name))
            .map(|held| held.record.name.clone())
            .collect()
    }

    async fn start(
        self: &Arc<Self>,
        record: InstanceRecord,
        release_folder: &Path,
        environment: &ServiceEnvironment,
    ) -> Result<(), TargetError> {
        let folder = self.config.instance_folder(&record.name);
        let spec = self.spec(&record, &folder, release_folder, environment);
        let secrets = self.config.secrets_folder(&record.name);
        let written = || {
            write_files(&secrets, &environment.files).map_err(|error| file_error("write", &secrets, &error))
        };
        let started = match prepare(&folder, &record).and_then(|()| written()) {
            Ok(()) => start_shim(&self.config, &spec).await,
            Err(error) => Err(error),
        };
        match started {
            Ok(status) => {
                self.hold(Held::new(record, folder, spec.socket, status));
                Ok(())
            }
            Err(error) => {
                // Nothing runs in it, and the error tells all that is known.
                let _ = std::fs::remove_dir_all(&folder);
                remove_files(&secrets);
                Err(error)
            }
        }
    }

    fn spec(
        &self,
        record: &InstanceRecord,
        folder: &Path,
        release_folder: &Path,
        environment: &ServiceEnvironment,
    ) -> ShimSpec {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let own = [
            ("TMPDIR", text(&folder.join("tmp"))),
            ("PILOTAGE_DATA", text(&folder.join("data"))),
            ("PILOTAGE_SERVICE", record.workload.service.to_string()),
            ("PILOTAGE_ENVIRONMENT", record.workload.environment.to_string()),
            ("PILOTAGE_VERSION", record.release.id.version.to_string()),
            ("PILOTAGE_INSTANCE", record.name.clone()),
        ];
        let mut env = environment.env.clone();
        for (name, value) in own {
            // What the file says of TMPDIR counts; who the instance is cannot be said otherwise.
            if name != "TMPDIR" || !env.contains_key(name) {
                env.insert(name.to_owned(), value);
            }
        }
        let secrets_folder = self.config.secrets_folder(&record.name);
        let files: BTreeMap<&String, PathBuf> =
            environment.files.keys().map(|variable| (variable, secrets_folder.join(variable))).collect();
        env.extend(files.iter().map(|(variable, path)| ((*variable).clone(), text(path))));
        let instance = &record.release.instance;
        ShimSpec {
            hands_over: false,
            format: ShimSpec::FORMAT,
            name: record.name.clone(),
            run: instance.run.clone(),
            env,
            substituted: instance.env.keys().map(ToString::to_string).collect(),
            secrets: environment.secrets.clone(),
            secret_files: files.into_values().collect(),
            reload: instance.reload,
            current_folder: release_folder.to_owned(),
            folder: folder.to_owned(),
            socket: self.config.shim_socket(&record.name),
            health: Some(instance.health.clone()),
            listen: instance.listen,
            service_socket: (instance.listen != ListenOn::Port)
                .then(|| self.config.service_socket(&record.name)),
            protocol: instance.protocol,
            stop_grace: instance.stop_grace,
            start_timeout: instance.start_timeout,
            log: self.config.log,
        }
    }

    /// A release that fails again and again must not fill the machine with its remains.
    async fn discard_failed(&self, workload: &Workload, release: &Release) {
        let mut failed = self.of_release(workload, release);
        failed.retain(|held| matches!(held.state(), InstanceState::Failed { .. }));
        let surplus = failed.len().saturating_sub(FAILED_KEPT);
        for held in failed.iter().take(surplus) {
            if let Err(error) = self.stop_instance(held, std::time::Duration::ZERO).await {
                tracing::warn!(instance = held.record.name, %error, "a failed instance could not be removed");
            }
        }
    }
}

/// Whether an instance in this state counts as one of those that are kept up.
fn is_kept_up(state: &InstanceState) -> bool {
    !matches!(state, InstanceState::Failed { .. } | InstanceState::Stopping | InstanceState::Lost)
}

/// The folder with what has to be in it before a shim may be started: whoever finds it later has to know whose it is.
fn prepare(folder: &Path, record: &InstanceRecord) -> Result<(), TargetError> {
    for path in [folder.to_owned(), folder.join("data"), folder.join("tmp")] {
        private_folder(&path).map_err(|error| file_error("create", &path, &error))?;
    }
    let path = folder.join(RECORD_FILE);
    write_json(&path, record).map_err(|error| file_error("write", &path, &error))
}
