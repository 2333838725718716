//! `pilotage edge leave`: what a pod does before it is stopped.

use crate::arguments::EdgeLeave;
use crate::failure::{DONE, Failure};
use crate::printer::Printer;

/// Says that no new connections are wanted, and waits until everybody has had the time to hear it. The edge serves on meanwhile.
pub async fn run(asked: &EdgeLeave, printer: &Printer) -> Result<u8, Failure> {
    // Kubernetes takes a pod that ends out of its Services by itself; the wait is what counts.
    if let Err(reason) = pilotage_kubernetes::leave(asked.status).await {
        printer.say(format!("nobody was told: {reason}"));
    }
    tokio::time::sleep(asked.time).await;
    Ok(DONE)
}
