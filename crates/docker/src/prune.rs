//! Removes images that nothing needs, with the stopped containers that remember them.

use std::sync::Arc;

use futures_util::future::join_all;
use pilotage_spec::Digest;
use pilotage_targets::TargetError;

use crate::image::unneeded;
use crate::shared::Shared;

impl Shared {
    /// See [`pilotage_targets::Target::prune_images`]. Of releases that were run here, those stay that something runs, and the
    /// last `keep_images` of each service.
    pub async fn prune(self: &Arc<Self>, keep: &[Digest]) -> Result<Vec<Digest>, TargetError> {
        let found = self.look(None).await?;
        let containers: Vec<_> = found.iter().map(|held| held.container()).collect();
        let mut removed = Vec::new();
        for (release, stopped) in unneeded(&containers, keep, self.config.settings.keep_images as usize) {
            // What is left here goes another time.
            let Some(_turn) = self.images.turn_to_remove() else { break };
            // Without its containers nobody would remember it, and it would be there for ever.
            if self.images.is_only_here(&release).await? {
                continue;
            }
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
