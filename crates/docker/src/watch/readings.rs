//! Processor and memory of a container, as its engine reads them.

use std::time::{Duration, Instant};

use bollard::models::{ContainerMemoryStats, ContainerStatsResponse};
use bollard::query_parameters::StatsOptions;
use futures_util::StreamExt;
use tokio::time::sleep;

use crate::engine::Engine;

/// How often a container is looked at.
const INTERVAL: Duration = Duration::from_secs(2);

/// Takes readings until somebody ends it: thousandths of a core, and bytes.
pub(crate) async fn take(engine: Engine, container: String, note: impl Fn(Option<u32>, Option<u64>)) {
    let mut before = None;
    loop {
        let options = StatsOptions { stream: false, one_shot: true };
        let reading = std::pin::pin!(engine.docker().stats(&container, Some(options))).next().await;
        if let Some(Ok(reading)) = reading {
            let cpu_millis = processor(&reading, &mut before, Instant::now());
            let memory_bytes = reading.memory_stats.as_ref().and_then(memory);
            note(cpu_millis, memory_bytes);
        }
        sleep(INTERVAL).await;
    }
}

/// Thousandths of a core since the reading before.
fn processor(
    reading: &ContainerStatsResponse,
    before: &mut Option<(Instant, u64)>,
    now: Instant,
) -> Option<u32> {
    let nanos = reading.cpu_stats.as_ref()?.cpu_usage.as_ref()?.total_usage?;
    let (then, old) = before.replace((now, nanos))?;
    let elapsed = now.duration_since(then).as_nanos();
    let used = u128::from(nanos.saturating_sub(old));
    (used * 1_000).checked_div(elapsed)?.try_into().ok()
}

/// What it uses without what the kernel can take back at once: pages of files that it has read. `docker stats` counts alike.
fn memory(reading: &ContainerMemoryStats) -> Option<u64> {
    let usage = reading.usage?;
    let details = reading.stats.as_ref();
    // The names in cgroup version 1 and 2.
    let cache = ["total_inactive_file", "inactive_file"].iter().find_map(|name| details?.get(*name));
    Some(usage.saturating_sub(cache.copied().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn use_is_what_came_since_the_reading_before() {
        let reading = |nanos: u64| -> ContainerStatsResponse {
            serde_json::from_value(json!({ "cpu_stats": { "cpu_usage": { "total_usage": nanos } } })).unwrap()
        };
        let (mut before, start) = (None, Instant::now());
        assert_eq!(processor(&reading(5_000_000), &mut before, start), None);
        let later = start + Duration::from_secs(2);
        assert_eq!(processor(&reading(1_005_000_000), &mut before, later), Some(500));
    }

    #[test]
    fn pages_that_can_be_taken_back_do_not_count() {
        let reading = |name: &str| -> ContainerMemoryStats {
            serde_json::from_value(json!({ "usage": 100, "stats": { name: 30 } })).unwrap()
        };
        assert_eq!(memory(&reading("inactive_file")), Some(70));
        assert_eq!(memory(&reading("total_inactive_file")), Some(70));
        assert_eq!(memory(&reading("other")), Some(100));
    }
}
