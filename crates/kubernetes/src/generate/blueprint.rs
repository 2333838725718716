//! What the objects of a version are made from.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use pilotage_spec::{InstanceSpec, Protocol, Release, Workload};
use pilotage_targets::TargetError;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::names::{Names, PROTOCOL, RELEASE, SPEC};

use super::container::DEFAULT_PORT;

/// The names of the Secrets of a version, where it has any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SecretNames {
    /// Those that are variables; named by their content.
    pub variables: Option<String>,
    /// Those that are files.
    pub files: Option<String>,
}

/// Everything about one version of a workload that its objects say.
#[derive(Debug, Clone)]
pub(crate) struct Blueprint<'a> {
    /// What the objects are called.
    pub names: &'a Names,
    /// Whose version it is.
    pub workload: &'a Workload,
    /// The version, and how it is run.
    pub release: &'a Release,
    /// The service account of the pods; without it they have no credential for the cluster.
    pub service_account: Option<&'a str>,
    /// The Secrets by which its image is pulled.
    pub image_pull_secrets: &'a [String],
    /// Its own Secrets.
    pub secrets: SecretNames,
    /// Whether the server knows the lifecycle action `sleep` (from 1.30 on).
    pub knows_sleep: bool,
}

impl Blueprint<'_> {
    /// How an instance is run.
    pub fn instance(&self) -> &InstanceSpec {
        &self.release.instance
    }

    /// The image by its digest: a tag may be moved.
    pub fn image(&self) -> Result<String, TargetError> {
        let image = self.instance().image.as_ref().ok_or_else(|| TargetError::Unsupported {
            what: format!("{} without an image", self.workload),
            mend: "name its image: `image: registry.example.com/path/name`".to_owned(),
        })?;
        Ok(image.pinned(&self.release.id.digest))
    }

    /// The port at which the container listens.
    pub fn port(&self) -> i32 {
        i32::from(self.instance().container_port.unwrap_or(DEFAULT_PORT))
    }

    /// The digest of everything that the objects are made from, but not of how they are made: a new version of Pilotage must
    /// not replace pods.
    pub fn spec_digest(&self) -> String {
        #[derive(Serialize)]
        struct Inputs<'a> {
            release: &'a Release,
            service_account: Option<&'a str>,
            image_pull_secrets: &'a [String],
        }
        let inputs = Inputs {
            release: self.release,
            service_account: self.service_account,
            image_pull_secrets: self.image_pull_secrets,
        };
        // Maps with text keys and plain fields only; even if it failed, the same inputs would have the same digest.
        let json = serde_json::to_vec(&inputs).unwrap_or_default();
        Sha256::digest(json).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Name, labels and annotations of an object of the version.
    pub fn metadata(&self, name: String) -> ObjectMeta {
        ObjectMeta {
            name: Some(name),
            labels: Some(self.names.version_labels(&self.release.id.version)),
            annotations: Some(self.annotations()),
            ..ObjectMeta::default()
        }
    }

    /// By which an object, and each pod, says what it is.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        let release = serde_json::to_string(&self.release.id).unwrap_or_default();
        let mut said: BTreeMap<_, _> =
            [(RELEASE.to_owned(), release), (SPEC.to_owned(), self.spec_digest())].into();
        if self.instance().protocol == Protocol::Http2 {
            said.insert(PROTOCOL.to_owned(), "http2".to_owned());
        }
        said
    }
}
