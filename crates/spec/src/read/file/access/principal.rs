//! A person, a machine or an agent.

use serde_json::json;

use super::claims::workload;
use super::principal_name;
use crate::read::node::Spanned;
use crate::read::shape::{Either, Fields, ListOf, Object, OneOrMore, Placed, Scalar, field};
use crate::read::values::{label, parsed};
use crate::{EnvironmentName, Login, PrincipalName, RoleName, ServiceName, WorkloadIdentity};

/// A principal as it is written.
#[derive(Default)]
pub(crate) struct PrincipalDraft {
    pub groups: Vec<RoleName>,
    pub grants: Vec<Spanned<GrantDraft>>,
    pub logins: Vec<Spanned<Login>>,
    /// Who answers for it.
    pub person: Option<Spanned<PrincipalName>>,
    pub workload: Option<WorkloadIdentity>,
}

/// A role as it is given to somebody.
pub(crate) struct GrantDraft {
    pub role: RoleName,
    pub environments: Option<Vec<Spanned<EnvironmentName>>>,
    pub services: Option<Vec<Spanned<ServiceName>>>,
}

/// The shape of a person.
pub(super) const fn person() -> Object<PrincipalDraft> {
    Object {
        expected: "a person",
        fields: |fields| {
            let about =
                "The person whose second account this is: both count as one, wherever two people are wanted.";
            common(fields, about)
        },
    }
}

/// The shape of a machine.
pub(super) const fn machine() -> Object<PrincipalDraft> {
    Object {
        expected: "a machine",
        fields: |fields| {
            let workload = fields.optional(
                field(
                    "workload",
                    "The tokens by which a platform vouches for a job of its own (OpenID Connect).",
                ),
                &workload(),
            );
            Some(PrincipalDraft { workload, ..common(fields, ANSWERS)? })
        },
    }
}

/// The shape of an agent.
pub(super) const fn agent() -> Object<PrincipalDraft> {
    Object { expected: "an agent", fields: |fields| common(fields, ANSWERS) }
}

/// What is said of `for`.
const ANSWERS: &str = "The person who answers for it, and as whom it counts wherever two people are wanted.";

fn common(fields: &mut Fields<'_>, about_person: &'static str) -> Option<PrincipalDraft> {
    let groups = fields.optional(
        field("groups", "The groups that it belongs to, for policies that want an approval of one.")
            .example("[payments]"),
        &ListOf {
            item: label("the name of a group"),
            at_least: 0,
            expected: "a list of groups",
            example: "[payments]",
        },
    );
    let grants = fields.optional(
        field("roles", "What it may do: roles, each everywhere or in some places.").example("[viewer]"),
        &ListOf {
            item: Placed(Either {
                short: grant_of_role(),
                long: Object { expected: "a role in some places", fields: grant },
            }),
            at_least: 0,
            expected: "a list of roles",
            example: "[viewer, { role: developer, environments: [dev] }]",
        },
    );
    let logins = fields.optional(
        field("logins", "How it is recognised beside tokens: `unix:USER` or `oidc:SIGN_IN#VALUE`.")
            .example("[unix:anna]"),
        &ListOf { item: Placed(login()), at_least: 0, expected: "a list of logins", example: "[unix:anna]" },
    );
    let person = fields.optional(field("for", about_person).example("anna"), &Placed(principal_name()));
    Some(PrincipalDraft {
        groups: groups.unwrap_or_default(),
        grants: grants.unwrap_or_default(),
        logins: logins.unwrap_or_default(),
        person,
        workload: None,
    })
}

fn grant_of_role() -> Scalar<GrantDraft> {
    label::<RoleName>("the name of a role").map(|role| GrantDraft {
        role,
        environments: None,
        services: None,
    })
}

fn grant(fields: &mut Fields<'_>) -> Option<GrantDraft> {
    let role = fields.required(field("role", "The role.").example("developer"), &label("the name of a role"));
    let environments = fields.optional(
        field("environments", "Where it holds; everywhere without this.").example("[dev, staging]"),
        &OneOrMore {
            item: Placed(label("the name of an environment")),
            expected: "an environment or a list of them",
            example: "[dev, staging]",
        },
    );
    let services = fields.optional(
        field("services", "For which services it holds; for all without this.").example("[api]"),
        &OneOrMore {
            item: Placed(label("the name of a service")),
            expected: "a service or a list of them",
            example: "[api]",
        },
    );
    Some(GrantDraft { role: role?, environments, services })
}

fn login() -> Scalar<Login> {
    let schema = json!({ "type": "string", "pattern": "^(unix:[A-Za-z0-9].*|oidc:[a-z0-9].*#.+)$" });
    parsed("a login such as `unix:anna`", schema)
}
