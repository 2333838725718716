//! What can be done, and the roles that are built in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::RoleName;

/// What a request does. Every route of the API needs one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// See what is deployed, how it is doing, what was, and what instances write.
    Read,
    /// Work out what a deployment would do.
    Plan,
    /// Bring out a release.
    Deploy,
    /// End a watch early.
    Promote,
    /// Go back to an earlier release, or take back one that is under way.
    Rollback,
    /// Pause a deployment, and let it go on.
    Pause,
    /// Approve a deployment, reject it, or withdraw what one has said.
    Approve,
    /// Report an alert.
    Alert,
    /// Read the audit log and verify it.
    Audit,
    /// Issue tokens to others and revoke theirs, copy the journal, stop everything and bring it back.
    Admin,
}

impl Verb {
    /// Every verb, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::Read,
        Self::Plan,
        Self::Deploy,
        Self::Promote,
        Self::Rollback,
        Self::Pause,
        Self::Approve,
        Self::Alert,
        Self::Audit,
        Self::Admin,
    ];

    /// The word of the file, the API and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Plan => "plan",
            Self::Deploy => "deploy",
            Self::Promote => "promote",
            Self::Rollback => "rollback",
            Self::Pause => "pause",
            Self::Approve => "approve",
            Self::Alert => "alert",
            Self::Audit => "audit",
            Self::Admin => "admin",
        }
    }

    /// The verbs of the roles that are built in.
    pub fn built_in_roles() -> BTreeMap<RoleName, BTreeSet<Self>> {
        use Verb::{Alert, Approve, Audit, Deploy, Pause, Plan, Promote, Read, Rollback};
        let roles: [(&str, &[Self]); 5] = [
            ("viewer", &[Read, Plan]),
            ("developer", &[Read, Plan, Deploy, Rollback, Pause]),
            ("approver", &[Read, Plan, Approve, Audit]),
            ("operator", &[Read, Plan, Deploy, Promote, Rollback, Pause, Alert, Audit]),
            ("admin", &Self::ALL),
        ];
        let named = roles.into_iter().filter_map(|(name, verbs)| Some((name.parse().ok()?, verbs)));
        named.map(|(name, verbs)| (name, verbs.iter().copied().collect())).collect()
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Verb {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|verb| verb.name() == text);
        found.ok_or_else(|| format!("the verbs are {}", Self::ALL.map(Self::name).join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_role_is_there_and_only_admin_may_do_all() {
        let roles = Verb::built_in_roles();
        let names: Vec<&str> = roles.keys().map(RoleName::as_str).collect();
        assert_eq!(names, ["admin", "approver", "developer", "operator", "viewer"]);
        for (name, verbs) in &roles {
            assert_eq!(verbs.contains(&Verb::Admin), name.as_str() == "admin", "{name}");
            assert!(verbs.contains(&Verb::Read), "{name}");
        }
        let both = |name: &str| {
            let verbs = &roles[&name.parse::<RoleName>().unwrap()];
            verbs.contains(&Verb::Deploy) && verbs.contains(&Verb::Approve)
        };
        assert!(!both("developer") && !both("operator") && !both("approver"));
    }

    #[test]
    fn a_verb_is_read_from_its_own_word_alone() {
        for verb in Verb::ALL {
            assert_eq!(verb.name().parse(), Ok(verb));
        }
        for text in ["", "Read", "read ", "write", "*"] {
            assert!(text.parse::<Verb>().is_err(), "{text:?}");
        }
    }
}
