//! What clients come back with to resume a session.

use std::sync::{Arc, OnceLock};

use tokio_rustls::rustls::crypto::aws_lc_rs::Ticketer;
use tokio_rustls::rustls::server::ProducesTickets;

/// How long a ticket is good for, in seconds: as long as the ticketer's own.
const LIFETIME: u32 = 12 * 60 * 60;

/// Tickets sealed under keys that change every six hours. The first keys are drawn when they are asked for: before it gives
/// a random number, the library gathers randomness for a tenth of a second, which an edge without TLS need not wait for.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    /// None if there were no random numbers to be had: all handshakes are full ones then.
    ticketer: OnceLock<Option<Arc<dyn ProducesTickets>>>,
}

impl Tickets {
    /// Draws the first keys, so that no handshake waits for them. Blocks.
    pub(super) fn prepare(&self) {
        self.ticketer();
    }

    fn ticketer(&self) -> Option<&dyn ProducesTickets> {
        let made = self.ticketer.get_or_init(|| {
            let made = Ticketer::new();
            made.inspect_err(|error| tracing::error!(%error, "TLS sessions cannot be resumed")).ok()
        });
        made.as_deref()
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        self.ticketer.get().and_then(Option::as_deref).map_or(LIFETIME, ProducesTickets::lifetime)
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.ticketer()?.encrypt(plain)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.ticketer()?.decrypt(cipher)
    }
}
