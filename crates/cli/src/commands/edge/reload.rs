//! `pilotage edge reload`.

use std::time::Duration;

use pilotage_proxy::{EdgeClient, EdgeClientError, Identity, Replacement};

use super::socket;
use crate::arguments::{EdgeReload, Global};
use crate::failure::{DONE, Failure};
use crate::printer::Printer;
use crate::words::span;

pub async fn run(asked: &EdgeReload, global: &Global, printer: &Printer) -> Result<u8, Failure> {
    let executable = match &asked.executable {
        // The edge has a current folder of its own.
        Some(path) => Some(std::path::absolute(path)?),
        None => None,
    };
    let socket = socket(asked.socket.as_ref(), global)?;
    let edge = EdgeClient::connect(&socket).await.map_err(failure)?;
    printer.say("starting a new edge; the one that runs serves until it is ready");
    let replacement = edge.reload(executable.as_deref()).await.map_err(failure)?;
    if printer.json() {
        printer.object(&replacement);
    } else {
        printer.line(format!("✓ {}", words(&replacement)));
    }
    Ok(DONE)
}

fn failure(error: EdgeClientError) -> Failure {
    match error {
        EdgeClientError::Unreachable { socket, .. } => {
            let message = format!("no edge runs: nobody answers on {}", socket.display());
            Failure::failed(message).hint("`pilotage up` starts it with what was deployed")
        }
        other => Failure::failed(other.to_string()),
    }
}

/// What was replaced by what, in a sentence.
pub(super) fn words(replacement: &Replacement) -> String {
    let Replacement { from, to, addresses, connections, grace_ms } = replacement;
    let connections = usize::try_from(*connections).unwrap_or(usize::MAX);
    let left = match connections {
        0 => "it had no connection left to finish".to_owned(),
        1 => format!("1 connection drains for at most {}", span(Duration::from_millis(*grace_ms))),
        many => format!("{many} connections drain for at most {}", span(Duration::from_millis(*grace_ms))),
    };
    format!("edge {} handed {} to {}; {left}", named(from), addresses_in_words(*addresses), named(to))
}

fn named(edge: &Identity) -> String {
    format!("{} ({})", edge.pid, edge.version)
}

fn addresses_in_words(addresses: usize) -> String {
    if addresses == 1 { "1 address".to_owned() } else { format!("{addresses} addresses") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_reads_as_a_sentence() {
        let edge = |pid| Identity { pid, version: "0.1.0".into(), started_micros: 0 };
        let replacement =
            Replacement { from: edge(4711), to: edge(4802), addresses: 3, connections: 12, grace_ms: 30_000 };
        assert_eq!(
            words(&replacement),
            "edge 4711 (0.1.0) handed 3 addresses to 4802 (0.1.0); 12 connections drain for at most 30.0 s"
        );
        let quiet = Replacement { addresses: 1, connections: 0, ..replacement };
        assert_eq!(
            words(&quiet),
            "edge 4711 (0.1.0) handed 1 address to 4802 (0.1.0); it had no connection left to finish"
        );
    }
}
