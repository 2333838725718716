//! The whole file.

use super::access::{AccessDraft, access};
use super::approvals::{Approved, allowed_urls, approved_scripts};
use super::conditions::{Conditions, conditions};
use super::environment::{EnvironmentDraft, environment};
use super::hooks::{Hooks, hooks};
use super::secrets::secrets;
use super::service::{ServiceDraft, service};
use super::strategy::strategy;
use super::target::clusters;
use super::tickets::tickets;
use super::waves::{Waves, waves};
use super::windows::windows;
use crate::read::shape::{Fields, MapOf, Named, Object, field};
use crate::read::values::label;
use crate::{
    AllowedUrls, Cluster, ClusterName, EnvironmentName, ProjectName, SecretSettings, ServiceName, Strategy,
    StrategyName, TicketSystem, TicketSystemName, WindowName, Windows,
};

/// The file as it is written.
pub(crate) struct ProjectDraft {
    pub name: Option<ProjectName>,
    pub services: Named<ServiceName, ServiceDraft>,
    pub clusters: Named<ClusterName, Cluster>,
    pub environments: Named<EnvironmentName, EnvironmentDraft>,
    pub waves: Waves,
    pub strategies: Named<StrategyName, Strategy>,
    pub access: Option<AccessDraft>,
    pub conditions: Conditions,
    pub windows: Named<WindowName, Windows>,
    pub tickets: Named<TicketSystemName, TicketSystem>,
    pub hooks: Hooks,
    pub allowed_urls: AllowedUrls,
    pub approved_scripts: Approved,
    pub secrets: SecretSettings,
}

/// The shape of the file.
pub(crate) const fn project() -> Object<ProjectDraft> {
    Object { expected: "the project", fields }
}

fn fields(fields: &mut Fields<'_>) -> Option<ProjectDraft> {
    let name = fields.required(
        field("project", "The name of the project.").example("shop"),
        &label("the name of the project"),
    );
    let services = fields.required(
        field("services", "The services that make up the project, by name.").example("{ api: … }"),
        &MapOf {
            key: label("the name of a service"),
            value: service(),
            expected: "a mapping of services by name",
            at_least: 1,
        },
    );
    let clusters = fields.optional(
        field(
            "clusters",
            "The inventory of Kubernetes clusters, by name; environments use no other cluster or namespace than it lists.",
        )
        .example("{ shop-eu: { context: shop-eu, namespaces: [shop] } }"),
        &clusters(),
    );
    let environments = fields.or(
        field("environments", "Where the services run, by name. Without it there is `dev`, on this machine."),
        &MapOf {
            key: label("the name of an environment"),
            value: environment(),
            expected: "a mapping of environments by name",
            at_least: 1,
        },
        r#"{"dev": {}}"#,
    );
    let waves = fields.optional(
        field(
            "waves",
            "Environments that a release goes to one wave after the other, by name; those of one wave go together.",
        )
        .example("{ everywhere: [[canary], [production]] }"),
        &waves(),
    );
    let strategies = fields.optional(
        field(
            "strategies",
            "Ways to replace one release with another, by name, beside `rolling`, `blue-green`, `canary` and `recreate`, \
             which are built in.",
        ),
        &MapOf { key: label("the name of a strategy"), value: strategy(), expected: "a mapping of strategies by name", at_least: 0 },
    );
    let access = fields.optional(
        field("access", "Who may do what. Without it, whoever runs the server may do everything, and nobody else anything."),
        &access(),
    );
    let conditions = fields.optional(
        field("conditions", "A team's own conditions, by name; a deployment passes only if they are true."),
        &conditions(),
    );
    let windows = fields.optional(
        field("windows", "When deployments are allowed, and when they are frozen, by name."),
        &windows(),
    );
    let tickets =
        fields.optional(field("tickets", "The systems in which changes have tickets, by name."), &tickets());
    let hooks = fields.optional(field("hooks", "Sources of alerts that call Pilotage, by name."), &hooks());
    let allowed = fields.optional(
        field(
            "allowed_urls",
            "The servers that Pilotage may ask beside those of this machine: scheme, host and port.",
        )
        .example("[\"https://jira.shop.example\"]"),
        &allowed_urls(),
    );
    let approved = fields.optional(
        field(
            "approved_scripts",
            "Scripts that somebody has looked at, by path, with the digest of what they looked at; for one that is written into a \
             command, any name and the digest of the command.",
        )
        .example("{ smoke.sh: \"sha256:…\" }"),
        &approved_scripts(),
    );
    let secrets =
        fields.optional(field("secrets", "How the places are reached where secrets are kept."), &secrets());
    Some(ProjectDraft {
        name,
        services: services.unwrap_or_default(),
        clusters: clusters.unwrap_or_default(),
        environments: environments.unwrap_or_default(),
        waves: waves.unwrap_or_default(),
        strategies: strategies.unwrap_or_default(),
        access,
        conditions: conditions.unwrap_or_default(),
        windows: windows.unwrap_or_default(),
        tickets: tickets.unwrap_or_default(),
        hooks: hooks.unwrap_or_default(),
        allowed_urls: AllowedUrls(allowed.unwrap_or_default()),
        approved_scripts: approved.unwrap_or_default(),
        secrets: secrets.unwrap_or_default(),
    })
}
