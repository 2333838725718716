//! `access`: who may do what.

mod claims;
mod principal;

pub(crate) use principal::{GrantDraft, PrincipalDraft};

use principal::{agent, machine, person};

use crate::read::shape::{Fields, ListOf, MapOf, Named, Object, Scalar, Shape, field};
use crate::read::values::{TEXT, label, parsed};
use crate::{PrincipalName, RoleName, SignIn, SignInName, Verb};

/// `access` as it is written.
pub(crate) struct AccessDraft {
    pub people: Named<PrincipalName, PrincipalDraft>,
    pub machines: Named<PrincipalName, PrincipalDraft>,
    pub agents: Named<PrincipalName, PrincipalDraft>,
    pub roles: Named<RoleName, Vec<Verb>>,
    pub sign_in: Named<SignInName, SignIn>,
}

/// The shape of `access`.
pub(crate) const fn access() -> Object<AccessDraft> {
    Object { expected: "`access`", fields }
}

fn fields(fields: &mut Fields<'_>) -> Option<AccessDraft> {
    let people = fields.optional(
        field("people", "Human beings, by name.")
            .example("{ anna: { roles: [admin], logins: [unix:anna] } }"),
        &named("a mapping of people by name", person()),
    );
    let machines = fields.optional(
        field(
            "machines",
            "Programs without judgement of their own, such as the jobs of a pipeline, by name.",
        ),
        &named("a mapping of machines by name", machine()),
    );
    let agents = fields.optional(
        field("agents", "Programs that decide what they do, by name."),
        &named("a mapping of agents by name", agent()),
    );
    let roles = fields.optional(
        field(
            "roles",
            "Roles of the team's own, each with its verbs, beside `viewer`, `developer`, `approver`, `operator` and \
             `admin`, which are built in.",
        )
        .example("{ on-call: [read, rollback, pause] }"),
        &MapOf {
            key: label("the name of a role"),
            value: ListOf { item: verb(), at_least: 1, expected: "a list of verbs", example: "[read, rollback]" },
            expected: "a mapping of roles by name",
            at_least: 0,
        },
    );
    let sign_in = fields.optional(
        field("sign_in", "Where people sign in: issuers of OpenID Connect, by name."),
        &MapOf {
            key: label("the name of a sign-in"),
            value: claims::sign_in(),
            expected: "a mapping of issuers by name",
            at_least: 0,
        },
    );
    Some(AccessDraft {
        people: people.unwrap_or_default(),
        machines: machines.unwrap_or_default(),
        agents: agents.unwrap_or_default(),
        roles: roles.unwrap_or_default(),
        sign_in: sign_in.unwrap_or_default(),
    })
}

fn named<S: Shape>(expected: &'static str, value: S) -> MapOf<PrincipalName, S> {
    MapOf { key: principal_name(), value, expected, at_least: 0 }
}

/// The name of a principal.
fn principal_name() -> Scalar<PrincipalName> {
    let schema =
        serde_json::json!({ "type": TEXT, "pattern": "^[A-Za-z0-9][-A-Za-z0-9._@+:/]*$", "maxLength": 128 });
    parsed("the name of a principal", schema)
}

fn verb() -> Scalar<Verb> {
    parsed("a verb such as `deploy`", serde_json::json!({ "enum": Verb::ALL.map(Verb::name) }))
}
