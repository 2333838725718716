//! Bringing an edge of an older make up to this program.

use std::path::Path;

use pilotage_proxy::EdgeClient;

use super::reload::words;
use crate::printer::Printer;

/// Puts this program in the place of the edge, if that was started from an older one. Where that fails, the edge serves on,
/// and it is said why.
pub async fn renew(socket: &Path, printer: &Printer) {
    let Ok(program) = std::env::current_exe() else { return };
    // Whoever has no edge yet gets one of this make.
    let Ok(edge) = EdgeClient::connect(socket).await else { return };
    match edge.identify().await {
        Ok(identity) if identity.is_outdated(&program) => {}
        _ => return,
    }
    match edge.reload(Some(&program)).await {
        Ok(replacement) => printer.say(format!("✓ the edge is of this make now: {}", words(&replacement))),
        Err(error) => {
            printer.say(format!("the edge is of an older make, and serves on: {error}"));
            printer.hint("`pilotage edge reload` tries it again");
        }
    }
}
