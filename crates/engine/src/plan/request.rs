//! What is asked for, and the plan that comes out.

use std::net::SocketAddr;

use pilotage_spec::{
    Digest, EdgeSettings, EnvironmentName, Policy, Prometheus, Release, ReleaseId, RollBackWhen,
    RouteSettings, Strategy, StrategyKind, StrategyName, Version, VersionError, Workload,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::Split;

use super::{Step, ab, baseline, blue_green, canary, recreate, restore, rolling, scale, shadow};

/// Everything that is known when somebody asks for a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRequest {
    /// What moves.
    pub workload: Workload,
    /// What it is to run.
    pub candidate: Release,
    /// What it runs now and is known to be good; `None` for the first deployment.
    pub stable: Option<Release>,
    /// How many instances of the candidate are wanted.
    pub replicas: u32,
    /// How many instances of the stable version are there now.
    pub stable_replicas: u32,
    /// Where users reach the workload; port 0 lets the target choose.
    pub listen: SocketAddr,
    /// Where users reach the stable version, if there is one: until the switch is complete, and again after a rollback.
    pub stable_listen: Option<SocketAddr>,
    /// Which requests are its own, and what is done for them on the way, once the candidate has all of them.
    #[serde(default, skip_serializing_if = "RouteSettings::is_default")]
    pub route: RouteSettings,
    /// The same until then, and again after a rollback; `None` if nothing serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable_route: Option<RouteSettings>,
    /// How `listen` is to be served, if the environment's services share it: from the beginning on, for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge: Option<EdgeSettings>,
    /// The strategy's name.
    pub strategy_name: StrategyName,
    /// The strategy.
    pub strategy: Strategy,
    /// What the environment asks of a deployment.
    pub policy: Policy,
    /// Where metrics are asked for.
    pub prometheus: Option<Prometheus>,
    /// Why the plan is made.
    pub purpose: Purpose,
}

/// Why a plan is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To bring a release out.
    Deploy,
    /// To go back to a release that was good. No gate stands in its way.
    Restore,
    /// To try out the way back from a release: it goes out, and is taken back as planned.
    Rehearse,
    /// The same for a release that serves already: the one before is brought back, and gone back from as planned.
    RehearseServing,
}

impl Purpose {
    /// Whether it ends as it began, and only shows that there is a way back.
    pub fn is_rehearsal(self) -> bool {
        matches!(self, Self::Rehearse | Self::RehearseServing)
    }

    /// Whether the candidate is known to be good, so that nothing that is measured takes it back.
    pub fn is_known_good(self) -> bool {
        matches!(self, Self::Restore | Self::RehearseServing)
    }
}

/// A list of steps with everything needed to take them, also after a restart and when the file has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What it was made from.
    #[serde(flatten)]
    pub request: PlanRequest,
    /// Ready instances of the candidate that can carry all the traffic; a share of the traffic needs that share of them.
    pub candidate_capacity: u32,
    /// Likewise for the stable version; 0 if there is none.
    pub stable_capacity: u32,
    /// The way forward.
    pub steps: Vec<Step>,
    /// A fresh copy of the stable version that the candidate is compared with; never a release of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Release>,
}

