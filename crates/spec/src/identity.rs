//! Who acts, as a credential says: a person, a machine or an agent.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::text_type;
use crate::{NameError, RoleName};

text_type!(
    /// The name of a principal: an account by which somebody acts. Two of them may belong to one person.
    PrincipalName, "name of a principal", check_principal
);

/// What kind of principal acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// A human being.
    Person,
    /// A program without judgement of its own, such as a job of a pipeline.
    Machine,
    /// A program that decides what it does.
    Agent,
}

/// Who acts. Made from a credential and the project's file, never from what a request says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The account.
    pub principal: PrincipalName,
    /// What it is.
    pub kind: PrincipalKind,
    /// The human being behind it, where one is known: several accounts of one person have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PrincipalName>,
    /// The groups that the person or program belongs to.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<RoleName>,
    /// The roles that it has where it acts.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<RoleName>,
    /// The person who vouches for the credential: whoever it speaks for if they have proved themselves who they are or have
    /// issued it themselves, else whoever has issued it. Without one, the credential approves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vouched_by: Option<PrincipalName>,
}

impl Identity {
    /// A person who is known by this account alone, and has proved who they are.
    pub fn person(principal: PrincipalName) -> Self {
        Self {
            person: Some(principal.clone()),
            kind: PrincipalKind::Person,
            groups: BTreeSet::new(),
            roles: BTreeSet::new(),
            vouched_by: Some(principal.clone()),
            principal,
        }
    }

    /// Whether the same human being stands behind both, or both are the same account.
    pub fn is_same_person(&self, other: &Self) -> bool {
        let same_person = self.person.is_some() && self.person == other.person;
        same_person || self.principal == other.principal
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.person {
            Some(person) if *person != self.principal => write!(f, "{} ({person})", self.principal),
            _ => write!(f, "{}", self.principal),
        }
    }
}

/// Letters, digits and `. _ - @ + : /`, beginning with a letter or digit: account names, mail addresses, `uid:1000`, and
/// subjects such as `repo:shop/api`. ASCII alone, so that no two look alike.
fn check_principal(kind: &'static str, text: &str) -> Result<(), NameError> {
    const LIMIT: usize = 128;
    if text.is_empty() {
        return Err(NameError::Empty { kind });
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-@+:/".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let leads_up = text.split('/').any(|part| part == "..");
    if !begins || leads_up || !text.chars().all(allowed) {
        let rule = "use letters of the English alphabet, digits and `. _ - @ + : /`, starting with a letter or digit, without `..` between slashes";
        return Err(NameError::malformed(kind, text, rule));
    }
    if text.len() > LIMIT {
        return Err(NameError::TooLong { kind, length: text.len(), limit: LIMIT });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_of_one_person_are_the_same_person() {
        let account = |name: &str, person: &str| Identity {
            person: Some(person.parse().unwrap()),
            ..Identity::person(name.parse().unwrap())
        };
        assert!(account("anna", "anna").is_same_person(&account("anna@shop.example", "anna")));
        assert!(!account("anna", "anna").is_same_person(&account("bert", "bert")));
        let machine = |name: &str| Identity { person: None, ..account(name, name) };
        assert!(!machine("ci").is_same_person(&machine("other-ci")), "nobody is not somebody");
        assert!(machine("ci").is_same_person(&machine("ci")));
    }

    #[test]
    fn names_that_look_alike_or_carry_controls_are_refused() {
        for text in ["anna", "anna@shop.example", "uid:1000", "repo:shop/api:ref:refs/heads/main"] {
            assert!(text.parse::<PrincipalName>().is_ok(), "{text}");
        }
        for text in
            ["", "аnna", "anna\n", "-anna", "anna bert", "anna;id", "$(id)", "a\u{202e}b", "ann\u{200d}a"]
        {
            assert!(text.parse::<PrincipalName>().is_err(), "{text:?}");
        }
    }
}
