//! Sources of alerts.

use serde_json::json;

use crate::quote::quoted;
use crate::read::node::Spanned;
use crate::read::shape::{Fields, Hidden, MapOf, Misread, Named, Object, OneOrMore, Placed, Scalar, field};
use crate::read::values::{TEXT, label, secret_source};
use crate::{EnvironmentName, HookKind, HookName, SecretSource, ServiceName};

/// The longest label, value of a label, or severity, in bytes.
const TEXT_LIMIT: usize = 200;

/// A source of alerts as it is written.
pub(crate) struct HookDraft {
    pub kind: HookKind,
    pub secret: SecretSource,
    pub severities: Vec<String>,
    pub service_label: String,
    pub environment_label: String,
    pub services: Named<String, Spanned<ServiceName>>,
    pub environments: Named<String, Spanned<EnvironmentName>>,
    pub environment: Option<Spanned<EnvironmentName>>,
}

/// Sources of alerts by name, as they are written.
pub(crate) type Hooks = Named<HookName, HookDraft>;

/// The shape of `hooks`.
pub(super) fn hooks() -> MapOf<HookName, Object<HookDraft>> {
    MapOf {
        key: label("the name of a hook"),
        value: Object { expected: "a hook", fields },
        expected: "a mapping of hooks by name",
        at_least: 0,
    }
}

fn fields(fields: &mut Fields<'_>) -> Option<HookDraft> {
    let kind = kind(fields);
    let severities = fields.or(
        field(
            "severity",
            "The severities, or the one, that take a deployment back; all others are only recorded.",
        ),
        &OneOrMore {
            item: word("a severity"),
            expected: "a severity or a list of them",
            example: "[critical]",
        },
        "critical",
    );
    let service_label =
        fields.or(field("service_label", "The label that names the service."), &word("a label"), "service");
    let environment_label = fields.or(
        field("environment_label", "The label that names the environment."),
        &word("a label"),
        "environment",
    );
    let services = fields.optional(
        field("services", "Services by what that label says, where it is not the service's own name.")
            .example("{ shop-api: api }"),
        &MapOf {
            key: word("what the label says"),
            value: Placed(label("the name of a service")),
            expected: "a mapping to services",
            at_least: 0,
        },
    );
    let environments = fields.optional(
        field("environments", "Environments by what that label says, where it is neither name nor alias.")
            .example("{ prod-eu: production }"),
        &MapOf {
            key: word("what the label says"),
            value: Placed(label("the name of an environment")),
            expected: "a mapping to environments",
            at_least: 0,
        },
    );
    let environment = fields.optional(
        field("environment", "The environment of alerts without that label.").example("production"),
        &Placed(label("the name of an environment")),
    );
    let (kind, secret) = kind?;
    Some(HookDraft {
        kind,
        secret,
        severities: severities?,
        service_label: service_label?,
        environment_label: environment_label?,
        services: services.unwrap_or_default(),
        environments: environments.unwrap_or_default(),
        environment,
    })
}

/// Asks for the one kind that a hook has.
fn kind(fields: &mut Fields<'_>) -> Option<(HookKind, SecretSource)> {
    fields.exactly_one(&["alertmanager", "pagerduty", "grafana", "generic"]);
    let fields_of_kinds = [
        field(
            "alertmanager",
            "Alertmanager's webhook: it sends the secret as a bearer token, or as the password of basic authentication.",
        ),
        field("pagerduty", "PagerDuty's webhook, version 3, signed with the secret."),
        field("grafana", "Grafana's webhook, signed with the secret (HMAC)."),
        field("generic", "Alerts of anything else, signed as Standard Webhooks or GitHub do."),
    ];
    let kinds = HookKind::WORDS.iter().zip(fields_of_kinds);
    let found: Vec<_> =
        kinds.map(|((_, kind), field)| Some((*kind, fields.optional(field, &Hidden(proof()))?))).collect();
    found.into_iter().flatten().next()
}

fn proof() -> Object<SecretSource> {
    Object {
        expected: "a reference to a secret",
        fields: |fields| {
            let secret = field("secret", "Where the secret is read: `env:NAME` or `file:path`.");
            fields.required(secret.example("env:ALERTS_SECRET"), &secret_source())
        },
    }
}

fn word(expected: &'static str) -> Scalar<String> {
    let schema = json!({ "type": TEXT, "minLength": 1, "maxLength": TEXT_LIMIT });
    Scalar::new(expected, schema, move |written| {
        let text = written.text.as_str();
        if text.is_empty() || text.len() > TEXT_LIMIT || text.chars().any(char::is_control) {
            let mend = format!("write 1 to {TEXT_LIMIT} bytes, without control characters");
            return Err(Misread::new(format!("{} is not {expected}", quoted(text)), mend));
        }
        Ok(text.to_owned())
    })
}
