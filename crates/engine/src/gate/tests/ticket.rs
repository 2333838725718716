use pilotage_spec::TicketFrom;

use super::world::{NOW, World};
use super::*;
use crate::judge::Known;

/// What the gate says of a ticket that is changed so.
fn with(change: impl FnOnce(&mut TicketFact)) -> GateResult {
    let mut world = World::strict();
    let Known::Value(ticket) = &mut world.facts.ticket else { panic!() };
    change(ticket);
    world.result("ticket")
}

fn outcome(change: impl FnOnce(&mut TicketFact)) -> GateOutcome {
    with(change).outcome
}

#[test]
fn an_approved_ticket_about_this_very_change_passes() {
    let result = with(|_| {});
    assert_eq!((result.outcome, result.finding.as_str()), (GateOutcome::Passed, "CHG-4821 is *Approved*"));
    assert_eq!(result.evidence["url"], "https://tickets.example/CHG-4821");
}

#[test]
fn what_may_still_be_approved_is_waited_for() {
    let result = with(|ticket| {
        ticket.approved = false;
        ticket.state = "In review".to_owned();
    });
    assert_eq!(result.outcome, GateOutcome::Waiting);
    assert_eq!(result.finding, "CHG-4821 is *In review*, which does not count as approved");
    assert!(result.remedy.unwrap().starts_with("ask frida"));
}

#[test]
fn another_subject_is_refused() {
    for names in [None, Some(vec![]), Some(vec!["web".to_owned()]), Some(vec!["API".to_owned()])] {
        assert_eq!(outcome(|ticket| ticket.services = names.clone()), GateOutcome::Refused, "{names:?}");
        assert_eq!(outcome(|ticket| ticket.environments = names.clone()), GateOutcome::Refused, "{names:?}");
    }
    assert_eq!(outcome(|ticket| ticket.conflict = Conflict::With("CHG-1".to_owned())), GateOutcome::Refused);
}

#[test]
fn its_planned_time_covers_now_to_the_microsecond() {
    let within = |from, to| Planned::Within { from: NOW.shifted(from), to: NOW.shifted(to) };
    for (planned, expected) in [
        (within(0, 0), GateOutcome::Passed),
        (within(1, 2), GateOutcome::Waiting),
        (within(-2, -1), GateOutcome::Refused),
        (Planned::Missing, GateOutcome::Refused),
        (Planned::NotAsked, GateOutcome::Passed),
    ] {
        assert_eq!(outcome(|ticket| ticket.planned = planned), expected, "{planned:?}");
    }
    let mut world = World::strict();
    world.facts.now = None;
    assert_eq!(world.outcome("ticket"), GateOutcome::Error);
}

#[test]
fn a_system_that_does_not_answer_passes_nothing() {
    let mut world = World::strict();
    world.facts.ticket = Known::Unknown("it answers with a web page, as for signing in".to_owned());
    assert_eq!(world.outcome("ticket"), GateOutcome::Error);
    world.facts.ticket = Known::NotAsked;
    assert_eq!(world.outcome("ticket"), GateOutcome::Refused);
}

#[test]
fn the_ticket_is_in_the_system_that_the_policy_names() {
    let mut world = World::strict();
    world.policy(|policy| policy.ticket = Some(TicketFrom::System("board".parse().unwrap())));
    assert_eq!(world.outcome("ticket"), GateOutcome::Passed);
    world.policy(|policy| policy.ticket = Some(TicketFrom::System("other".parse().unwrap())));
    assert_eq!(world.outcome("ticket"), GateOutcome::Refused);
}
