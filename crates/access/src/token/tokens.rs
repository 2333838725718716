//! Issuing, checking and revoking tokens. The journal is the only place where they are kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pilotage_journal::{Append, AppendError, Event, Expected, Journal, NewEvent, ReadError, StreamId};
use pilotage_spec::{NameError, PrincipalName, ProjectName, Timestamp};
use serde::Serialize;
use thiserror::Error;

use super::record::{Created, Named};
use super::register::Register;
use super::{LONGEST_LIFE, TokenFault, TokenId, TokenRecord, TokenRequest, TokenText};
use crate::RandomError;

/// Where tokens are recorded.
const STREAM: &str = "access/tokens";
/// Nobody has a use for more that count at the same time.
const TOKENS_LIMIT: usize = 100;
/// A purpose is a few words, in characters.
const PURPOSE_LIMIT: usize = 100;

/// Why a token cannot be issued or revoked.
#[derive(Debug, Error)]
pub enum TokenError {
    /// It would be good for too long, or not at all.
    #[error("a token is good for a minute at least and {} days at most", LONGEST_LIFE.as_secs() / 86_400)]
    Life,
    /// Its purpose cannot be shown in a list.
    #[error("the purpose of a token has {PURPOSE_LIMIT} characters at most, and no control characters")]
    Purpose,
    /// There are too many.
    #[error("`{principal}` has {TOKENS_LIMIT} tokens already: revoke some (`pilotage token list`)")]
    TooMany {
        /// In whose name they act.
        principal: PrincipalName,
    },
    /// There is no such token.
    #[error("there is no token `{id}`")]
    Unknown {
        /// What it was called.
        id: TokenId,
    },
    /// It was not recorded.
    #[error("nothing was recorded: {0}")]
    Append(#[from] AppendError),
    /// There are no random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// What is to be recorded cannot be written down.
    #[error("the token cannot be recorded: {0}")]
    Form(String),
}

impl From<NameError> for TokenError {
    fn from(error: NameError) -> Self {
        Self::Form(error.to_string())
    }
}

/// All tokens of a server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tokens {
    journal: Journal,
    register: Arc<Mutex<Register>>,
}

impl Tokens {
    /// The tokens that a journal tells of. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// Fails if the journal cannot be read.
    pub fn open(journal: Journal) -> Result<Self, ReadError> {
        let mut register = Register::default();
        if let Ok(stream) = STREAM.parse::<StreamId>() {
            journal.stream(&stream, 0)?.iter().for_each(|event| register.apply(event));
        }
        Ok(Self { journal, register: Arc::new(Mutex::new(register)) })
    }

    /// Issues a token, which is given back this once.
    ///
    /// # Errors
    /// Fails if it asks for too much, or cannot be recorded; then it counts for nothing.
    pub async fn issue(
        &self,
        request: TokenRequest,
        project: ProjectName,
        issued_by: PrincipalName,
        now: Timestamp,
    ) -> Result<(TokenText, TokenRecord), TokenError> {
        self.check_request(&request, now)?;
        let text = TokenText::new()?;
        let created = Created {
            id: text.id(),
            kind: request.kind,
            principal: request.principal,
            purpose: request.purpose,
            project,
            scope: request.scope,
            issued_by,
            expires: now.plus(request.life),
            sha256: text.hash(),
        };
        let actor = created.issued_by.to_string();
        self.record("token.created", &actor, &created).await?;
        let record = self.register().get(&text.id()).cloned();
        record.map(|record| (text, record)).ok_or_else(|| TokenError::Form("its name is taken".to_owned()))
    }

    fn check_request(&self, request: &TokenRequest, now: Timestamp) -> Result<(), TokenError> {
        if request.life.as_secs() < 60 || request.life > LONGEST_LIFE {
            return Err(TokenError::Life);
        }
        let purpose = &request.purpose;
        if purpose.chars().count() > PURPOSE_LIMIT || purpose.chars().any(char::is_control) {
            return Err(TokenError::Purpose);
        }
        if self.register().count(&request.principal, now) >= TOKENS_LIMIT {
            return Err(TokenError::TooMany { principal: request.principal.clone() });
        }
        Ok(())
    }

    /// Whether a token counts, and what is known of it. That it was used is recorded at most once an hour, in the
    /// background.
    ///
    /// # Errors
    /// Says why it counts for nothing.
    pub fn check(
        &self,
        token: &TokenText,
        project: &ProjectName,
        now: Timestamp,
    ) -> Result<TokenRecord, TokenFault> {
        let (record, is_due) = self.register().check(token, project, now)?;
        if is_due {
            let (tokens, actor, used) =
                (self.clone(), record.principal.to_string(), Named { id: record.id.clone() });
            // A use that is not recorded makes the list less exact and nothing less safe.
            tokio::spawn(async move { tokens.record("token.used", &actor, &used).await });
        }
        Ok(record)
    }

    /// Revokes a token; it counts for nothing from now on. Revoking one again changes nothing.
    ///
    /// # Errors
    /// Fails if there is none of this name, or it cannot be recorded.
    pub async fn revoke(&self, id: &TokenId, by: &PrincipalName) -> Result<TokenRecord, TokenError> {
        let known = self.get(id).ok_or_else(|| TokenError::Unknown { id: id.clone() })?;
        if known.revoked.is_none() {
            self.record("token.revoked", by.as_str(), &Named { id: id.clone() }).await?;
        }
        self.get(id).ok_or_else(|| TokenError::Unknown { id: id.clone() })
    }

    /// What is known of a token.
    pub fn get(&self, id: &TokenId) -> Option<TokenRecord> {
        self.register().get(id).cloned()
    }

    /// Those that count at this time, oldest first.
    pub fn live(&self, now: Timestamp) -> Vec<TokenRecord> {
        self.register().live(now)
    }

    async fn record(&self, kind: &str, actor: &str, payload: &impl Serialize) -> Result<(), TokenError> {
        let payload = serde_json::to_value(payload).map_err(|error| TokenError::Form(error.to_string()))?;
        let event = NewEvent::new(kind.parse()?, payload);
        let append = Append::new(STREAM.parse()?, Expected::Any, actor, vec![event]);
        let recorded: Vec<Event> = self.journal.append(append).await?;
        let mut register = self.register();
        recorded.iter().for_each(|event| register.apply(event));
        Ok(())
    }

    fn register(&self) -> MutexGuard<'_, Register> {
        // Every change to it is one assignment: what a panicking holder leaves behind is whole.
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
