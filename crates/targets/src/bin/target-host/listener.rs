//! The three ways in which a service is told where to listen.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixListener;

/// A connection of either kind.
pub trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    /// What the environment speaks of.
    pub fn find() -> io::Result<Self> {
        if std::env::var("LISTEN_PID").is_ok_and(|pid| pid == std::process::id().to_string()) {
            return Ok(Self::Unix(passed()));
        }
        if let Ok(path) = std::env::var("PILOTAGE_SOCKET") {
            return UnixListener::bind(path).map(Self::Unix);
        }
        let port = std::env::var("PORT").ok().and_then(|port| port.parse::<u16>().ok());
        let port = port.ok_or_else(|| io::Error::other("nobody says where"))?;
        TcpListener::bind(("127.0.0.1", port)).map(Self::Tcp)
    }

    /// Hands every connection on.
    pub fn serve(self, mut with: impl FnMut(Box<dyn Stream>)) {
        match self {
            Self::Tcp(listener) => listener.incoming().flatten().for_each(|stream| with(Box::new(stream))),
            Self::Unix(listener) => listener.incoming().flatten().for_each(|stream| with(Box::new(stream))),
        }
    }
}

#[expect(unsafe_code, reason = "descriptors are passed by their numbers; sd_listen_fds(3)")]
fn passed() -> UnixListener {
    // SAFETY: the environment says to this very process that the descriptor is its own.
    unsafe { OwnedFd::from_raw_fd(3) }.into()
}