/// Why no plan can be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// The same version with another artifact.
    #[error(
        "{version} is already deployed with the artifact {known}, and this artifact is {given}: a version never changes; give the new build a new version"
    )]
    VersionReused {
        /// The version.
        version: Version,
        /// The digest it is known by.
        known: Digest,
        /// The digest given now.
        given: Digest,
    },
    /// The same release with other settings.
    #[error(
        "{version} already runs with other settings (command, variables, health or resources): settings are part of what is deployed; give them a version of their own, for example {version}+settings.2"
    )]
    SettingsChanged {
        /// The version.
        version: Version,
    },
    /// A rolling update that has no room to move.
    #[error(
        "a rolling update of {replicas} instance(s) with max_surge {surge} and max_unavailable {unavailable} cannot move without an outage; allow a surge of 1, or use `recreate`"
    )]
    NoRoom {
        /// Wanted instances.
        replicas: u32,
        /// Resolved surge.
        surge: u32,
        /// Resolved unavailability.
        unavailable: u32,
    },
    /// No instances wanted.
    #[error("replicas is 0: nothing would serve; use `pilotage down` to stop everything")]
    NoReplicas,
    /// The copy of the stable version cannot be named.
    #[error("a fresh baseline cannot be named after the stable version: {0}")]
    Baseline(VersionError),
    /// The copy of the stable version would be called like the new one.
    #[error("{version} is what a fresh baseline would be called; give the new build another version")]
    BaselineTaken {
        /// The version.
        version: Version,
    },
    /// The target cannot do what the plan needs.
    #[error("strategy `{strategy}` needs {what}, which the target of {environment} cannot do; {mend}")]
    NotCapable {
        /// The strategy's name.
        strategy: StrategyName,
        /// What it needs.
        what: &'static str,
        /// The environment.
        environment: EnvironmentName,
        /// What to do.
        mend: &'static str,
    },
    /// A trial beside nothing.
    #[error(
        "strategy `{strategy}` tries a version out beside the one that serves, and nothing serves yet; use another for the first deployment, for example `--strategy blue-green`"
    )]
    NothingToTryBeside {
        /// The strategy's name.
        strategy: StrategyName,
    },
}

impl Plan {
    /// Works out the steps.
    ///
    /// # Errors
    /// Fails if the request contradicts what runs now, or the strategy leaves no room to move.
    pub fn new(request: PlanRequest) -> Result<Self, PlanError> {
        if request.replicas == 0 {
            return Err(PlanError::NoReplicas);
        }
        let mut unavailable = 0;
        let mut baseline = None;
        let steps = match &request.stable {
            Some(stable) if stable.id.version == request.candidate.id.version => {
                check_unchanged(stable, &request.candidate)?;
                scale::steps(&request)
            }
            _ if request.purpose == Purpose::Restore => restore::steps(&request),
            Some(_) if request.purpose.is_rehearsal() => blue_green::rehearsal(&request),
            None => first(&request)?,
            Some(_) => match &request.strategy.kind {
                StrategyKind::BlueGreen => blue_green::steps(&request),
                StrategyKind::Canary { steps } => {
                    baseline = baseline::copy(&request)?;
                    canary::steps(&request, baseline.as_ref(), steps)
                }
                StrategyKind::Recreate => recreate::steps(&request),
                StrategyKind::Steps { stages } | StrategyKind::Cohorts { stages } => {
                    canary::staged(&request, stages)
                }
                StrategyKind::Shadow { copies } => shadow::steps(&request, copies),
                StrategyKind::Ab { trial } => ab::steps(&request, trial),
                StrategyKind::Rolling { max_surge, max_unavailable } => {
                    let room = rolling::Room::new(request.replicas, *max_surge, *max_unavailable)?;
                    unavailable = room.unavailable;
                    rolling::steps(&request, room)
                }
            },
        };
        let candidate_capacity = request.replicas.saturating_sub(unavailable).max(1);
        let stable_capacity = match request.stable {
            Some(_) => request.stable_replicas.min(request.replicas).saturating_sub(unavailable).max(1),
            None => 0,
        };
        Ok(Self { request, candidate_capacity, stable_capacity, steps, baseline })
    }

    /// Where users reach the workload with this split, and what is done for their requests: as with the stable version until
    /// they are all with the candidate, and again after a rollback. Only the complete switch changes it.
    pub fn reached(&self, split: &Split) -> (SocketAddr, &RouteSettings) {
        let switched = split.share(self.candidate()) == 10_000;
        let request = &self.request;
        match request.stable_listen {
            Some(listen) if !switched => (listen, request.stable_route.as_ref().unwrap_or(&request.route)),
            _ => (request.listen, &request.route),
        }
    }

    /// The new version.
    pub fn candidate(&self) -> &Version {
        &self.request.candidate.id.version
    }

    /// The version that is known to be good, if there is one.
    pub fn stable(&self) -> Option<&Version> {
        self.request.stable.as_ref().map(|stable| &stable.id.version)
    }

