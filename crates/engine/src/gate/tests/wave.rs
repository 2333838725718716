//! What waves say.

use super::world::World;
use super::*;

fn world(states: &[(&str, EarlierState)]) -> World {
    let mut world = World::strict();
    let names = ["canary", "staging"].map(|name| name.parse().unwrap());
    world.policy(|policy| policy.after = names.to_vec());
    let earlier =
        |(name, state): &(&str, EarlierState)| Earlier { environment: name.parse().unwrap(), state: *state };
    world.facts.earlier = states.iter().map(earlier).collect();
    world
}

#[test]
fn a_release_goes_on_when_it_serves_in_every_wave_before() {
    use EarlierState::{NotYet, Serves, TakenBack};
    for (canary, staging, expected) in [
        (Serves, Serves, GateOutcome::Passed),
        (Serves, NotYet, GateOutcome::Waiting),
        (NotYet, NotYet, GateOutcome::Waiting),
        (NotYet, TakenBack, GateOutcome::Refused),
        (TakenBack, Serves, GateOutcome::Refused),
    ] {
        let world = world(&[("canary", canary), ("staging", staging)]);
        assert_eq!(world.outcome("wave"), expected, "{canary:?} {staging:?}");
    }
}

#[test]
fn what_is_not_known_of_one_of_them_is_no_pass() {
    assert_eq!(world(&[("canary", EarlierState::Serves)]).outcome("wave"), GateOutcome::Error);
    assert_eq!(world(&[]).outcome("wave"), GateOutcome::Error);
}
