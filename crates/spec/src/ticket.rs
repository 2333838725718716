//! Systems of tickets, and the keys of tickets in them.

use serde::{Deserialize, Serialize};

use crate::name::text_type;
use crate::{NameError, SecretSource};

text_type!(
    /// What a ticket is called in its system: `CHG-12`, `CHG0030001`, or `owner/repository#12`.
    TicketKey, "key of a ticket", check_key
);

/// Where tickets are, and what they must say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketSystem {
    /// What kind of system it is.
    pub kind: TicketKind,
    /// The beginning of its addresses, without a slash at the end; of a [`TicketKind::Json`] the whole address, with `$TICKET` in it.
    pub url: String,
    /// As whom it is asked, if not as anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<TicketSignIn>,
    /// A ticket in any of these states is approved. Compared as a whole, but without regard to case.
    pub states: Vec<String>,
    /// Where a ticket says for which services it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Where it says for which environments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Where it says from when on the change is planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Where it says until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// The kinds of systems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketKind {
    /// Jira, Cloud or Data Center: the state is the status of an issue; places are fields.
    Jira,
    /// Jira Service Management: the state is the final decision of each approval of a request; places are fields.
    ServiceManagement,
    /// ServiceNow: the state is that of a change request, which must have been approved too; places are fields.
    #[serde(rename = "servicenow")]
    ServiceNow {
        /// What its field `approval` says when it is approved.
        approvals: Vec<String>,
        /// What its field `conflict_status` says when it is in conflict with another change.
        conflicts: Vec<String>,
    },
    /// GitHub: the states are labels of an open issue; places are beginnings of labels.
    #[serde(rename = "github")]
    GitHub,
    /// GitLab: the same.
    #[serde(rename = "gitlab")]
    GitLab,
    /// Any JSON document: places are JSON pointers (RFC 6901).
    Json {
        /// Where the state is.
        state: String,
    },
}

/// As whom a system is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketSignIn {
    /// Where the token or password is read.
    pub token: SecretSource,
    /// How it is sent.
    pub scheme: TicketScheme,
}

/// How a token is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketScheme {
    /// As a bearer token (RFC 6750).
    Bearer,
    /// As the password of this user (RFC 7617).
    Basic(String),
    /// As the value of this header.
    Header(String),
}

/// Letters and digits of the English alphabet with `- _ . # /` between them; no part between slashes is a path's own.
fn check_key(kind: &'static str, text: &str) -> Result<(), NameError> {
    const LIMIT: usize = 128;
    if text.is_empty() {
        return Err(NameError::Empty { kind });
    }
    let word = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '#');
        part.starts_with(|c: char| c.is_ascii_alphanumeric()) && part.chars().all(allowed)
    };
    if !text.split('/').all(word) || text.contains("..") {
        let rule = "write it as its system does, for example `CHG-12`, `CHG0030001` or `owner/repository#12`";
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
    fn keys_cannot_leave_their_place_in_an_address() {
        for text in ["CHG-12", "CHG0030001", "shop/web#12", "group/sub.group/web_site#7", "12"] {
            assert!(text.parse::<TicketKey>().is_ok(), "{text}");
        }
        for text in [
            "",
            "#12",
            "-x",
            "../admin",
            "a/../b",
            "a//b",
            "/a",
            "a/",
            "a/./b",
            "a/.b",
            "CHG-1?x=1",
            "CHG-1&a",
            "CHG 1",
            "CHG-1\n",
            "CHG-1\r\nHost: x",
            "CHG-1%2f",
            "a^ORnumber=b",
            "a=b",
            "a;b",
            "$(id)",
            "`id`",
            "a\\b",
            "a@b",
            "ÄCHG-1",
            "СHG-1",
            "a\u{202e}b",
        ] {
            assert!(text.parse::<TicketKey>().is_err(), "{text:?}");
        }
        assert!("a".repeat(129).parse::<TicketKey>().is_err());
    }
}