    /// The release whose way back is rehearsed, if one is.
    pub fn rehearsed(&self) -> Option<&ReleaseId> {
        match self.request.purpose {
            Purpose::Rehearse => Some(&self.request.candidate.id),
            Purpose::RehearseServing => self.request.stable.as_ref().map(|stable| &stable.id),
            Purpose::Deploy | Purpose::Restore => None,
        }
    }

    /// The releases that take part, by version.
    pub fn release(&self, version: &Version) -> Option<&Release> {
        self.releases().find(|release| &release.id.version == version)
    }

    /// Every release that takes part, the newest first.
    pub fn releases(&self) -> impl Iterator<Item = &Release> {
        let releases = [Some(&self.request.candidate), self.baseline.as_ref(), self.request.stable.as_ref()];
        releases.into_iter().flatten()
    }

    /// The version that the candidate is compared with: a fresh copy of the stable one, or the stable one itself.
    pub fn reference(&self) -> Option<&Version> {
        self.baseline.as_ref().map(|copy| &copy.id.version).or(self.stable())
    }

    /// What takes the candidate back.
    pub fn roll_back_when(&self) -> &RollBackWhen {
        &self.request.strategy.roll_back_when
    }

    /// How many ready instances a version needs for a share of the traffic in hundredths of a percent.
    pub fn needed(&self, version: &Version, share: u32) -> u32 {
        needed(share, self.capacity(version))
    }

    /// How many ready instances of the stable version are enough to go back to it: one may be missing, so that a crash
    /// of one does not hold up the way back of all users.
    pub fn enough_to_go_back(&self) -> u32 {
        self.stable_capacity.saturating_sub(1).max(1)
    }

    fn capacity(&self, version: &Version) -> u32 {
        if self.baseline.as_ref().is_some_and(|copy| copy.id.version == *version) {
            return self.candidate_capacity;
        }
        match (version == self.candidate(), Some(version) == self.stable()) {
            (true, true) => self.candidate_capacity.min(self.stable_capacity),
            (true, false) => self.candidate_capacity,
            (false, _) => self.stable_capacity,
        }
    }

    /// Whether the plan stops the old version before the new one serves.
    pub fn takes_downtime(&self) -> bool {
        matches!(self.request.strategy.kind, StrategyKind::Recreate)
            && self.stable().is_some_and(|stable| stable != self.candidate())
    }

    /// A digest of the whole plan: what gates and approvals bind to.
    pub fn hash(&self) -> Digest {
        // A plan is a tree of strings, numbers and ordered maps with string keys; serializing one cannot fail.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        Digest::from_bytes(Sha256::digest(&bytes).into())
    }
}

/// The part of `capacity` instances that a share in hundredths of a percent needs, rounded up, and at least one for any
/// share at all. Two of three instances carry 66.67 %: the last hundredth of a percent is not held against them.
pub(super) fn needed(share: u32, capacity: u32) -> u32 {
    let Some(share) = share.checked_sub(1) else { return 0 };
    let needed = (u64::from(share) * u64::from(capacity)).div_ceil(10_000);
    u32::try_from(needed).unwrap_or(u32::MAX).max(1)
}

/// The first deployment of a service replaces nothing, so that all strategies are the same to it, except for those that never
/// replace anything.
fn first(request: &PlanRequest) -> Result<Vec<Step>, PlanError> {
    match request.strategy.kind {
        StrategyKind::Shadow { .. } | StrategyKind::Ab { .. } => {
            Err(PlanError::NothingToTryBeside { strategy: request.strategy_name.clone() })
        }
        _ => Ok(blue_green::steps(request)),
    }
}

fn check_unchanged(stable: &Release, candidate: &Release) -> Result<(), PlanError> {
    let version = candidate.id.version.clone();
    if stable.id.digest != candidate.id.digest {
        let (known, given) = (stable.id.digest.clone(), candidate.id.digest.clone());
        return Err(PlanError::VersionReused { version, known, given });
    }
    if stable.instance != candidate.instance {
        return Err(PlanError::SettingsChanged { version });
    }
    Ok(())
}
