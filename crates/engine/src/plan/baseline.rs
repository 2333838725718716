//! A fresh copy of the stable version to compare a canary with: as old as the new version, as many, and as busy.

use pilotage_spec::{Baseline, Release, ReleaseId, StrategyKind};

use super::request::{PlanError, PlanRequest};
use crate::Shares;

/// What a copy of a version is called behind it, as build metadata.
const MARK: &str = "baseline";
/// All of the clients, in hundredths of a percent.
const ALL: u32 = 10_000;

/// The copy that a plan asks for, if it asks for one. It is the same artifact with the same settings under a name of its own.
pub(super) fn copy(request: &PlanRequest) -> Result<Option<Release>, PlanError> {
    let wanted = request.strategy.baseline == Baseline::Fresh
        && matches!(request.strategy.kind, StrategyKind::Canary { .. });
    let Some(stable) = request.stable.as_ref().filter(|_| wanted) else { return Ok(None) };
    let version = stable.id.version.with_build(MARK).map_err(PlanError::Baseline)?;
    if version == request.candidate.id.version {
        return Err(PlanError::BaselineTaken { version });
    }
    let id = ReleaseId { version, digest: stable.id.digest.clone() };
    Ok(Some(Release { id, instance: stable.instance.clone() }))
}

/// The shares of a canary with its copy: the copy gets as much as the new version where there is so much left, the stable
/// version the rest. In this order no client comes back from the new version when its share grows.
pub(super) fn shares(candidate: &Release, copy: &Release, stable: &Release, share: u32) -> Shares {
    let left = ALL.saturating_sub(share);
    let copied = share.min(left);
    let shares = [(candidate, share), (copy, copied), (stable, left - copied)];
    let named = shares.into_iter().filter(|(_, share)| *share > 0);
    named.map(|(release, share)| (release.id.version.clone(), share)).collect()
}
