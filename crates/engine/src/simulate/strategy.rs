//! Strategies drawn from a seed: every kind, in every mixture.

use std::time::Duration;

use pilotage_spec::{
    AbTrial, Arm, Baseline, Condition, Copies, Goal, GoalQueries, Ring, RollingUnit, Source, Stage, Strategy,
    StrategyKind, Test,
};

use super::random::Random;

pub(super) fn strategy(random: &mut Random) -> Strategy {
    let watch = watch(random);
    let soak = Duration::from_secs(random.pick([0, 30, 300]));
    let strategy = Strategy::new(kind(random), watch, soak);
    match strategy.kind {
        StrategyKind::BlueGreen => {
            Strategy { preview: random.percent(30).then_some(8_081), hold: random.percent(30), ..strategy }
        }
        StrategyKind::Canary { .. } if random.percent(40) => {
            Strategy { baseline: Baseline::Fresh, ..strategy }
        }
        _ => strategy,
    }
}

fn kind(random: &mut Random) -> StrategyKind {
    match random.between(0, 7) {
        0 => StrategyKind::BlueGreen,
        1 => StrategyKind::Recreate,
        2 => StrategyKind::Canary { steps: shares(random) },
        3 => StrategyKind::Steps { stages: mixed(random) },
        4 => StrategyKind::Cohorts { stages: rings(random) },
        5 => StrategyKind::Shadow { copies: copies(random) },
        6 => StrategyKind::Ab { trial: trial(random) },
        _ => StrategyKind::Rolling {
            max_surge: random.pick([RollingUnit::Count(1), RollingUnit::Count(2), RollingUnit::Percent(50)]),
            max_unavailable: random.pick([
                RollingUnit::Count(0),
                RollingUnit::Count(1),
                RollingUnit::Percent(34),
            ]),
        },
    }
}

fn shares(random: &mut Random) -> Vec<u32> {
    let mut shares: Vec<u32> = (0..random.between(0, 4)).map(|_| share(random)).collect();
    shares.push(10_000);
    shares.sort_unstable();
    shares.dedup();
    shares
}

/// Rising shares with anything else before each of them.
fn mixed(random: &mut Random) -> Vec<Stage> {
    let mut stages = Vec::new();
    for share in shares(random) {
        stages.extend(match random.between(0, 5) {
            0 => Some(cohort(stages.len(), random)),
            1 => Some(Stage::Mirror { copies: copies(random), watch: watch(random) }),
            2 => Some(Stage::Hold),
            3 => Some(Stage::Smoke),
            _ => None,
        });
        stages.push(Stage::Share { share, watch: watch(random) });
    }
    stages
}

fn rings(random: &mut Random) -> Vec<Stage> {
    let mut stages: Vec<Stage> = (0..random.between(1, 3)).map(|n| cohort(n as usize, random)).collect();
    stages.push(Stage::Share { share: 10_000, watch: watch(random) });
    stages
}

fn cohort(number: usize, random: &mut Random) -> Stage {
    let share = random.pick([10_000, 5_000]);
    Stage::Cohort {
        cohort: Ring { name: format!("ring {number}"), when: staff(), share },
        watch: watch(random),
    }
}

fn staff() -> Condition {
    Condition { source: Source::Header("X-Staff".to_owned()), test: Test::Present(true) }
}

fn trial(random: &mut Random) -> AbTrial {
    let arm = if random.percent(70) { Arm::Share(share(random)) } else { Arm::Cohort(staff()) };
    let queries = GoalQueries { successes: "orders".to_owned(), units: "visits".to_owned() };
    let goal = if random.percent(50) { Goal::Errors } else { Goal::Successes(queries) };
    let promotes = random.percent(50);
    AbTrial { arm, lasts: watch(random), goal, alpha: 500, indifference: 200, promotes }
}

fn copies(random: &mut Random) -> Copies {
    Copies { share: share(random), writes: false, bodies: true, ignore: Vec::new() }
}

fn share(random: &mut Random) -> u32 {
    random.between(1, 9_999) as u32
}

fn watch(random: &mut Random) -> Duration {
    Duration::from_secs(random.between(5, 120))
}
