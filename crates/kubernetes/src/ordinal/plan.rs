//! What a StatefulSet is to be after a version was ensured or retired: pure.

use pilotage_spec::Version;

/// How a StatefulSet stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    /// The version of its template: of the ordinals from `partition` on.
    pub newest: Version,
    /// The version of the ordinals below, if there are any.
    pub before: Option<Version>,
    /// The first ordinal of the newest version.
    pub partition: u32,
    /// All ordinals.
    pub replicas: u32,
    /// So many of the newest version were asked for last.
    pub asked: u32,
}

/// What it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Whether the template is to be that of the version in question.
    pub template: bool,
    /// The first ordinal of the newest version.
    pub partition: u32,
    /// All ordinals.
    pub replicas: u32,
}

impl Standing {
    fn older(&self) -> u32 {
        self.partition.min(self.replicas)
    }

    /// At least so many of a version. Nothing is stopped, unless it is the version before that is to come back: then the
    /// ordinals of the newest become its own again.
    pub fn ensured(&self, version: &Version, count: u32) -> Option<Wanted> {
        let older = self.older();
        if *version == self.newest {
            let there = self.replicas - older;
            let more = Wanted { template: true, partition: older, replicas: older + count };
            return (there < count).then_some(more);
        }
        if self.before.as_ref() == Some(version) {
            let back = Wanted { template: true, partition: 0, replicas: self.replicas.max(count) };
            return (older < count).then_some(back);
        }
        Some(Wanted { template: true, partition: self.replicas, replicas: self.replicas + count })
    }

    /// At most so many of a version.
    pub fn retired(&self, version: &Version, keep: u32) -> Option<Wanted> {
        let older = self.older();
        if *version == self.newest {
            let there = self.replicas - older;
            let less = Wanted { template: false, partition: self.partition, replicas: older + keep };
            return (there > keep).then_some(less);
        }
        if self.before.as_ref() != Some(version) || older <= keep {
            return None;
        }
        // The ordinals between become the newest version's, each under its own name and with its own volumes.
        let newest = self.replicas - older;
        let replicas = if keep == 0 { newest.max(self.asked) } else { self.replicas };
        Some(Wanted { template: false, partition: keep, replicas })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn standing(before: Option<&str>, partition: u32, replicas: u32, asked: u32) -> Standing {
        Standing { newest: version("2.0.0"), before: before.map(version), partition, replicas, asked }
    }

    fn wanted(template: bool, partition: u32, replicas: u32) -> Option<Wanted> {
        Some(Wanted { template, partition, replicas })
    }

    #[test]
    fn a_new_version_stands_above_the_old() {
        let old = standing(None, 0, 3, 3);
        assert_eq!(old.ensured(&version("3.0.0"), 2), wanted(true, 3, 5));
        assert_eq!(old.ensured(&version("2.0.0"), 3), None);
        assert_eq!(old.ensured(&version("2.0.0"), 4), wanted(true, 0, 4));
    }

    #[test]
    fn ordinals_go_over_one_by_one() {
        // Of three old ones the highest was stopped, and came back as a new one.
        let begun = standing(Some("1.0.0"), 2, 3, 1);
        assert_eq!(begun.retired(&version("1.0.0"), 1), wanted(false, 1, 3));
        let further = standing(Some("1.0.0"), 1, 3, 2);
        assert_eq!(further.ensured(&version("2.0.0"), 2), None);
        assert_eq!(further.retired(&version("1.0.0"), 0), wanted(false, 0, 2));
    }

    #[test]
    fn twice_as_many_become_as_many_again() {
        let both = standing(Some("1.0.0"), 3, 6, 3);
        assert_eq!(both.retired(&version("1.0.0"), 0), wanted(false, 0, 3));
    }

    #[test]
    fn the_way_back_restarts_none_of_the_old() {
        let both = standing(Some("1.0.0"), 3, 6, 3);
        assert_eq!(both.ensured(&version("1.0.0"), 3), None);
        assert_eq!(both.retired(&version("2.0.0"), 0), wanted(false, 3, 3));
        // If some of them are new already, those become old again.
        let further = standing(Some("1.0.0"), 1, 3, 2);
        assert_eq!(further.ensured(&version("1.0.0"), 3), wanted(true, 0, 3));
    }

    #[test]
    fn nothing_is_done_twice() {
        let done = standing(None, 0, 3, 3);
        assert_eq!(done.retired(&version("1.0.0"), 0), None);
        assert_eq!(done.retired(&version("2.0.0"), 3), None);
    }
}
