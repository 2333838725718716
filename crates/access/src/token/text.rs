//! What a token looks like: `plt_ID_SECRETCHECK`. The prefix lets scanners find one that has leaked; the check lets a
//! mistyped one be told from a wrong one without asking anybody.

use std::fmt;
use std::str::FromStr;

use pilotage_spec::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::{base62, checksum};
use crate::random::{self, RandomError};

/// How every token begins.
const PREFIX: &str = "plt_";
/// Digits of 64 random bits.
const ID_DIGITS: usize = 11;
/// Digits of 256 random bits.
const SECRET_DIGITS: usize = 43;
/// Digits of 32 bits of checksum.
const CHECK_DIGITS: usize = 6;

/// A token as its holder has it. It is shown once, to whom it is given; nothing prints it by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenText(String);

/// The part of a token that is no secret, and by which it is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenId(String);

/// A text that is no token. It is not repeated: it may be one that was mistyped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TokenTextError {
    /// It does not look like one.
    #[error("it does not look like one: `plt_`, {ID_DIGITS} letters and digits, `_`, {} letters and digits", SECRET_DIGITS + CHECK_DIGITS)]
    Form,
    /// It looks like one, and its last characters do not fit the others.
    #[error("it was cut or mistyped: its last characters do not fit the others")]
    Checksum,
    /// A text that is not the name of a token.
    #[error("a token is called by the {ID_DIGITS} letters and digits behind `plt_`")]
    Id,
}

impl TokenText {
    /// A token that nobody has seen.
    ///
    /// # Errors
    /// Fails if there are no random bytes.
    pub fn new() -> Result<Self, RandomError> {
        let id = base62::encode(&random::bytes::<8>()?, ID_DIGITS);
        let secret = base62::encode(&random::bytes::<32>()?, SECRET_DIGITS);
        let body = format!("{PREFIX}{id}_{secret}");
        let check = check_of(&body);
        Ok(Self(body + &check))
    }

    /// What is to be shown once, or sent.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The part that is no secret.
    pub fn id(&self) -> TokenId {
        TokenId(self.0.chars().skip(PREFIX.len()).take(ID_DIGITS).collect())
    }

    /// What is stored of it. With 256 random bits in it, one hash is as good as many: there is nothing to guess.
    pub fn hash(&self) -> Digest {
        Digest::from_bytes(Sha256::digest(self.0.as_bytes()).into())
    }
}

fn check_of(body: &str) -> String {
    base62::encode(&checksum::crc32(body.as_bytes()).to_be_bytes(), CHECK_DIGITS)
}

impl FromStr for TokenText {
    type Err = TokenTextError;

    fn from_str(text: &str) -> Result<Self, TokenTextError> {
        let rest = text.strip_prefix(PREFIX).ok_or(TokenTextError::Form)?;
        let (id, secret) = rest.split_once('_').ok_or(TokenTextError::Form)?;
        let lengths = (id.len(), secret.len()) == (ID_DIGITS, SECRET_DIGITS + CHECK_DIGITS);
        if !lengths || !base62::is_encoded(id) || !base62::is_encoded(secret) {
            return Err(TokenTextError::Form);
        }
        // All of it is ASCII by now.
        let (body, check) = text.split_at(text.len() - CHECK_DIGITS);
        if check_of(body) != check {
            return Err(TokenTextError::Checksum);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_…", self.id())
    }
}

impl TokenId {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TokenId {
    type Err = TokenTextError;

    fn from_str(text: &str) -> Result<Self, TokenTextError> {
        let is_id = text.len() == ID_DIGITS && base62::is_encoded(text);
        if is_id { Ok(Self(text.to_owned())) } else { Err(TokenTextError::Id) }
    }
}

impl TryFrom<String> for TokenId {
    type Error = TokenTextError;

    fn try_from(text: String) -> Result<Self, TokenTextError> {
        text.parse()
    }
}

impl From<TokenId> for String {
    fn from(id: TokenId) -> Self {
        id.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_two_tokens_are_alike_and_each_is_read_as_it_is_written() {
        let (one, other) = (TokenText::new().unwrap(), TokenText::new().unwrap());
        assert!(one != other && one.id() != other.id() && one.hash() != other.hash());
        assert_eq!(one.reveal().parse(), Ok(one.clone()));
        assert_eq!(one.id().as_str().parse(), Ok(one.id()));
        assert_eq!(one.reveal().len(), 4 + 11 + 1 + 43 + 6);
    }

    #[test]
    fn the_secret_is_not_in_what_is_printed() {
        let token = TokenText::new().unwrap();
        let secret = token.reveal().rsplit_once('_').unwrap().1;
        let printed = format!("{token:?} {:?} {}", token.reveal().parse::<TokenText>(), token.id());
        assert!(!printed.contains(secret) && printed.contains(token.id().as_str()));
    }

    proptest! {
        #[test]
        fn a_token_that_was_changed_anywhere_is_refused(place in 0_usize..65, by in 1_u8..95) {
            let token = TokenText::new().unwrap();
            let mut bytes = token.reveal().as_bytes().to_vec();
            bytes[place] = b' ' + (bytes[place] - b' ' + by) % 95;
            let changed = String::from_utf8(bytes).unwrap();
            prop_assert!(changed.parse::<TokenText>().is_err(), "{place}: {changed}");
        }

        #[test]
        fn a_token_that_was_cut_is_refused(length in 0_usize..65, from in 1_usize..65) {
            let token = TokenText::new().unwrap();
            prop_assert!(token.reveal()[..length].parse::<TokenText>().is_err());
            prop_assert!(token.reveal()[from..].parse::<TokenText>().is_err());
        }

        #[test]
        fn no_text_breaks_the_reader_and_no_error_repeats_it(text in "\\PC{0,80}") {
            if let Err(error) = text.parse::<TokenText>() {
                prop_assert!(text.len() < 12 || !error.to_string().contains(&text));
            }
        }

        #[test]
        fn what_looks_like_a_token_and_is_none_is_refused(text in "plt_[0-9A-Za-z]{11}_[0-9A-Za-z]{49}") {
            prop_assert_eq!(text.parse::<TokenText>(), Err(TokenTextError::Checksum));
        }
    }
}
