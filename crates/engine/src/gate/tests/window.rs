use super::world::{NOW, World};
use super::*;

#[test]
fn a_closed_window_holds_until_it_opens() {
    let mut world = World::strict();
    world.facts.windows[0].open = Ok(false);
    world.facts.windows[0].until = Some(NOW);
    let result = world.result("window");
    assert_eq!(result.outcome, GateOutcome::Waiting);
    assert!(result.remedy.unwrap().ends_with("at 2026-07-01T09:30:00Z"));
    world.facts.windows[0].until = None;
    assert!(world.result("window").remedy.unwrap().starts_with("it does not open"));
}

#[test]
fn every_window_must_be_open() {
    let mut world = World::strict();
    world.policy(|policy| policy.windows.push("no-freeze".parse().unwrap()));
    assert_eq!(world.outcome("window"), GateOutcome::Error, "one is not known");
    let mut second = world.facts.windows[0].clone();
    second.name = "no-freeze".parse().unwrap();
    second.open = Ok(false);
    world.facts.windows.push(second);
    assert_eq!(world.outcome("window"), GateOutcome::Waiting);
    world.facts.windows[1].open = Ok(true);
    assert_eq!(world.outcome("window"), GateOutcome::Passed);
}

#[test]
fn what_cannot_be_read_is_no_open_window() {
    let mut world = World::strict();
    world.facts.windows[0].open = Err("freezes.ics is not there".to_owned());
    assert_eq!(world.outcome("window"), GateOutcome::Error);
}
