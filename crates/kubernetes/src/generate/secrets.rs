//! The Secrets of a version. Those that are variables are in an object named by its content, which never changes: pods that run
//! keep what they began with. Those that are files are in one that is changed, and the kubelet hands the change on.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret as SecretObject;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use pilotage_secrets::{Secret, SecretError, SecretReader};
use pilotage_spec::{InstanceSpec, Value, Version};
use pilotage_targets::TargetError;
use sha2::{Digest as _, Sha256};

use crate::names::Names;

use super::blueprint::SecretNames;

/// The end of the names of Secrets that are variables, before the digest.
pub(crate) const ENV_SECRETS: &str = "env";
/// The end of the names of Secrets that are files.
const FILE_SECRETS: &str = "files";
/// Hexadecimal digits of the content's digest, as kustomize's generator of Secrets uses them too.
const DIGEST_DIGITS: usize = 10;

/// The secrets of a release, read.
#[derive(Default)]
pub(crate) struct ReadSecrets {
    variables: BTreeMap<String, Secret>,
    files: BTreeMap<String, Secret>,
}

impl ReadSecrets {
    /// Reads all of them.
    pub async fn read(instance: &InstanceSpec, reader: &SecretReader) -> Result<Self, TargetError> {
        let mut secrets = Self::read_files(instance, reader).await?;
        for (name, value) in &instance.env {
            if let Value::Secret(source) = value {
                let secret = reader.read_variable(source).await.map_err(unreadable)?;
                secrets.variables.insert(name.to_string(), secret);
            }
        }
        Ok(secrets)
    }

    /// The digest of those that are files.
    pub fn digest(&self) -> String {
        digest(&self.files)
    }

    /// Reads those that are files.
    pub async fn read_files(instance: &InstanceSpec, reader: &SecretReader) -> Result<Self, TargetError> {
        let mut secrets = Self::default();
        for (name, value) in &instance.env {
            if let Value::SecretFile(source) = value {
                let secret = reader.read(source).await.map_err(unreadable)?;
                secrets.files.insert(name.to_string(), secret);
            }
        }
        Ok(secrets)
    }
}

fn unreadable(error: SecretError) -> TargetError {
    TargetError::Secret { reason: error.fault.to_string(), reference: error.reference }
}

/// The objects that hold them.
pub(crate) struct SecretObjects {
    /// What they are called.
    pub names: SecretNames,
    /// The objects.
    pub objects: Vec<SecretObject>,
}

impl SecretObjects {
    /// The objects of a version, owned by what keeps its pods up once that is there.
    pub fn of(
        names: &Names,
        version: &Version,
        secrets: &ReadSecrets,
        owner: Option<&OwnerReference>,
    ) -> Self {
        let made = |name: String, values: &BTreeMap<String, Secret>, fixed: bool| SecretObject {
            metadata: ObjectMeta {
                name: Some(name),
                labels: Some(names.version_labels(version)),
                owner_references: owner.map(|owner| vec![owner.clone()]),
                ..ObjectMeta::default()
            },
            data: Some(
                values
                    .iter()
                    .map(|(name, value)| (name.clone(), ByteString(value.expose().to_vec())))
                    .collect(),
            ),
            immutable: fixed.then_some(true),
            type_: Some("Opaque".to_owned()),
            ..SecretObject::default()
        };
        let of_version = names.of_version(version);
        let called = |suffix: &str| crate::names::cut(&format!("{of_version}-{suffix}"));
        let mut found = Self { names: SecretNames::default(), objects: Vec::new() };
        if !secrets.variables.is_empty() {
            let name = called(&format!("{ENV_SECRETS}-{}", digest(&secrets.variables)));
            found.objects.push(made(name.clone(), &secrets.variables, true));
            found.names.variables = Some(name);
        }
        if !secrets.files.is_empty() {
            let name = called(FILE_SECRETS);
            found.objects.push(made(name.clone(), &secrets.files, false));
            found.names.files = Some(name);
        }
        found
    }
}

/// The name of the Secret with the files of a version.
pub(crate) fn file_secrets(names: &Names, version: &Version) -> String {
    crate::names::cut(&format!("{}-{FILE_SECRETS}", names.of_version(version)))
}

/// The digest of all names and values. Lengths are part of it, so that nothing can move from one value to the next.
fn digest(secrets: &BTreeMap<String, Secret>) -> String {
    let mut hash = Sha256::new();
    for (name, value) in secrets {
        for part in [name.as_bytes(), value.expose()] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    hex.chars().take(DIGEST_DIGITS).collect()
}
