//! One version of a workload as it stands in the cluster: what keeps its pods up, and its pods.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use pilotage_spec::{ReleaseId, Version};
use pilotage_targets::{Instance, InstanceState};

use crate::names::{ADOPTED, SPEC, VERSION};
use crate::rollout::{Missing, has_stopped, missing, missing_of_stateful_set};

use super::instance::{DEFAULT_LIMIT, release_of};

/// What keeps pods up.
#[derive(Clone)]
pub(crate) enum Keeper {
    /// A Deployment: one a version.
    Deployment(Box<Deployment>),
    /// The StatefulSet of all versions of a workload.
    StatefulSet(Box<StatefulSet>),
    /// Nothing: pods that were left behind.
    Nobody,
}

/// A version with its pods.
#[derive(Clone)]
pub(crate) struct Kept {
    /// What keeps them up.
    pub keeper: Keeper,
    /// The pods.
    pub pods: Vec<Pod>,
}

impl Keeper {
    /// Takes its own pods out of all pods.
    pub fn with_pods(self, all: &mut Vec<Pod>) -> Kept {
        let selector = self.selector();
        let own = |pod: &mut Pod| {
            let labels = pod.metadata.labels.as_ref();
            !selector.is_empty()
                && labels.is_some_and(|labels| {
                    selector.iter().all(|(name, value)| labels.get(name) == Some(value))
                })
        };
        let pods = all.extract_if(.., own).collect();
        Kept { keeper: self, pods }
    }

    fn metadata(&self) -> Option<&ObjectMeta> {
        match self {
            Self::Deployment(deployment) => Some(&deployment.metadata),
            Self::StatefulSet(set) => Some(&set.metadata),
            Self::Nobody => None,
        }
    }

    /// By which it selects its pods. Expressions beside labels are not followed: whoever uses them is not adopted.
    fn selector(&self) -> BTreeMap<String, String> {
        let selector = match self {
            Self::Deployment(deployment) => deployment.spec.as_ref().map(|spec| &spec.selector),
            Self::StatefulSet(set) => set.spec.as_ref().map(|spec| &spec.selector),
            Self::Nobody => None,
        };
        selector.and_then(|selector| selector.match_labels.clone()).unwrap_or_default()
    }
}

impl Kept {
    /// Pods that nothing keeps up any more, a version each.
    pub fn left_over(pods: Vec<Pod>) -> Vec<Self> {
        Self { keeper: Keeper::Nobody, pods }.by_version()
    }

    /// The same, a version each: pods of a StatefulSet are of several.
    pub fn by_version(self) -> Vec<Self> {
        let mut by_version: BTreeMap<String, Vec<Pod>> = BTreeMap::new();
        for pod in self.pods {
            let version = label(&pod.metadata, VERSION).cloned().unwrap_or_default();
            by_version.entry(version).or_default().push(pod);
        }
        by_version.into_values().map(|pods| Self { keeper: self.keeper.clone(), pods }).collect()
    }

    /// The labels by which it belongs to a workload.
    pub fn labels(&self) -> Option<&BTreeMap<String, String>> {
        let own = self.keeper.metadata();
        own.or_else(|| self.pods.first().map(|pod| &pod.metadata))?.labels.as_ref()
    }

    /// The selector of a Deployment that was there before us; `None` if it was made by us.
    pub fn adopted_selector(&self) -> Option<BTreeMap<String, String>> {
        let metadata = self.keeper.metadata()?;
        annotation(metadata, ADOPTED)?;
        Some(self.keeper.selector())
    }

    /// By which its pods are found again.
    pub fn pod_selector(&self) -> BTreeMap<String, String> {
        match &self.keeper {
            Keeper::Deployment(_) => self.keeper.selector(),
            _ => {
                let labels =
                    self.pods.first().and_then(|pod| pod.metadata.labels.clone()).unwrap_or_default();
                let ours = |name: &String| name.starts_with("pilotage.dev/");
                labels.into_iter().filter(|(name, _)| ours(name)).collect()
            }
        }
    }

