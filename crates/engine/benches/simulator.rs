//! How many whole deployments the simulator plays in a second, on one core.

#![expect(
    clippy::disallowed_methods,
    reason = "a bench reads the clock and its arguments; the crate it measures does not"
)]

use std::time::Instant;

use pilotage_engine::simulate;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let deployments: u64 = if quick { 5_000 } else { 50_000 };
    let mut rates: Vec<f64> = (0..5).map(|round| rate(round * deployments, deployments)).collect();
    rates.sort_by(f64::total_cmp);
    let median = rates[rates.len() / 2];
    let goal = 2_000.0;
    println!(
        r#"{{"name":"simulator.deployments_per_second","value":{median:.0},"unit":"deployments/s","peer":null,"ratio":null,"goal":">= {goal:.0}","holds":{}}}"#,
        median >= goal
    );
}

fn rate(first: u64, deployments: u64) -> f64 {
    let start = Instant::now();
    let broken =
        (first..first + deployments).filter(|seed| simulate::run(*seed, None).broken.is_some()).count();
    assert_eq!(broken, 0, "a simulated deployment broke a rule");
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let deployments = deployments as f64;
    deployments / start.elapsed().as_secs_f64()
}
