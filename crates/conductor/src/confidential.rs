//! A plan is recorded, and what is recorded holds no secret: one that is written out in the file would not run as it was meant.

use std::borrow::Cow;

use pilotage_secrets::SecretReader;
use pilotage_spec::{Release, Value};

use crate::ConductorError;

/// Refuses a release that has the value of one of its secrets, or of another that is known, written out beside it.
pub(crate) async fn refuse_written_out(
    secrets: &SecretReader,
    release: &Release,
) -> Result<(), ConductorError> {
    let instance = &release.instance;
    for value in instance.env.values() {
        if let Value::Secret(source) | Value::SecretFile(source) = value {
            // That it cannot be read is said when an instance needs it.
            let _ = secrets.read(source).await;
        }
    }
    let masker = secrets.known().masker();
    let is_secret = |text: &str| matches!(masker.field(text), Cow::Owned(_));
    let env = instance.env.iter().filter_map(|(name, value)| match value {
        Value::Plain(text) => Some((format!("the variable {name}"), text)),
        Value::Secret(_) | Value::SecretFile(_) => None,
    });
    let run = instance.run.iter().map(|argument| ("an argument of `run`".to_owned(), argument));
    let smoke = instance.smoke.iter().flatten().map(|word| ("an argument of `smoke`".to_owned(), word));
    match env.chain(run).chain(smoke).find(|(_, text)| is_secret(text)) {
        None => Ok(()),
        Some((place, _)) => Err(ConductorError::NotNow(format!(
            "{place} holds the value of a secret, written out; refer to it by `{{ secret: … }}`"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use pilotage_secrets::Known;
    use pilotage_spec::{Digest, Health, InstanceSpec, ReleaseId, Resources, SecretSettings, SecretSource};

    use super::*;

    fn release(plain: &str) -> Release {
        let second = Duration::from_secs(1);
        let env = [
            ("SECRET", Value::Secret(SecretSource::Env("CARGO_MANIFEST_DIR".parse().unwrap()))),
            ("ABSENT", Value::Secret(SecretSource::File("absent".to_owned()))),
            ("PLAIN", Value::Plain(plain.to_owned())),
        ];
        let instance = InstanceSpec {
            run: vec!["./api".into()],
            env: env.into_iter().map(|(name, value)| (name.parse().unwrap(), value)).collect(),
            health: Health { live: None, ready: None, interval: second, timeout: second },
            resources: Resources::default(),
            stop_grace: second,
            start_timeout: second,
            smoke: Vec::new(),
            listen: Default::default(),
            protocol: Default::default(),
            reload: None,
            image: None,
            container_port: None,
            kubernetes: None,
            objects: None,
        };
        let id = ReleaseId { version: "1.0.0".parse().unwrap(), digest: Digest::from_bytes([0; 32]) };
        Release { id, instance }
    }

    #[tokio::test]
    async fn a_secret_that_is_written_out_beside_its_reference_is_refused() {
        let secrets = SecretReader::new(Path::new("/"), SecretSettings::default(), Known::default());
        assert!(refuse_written_out(&secrets, &release("something else")).await.is_ok());
        let written = format!("--folder={}", env!("CARGO_MANIFEST_DIR"));
        let text = refuse_written_out(&secrets, &release(&written)).await.unwrap_err().to_string();
        assert_eq!(
            text,
            "the variable PLAIN holds the value of a secret, written out; refer to it by `{ secret: … }`"
        );
    }
}
