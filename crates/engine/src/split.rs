//! Which requests go to which version.

use std::collections::BTreeSet;
use std::fmt;

use pilotage_spec::{Cohort, Mirror, Preview, Version};
use serde::{Deserialize, Serialize};

use crate::plan::percent;

/// Shares of the traffic in hundredths of a percent, the newest version first; they add up to 10,000, or there are none.
pub type Shares = Vec<(Version, u32)>;

/// The whole of a workload's traffic, as it is switched at once and for everybody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// What each version gets of the clients; none: requests wait.
    pub shares: Shares,
    /// Clients that go to a version whatever the shares say; of several that fit, the first decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cohorts: Vec<Cohort>,
    /// Copies of requests to a version whose answers nobody sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<Mirror>,
    /// A version served at an address of its own beside the users'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<Preview>,
}

impl Split {
    /// Nobody is served: requests wait.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// Everybody goes to one version.
    pub fn all(version: &Version) -> Self {
        Self::of(vec![(version.clone(), 10_000)])
    }

    /// Shares alone.
    pub fn of(shares: Shares) -> Self {
        Self { shares, ..Self::default() }
    }

    /// The share of a version, in hundredths of a percent.
    pub fn share(&self, version: &Version) -> u32 {
        self.shares.iter().find(|(shared, _)| shared == version).map_or(0, |(_, share)| *share)
    }

    /// Whether users are served by a version, by share or by cohort.
    pub fn serves(&self, version: &Version) -> bool {
        let in_cohort = |cohort: &Cohort| cohort.version == *version && cohort.share > 0;
        self.share(version) > 0 || self.cohorts.iter().any(in_cohort)
    }

    /// Whether a version gets any requests: those of users, copies, or those at an address of its own.
    pub fn reaches(&self, version: &Version) -> bool {
        self.serves(version)
            || self.mirror.as_ref().is_some_and(|mirror| mirror.version == *version)
            || self.preview.as_ref().is_some_and(|preview| preview.version == *version)
    }

    /// Versions that get requests in another way than by a share.
    pub fn beside(&self) -> BTreeSet<Version> {
        let cohorts = self.cohorts.iter().map(|cohort| &cohort.version);
        let copies = self.mirror.iter().map(|mirror| &mirror.version);
        let previews = self.preview.iter().map(|preview| &preview.version);
        cohorts.chain(copies).chain(previews).cloned().collect()
    }

    /// Whether everybody is served by one version, and nothing else is done with a request.
    pub fn is_all(&self, version: &Version) -> bool {
        *self == Self::all(version)
    }
}

impl fmt::Display for Split {
    /// One line for people, such as `100 % to 1.0.0, cohort internal to 1.1.0, copies of 20 % to 1.1.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.shares.is_empty() {
            return f.write_str("nothing, requests wait");
        }
        let shares = self.shares.iter().map(|(version, share)| format!("{} to {version}", percent(*share)));
        let copies = self
            .mirror
            .iter()
            .map(|mirror| format!("copies of {} to {}", percent(mirror.share), mirror.version));
        let preview = self
            .preview
            .iter()
            .map(|preview| format!("preview of {} at {}", preview.version, preview.listen));
        let parts: Vec<String> =
            shares.chain(self.cohorts.iter().map(cohort)).chain(copies).chain(preview).collect();
        f.write_str(&parts.join(", "))
    }
}

fn cohort(cohort: &Cohort) -> String {
    let Cohort { name, version, share, .. } = cohort;
    match share {
        10_000 => format!("cohort {name} to {version}"),
        part => format!("{} of cohort {name} to {version}", percent(*part)),
    }
}
