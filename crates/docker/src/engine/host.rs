//! Where an engine is.

use std::path::PathBuf;

use pilotage_spec::EngineHost;

/// The port of an engine that is reached with TLS, as registered with IANA.
const TLS_PORT: u16 = 2376;

/// The address of an engine, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A unix socket of this machine.
    Unix(PathBuf),
    /// A host on which `docker system dial-stdio` is run through the `ssh` program.
    Ssh {
        /// Whom to be there; else what the settings of `ssh` say.
        user: Option<String>,
        /// The host, or its name in the settings of `ssh`.
        host: String,
        /// Its port, unless it is the usual one.
        port: Option<u16>,
    },
    /// A port, with TLS.
    Tcp {
        /// The host, as its certificate names it.
        host: String,
        /// The port.
        port: u16,
    },
}

impl Place {
    /// Takes an address apart; `None` if a part of it is not what it has to be.
    pub fn read(address: &EngineHost) -> Option<Self> {
        match address {
            EngineHost::Unix(path) => Some(Self::Unix(path.into())),
            EngineHost::Ssh(place) => {
                let (user, place) = match place.split_once('@') {
                    Some((user, place)) => (Some(user), place),
                    None => (None, place.as_str()),
                };
                let (host, port) = host_and_port(place)?;
                let user_is_sound = user.is_none_or(is_word);
                user_is_sound.then(|| Self::Ssh { user: user.map(str::to_owned), host, port })
            }
            EngineHost::Tcp(place) => {
                let (host, port) = host_and_port(place)?;
                Some(Self::Tcp { host, port: port.unwrap_or(TLS_PORT) })
            }
        }
    }
}

/// `host`, `host:port`, `[::1]` or `[::1]:port`.
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            let port = if after.is_empty() { None } else { Some(after.strip_prefix(':')?) };
            (host, port)
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let is_host = is_word(host) || host.contains(':');
    let port = port.map(|port| port.parse::<u16>().ok().filter(|port| *port != 0));
    match (is_host, port) {
        (true, None) => Some((host.to_owned(), None)),
        (true, Some(Some(port))) => Some((host.to_owned(), Some(port))),
        _ => None,
    }
}

/// Letters, digits, `.`, `_` and `-`, and no `-` in front: it goes into an argument list, where it would be an option.
fn is_word(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !text.is_empty() && text.len() <= 253 && !text.starts_with('-') && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: &str) -> Option<Place> {
        address.parse().ok().as_ref().and_then(Place::read)
    }

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(read("unix:///run/docker.sock"), Some(Place::Unix("/run/docker.sock".into())));
        let host = "host.example.com".to_owned();
        let ssh = Place::Ssh { user: Some("deploy".into()), host: host.clone(), port: Some(2222) };
        assert_eq!(read("ssh://deploy@host.example.com:2222"), Some(ssh));
        assert_eq!(read("ssh://host.example.com"), Some(Place::Ssh { user: None, host, port: None }));
        assert_eq!(read("tcp://[::1]:2376"), Some(Place::Tcp { host: "::1".into(), port: 2376 }));
    }

    #[test]
    fn what_could_be_taken_for_an_option_is_refused() {
        for address in
            ["ssh://-l@host", "ssh://a@-b", "ssh://a@b@c", "ssh://host:0", "tcp://host:port", "tcp://[x]:1"]
        {
            assert_eq!(read(address), None, "{address}");
        }
    }
}
