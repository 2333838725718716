//! All tokens, as the journal tells.

use std::collections::BTreeMap;

use constant_time_eq::constant_time_eq_32;
use pilotage_journal::Event;
use pilotage_spec::{Digest, PrincipalName, ProjectName, Timestamp};
use thiserror::Error;

use super::record::{Created, Named};
use super::{TokenId, TokenRecord, TokenText};

/// A use is recorded again after so long, in microseconds: an hour.
const USE_EVERY_MICROS: i64 = 3_600_000_000;

/// Why a token counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TokenFault {
    /// It was never issued here.
    #[error("this token was not issued here")]
    Unknown,
    /// It was issued for another project.
    #[error("this token was issued for another project")]
    OtherProject,
    /// It was revoked.
    #[error("this token was revoked")]
    Revoked,
    /// Its time is over.
    #[error("this token has expired")]
    Expired,
}

/// All tokens, as the journal tells.
#[derive(Debug, Default)]
pub(super) struct Register {
    tokens: BTreeMap<TokenId, Held>,
}

#[derive(Debug)]
struct Held {
    record: TokenRecord,
    project: ProjectName,
    hash: Digest,
}

impl Register {
    /// Takes in the next event. What cannot be read is passed over: a token that is not known counts for nothing. Only a
    /// revocation must not get lost; it names the token alone, and is read wherever the name can be.
    pub(super) fn apply(&mut self, event: &Event) {
        match event.kind.as_str() {
            "token.created" => {
                if let Ok(created) = serde_json::from_value::<Created>(event.payload.clone()) {
                    self.create(created, event.time);
                }
            }
            "token.revoked" => {
                if let Some(held) = self.named(event) {
                    held.record.revoked = Some((event.time, event.actor.clone()));
                }
            }
            "token.used" => {
                if let Some(held) = self.named(event) {
                    held.record.used = held.record.used.max(Some(event.time));
                }
            }
            _ => {}
        }
    }

    fn named(&mut self, event: &Event) -> Option<&mut Held> {
        let named: Named = serde_json::from_value(event.payload.clone()).ok()?;
        self.tokens.get_mut(&named.id)
    }

    fn create(&mut self, created: Created, at: Timestamp) {
        let record = TokenRecord {
            id: created.id.clone(),
            kind: created.kind,
            principal: created.principal,
            purpose: created.purpose,
            scope: created.scope,
            issued: at,
            issued_by: created.issued_by,
            expires: created.expires,
            used: None,
            revoked: None,
        };
        let held = Held { record, project: created.project, hash: created.sha256 };
        // The first one stays: nothing that is recorded later makes another token of it.
        self.tokens.entry(created.id).or_insert(held);
    }

    /// What is known of a token that somebody presents, and whether this use is to be recorded.
    pub(super) fn check(
        &mut self,
        token: &TokenText,
        project: &ProjectName,
        now: Timestamp,
    ) -> Result<(TokenRecord, bool), TokenFault> {
        let held = self.tokens.get_mut(&token.id()).ok_or(TokenFault::Unknown)?;
        if !constant_time_eq_32(held.hash.as_bytes(), token.hash().as_bytes()) {
            return Err(TokenFault::Unknown);
        }
        if held.project != *project {
            return Err(TokenFault::OtherProject);
        }
        if held.record.revoked.is_some() {
            return Err(TokenFault::Revoked);
        }
        if now >= held.record.expires {
            return Err(TokenFault::Expired);
        }
        let is_due = |used: Timestamp| now.as_micros().saturating_sub(used.as_micros()) >= USE_EVERY_MICROS;
        let is_due = held.record.used.is_none_or(is_due);
        if is_due {
            held.record.used = Some(now);
        }
        Ok((held.record.clone(), is_due))
    }

    pub(super) fn get(&self, id: &TokenId) -> Option<&TokenRecord> {
        self.tokens.get(id).map(|held| &held.record)
    }

    /// Those that count at this time, oldest first.
    pub(super) fn live(&self, now: Timestamp) -> Vec<TokenRecord> {
        let live = self.tokens.values().map(|held| &held.record).filter(|record| record.is_live(now));
        let mut live: Vec<TokenRecord> = live.cloned().collect();
        live.sort_by_key(|record| record.issued);
        live
    }

    /// How many count at this time in somebody's name.
    pub(super) fn count(&self, principal: &PrincipalName, now: Timestamp) -> usize {
        let records = self.tokens.values().map(|held| &held.record);
        records.filter(|record| record.principal == *principal && record.is_live(now)).count()
    }
}
