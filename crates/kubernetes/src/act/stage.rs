//! Finds out which image a name means now, and renders manifests. No image is copied: the nodes pull it themselves.

use pilotage_spec::{ImageReference, Workload};
use pilotage_targets::{Artifact, Source, Staged, TargetError};

use crate::registry;

use super::Actor;

impl Actor {
    /// See [`pilotage_targets::Target::stage`].
    pub async fn stage(&self, workload: &Workload, source: &Source) -> Result<Staged, TargetError> {
        let Artifact::Image(image) = &source.artifact else {
            return Err(TargetError::Unsupported {
                what: format!("version {} of files", source.version),
                mend: "Kubernetes runs images: name one with `image` in pilotage.yaml".to_owned(),
            });
        };
        let objects = match &source.manifests {
            Some(manifests) => Some(self.render(workload, manifests).await?),
            None => None,
        };
        Ok(Staged { digest: digest(image).await?, objects })
    }
}

async fn digest(image: &ImageReference) -> Result<pilotage_spec::Digest, TargetError> {
    match image.digest() {
        Some(digest) => Ok(digest.clone()),
        None => registry::digest(image).await,
    }
}
