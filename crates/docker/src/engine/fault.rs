//! What an engine's refusals mean.

use std::error::Error as _;
use std::io;

use bollard::errors::Error;

/// Why a request came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The engine was not reached, or did not answer. It may be there again in a moment.
    Unreachable {
        /// Why, and what to do.
        reason: String,
    },
    /// There is no such thing.
    NotFound {
        /// The engine's words.
        message: String,
    },
    /// A name is taken, or a thing is in a state in which this cannot be done.
    Conflict {
        /// The engine's words.
        message: String,
    },
    /// We may not do this.
    Forbidden {
        /// The engine's words.
        message: String,
    },
    /// The engine's disk is full.
    NoRoom,
    /// Anything else that the engine refuses.
    Refused {
        /// The status of its answer, if it gave one.
        status: Option<u16>,
        /// Its words.
        message: String,
    },
}

impl Fault {
    /// What an error of the library means. `last_words` are those of the program that makes the connection, if one does.
    pub fn of(error: &Error, last_words: Option<String>) -> Self {
        match error {
            Error::DockerResponseServerError { status_code, message } => answered(*status_code, message),
            Error::DockerStreamError { error } => message(None, error),
            Error::RequestTimeoutError => Self::Unreachable {
                reason: "it did not answer in time; see whether it is overloaded".to_owned(),
            },
            Error::IOError { err } => unreachable(err, last_words),
            Error::HyperResponseError { err } => {
                let ended =
                    || "the connection was closed before it answered; it may be starting again".to_owned();
                let io = err.source().and_then(|source| source.downcast_ref::<io::Error>());
                match (io, last_words) {
                    (_, Some(words)) => Self::Unreachable { reason: explain_ssh(&words) },
                    (Some(io), None) => unreachable(io, None),
                    (None, None) => Self::Unreachable { reason: ended() },
                }
            }
            other => Self::Refused { status: None, message: one_line(&other.to_string()) },
        }
    }

    /// What is said of it.
    pub fn words(&self) -> String {
        match self {
            Self::Unreachable { reason } => reason.clone(),
            Self::NotFound { message } | Self::Conflict { message } | Self::Forbidden { message } => {
                message.clone()
            }
            Self::NoRoom => "there is no room left on its disk".to_owned(),
            Self::Refused { status: Some(status), message } => format!("it answered {status}: {message}"),
            Self::Refused { status: None, message } => message.clone(),
        }
    }
}

fn answered(status: u16, text: &str) -> Fault {
    match status {
        404 => Fault::NotFound { message: one_line(text) },
        409 => Fault::Conflict { message: one_line(text) },
        401 | 403 => Fault::Forbidden { message: one_line(text) },
        status => message(Some(status), text),
    }
}

fn message(status: Option<u16>, text: &str) -> Fault {
    if text.contains("no space left on device") || text.contains("disk quota exceeded") {
        return Fault::NoRoom;
    }
    Fault::Refused { status, message: one_line(text) }
}

fn unreachable(error: &io::Error, last_words: Option<String>) -> Fault {
    let text = error.to_string();
    let mend = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "; this user may not use its socket: add it to the group that owns the socket (mostly `docker`)"
        }
        io::ErrorKind::NotFound => "; is the engine installed, and is `host` right?",
        io::ErrorKind::ConnectionRefused => "; start the engine, or correct `host`",
        io::ErrorKind::InvalidData if text.contains("UnknownIssuer") => {
            "; its certificate is not signed by an authority of `tls.ca`: name the one that signed it"
        }
        io::ErrorKind::InvalidData
            if text.contains("NotValidForName") || text.contains("not valid for name") =>
        {
            "; its certificate is for another host: write the host of `host` as the certificate does"
        }
        io::ErrorKind::InvalidData if text.contains("Expired") => "; its certificate has expired: renew it",
        _ if text.contains("alert") => "; it does not accept our certificate: see `tls.cert` and `tls.key`",
        _ => "",
    };
    match last_words {
        Some(words) => Fault::Unreachable { reason: explain_ssh(&words) },
        None => Fault::Unreachable { reason: format!("{text}{mend}") },
    }
}

/// The words of `ssh` with what to do about them.
fn explain_ssh(words: &str) -> String {
    let mend =
        if words.contains("Host key verification failed") || words.contains("REMOTE HOST IDENTIFICATION") {
            "; its key is not known: compare it with the host's own, then add it to `known_hosts`"
        } else if words.contains("Permission denied") {
            "; the host does not let us in: see the key that `ssh` uses"
        } else if words.contains("docker: command not found") || words.contains("docker: not found") {
            "; the program `docker` is not on the PATH there"
        } else {
            ""
        };
    format!("ssh says: {}{mend}", one_line(words))
}

/// Engines answer in several lines at times; a message of ours is one.
fn one_line(text: &str) -> String {
    const LIMIT: usize = 600;
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(LIMIT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(status_code: u16, message: &str) -> Fault {
        Fault::of(&Error::DockerResponseServerError { status_code, message: message.into() }, None)
    }

    #[test]
    fn answers_are_told_apart() {
        assert!(matches!(server(404, "No such container"), Fault::NotFound { .. }));
        assert!(matches!(server(409, "in use"), Fault::Conflict { .. }));
        assert!(matches!(server(403, "denied by a plugin"), Fault::Forbidden { .. }));
        assert_eq!(server(500, "write /x: no space left on device"), Fault::NoRoom);
        let refused = server(500, "driver failed\nprogramming");
        assert!(refused.words() == "it answered 500: driver failed programming");
    }

    #[test]
    fn what_is_in_the_way_is_said_with_the_mend() {
        let said = |kind, text: &str, words: Option<&str>| {
            let error = Error::IOError { err: io::Error::new(kind, text.to_owned()) };
            Fault::of(&error, words.map(str::to_owned)).words()
        };
        use io::ErrorKind::{InvalidData, NotFound, PermissionDenied, UnexpectedEof};
        assert!(said(PermissionDenied, "Permission denied", None).contains("group"));
        assert!(said(NotFound, "No such file", None).contains("`host`"));
        assert!(said(InvalidData, "invalid peer certificate: UnknownIssuer", None).contains("`tls.ca`"));
        assert!(said(InvalidData, "received fatal alert: CertificateRequired", None).contains("`tls.cert`"));
        let ssh = said(UnexpectedEof, "eof", Some("Host key verification failed."));
        assert!(ssh.contains("known_hosts"), "{ssh}");
    }
}
