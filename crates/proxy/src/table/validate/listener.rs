//! How addresses are served.

use super::ListenerFault;
use crate::table::Listener;

pub(super) fn listener(listener: &Listener) -> Result<(), ListenerFault> {
    if listener.address.port() == 0 {
        return Err(ListenerFault::Port);
    }
    if let Some(port) = listener.redirect_to_https {
        if listener.is_encrypted() {
            return Err(ListenerFault::EncryptedRedirect);
        }
        if port == 0 {
            return Err(ListenerFault::RedirectPort);
        }
        if port == listener.address.port() {
            return Err(ListenerFault::RedirectToItself);
        }
    }
    for certificate in &listener.certificates {
        for file in [&certificate.chain, &certificate.key] {
            if !file.is_absolute() {
                return Err(ListenerFault::RelativeFile { file: file.display().to_string() });
            }
        }
    }
    Ok(())
}
