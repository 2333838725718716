//! What is known of a token, and what the journal holds of it.

use std::time::Duration;

use pilotage_spec::{Digest, PrincipalName, ProjectName, Timestamp};
use serde::{Deserialize, Serialize};

use super::TokenId;
use crate::Scope;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// For programs, and for people from afar.
    Api,
    /// For somebody who has signed in.
    Session,
}

/// A token that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// What it is for.
    pub kind: TokenKind,
    /// In whose name it acts.
    pub principal: PrincipalName,
    /// What it is called, for the list.
    pub purpose: String,
    /// What it may be used for.
    pub scope: Scope,
    /// How long it is good for.
    pub life: Duration,
}

/// What is known of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// By what it is called.
    pub id: TokenId,
    /// What it is for.
    pub kind: TokenKind,
    /// In whose name it acts.
    pub principal: PrincipalName,
    /// What it is called.
    pub purpose: String,
    /// What it may be used for.
    pub scope: Scope,
    /// When it was issued.
    pub issued: Timestamp,
    /// Who issued it.
    pub issued_by: PrincipalName,
    /// From when on it counts for nothing.
    pub expires: Timestamp,
    /// When it was used last, to the hour.
    pub used: Option<Timestamp>,
    /// When it was revoked, and by whom.
    pub revoked: Option<(Timestamp, String)>,
}

/// `token.created`, as the journal holds it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Created {
    pub(super) id: TokenId,
    pub(super) kind: TokenKind,
    pub(super) principal: PrincipalName,
    pub(super) purpose: String,
    pub(super) project: ProjectName,
    #[serde(default)]
    pub(super) scope: Scope,
    pub(super) issued_by: PrincipalName,
    pub(super) expires: Timestamp,
    pub(super) sha256: Digest,
}

/// `token.revoked` and `token.used`, as the journal holds them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) id: TokenId,
}

impl TokenRecord {
    /// Whether it counts at this time.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.expires
    }
}
