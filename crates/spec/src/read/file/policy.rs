//! What an environment asks of a deployment, as it is written.

use std::time::Duration;

use serde_json::{Value, json};

use super::metrics::source;
use crate::read::fault::Faults;
use crate::read::node::{Kind, Node, Spanned};
use crate::read::shape::{Either, Fields, ListOf, Misread, Object, OneOrMore, Placed, Scalar, Shape, field};
use crate::read::values::{duration, label, share};
use crate::{
    Approvals, BlindWatch, BreakGlass, BreakableGate, ConditionName, EnvironmentName, ErrorBudget,
    Inconclusive, PolicyLevel, RoleName, TicketFrom, WindowName,
};

/// What is written about a policy; the defaults depend on the level, and that on the environment's name.
#[derive(Default)]
pub(crate) struct PolicyDraft {
    pub level: Option<PolicyLevel>,
    pub confirm: Option<bool>,
    pub gradual: Option<bool>,
    pub inconclusive: Option<Inconclusive>,
    pub blind_watch: BlindWatch,
    pub approvals: Option<Approvals>,
    /// `Some(None)` if it is written that no ticket is needed.
    pub ticket: Option<Option<TicketFrom>>,
    pub smoke: Option<bool>,
    pub rehearsed: Option<bool>,
    pub artifact_from: Option<Vec<Spanned<EnvironmentName>>>,
    pub dependencies: Option<bool>,
    pub error_budget: Option<ErrorBudget>,
    pub windows: Vec<Spanned<WindowName>>,
    pub conditions: Vec<Spanned<ConditionName>>,
    pub scripts: Option<bool>,
    pub break_glass: BreakGlass,
}

/// The shape of `policy`.
pub(super) const fn policy() -> Object<PolicyDraft> {
    Object { expected: "`policy`", fields }
}

fn fields(fields: &mut Fields<'_>) -> Option<PolicyDraft> {
    let level = fields.optional(
        field(
            "level",
            "How much is asked for where the keys below do not say otherwise: `strict` (two approvals, a ticket, a smoke suite, a \
             rehearsed way back, the artifact that another environment has passed, healthy dependencies, approved scripts, \
             `confirm` and `gradual`), `reviewed` (one approval) or `open` (nothing). Default: strict for `production`, reviewed \
             for `staging`, else open.",
        ),
        &Scalar::word("`strict`, `reviewed` or `open`", &PolicyLevel::WORDS),
    );
    let judged = judged(fields);
    let asked = asked(fields);
    let origin = origin(fields);
    let windows = fields.optional(
        field("window", "The window, or the list of windows, of `windows` that must be open. Until then a deployment waits.")
            .example("business-hours"),
        &OneOrMore {
            item: Placed(label("the name of a window")),
            expected: "the name of a window, or a list of them",
            example: "[business-hours]",
        },
    );
    let conditions = fields.optional(
        field("conditions", "The names of the `conditions` that must hold.").example("[\"small-steps\"]"),
        &ListOf {
            item: Placed(label("the name of a condition")),
            at_least: 0,
            expected: "a list of names",
            example: "[small-steps]",
        },
    );
    let break_glass = fields.optional(
        field(
            "break_glass",
            "Who may go past gates in an emergency (`--break-glass REASON`). Default: nobody.",
        ),
        &Object { expected: "`break_glass`", fields: glass },
    );
    Some(PolicyDraft {
        level,
        windows: windows.unwrap_or_default(),
        conditions: conditions.unwrap_or_default(),
        break_glass: break_glass.unwrap_or_default(),
        confirm: judged.confirm,
        gradual: judged.gradual,
        inconclusive: judged.inconclusive,
        blind_watch: judged.blind_watch,
        error_budget: judged.error_budget,
        approvals: asked.approvals,
        ticket: asked.ticket,
        ..origin
    })
}

/// What concerns the rollout itself.
fn judged(fields: &mut Fields<'_>) -> PolicyDraft {
    PolicyDraft {
        confirm: fields.optional(
            field("confirm", "Whether the environment's name must be typed, or passed by `--confirm`."),
            &Scalar::truth(),
        ),
        gradual: fields.optional(
            field("gradual", "Whether only canary, rolling and blue-green are allowed, not recreate."),
            &Scalar::truth(),
        ),
        inconclusive: fields.optional(
            field(
                "inconclusive",
                "What follows where too little was seen in a watch: `go-on`; `raise` (go on while the stable version keeps some traffic, then hold); \
                 `hold` (until enough was seen, or a person promotes); `extend` (up to three times the watch, then roll back); `roll-back`. \
                 Default: raise where the level is strict, else go-on.",
            ),
            &Scalar::word("what follows from an inconclusive watch", &Inconclusive::WORDS),
        ),
        blind_watch: fields
            .or(
                field(
                    "blind_watch",
                    "What follows where a watch is planned in which not even a release that fails every request would be noticed: `warn` or `refuse`.",
                ),
                &Scalar::word("`warn` or `refuse`", &[("warn", BlindWatch::Warn), ("refuse", BlindWatch::Refuse)]),
                "warn",
            )
            .unwrap_or_default(),
        error_budget: fields.optional(
            field("error_budget", "The error budget of which some must be left before another release is risked."),
            &Object { expected: "`error_budget`", fields: budget },
        ),
        ..PolicyDraft::default()
    }
}

