//! A plan to production under a policy that asks for everything, and facts under which every gate passes.

use std::time::Duration;

use pilotage_spec::{
    Approvals, BlindWatch, BreakGlass, BreakableGate, Digest, ErrorBudget, Identity, MetricSource, Policy,
    PrincipalKind, TicketFrom, Timestamp,
};

use crate::forecast::CurrentTraffic;
use crate::gate::{
    ConditionDecision, ConditionFact, Conflict, Dependency, Earlier, EarlierState, GateFacts, GateOutcome,
    GateResult, Passed, Planned, Rehearsal, Script, Serving, TicketFact, WindowFact, all, ask,
};
use crate::judge::{Counts, Known};
use crate::plan::testing;
use crate::{Opinion, Plan, Statement};

pub(super) const NOW: Timestamp = Timestamp::from_micros(1_782_898_200_000_000);

pub(super) struct World {
    pub plan: Plan,
    pub facts: GateFacts,
}

impl World {
    /// Everything is asked for, and everything is in order.
    pub fn strict() -> Self {
        let mut request = testing::request("canary", 3);
        request.policy = policy();
        let plan = Plan::new(request).unwrap();
        let facts = facts(&plan);
        Self { plan, facts }
    }

    /// What one gate says; the others are not asked.
    pub fn result(&self, gate: &str) -> GateResult {
        self.with(gate, &self.facts)
    }

    /// What one gate says of the plan with other facts.
    pub fn with(&self, id: &str, facts: &GateFacts) -> GateResult {
        let gate = all().into_iter().find(|gate| gate.id() == id).unwrap();
        assert!(gate.applies(&self.plan), "{id} does not apply");
        ask(gate, &self.plan, facts)
    }

    pub fn outcome(&self, gate: &str) -> GateOutcome {
        self.result(gate).outcome
    }

    /// Changes the policy under which everything happens.
    pub fn policy(&mut self, change: impl FnOnce(&mut Policy)) {
        let hash = self.plan.hash();
        change(&mut self.plan.request.policy);
        self.facts.policy = Some(self.plan.request.policy.clone());
        let new = self.plan.hash();
        for said in self.facts.statements.iter_mut().filter(|said| said.plan_hash == hash) {
            said.plan_hash = new.clone();
        }
    }

    /// What a person says now of the plan.
    pub fn say(&mut self, opinion: Opinion, by: Identity) {
        let plan_hash = self.plan.hash();
        self.facts.statements.push(Statement { opinion, by, plan_hash, reason: None, at: NOW });
    }
}

fn policy() -> Policy {
    Policy {
        confirm: true,
        gradual: true,
        blind_watch: BlindWatch::Refuse,
        approvals: Some(Approvals { groups: vec!["sre".parse().unwrap()], ..Approvals::of(2) }),
        ticket: Some(TicketFrom::Any),
        smoke: true,
        rehearsed: true,
        artifact_from: Some(vec!["staging".parse().unwrap()]),
        after: vec!["canary".parse().unwrap()],
        dependencies: true,
        error_budget: Some(ErrorBudget {
            objective: 9_990,
            failing: MetricSource::Query("failing".to_owned()),
            least: 1_000,
        }),
        windows: vec!["business-hours".parse().unwrap()],
        conditions: vec!["small-steps".parse().unwrap()],
        scripts: true,
        break_glass: BreakGlass {
            roles: vec!["incident-commander".parse().unwrap()],
            gates: vec![BreakableGate::Window, BreakableGate::Approvals],
        },
        ..Policy::default()
    }
}

pub(super) fn person(name: &str) -> Identity {
    Identity::person(name.parse().unwrap())
}

fn in_group(name: &str, group: &str) -> Identity {
    Identity { groups: [group.parse().unwrap()].into(), ..person(name) }
}

pub(super) fn machine(name: &str) -> Identity {
    Identity { kind: PrincipalKind::Machine, person: None, ..person(name) }
}

fn facts(plan: &Plan) -> GateFacts {
    let candidate = plan.request.candidate.id.clone();
    let said = |by: &Identity| Statement {
        opinion: Opinion::Approve,
        by: by.clone(),
        plan_hash: plan.hash(),
        reason: None,
        at: NOW,
    };
    let (bert, carla) = (in_group("bert", "sre"), in_group("carla", "product"));
    let digest = Digest::from_bytes([9; 32]);
    GateFacts {
        now: Some(NOW),
        policy: Some(plan.request.policy.clone()),
        serving: Some(Serving::Release(plan.request.stable.as_ref().unwrap().id.clone())),
        confirmation: Some("production".to_owned()),
        traffic: Some(CurrentTraffic {
            requests_per_second: 100.0,
            known: Counts { requests: 10_000, bad: 10 },
        }),
        requester: Some(person("anna")),
        author: Some(person("dora")),
        statements: vec![said(&bert), said(&carla)],
        approvers: vec![person("anna"), bert, carla, person("dora"), in_group("emil", "sre")],
        ticket: Known::Value(TicketFact {
            system: "board".to_owned(),
            key: "CHG-4821".to_owned(),
            url: Some("https://tickets.example/CHG-4821".to_owned()),
            state: "Approved".to_owned(),
            approved: true,
            services: Some(vec!["api".to_owned(), "web".to_owned()]),
            environments: Some(vec!["production".to_owned()]),
            planned: Planned::Within { from: NOW.shifted(-1_000_000), to: NOW.plus(Duration::from_secs(60)) },
            assignee: Some("frida".to_owned()),
            conflict: Conflict::None,
        }),
        windows: vec![WindowFact {
            name: "business-hours".parse().unwrap(),
            open: Ok(true),
            why: "Mon-Thu 09:00-16:00".to_owned(),
            until: None,
        }],
        earlier: vec![Earlier { environment: "canary".parse().unwrap(), state: EarlierState::Serves }],
        passed: Some(vec![Passed {
            environment: "staging".parse().unwrap(),
            version: candidate.version.clone(),
            digest: candidate.digest.clone(),
            at: NOW,
        }]),
        rehearsals: Some(vec![Rehearsal {
            environment: "staging".parse().unwrap(),
            version: candidate.version,
            digest: candidate.digest,
            took: Duration::from_millis(340),
            at: NOW,
        }]),
        dependencies: Some(vec![Dependency {
            service: "db".parse().unwrap(),
            wanted: 2,
            ready: 2,
            troubles: Vec::new(),
        }]),
        failing: Known::Value(0.000_5),
        scripts: Some(vec![Script {
            name: "smoke.sh".to_owned(),
            digest: Ok(digest.clone()),
            approved: Some(digest),
        }]),
        conditions: vec![ConditionFact {
            name: "small-steps".parse().unwrap(),
            decision: ConditionDecision::Allow,
        }],
        emergency: None,
    }
}
