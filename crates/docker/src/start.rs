//! Creates a container and starts it.

use std::path::PathBuf;
use std::sync::Arc;

use bollard::models::{ContainerUpdateBody, RestartPolicyNameEnum};
use bollard::query_parameters::CreateContainerOptionsBuilder;
use pilotage_spec::Value;
use pilotage_targets::TargetError;

use crate::engine::{Fault, Reach};
use crate::instance::environment::{Environment, resolve};
use crate::instance::secret_files::{self, SecretPlace};
use crate::instance::specification::{Wanted, body, policy};
use crate::instance::{Marks, secret_files::write};
use crate::shared::Shared;
use crate::watch::Held;

impl Shared {
    /// Starts one instance. If its program cannot be run it is there as failed; if the engine cannot do it, nothing is left.
    pub async fn start(self: &Arc<Self>, marks: Marks, image: &str) -> Result<(), TargetError> {
        let environment = resolve(&marks, &self.config.secrets).await?;
        let reach = self.engine.facts().await?.reach;
        let place = (!environment.files.is_empty()).then(|| self.secret_place(reach, &marks.instance));
        if let Some(SecretPlace::Folder(folder)) = &place {
            write_secrets(folder.clone(), &environment).await?;
        }
        let created = self.create(&marks, image, &environment, reach, place.as_ref()).await;
        let Some(held) = created.inspect_err(|_| secret_files::remove(&self.secrets_of(&marks.instance)))?
        else {
            return Ok(());
        };
        if place == Some(SecretPlace::Volume)
            && let Err(error) = secret_files::upload(&self.engine, &held.id, &environment.files).await
        {
            return self.take_away(&held, error).await;
        }
        for (name, secret) in &environment.files {
            held.hands_over(name, secret);
        }
        let started = self.engine.docker().start_container(&held.id, None).await;
        match started.map_err(|error| self.engine.fault(&error)) {
            Ok(()) => self.refresh(&held.id).await.map(|_| ()),
            // Somebody has removed it meanwhile; the next call sees that it is missing.
            Err(Fault::NotFound { message }) if is_about_container(&message) => Ok(()),
            Err(fault) if is_about_program(&fault) => self.note_refusal(&held, &fault.words()).await,
            Err(fault) => self.take_away(&held, self.engine.refused("start a container", fault)).await,
        }
    }

    async fn create(
        self: &Arc<Self>,
        marks: &Marks,
        image: &str,
        environment: &Environment,
        reach: Reach,
        secrets: Option<&SecretPlace>,
    ) -> Result<Option<Arc<Held>>, TargetError> {
        let labels = marks.labels(&self.scope).map_err(|error| TargetError::Failed {
            doing: format!("describe {}", marks.instance),
            reason: error.to_string(),
        })?;
        let wanted = Wanted {
            marks,
            labels,
            image: image.to_owned(),
            environment,
            network: &self.network,
            reach,
            hardening: &self.hardening,
            secrets,
        };
        let options = CreateContainerOptionsBuilder::default().name(&marks.instance).build();
        let created = self.engine.docker().create_container(Some(options), body(wanted)).await;
        let created = created.map_err(|error| self.not_created(marks, image, self.engine.fault(&error)))?;
        for warning in created.warnings {
            tracing::warn!(instance = marks.instance, warning, "the engine warns of a container");
        }
        self.refresh(&created.id).await
    }

    fn not_created(&self, marks: &Marks, image: &str, fault: Fault) -> TargetError {
        match fault {
            Fault::NotFound { message } if message.contains("image") => TargetError::Image {
                image: image.to_owned(),
                reason: format!("{message}; it was removed meanwhile: try again, and it is pulled"),
            },
            Fault::Conflict { message } => TargetError::Failed {
                doing: format!("create the container {} on {}", marks.instance, self.engine.name()),
                reason: format!(
                    "{message}; that container is not of this environment: remove or rename it, then try again"
                ),
            },
            fault => self.engine.refused(&format!("create the container {}", marks.instance), fault),
        }
    }

