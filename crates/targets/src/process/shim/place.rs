//! Where the service listens, from one run to the next.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use pilotage_proxy::Address;
use pilotage_spec::ListenOn;

use super::port::ReservedPort;
use super::spec::ShimSpec;

/// Where one run of the service listens.
#[derive(Debug)]
pub enum Place {
    /// Nowhere that concerns us.
    Nowhere,
    /// At a port of 127.0.0.1.
    Port(u16),
    /// At a unix socket that it creates.
    Socket(PathBuf),
    /// At a unix socket that it is handed.
    Passed(PathBuf, OwnedFd),
}

impl Place {
    /// The address; `None` if it is to be reached by nobody.
    pub fn address(&self) -> Option<Address> {
        match self {
            Self::Nowhere => None,
            Self::Port(port) => Some(Address::Tcp(([127, 0, 0, 1], *port).into())),
            Self::Socket(path) | Self::Passed(path, _) => Some(Address::Unix(path.clone())),
        }
    }

    /// The variable that tells the service, with its value. A socket that is handed over needs none.
    pub fn variable(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Nowhere | Self::Passed(..) => None,
            Self::Port(port) => Some(("PORT", port.to_string())),
            Self::Socket(path) => Some(("PILOTAGE_SOCKET", path.to_string_lossy().into_owned())),
        }
    }
}

/// What is kept for the service while it is started again.
#[derive(Debug, Default)]
pub struct Seat {
    port: Option<ReservedPort>,
    /// Connections wait in it until the service runs.
    listener: Option<UnixListener>,
}

impl Seat {
    /// The place for the next run: the same as before, unless somebody else has taken the port meanwhile.
    pub fn place(&mut self, spec: &ShimSpec) -> Result<Place, String> {
        match (&spec.health, &spec.service_socket) {
            (None, _) => Ok(Place::Nowhere),
            (Some(_), None) => self.port(),
            (Some(_), Some(path)) if spec.listen == ListenOn::Passed => {
                self.passed(path).map_err(|error| cannot_listen(path, &error))
            }
            (Some(_), Some(path)) => {
                // Whoever creates a socket fails if one is there, even if nobody listens at it any more.
                remove(path).map_err(|error| cannot_listen(path, &error))?;
                Ok(Place::Socket(path.clone()))
            }
        }
    }

    fn port(&mut self) -> Result<Place, String> {
        if !self.port.as_ref().is_some_and(ReservedPort::is_free) {
            self.port = ReservedPort::choose(None);
        }
        let port = self.port.as_ref().map(ReservedPort::port);
        port.map(Place::Port).ok_or_else(|| {
            "found no free port from 20000 to 31999; stop something that listens there, then try again"
                .to_owned()
        })
    }

    fn passed(&mut self, path: &Path) -> io::Result<Place> {
        let listener = match self.listener.take() {
            Some(listener) => listener,
            None => listen(path)?,
        };
        let passed = listener.try_clone()?;
        // All copies share this, and the run before may have changed it.
        passed.set_nonblocking(false)?;
        self.listener = Some(listener);
        Ok(Place::Passed(path.to_owned(), passed.into()))
    }
}

/// Listens at a path, for this user alone.
fn listen(path: &Path) -> io::Result<UnixListener> {
    remove(path)?;
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn cannot_listen(path: &Path, error: &io::Error) -> String {
    format!("its socket {} cannot be prepared: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn connections_wait_in_a_passed_socket_while_nobody_serves_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("service.http");
        let mut seat = Seat::default();
        let first = seat.passed(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        drop(first);
        let _waiting = UnixStream::connect(&path).unwrap();
        let Place::Passed(_, descriptor) = seat.passed(&path).unwrap() else { panic!("not passed") };
        UnixListener::from(descriptor).accept().unwrap();
    }
}
