//! Files in the repository that were encrypted with age (<https://age-encryption.org/v1>), binary or armored.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use age::armor::ArmoredReader;
use age::{Decryptor, IdentityFile};
use pilotage_spec::SecretKey;
use serde_json::Value;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::file::read_bytes;
use crate::secret::read_limited;
use crate::{FileError, LIMIT_BYTES, Secret};

/// Why an age file does not yield a secret. Nothing of what was decrypted is repeated.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AgeError {
    /// The identity is none.
    #[error(
        "`secrets.age.identity` holds no usable identity; it must be lines such as `AGE-SECRET-KEY-1…`, as age-keygen writes \
         them, without a passphrase"
    )]
    Identity,
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// It cannot be decrypted.
    #[error("{} cannot be decrypted: {reason}", .path.display())]
    Sealed {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// More than a secret may have.
    #[error("{} holds more than {} KiB; keep less in one file", .path.display(), LIMIT_BYTES >> 10)]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// The wanted field is not there.
    #[error("{} has no field `{field}`: {reason}", .path.display())]
    NoField {
        /// The file.
        path: PathBuf,
        /// The field.
        field: String,
        /// What is there instead.
        reason: &'static str,
    },
}

/// The secret in a file; blocks for as long as that takes.
pub(crate) fn read(path: &Path, field: Option<&SecretKey>, identity: &Secret) -> Result<Secret, AgeError> {
    let plain = decrypted(path, identity)?;
    match field {
        None => Ok(Secret::of_text(plain.to_vec())),
        Some(field) => value_of(&plain, field.as_str()).map_err(|reason| AgeError::NoField {
            path: path.to_owned(),
            field: field.to_string(),
            reason,
        }),
    }
}

fn decrypted(path: &Path, identity: &Secret) -> Result<Zeroizing<Vec<u8>>, AgeError> {
    let identities = IdentityFile::from_buffer(BufReader::new(identity.expose()))
        .ok()
        .and_then(|file| file.into_identities().ok())
        .filter(|identities| !identities.is_empty())
        .ok_or(AgeError::Identity)?;
    let sealed = read_bytes(path)?;
    let failed = |reason: String| AgeError::Sealed { path: path.to_owned(), reason };
    let decryptor = Decryptor::new(ArmoredReader::new(sealed.as_slice()))
        .map_err(|error| failed(format!("it is not an age file ({error}); encrypt it with age or rage")))?;
    let plain = decryptor.decrypt(identities.iter().map(|identity| &**identity as &dyn age::Identity));
    let plain = plain.map_err(|error| match error {
        age::DecryptError::NoMatchingKeys => failed(
            "it was not encrypted for the identity of `secrets.age`; encrypt it for its public key"
                .to_owned(),
        ),
        other => failed(format!("{other}; restore it, or encrypt it anew")),
    })?;
    let read =
        read_limited(plain).map_err(|error| failed(format!("{error}; restore it, or encrypt it anew")))?;
    read.ok_or_else(|| AgeError::TooLong { path: path.to_owned() })
}

/// A field of a JSON object, or of lines such as `KEY=value` (with `#` comments, and quotes around the value if there are any).
fn value_of(plain: &[u8], field: &str) -> Result<Secret, &'static str> {
    let text = std::str::from_utf8(plain).map_err(|_| "the decrypted file is not text")?;
    if text.trim_start().starts_with('{') {
        // The value lies in memory that is not wiped until it is used again: JSON has no other reader here.
        let object: Value = serde_json::from_str(text).map_err(|_| "the decrypted file is not whole JSON")?;
        return match object.get(field) {
            Some(Value::String(text)) => Ok(Secret::new(text.as_bytes())),
            Some(Value::Number(number)) => Ok(Secret::new(number.to_string())),
            Some(Value::Bool(truth)) => Ok(Secret::new(truth.to_string())),
            Some(_) => Err("it is there, and is neither a text nor a number"),
            None => Err("it has other fields; correct the name behind the `#`"),
        };
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let mut pairs = lines.filter_map(|line| line.strip_prefix("export ").unwrap_or(line).split_once('='));
    let found = pairs.find(|(key, _)| key.trim() == field);
    let (_, value) = found.ok_or("none of its lines begins with that name and `=`")?;
    Ok(Secret::new(unquoted(value.trim())))
}

fn unquoted(value: &str) -> &str {
    let between = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    between('"').or_else(|| between('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(plain: &str, name: &str) -> Result<String, &'static str> {
        value_of(plain.as_bytes(), name).map(|secret| secret.expose_text().unwrap().to_owned())
    }

    #[test]
    fn a_field_is_found_in_json_and_in_lines() {
        let json = r#" {"password": "p\"w", "port": 5432, "tls": true, "list": []}"#;
        assert_eq!(field(json, "password").unwrap(), "p\"w");
        assert_eq!(field(json, "port").unwrap(), "5432");
        assert_eq!(field(json, "tls").unwrap(), "true");
        assert_eq!(field(json, "list").unwrap_err(), "it is there, and is neither a text nor a number");
        assert_eq!(
            field(json, "absent").unwrap_err(),
            "it has other fields; correct the name behind the `#`"
        );
        let lines = "# PASSWORD=old\nUSER = shop\nexport PASSWORD=\"a=b\"\r\nTOKEN='x y'\nEMPTY=\n";
        assert_eq!(field(lines, "USER").unwrap(), "shop");
        assert_eq!(field(lines, "PASSWORD").unwrap(), "a=b");
        assert_eq!(field(lines, "TOKEN").unwrap(), "x y");
        assert_eq!(field(lines, "EMPTY").unwrap(), "");
        assert!(field(lines, "NONE").unwrap_err().starts_with("none of its lines"));
        assert!(field("{\"a\": ", "a").unwrap_err().contains("not whole JSON"));
    }
}