/// What others must have said.
fn asked(fields: &mut Fields<'_>) -> PolicyDraft {
    PolicyDraft {
        approvals: fields.optional(
            field(
                "approvals",
                "How many people must approve the plan: neither the author of the release nor whoever asked for the deployment.",
            )
            .example("2"),
            &Either {
                short: approvers().map(|count| Approvals::of(count.try_into().unwrap_or(u32::MAX))),
                long: Object { expected: "`approvals`", fields: approvals },
            },
        ),
        ticket: fields.optional(
            field(
                "ticket",
                "The change ticket that must be approved: `required` in any of `tickets`, the name of one of them, or `none`.",
            )
            .example("required"),
            &ticket(),
        ),
        ..PolicyDraft::default()
    }
}

/// What must be known of the release.
fn origin(fields: &mut Fields<'_>) -> PolicyDraft {
    PolicyDraft {
        smoke: fields.optional(
            field("smoke", "Whether the service must have a smoke suite."),
            &Scalar::word("`required` or `optional`", &[("required", true), ("optional", false)]),
        ),
        rehearsed: fields.optional(
            field(
                "rehearsed",
                "Whether the way back of this very release must have been rehearsed in another environment (`pilotage rehearse`).",
            ),
            &Scalar::truth(),
        ),
        artifact_from: fields.optional(
            field(
                "artifact_from",
                "The environment, or the list of environments of which one, that the very same artifact must have passed; `[]` for \
                 none. Default where the level is strict: `staging` if there is one, else any other environment.",
            )
            .example("staging"),
            &OneOrNone,
        ),
        dependencies: fields.optional(
            field("dependencies", "Whether the services that this one `needs` must be healthy, not only deployed."),
            &Scalar::word("`healthy` or `deployed`", &[("healthy", true), ("deployed", false)]),
        ),
        scripts: fields.optional(
            field("scripts", "Whether scripts that a deployment runs must be in `approved_scripts`: `approved` or `any`."),
            &Scalar::word("`approved` or `any`", &[("approved", true), ("any", false)]),
        ),
        ..PolicyDraft::default()
    }
}

fn approvers() -> Scalar<u64> {
    Scalar::whole("a number of people", 0, 20)
}

fn approvals(fields: &mut Fields<'_>) -> Option<Approvals> {
    let minute = Duration::from_secs(60);
    let count = fields.or(field("count", "How many people."), &approvers(), "1");
    let groups = fields.optional(
        field("groups", "Groups from each of which at least one of them must be.").example("[\"sre\"]"),
        &ListOf {
            item: label("the name of a group"),
            at_least: 0,
            expected: "a list of groups",
            example: "[sre]",
        },
    );
    let expires = fields.or(
        field("expires", "How long an approval is valid after it was given."),
        &duration(minute),
        "24h",
    );
    let remind =
        fields.or(field("remind", "How often those who are asked are reminded."), &duration(minute), "4h");
    Some(Approvals {
        count: count?.try_into().ok()?,
        groups: groups.unwrap_or_default(),
        expires: expires?,
        remind: remind?,
    })
}

fn ticket() -> Scalar<Option<TicketFrom>> {
    let schema = json!({ "type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63 });
    Scalar::new("`required`, `none` or the name of a ticket system", schema, |written| {
        match written.text.as_str() {
            "required" => Ok(Some(TicketFrom::Any)),
            "none" => Ok(None),
            name => name.parse().map(|name| Some(TicketFrom::System(name))).map_err(Misread::plain),
        }
    })
}

/// An environment, or a list of them that may be empty.
struct OneOrNone;

impl Shape for OneOrNone {
    type Value = Vec<Spanned<EnvironmentName>>;

    fn read(&self, node: &Node, faults: &mut Faults) -> Option<Self::Value> {
        match &node.kind {
            Kind::List(nodes) if nodes.is_empty() => Some(Vec::new()),
            _ => environments().read(node, faults),
        }
    }

    fn schema(&self) -> Value {
        let mut schema = environments().schema();
        schema["anyOf"][1]["minItems"] = 0.into();
        schema
    }
}

fn environments() -> OneOrMore<Placed<Scalar<EnvironmentName>>> {
    OneOrMore {
        item: Placed(label("the name of an environment")),
        expected: "the name of an environment, or a list of them",
        example: "[staging]",
    }
}

fn budget(fields: &mut Fields<'_>) -> Option<ErrorBudget> {
    let objective = fields.required(
        field("objective", "The share of requests that must succeed, below 100 %.").example("99.9%"),
        &Placed(share()),
    );
    let failing = source(fields);
    let least = fields.or(field("least", "The share of the budget that must be left."), &share(), "10%");
    if let (Some(objective), Some(faults)) = (&objective, fields.faults())
        && objective.value >= 10_000
    {
        faults
            .error(&objective.span, "an objective of 100 % leaves no budget for anything")
            .help("write, for example, `99.9%`");
        return None;
    }
    Some(ErrorBudget { objective: objective?.value, failing: failing?, least: least? })
}

fn glass(fields: &mut Fields<'_>) -> Option<BreakGlass> {
    let roles = fields.required(
        field("roles", "The roles whose holders may.").example("[\"incident-commander\"]"),
        &OneOrMore {
            item: label::<RoleName>("the name of a role"),
            expected: "the name of a role, or a list of them",
            example: "[incident-commander]",
        },
    );
    let gates = fields.or(
        field(
            "gates",
            "The gates that they may go past: `window`, `ticket`, `approvals`, `rehearsed`, `artifact`, `error-budget`.",
        ),
        &OneOrMore {
            item: Scalar::word("a gate that can be gone past", &BreakableGate::WORDS),
            expected: "a gate, or a list of them",
            example: "[window]",
        },
        "window",
    );
    Some(BreakGlass { roles: roles?, gates: gates? })
}
