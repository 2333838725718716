//! Looks at every workload that somebody asks for, so that what changes by itself is announced.

use std::sync::{Arc, Weak};

use futures_util::StreamExt;

use super::shared::Shared;

/// So many workloads are looked at together.
const TOGETHER: usize = 4;

/// Goes on until the target is gone.
pub async fn poll(shared: Weak<Shared>) {
    while let Some(shared) = shared.upgrade() {
        let interval = shared.config.interval;
        look_around(&shared).await;
        drop(shared);
        tokio::time::sleep(interval).await;
    }
}

async fn look_around(shared: &Arc<Shared>) {
    let workloads = futures_util::stream::iter(shared.observations.asked_for());
    workloads
        .for_each_concurrent(TOGETHER, async |workload| {
            shared.observations.refresh(&workload, || shared.look(&workload)).await;
        })
        .await;
}
