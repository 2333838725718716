use std::time::Duration;

use super::*;
use crate::judge::Counts;
use crate::plan::testing;

fn traffic(requests_per_second: f64) -> CurrentTraffic {
    CurrentTraffic { requests_per_second, known: Counts { requests: 100_000, bad: 100 } }
}

fn forecast(strategy: &str, requests_per_second: f64) -> Forecast {
    Forecast::of(&testing::plan(strategy), &traffic(requests_per_second)).unwrap().unwrap()
}

#[test]
fn every_watch_sees_as_much_as_those_before_it_or_more() {
    let forecast = forecast("canary", 100.0);
    assert_eq!(forecast.watches.len(), 6);
    let found: Vec<f64> = forecast.watches.iter().map(|watch| watch.detectable[1].unwrap()).collect();
    assert!(found.windows(2).all(|pair| pair[1] <= pair[0] * 1.001), "{found:?}");
    for watch in &forecast.watches {
        let [half, most, nearly_all] = watch.detectable.map(Option::unwrap);
        assert!(half <= most && most <= nearly_all, "{watch:?}");
    }
    let planned: Duration = Duration::from_secs(5 * 300 + 900);
    assert!((forecast.total_seconds - planned.as_secs_f64()).abs() < 1e-9);
}

#[test]
fn with_little_traffic_the_first_watches_see_nothing_and_say_so() {
    let quiet = forecast("canary", 0.1);
    assert!(quiet.watches[0].blind && quiet.watches[0].inconclusive > 0.99, "{:?}", quiet.watches[0]);
    let busy = forecast("canary", 1_000.0);
    assert!(!busy.watches[0].blind && busy.watches[0].inconclusive < 0.01, "{:?}", busy.watches[0]);
}

#[test]
fn worse_releases_are_found_with_fewer_failed_requests() {
    let forecast = forecast("canary", 1_000.0);
    let failed: Vec<f64> = forecast.regressions[1..].iter().map(|r| r.failed_requests.unwrap()).collect();
    assert!(failed.windows(2).all(|pair| pair[1] < pair[0]), "{failed:?}");
}

#[test]
fn a_full_switch_is_foretold_from_what_is_known_of_before() {
    let forecast = forecast("blue-green", 100.0);
    assert!(
        forecast.watches[0].detectable[1].is_some_and(|times| (2.0..10.0).contains(&times)),
        "{forecast:?}"
    );
    assert!(forecast.proposal.is_none(), "a canary is not what was asked for");
    let unknown = CurrentTraffic { known: Counts::default(), ..traffic(100.0) };
    let forecast = Forecast::of(&testing::plan("blue-green"), &unknown).unwrap().unwrap();
    assert!(forecast.watches[0].blind, "there is nothing to compare with");
}

#[test]
fn a_proposal_takes_no_longer_and_spares_requests() {
    let forecast = forecast("canary", 20.0);
    let proposal =
        forecast.proposal.expect("a first weight of 1 % sees hardly anything at 20 requests a second");
    let weights = proposal.weights.len() as f64;
    assert!(proposal.watch_seconds * weights <= 5.0 * 300.0);
    assert!(proposal.failed_requests < proposal.failed_requests_now);
    assert_eq!(proposal.weights.last(), Some(&10_000));
}

#[test]
fn nothing_is_said_of_copies_and_cohorts() {
    let mut request = testing::request("canary", 3);
    request.strategy.kind = pilotage_spec::StrategyKind::BlueGreen;
    let mut plan = crate::Plan::new(request).unwrap();
    for step in &mut plan.steps {
        if let crate::Step::Route(split) = step {
            *split = crate::Split::all(&"1.0.0".parse().unwrap());
        }
    }
    let forecast = Forecast::of(&plan, &traffic(100.0)).unwrap().unwrap();
    assert!(forecast.watches.is_empty() && forecast.blind().next().is_none(), "{forecast:?}");
    assert!(forecast.total_seconds > 0.0);
}

#[test]
fn nonsense_is_refused_and_a_first_deployment_has_nothing_to_foretell() {
    assert!(Forecast::of(&testing::plan("canary"), &traffic(f64::NAN)).is_err());
    assert!(Forecast::of(&testing::plan("canary"), &traffic(-1.0)).is_err());
    assert!(Forecast::of(&testing::plan("canary"), &traffic(0.0)).unwrap().unwrap().watches[0].blind);
}

#[test]
fn the_gate_s_short_way_finds_the_same_blind_watches() {
    for requests_per_second in [0.01, 0.1, 1.0, 10.0] {
        let known = Counts { requests: 10_000, bad: 10 };
        let traffic = CurrentTraffic { requests_per_second, known };
        let plan = testing::plan("canary");
        let whole = Forecast::of(&plan, &traffic).unwrap().unwrap();
        let expected: Vec<usize> = whole.blind().map(|watch| watch.step).collect();
        assert_eq!(blind_steps(&plan, &traffic).unwrap(), expected, "{requests_per_second}");
    }
}
