//! The traffic of a workload as it is now, for what is foretold of a plan.

use std::time::{Duration, Instant};

use pilotage_engine::forecast::CurrentTraffic;
use pilotage_engine::judge::Counts;
use pilotage_proxy::EdgeStats;
use pilotage_signals::EdgeWindow;
use pilotage_spec::{Version, Workload};

use crate::ConductorError;
use crate::conductor::Inner;

/// How long requests are counted, and so much longer if there were few.
const SPAN: Duration = Duration::from_secs(1);
const FEW: u64 = 50;

/// Counts for a second or two; `None` where nothing serves, or the edge cannot be asked.
pub(crate) async fn current_traffic(
    inner: &Inner,
    workload: &Workload,
) -> Result<Option<CurrentTraffic>, ConductorError> {
    let Some(served) = inner.record(workload)?.current().map(|served| served.release.id.version.clone())
    else {
        return Ok(None);
    };
    Ok(count(inner, workload, &served).await)
}

async fn count(inner: &Inner, workload: &Workload, version: &Version) -> Option<CurrentTraffic> {
    let route = &workload.to_string();
    let began = Instant::now();
    let first = inner.target.stats(workload).await.ok()??;
    let zero = EdgeStats { started_micros: first.started_micros, ..EdgeStats::default() };
    let mut known = EdgeWindow::new(zero);
    known.update(&first);
    let mut now = EdgeWindow::new(first);
    for _ in 0..2 {
        tokio::time::sleep(SPAN).await;
        let stats = inner.target.stats(workload).await.ok()??;
        known.update(&stats);
        now.update(&stats);
        if requests(&now, route) >= FEW {
            break;
        }
    }
    let counted = known.version(route, &version.to_string());
    Some(CurrentTraffic {
        requests_per_second: number(requests(&now, route)) / began.elapsed().as_secs_f64(),
        known: Counts { requests: counted.requests, bad: counted.failed },
    })
}

/// Those to all versions: a plan shares them anew.
fn requests(window: &EdgeWindow, route: &str) -> u64 {
    window.versions(route).map(|(_, counts)| counts.requests).sum()
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn number(count: u64) -> f64 {
    count as f64
}
