//! The images that the engine has.

use bollard::models::ImageInspect;
use pilotage_spec::{Digest, ImageReference, Release};
use pilotage_targets::TargetError;
use tokio::sync::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::login::Login;
use super::pull::pull;
use crate::engine::{Engine, Fault};

/// The images of one engine.
pub(crate) struct Images {
    pub(super) engine: Engine,
    login: Login,
    /// Two who need the same image do not pull it twice.
    pulling: Mutex<()>,
    /// Held for writing while an image is removed.
    removal: RwLock<()>,
}

impl Images {
    pub fn new(engine: Engine, login: Login) -> Self {
        Self { engine, login, pulling: Mutex::default(), removal: RwLock::default() }
    }

    /// As long as this is held no image is removed: from when one is provided until a container is made from it.
    pub async fn hold(&self) -> RwLockReadGuard<'_, ()> {
        self.removal.read().await
    }

    /// Whoever removes an image holds this; `None` while somebody is about to make a container, who does not wait for that.
    pub fn turn_to_remove(&self) -> Option<RwLockWriteGuard<'_, ()>> {
        self.removal.try_write().ok()
    }

    /// The digest of an image, which is there afterwards. A tag that the engine has is not asked for again: a version means one
    /// image for ever.
    pub async fn stage(&self, image: &ImageReference) -> Result<Digest, TargetError> {
        if let Some(digest) = image.digest() {
            self.provide(image, digest).await?;
            return Ok(digest.clone());
        }
        let text = tagged(image);
        let _turn = self.pulling.lock().await;
        let found = match self.inspect(&text).await? {
            Some(found) => Some(found),
            None => {
                pull(&self.engine, &self.login, &text).await?;
                self.inspect(&text).await?
            }
        };
        let digest = found.and_then(|found| digest_of(&found, image.name()));
        digest.ok_or_else(|| TargetError::Image {
            image: text,
            reason: "the engine says no digest of it".into(),
        })
    }

    /// What a container of the release is made from; pulled if it is not there.
    pub async fn of_release(&self, release: &Release) -> Result<String, TargetError> {
        let image = release.instance.image.as_ref().ok_or_else(no_image)?;
        self.provide(image, &release.id.digest).await
    }

    /// `name@digest`, or the image's id where it has never been in a registry.
    async fn provide(&self, image: &ImageReference, digest: &Digest) -> Result<String, TargetError> {
        if let Some(found) = self.present(image, digest).await? {
            return Ok(found);
        }
        let _turn = self.pulling.lock().await;
        if let Some(found) = self.present(image, digest).await? {
            return Ok(found);
        }
        let pinned = image.pinned(digest);
        pull(&self.engine, &self.login, &pinned).await?;
        Ok(pinned)
    }

    /// What the engine calls the image, if it has it.
    pub(super) async fn present(
        &self,
        image: &ImageReference,
        digest: &Digest,
    ) -> Result<Option<String>, TargetError> {
        for text in [image.pinned(digest), digest.to_string()] {
            if self.inspect(&text).await?.is_some() {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    pub(super) async fn inspect(&self, image: &str) -> Result<Option<ImageInspect>, TargetError> {
        match self.engine.docker().inspect_image(image).await {
            Ok(found) => Ok(Some(found)),
            Err(error) => match self.engine.fault(&error) {
                Fault::NotFound { .. } => Ok(None),
                fault => Err(self.engine.refused(&format!("look at the image {image}"), fault)),
            },
        }
    }
}

/// A release that is no image.
pub(crate) fn no_image() -> TargetError {
    TargetError::Unsupported {
        what: "a release that is not an image".to_owned(),
        mend: "name an `image` instead of an `artifact`, and deploy a new version".to_owned(),
    }
}

/// `name:tag`; without a tag an engine would pull all there are.
pub(super) fn tagged(image: &ImageReference) -> String {
    format!("{}:{}", image.name(), image.tag().unwrap_or("latest"))
}

/// The digest of its manifest in the registry that it is named after, else its id: that of an image that exists only there.
pub(super) fn digest_of(image: &ImageInspect, name: &str) -> Option<Digest> {
    let pinned = image.repo_digests.iter().flatten().filter_map(|text| text.split_once('@'));
    let own =
        pinned.filter(|(found, _)| usual(found) == usual(name)).find_map(|(_, digest)| digest.parse().ok());
    own.or_else(|| id(image.id.as_deref()?))
}

/// Podman leaves the algorithm out.
fn id(text: &str) -> Option<Digest> {
    text.parse().or_else(|_| format!("sha256:{text}").parse()).ok()
}

/// The names of the usual registry are written in three ways.
fn usual(name: &str) -> &str {
    let short = name.strip_prefix("docker.io/").unwrap_or(name);
    short.strip_prefix("library/").unwrap_or(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(byte: u8) -> Digest {
        Digest::from_bytes([byte; 32])
    }

    fn image(repo_digests: &[String]) -> ImageInspect {
        ImageInspect {
            id: Some(digest(1).to_string()),
            repo_digests: Some(repo_digests.to_vec()),
            ..ImageInspect::default()
        }
    }

    #[test]
    fn the_digest_is_that_of_the_registry_it_is_named_after() {
        let several = [format!("other/api@{}", digest(2)), format!("shop/api@{}", digest(3))];
        assert_eq!(digest_of(&image(&several), "shop/api"), Some(digest(3)));
        let usual = [format!("docker.io/library/api@{}", digest(4))];
        assert_eq!(digest_of(&image(&usual), "api"), Some(digest(4)));
    }

    #[test]
    fn an_image_that_was_never_in_a_registry_is_known_by_its_id() {
        assert_eq!(digest_of(&image(&[]), "shop/api"), Some(digest(1)));
        let bare = ImageInspect { id: Some(digest(5).hex()), ..ImageInspect::default() };
        assert_eq!(digest_of(&bare, "shop/api"), Some(digest(5)));
    }

    #[test]
    fn an_image_without_a_tag_is_the_latest_and_not_all() {
        assert_eq!(tagged(&"shop/api".parse().unwrap()), "shop/api:latest");
        assert_eq!(tagged(&"shop/api:1.2.0".parse().unwrap()), "shop/api:1.2.0");
    }
}