    /// The Deployment, if it is one.
    pub fn deployment(&self) -> Option<&Deployment> {
        match &self.keeper {
            Keeper::Deployment(deployment) => Some(deployment),
            _ => None,
        }
    }

    /// The release that it was made for.
    pub fn release(&self) -> Option<ReleaseId> {
        match &self.keeper {
            Keeper::Deployment(deployment) => release_of(&deployment.metadata),
            _ => self.pods.iter().find_map(|pod| release_of(&pod.metadata)),
        }
    }

    /// The version, if it is known.
    pub fn version(&self) -> Option<Version> {
        self.release().map(|release| release.version)
    }

    /// What its newest pods are made from; `None` if that is not known.
    pub fn spec(&self) -> Option<&String> {
        match &self.keeper {
            Keeper::Deployment(deployment) => annotation(&deployment.metadata, SPEC),
            _ => None,
        }
    }

    /// How long a pod may take to get ready.
    pub fn limit(&self) -> Duration {
        let seconds = match &self.keeper {
            Keeper::Deployment(deployment) => {
                deployment.spec.as_ref().and_then(|spec| spec.progress_deadline_seconds)
            }
            _ => None,
        };
        seconds.and_then(|seconds| u64::try_from(seconds).ok()).map_or(DEFAULT_LIMIT, Duration::from_secs)
    }

    /// Whether it is paused, or its controller has not seen what was changed last: its pods say nothing yet of what they are to be.
    pub fn is_behind(&self) -> bool {
        let missing = self.missing();
        missing.iter().any(|missing| matches!(missing, Missing::Observed { .. }))
    }

    /// What is missing until it is rolled out.
    pub fn missing(&self) -> Vec<Missing> {
        match &self.keeper {
            Keeper::Deployment(deployment) => missing(deployment),
            Keeper::StatefulSet(set) => missing_of_stateful_set(set),
            Keeper::Nobody => Vec::new(),
        }
    }

    /// How many are wanted of it at least; unknown for what is not kept up as one.
    pub fn wanted(&self) -> Option<usize> {
        let replicas = self.deployment()?.spec.as_ref()?.replicas.unwrap_or(1);
        usize::try_from(replicas).ok()
    }

    /// The pods that say something: remains of pods that were stopped, or have ended and were replaced, do not.
    pub fn present(&self) -> impl Iterator<Item = &Pod> {
        let alive = self
            .pods
            .iter()
            .filter(|pod| !has_ended(pod) && pod.metadata.deletion_timestamp.is_none())
            .count();
        let replaced = self.wanted().is_some_and(|wanted| alive >= wanted);
        self.pods.iter().filter(move |pod| !(has_stopped(pod) || replaced && has_ended(pod)))
    }

    /// An instance that stands for pods that cannot even be made, as when a quota is used up.
    pub fn not_made(&self) -> Option<Instance> {
        let deployment = self.deployment()?;
        let release = self.release()?;
        let alive = self.pods.iter().filter(|pod| !has_ended(pod)).count();
        if alive >= self.wanted()? {
            return None;
        }
        let why = self.missing().into_iter().find_map(|missing| match missing {
            Missing::Created(why) => Some(why),
            _ => None,
        })?;
        Some(Instance {
            name: format!("{}-not-made", deployment.metadata.name.as_deref().unwrap_or_default()),
            release,
            state: InstanceState::Failed { reason: format!("it cannot be made: {why}") },
            address: None,
            pid: None,
            started_at: None,
            restarts: 0,
            probe_failures: 0,
            cpu_millis: None,
            memory_bytes: None,
        })
    }
}

fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Failed" | "Succeeded"))
}

fn label<'a>(metadata: &'a ObjectMeta, name: &str) -> Option<&'a String> {
    metadata.labels.as_ref()?.get(name)
}

/// An annotation of an object.
pub(crate) fn annotation<'a>(metadata: &'a ObjectMeta, name: &str) -> Option<&'a String> {
    metadata.annotations.as_ref()?.get(name)
}
