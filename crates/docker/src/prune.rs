//! Removes images that nothing needs, with the stopped containers that remember them.

use std::sync::Arc;

use futures_util::future::join_all;
use pilotage_spec::Digest;
use pilotage_targets::TargetError;

use crate::image::unneeded;
use crate::shared::Shared;

impl Shared {
    /// Removes the images of releases that were run here, but for those that something runs, those to be kept, and the last
    /// `keep_images` of each service; says which were removed.
    pub async fn prune(self: &Arc<Self>, keep: &[Digest]) -> Result<Vec<Digest>, TargetError> {
        let found = self.look(None).await?;
        let containers: Vec<_> = found.iter().map(|held| held.container()).collect();
        let mut removed = Vec::new();
        for (release, stopped) in unneeded(&containers, keep, self.config.settings.keep_images as usize) {
            let remains = found.iter().filter(|held| stopped.iter().any(|container| container.id == held.id));
            let gone = join_all(remains.map(|held| self.remove_container(held))).await;
            gone.into_iter().collect::<Result<(), _>>()?;
            if self.images.remove(&release).await? {
                removed.push(release.id.digest);
            }
        }
        Ok(removed)
    }
}
