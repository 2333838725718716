//! Follows each instance, so that a crash is known within milliseconds.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::held::Held;
use super::orphan::Orphan;
use super::registry::Registry;
use super::shim::{ShimClient, ShimRequest};

const RECONNECT_AFTER: Duration = Duration::from_millis(20);

/// Follows one instance until it has ended.
pub async fn follow(held: Arc<Held>, registry: Arc<Registry>) {
    loop {
        listen(&held, &registry).await;
        if held.records().has_ended() {
            registry.forget(&held.record.name);
            return;
        }
        if !held.status().shim.is_alive() {
            break;
        }
        sleep(RECONNECT_AFTER).await;
    }
    // The exit record may have been written between the two looks.
    if held.records().has_ended() {
        registry.forget(&held.record.name);
        return;
    }
    lose(&held, &registry).await;
}

/// Takes in what the shim says, for as long as it says anything.
async fn listen(held: &Held, registry: &Registry) {
    let Ok(mut client) = ShimClient::ask(&held.socket, ShimRequest::Watch).await else { return };
    while let Ok(Some(status)) = client.next().await {
        if held.update(status) {
            registry.announce();
        }
    }
}

async fn lose(held: &Held, registry: &Registry) {
    let orphan = mark_lost(held, registry);
    orphan.ended().await;
    held.lose(orphan.without_traffic());
    registry.announce();
}

/// Notes that the shim of an instance has died.
pub fn mark_lost(held: &Held, registry: &Registry) -> Orphan {
    if let Some(known) = held.orphan() {
        return known;
    }
    // What was written last may know of a start that the connection did not tell of any more.
    if let Ok(Some(written)) = held.records().read() {
        held.update(written);
    }
    tracing::warn!(instance = held.record.name, "the supervisor of the instance has died");
    let orphan = Orphan::of(&held.status());
    held.lose(orphan.clone());
    registry.announce();
    orphan
}
