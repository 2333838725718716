//! The names of streams, leases and kinds of event.

use std::fmt;
use std::str::FromStr;

use pilotage_spec::NameError;
use serde::{Deserialize, Serialize};

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $limit:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                check($kind, text, $limit, $rule, $check)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                check($kind, &text, $limit, $rule, $check)?;
                Ok(Self(text))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

text_type!(
    /// What a sequence of events is about: `project`, `deployment/d12`, `workload/production/api`.
    ///
    /// Segments of `[a-z0-9._-]+` joined by `/`, 256 bytes at most.
    StreamId, "stream", 256, "use segments of `a-z 0-9 . _ -` joined by `/`", is_path
);
text_type!(
    /// What a lease is for: `workload/production/api`. The same form as a [`StreamId`].
    LeaseName, "lease", 256, "use segments of `a-z 0-9 . _ -` joined by `/`", is_path
);
text_type!(
    /// What happened, as `noun.verb`: `deployment.completed`, `deployment.health_check`. 64 bytes at most.
    EventKind,
    "event kind",
    64,
    "write `noun.verb` in lower-case letters, digits and `_`, each part starting with a letter",
    is_kind
);

fn check(
    kind: &'static str,
    text: &str,
    limit: usize,
    rule: &'static str,
    is_allowed: fn(&str) -> bool,
) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { kind });
    }
    if text.len() > limit {
        return Err(NameError::TooLong { kind, length: text.chars().count(), limit });
    }
    if !is_allowed(text) {
        return Err(NameError::Malformed { kind, text: text.escape_debug().collect(), rule });
    }
    Ok(())
}

fn is_path(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    text.split('/').all(|segment| !segment.is_empty() && segment.bytes().all(allowed))
}

fn is_kind(text: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    text.split_once('.').is_some_and(|(noun, verb)| is_word(noun) && is_word(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_segments_joined_by_slashes() {
        for good in ["project", "deployment/d12", "workload/production/api", "a.b/c_d/e-f"] {
            assert_eq!(good.parse::<StreamId>().unwrap().as_str(), good);
        }
        for bad in ["", "/", "a/", "/a", "a//b", "A", "a b", "a\nb", "ü", &"a".repeat(257)] {
            assert!(bad.parse::<StreamId>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn kinds_are_a_noun_and_a_verb() {
        for good in ["deployment.completed", "deployment.health_check", "v2.made"] {
            assert_eq!(good.parse::<EventKind>().unwrap().as_str(), good);
        }
        for bad in ["", "deployment", "deployment.", ".completed", "a.b.c", "Deployment.done", "a.b c", "2.b"]
        {
            assert!(bad.parse::<EventKind>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn names_are_checked_when_deserialized() {
        assert!(serde_json::from_str::<StreamId>("\"a/../B\"").is_err());
        assert_eq!(serde_json::from_str::<LeaseName>("\"a/b\"").unwrap().to_string(), "a/b");
    }
}
