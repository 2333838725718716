//! Removes what nothing needs any more. The containers that were stopped on purpose are the record of what has run here: an
//! image that was never run by us is never removed by us, nor is one that anybody's container is made from, or that could not
//! be pulled again.

use std::collections::{BTreeMap, HashMap};

use bollard::query_parameters::{ListContainersOptionsBuilder, RemoveImageOptions};
use pilotage_spec::{Digest, Release, Workload};
use pilotage_targets::TargetError;

use super::store::{Images, digest_of, tagged};
use crate::engine::Fault;
use crate::instance::Container;

/// So many stopped containers of a workload are kept to be looked at, and for their logs.
const STOPPED_KEPT: usize = 10;

/// The stopped containers of a workload that may go: all but the last ones, and but the last one of each release, which is
/// what remembers the image.
pub(crate) fn surplus(mut retired: Vec<Container>) -> Vec<Container> {
    retired.sort_by_key(|container| std::cmp::Reverse(container.marks.number));
    let mut seen = Vec::new();
    let mut surplus = Vec::new();
    for (index, container) in retired.into_iter().enumerate() {
        let digest = container.marks.release.id.digest.clone();
        let is_last = !seen.contains(&digest);
        seen.push(digest);
        if index >= STOPPED_KEPT && !is_last {
            surplus.push(container);
        }
    }
    surplus
}

/// What of the releases that were once run may go, with their stopped containers: those that nothing runs, that are not to
/// be kept, and that are not among the last `keep_images` of their workload.
pub(crate) fn unneeded(
    containers: &[Container],
    keep: &[Digest],
    keep_images: usize,
) -> Vec<(Release, Vec<Container>)> {
    let mut by_workload: BTreeMap<&Workload, BTreeMap<&Digest, Vec<&Container>>> = BTreeMap::new();
    for container in containers {
        let releases = by_workload.entry(&container.marks.workload).or_default();
        releases.entry(&container.marks.release.id.digest).or_default().push(container);
    }
    let is_used = |digest: &Digest| {
        containers.iter().any(|other| other.marks.release.id.digest == *digest && !other.is_retired())
    };
    let mut unneeded = Vec::new();
    for releases in by_workload.into_values() {
        let mut idle: Vec<Vec<&Container>> = releases
            .into_iter()
            .filter(|(digest, _)| !is_used(digest) && !keep.contains(digest))
            .map(|(_, containers)| containers)
            .collect();
        let newest = |containers: &Vec<&Container>| containers.iter().map(|it| it.marks.number).max();
        idle.sort_by_key(|containers| std::cmp::Reverse(newest(containers)));
        for containers in idle.into_iter().skip(keep_images) {
            if let Some(first) = containers.first() {
                unneeded.push((first.marks.release.clone(), containers.into_iter().cloned().collect()));
            }
        }
    }
    unneeded
}

/// Podman calls images so that were built by it and belong to no registry.
const BUILT_HERE: &str = "localhost/";

impl Images {
    /// Whether the engine has the image of a release, and as far as it knows nobody else: it was built there and never pushed.
    pub async fn is_only_here(&self, release: &Release) -> Result<bool, TargetError> {
        let Some(image) = &release.instance.image else { return Ok(false) };
        let digest = &release.id.digest;
        if !image.name().starts_with(BUILT_HERE) && self.inspect(&image.pinned(digest)).await?.is_some() {
            return Ok(false);
        }
        Ok(self.present(image, digest).await?.is_some())
    }

    /// Removes the image of a release; says whether it is gone. One that somebody else uses stays.
    pub async fn remove(&self, release: &Release) -> Result<bool, TargetError> {
        let Some(image) = &release.instance.image else { return Ok(false) };
        let digest = &release.id.digest;
        if self.is_used(&image.pinned(digest)).await? {
            return Ok(false);
        }
        let mut is_gone = false;
        let mut names = vec![image.pinned(digest), digest.to_string()];
        let tagged = tagged(image);
        // A tag may lead to another image by now.
        if self
            .inspect(&tagged)
            .await?
            .is_some_and(|it| digest_of(&it, image.name()).as_ref() == Some(digest))
        {
            names.insert(0, tagged);
        }
        for text in names {
            match self.engine.docker().remove_image(&text, None::<RemoveImageOptions>, None).await {
                Ok(_) => is_gone = true,
                Err(error) => match self.engine.fault(&error) {
                    Fault::NotFound { .. } | Fault::Conflict { .. } => {}
                    fault => return Err(self.engine.refused("remove an image", fault)),
                },
            }
        }
        Ok(is_gone)
    }

    /// Whether a container of anybody is made from the image. An engine may take names away from an image that is used.
    async fn is_used(&self, image: &str) -> Result<bool, TargetError> {
        let filters = HashMap::from([("ancestor".to_owned(), vec![image.to_owned()])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let listed = self.engine.docker().list_containers(Some(options)).await;
        Ok(!listed.map_err(|error| self.engine.failed("list containers", &error))?.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::Phase;
    use crate::instance::container::example;

    fn container(number: u64, release: u8, is_retired: bool) -> Container {
        let mut container = example(if is_retired { Phase::Exited } else { Phase::Running });
        container.marks.number = number;
        container.marks.release.id.digest = Digest::from_bytes([release; 32]);
        container.name = if is_retired { format!("api-{number}-retired") } else { format!("api-{number}") };
        container
    }

    #[test]
    fn the_last_stopped_container_of_each_release_is_kept() {
        let retired: Vec<Container> =
            (1..=14).map(|number| container(number, if number == 1 { 1 } else { 2 }, true)).collect();
        let numbers: Vec<u64> = surplus(retired).iter().map(|it| it.marks.number).collect();
        assert_eq!(numbers, [4, 3, 2], "the first is all that is left of its release");
    }

    #[test]
    fn an_image_goes_only_if_nothing_needs_it() {
        let mut containers: Vec<Container> =
            (1..=5).map(|number| container(number, number as u8, true)).collect();
        containers.push(container(6, 2, false));
        let gone = |keep: &[u8], keep_images| -> Vec<u8> {
            let keep: Vec<Digest> = keep.iter().map(|byte| Digest::from_bytes([*byte; 32])).collect();
            let unneeded = unneeded(&containers, &keep, keep_images);
            unneeded.iter().map(|(release, _)| release.id.digest.as_bytes()[0]).collect()
        };
        // The second runs; the last two are kept in any case.
        assert_eq!(gone(&[], 2), [3, 1]);
        assert_eq!(gone(&[3], 2), [1]);
        assert_eq!(gone(&[], 9), Vec::<u8>::new());
    }
}
