//! Which of a listener's certificates a client gets.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::loaded::Loaded;
use super::names::parent;

/// The certificates of one listener by the names they are for. Of several for one name, the first in the table is
/// taken; an exact name goes before a wildcard.
#[derive(Debug, Default)]
pub(super) struct Selection {
    exact: HashMap<String, Arc<Loaded>>,
    /// By the name without `*.`.
    wildcards: HashMap<String, Arc<Loaded>>,
    /// For clients that ask for no name, or for one that no certificate is for.
    default: Option<Arc<Loaded>>,
}

impl Selection {
    /// From the listener's certificates, in the order of the table. Without any, every handshake is refused.
    pub(super) fn new(certificates: impl IntoIterator<Item = Arc<Loaded>>) -> Self {
        let mut selection = Self::default();
        for certificate in certificates {
            for name in &certificate.names.exact {
                selection.exact.entry(name.clone()).or_insert_with(|| Arc::clone(&certificate));
            }
            for name in &certificate.names.wildcards {
                selection.wildcards.entry(name.clone()).or_insert_with(|| Arc::clone(&certificate));
            }
            selection.default.get_or_insert(certificate);
        }
        selection
    }

    /// The certificate for a name in lower case, as the TLS library hands it on.
    pub(super) fn by_name(&self, name: &str) -> Option<&Arc<Loaded>> {
        let name = name.strip_suffix('.').unwrap_or(name);
        self.exact.get(name).or_else(|| self.wildcards.get(parent(name)?))
    }
}

impl ResolvesServerCert for Selection {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name().and_then(|name| self.by_name(name));
        named.or(self.default.as_ref()).map(|certificate| Arc::clone(&certificate.key))
    }
}
