//! How a plan says what it will be able to see.

use std::time::Duration;

use pilotage_engine::Plan;
use pilotage_engine::forecast::{CurrentTraffic, Forecast, Proposal, RegressionOutlook, WatchOutlook};
use pilotage_engine::judge::Counts;

use super::Session;
use crate::arguments;
use crate::failure::Failure;
use crate::words::{percent, span};

/// So many requests stand behind a share of failures that was typed.
const TYPED: f64 = 1e6;

/// The traffic that was typed, or else the one that the edge sees now.
pub async fn traffic(
    asked: &arguments::Expected,
    plan: &Plan,
    session: &Session,
) -> Result<Option<CurrentTraffic>, Failure> {
    let Some(requests_per_second) = asked.rps else {
        let workload = &plan.request.workload;
        let path = format!("/v1/traffic?environment={}&service={}", workload.environment, workload.service);
        let seen: Option<CurrentTraffic> = session.client().await?.get(&path).await?;
        return Ok(seen.map(|seen| CurrentTraffic { known: known(asked).unwrap_or(seen.known), ..seen }));
    };
    let seen = known(asked).unwrap_or(Counts { requests: 100_000, bad: 100 });
    Ok(Some(CurrentTraffic { requests_per_second, known: seen }))
}

/// A share of failures as if it had been counted.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a million")]
fn known(asked: &arguments::Expected) -> Option<Counts> {
    asked.errors.map(|share| Counts { requests: TYPED as u64, bad: (share * TYPED).round() as u64 })
}

/// What a plan will be able to see, in lines.
pub fn lines(plan: &Plan, forecast: &Forecast) -> Vec<String> {
    if forecast.traffic.requests_per_second <= 0.0 {
        let words = "  ! the edge sees no requests now, so nothing can be foretold; `--rps 20` reckons with 20 a second";
        return vec![words.to_owned()];
    }
    let mut lines = vec![format!(
        "  what it can see at {} requests a second of which {} % fail without it",
        round(forecast.traffic.requests_per_second),
        round(forecast.failed_share * 100.0)
    )];
    if forecast.watches.is_empty() {
        lines.push(
            "      nothing is foretold of cohorts and copies: who is in them is not known beforehand"
                .to_owned(),
        );
        return lines;
    }
    let head = ["watch", "share", "50 %", "80 %", "95 %", "no verdict"].map(str::to_owned);
    let mut rows = vec![head];
    rows.extend(forecast.watches.iter().map(watch));
    lines.extend(aligned(&rows));
    lines.push("      (regressions that are found with that probability by the end of the watch)".to_owned());
    for blind in forecast.blind() {
        lines.push(format!(
            "  ! step {} sees nothing: not even a release that fails every request would be noticed in it",
            blind.step + 1
        ));
    }
    let head = ["a release that is", "found", "failed requests", "after"].map(str::to_owned);
    let mut rows = vec![head];
    let allowed =
        plan.roll_back_when().errors_vs_stable.map_or(1.0, |multiple| f64::from(multiple) / 1_000.0);
    rows.extend(forecast.regressions.iter().map(|outlook| regression(outlook, allowed)));
    lines.push(String::new());
    lines.extend(aligned(&rows));
    lines.push(String::new());
    lines.push(format!("  it takes {} at least", span(Duration::from_secs_f64(forecast.total_seconds))));
    lines.extend(forecast.proposal.iter().flat_map(|proposal| proposed(plan, proposal)));
    lines
}

fn watch(watch: &WatchOutlook) -> [String; 6] {
    let [half, most, nearly_all] = watch
        .detectable
        .map(|times| times.map_or("nothing".to_owned(), |times| format!("{}×", round(times))));
    let what = if watch.soak { "soak" } else { "watch" };
    let name = format!("{:>2}  {what} {}", watch.step + 1, span(Duration::from_secs_f64(watch.seconds)));
    let inconclusive = format!("{:.0} %", watch.inconclusive * 100.0);
    [name, percent(watch.share), half, most, nearly_all, inconclusive]
}

fn regression(outlook: &RegressionOutlook, allowed: f64) -> [String; 4] {
    let after = outlook.median_seconds.map(|seconds| span(Duration::from_secs_f64(seconds)));
    [
        format!("{}× as bad{}", outlook.times, if outlook.times <= allowed { " (allowed)" } else { "" }),
        format!("{:.0} %", outlook.found * 100.0),
        // A mean over next to none of the rollouts says nothing.
        outlook.failed_requests.filter(|_| outlook.found >= 0.005).map_or("-".to_owned(), round),
        after.unwrap_or_else(|| "-".to_owned()),
    ]
}

fn proposed(plan: &Plan, proposal: &Proposal) -> [String; 2] {
    let weights: Vec<String> =
        proposal.weights.iter().map(|weight| percent(*weight).trim_end_matches(" %").to_owned()).collect();
    let watch = pilotage_spec::format_duration(Duration::from_secs_f64(proposal.watch_seconds));
    [
        format!(
            "  → in the same time bad releases would fail {} requests instead of {} (mean of 2×, 5×, 10×, 50×) with",
            round(proposal.failed_requests),
            round(proposal.failed_requests_now)
        ),
        format!(
            "      {}: {{ canary: {{ steps: [{}], watch: {watch} }} }}",
            plan.request.strategy_name,
            weights.join(", ")
        ),
    ]
}

/// Two digits that matter.
fn round(number: f64) -> String {
    if number <= 0.0 || !number.is_finite() {
        return "0".to_owned();
    }
    let places = (1.0 - number.log10().floor()).clamp(0.0, 6.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 6")]
    let text = format!("{number:.*}", places as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Columns under their heads.
fn aligned<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let row = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("      {}", cells.collect::<Vec<_>>().join("   ")).trim_end().to_owned()
    };
    rows.iter().map(row).collect()
}