    /// It stays to be looked at, and the engine does not try it again.
    async fn note_refusal(self: &Arc<Self>, held: &Arc<Held>, words: &str) -> Result<(), TargetError> {
        let reason = format!("could not be started: {words}; correct `run`, or the program of the image");
        self.note(held, |seen| seen.given_up = Some(reason));
        let policy = Some(policy(RestartPolicyNameEnum::NO));
        let update = ContainerUpdateBody { restart_policy: policy, ..ContainerUpdateBody::default() };
        if let Err(error) = self.engine.docker().update_container(&held.id, update).await {
            let error = self.engine.failed("take the restart policy from a container", &error);
            tracing::warn!(instance = held.container().marks.instance, %error, "a failed instance may be tried again");
        }
        self.refresh(&held.id).await.map(|_| ())
    }

    /// Nothing runs in it, and the error tells all that is known.
    async fn take_away(&self, held: &Held, error: TargetError) -> Result<(), TargetError> {
        if let Err(other) = self.remove_container(held).await {
            tracing::warn!(instance = held.container().marks.instance, error = %other, "a container is left behind");
        }
        Err(error)
    }

    /// Where the secrets of an instance are on this machine.
    pub fn secrets_of(&self, instance: &str) -> PathBuf {
        secret_files::folder(&self.config.secrets_folder(), instance)
    }

    /// Where an instance has its secrets.
    pub fn secret_place(&self, reach: Reach, instance: &str) -> SecretPlace {
        match reach {
            Reach::Bridge => SecretPlace::Folder(self.secrets_of(instance)),
            Reach::Published { .. } => SecretPlace::Volume,
        }
    }

    /// Writes the secrets of an instance that is about to be started again, if they lie on this machine.
    pub async fn renew_secrets(&self, held: &Held) -> Result<(), TargetError> {
        let marks = held.container().marks;
        let has_files =
            marks.release.instance.env.values().any(|value| matches!(value, Value::SecretFile(_)));
        let reach = self.engine.facts().await?.reach;
        if let (true, SecretPlace::Folder(folder)) = (has_files, self.secret_place(reach, &marks.instance)) {
            let environment = resolve(&marks, &self.config.secrets).await?;
            write_secrets(folder, &environment).await?;
        }
        Ok(())
    }
}

async fn write_secrets(folder: PathBuf, environment: &Environment) -> Result<(), TargetError> {
    let files = environment.files.clone();
    let doing = format!("write secrets to {}", folder.display());
    let written = tokio::task::spawn_blocking(move || write(&folder, &files)).await;
    let reason = match written {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    Err(TargetError::Failed { doing, reason })
}

fn is_about_container(message: &str) -> bool {
    message.to_lowercase().contains("no such container")
}

/// Whether the engine says that the program cannot be run: it never can, and trying again is no use.
fn is_about_program(fault: &Fault) -> bool {
    let words = fault.words();
    let is_refusal = matches!(fault, Fault::Refused { .. } | Fault::NotFound { .. });
    let about = [
        "executable file not found",
        "no such file or directory",
        "permission denied",
        "exec format error",
        "is a directory",
        "no command specified",
        "unable to find user",
    ];
    is_refusal && about.iter().any(|text| words.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_cannot_be_run_is_told_from_an_engine_in_trouble() {
        let refused = |message: &str| Fault::Refused { status: Some(400), message: message.to_owned() };
        let program =
            "OCI runtime create failed: exec: \"./api\": stat ./api: no such file or directory: unknown";
        assert!(is_about_program(&refused(program)));
        assert!(is_about_program(&refused("unable to find user app: no matching entries in passwd file")));
        assert!(!is_about_program(&refused("driver failed programming external connectivity")));
        assert!(!is_about_program(&Fault::Unreachable { reason: "permission denied".into() }));
    }
}
