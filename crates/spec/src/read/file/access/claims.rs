//! Issuers of tokens, and what their tokens must say.

use std::str::FromStr;

use serde_json::json;

use crate::read::node::Spanned;
use crate::read::shape::{Checked, Fields, MapOf, Object, Scalar, field};
use crate::read::values::{TEXT, parsed};
use crate::{ClaimName, Issuer, NameError, SignIn, WorkloadIdentity};

/// Claims that say who issued a token, for whom and when. They are checked in any case, and tell no two jobs apart.
const OWN_CLAIMS: [&str; 7] = ["iss", "aud", "azp", "exp", "nbf", "iat", "jti"];

/// The shape of a place where people sign in.
pub(super) const fn sign_in() -> Object<SignIn> {
    Object { expected: "a place to sign in", fields: sign_in_fields }
}

fn sign_in_fields(fields: &mut Fields<'_>) -> Option<SignIn> {
    let issuer = fields.required(
        field("issuer", "Who issues the id tokens, exactly as they say it.")
            .example("https://accounts.example.com"),
        &issuer(),
    );
    let client_id = fields.required(
        field("client_id", "As whom Pilotage is registered there: a public (native) client that uses PKCE.")
            .example("pilotage"),
        &visible("the id of a client"),
    );
    let claim = fields.or(
        field(
            "claim",
            "The claim that says who somebody is, and with which `oidc:SIGN_IN#VALUE` is compared. An `email` counts only \
             where the issuer says that it is verified.",
        ),
        &visible("the name of a claim"),
        "sub",
    );
    Some(SignIn { issuer: issuer?, client_id: client_id?, claim: claim? })
}

/// The shape of `workload`.
pub(super) const fn workload() -> Object<WorkloadIdentity> {
    Object { expected: "`workload`", fields: workload_fields }
}

fn workload_fields(fields: &mut Fields<'_>) -> Option<WorkloadIdentity> {
    let issuer = fields.required(
        field("issuer", "Who issues the tokens, exactly as they say it.")
            .example("https://token.actions.githubusercontent.com"),
        &issuer(),
    );
    let audience = fields.required(
        field("audience", "For whom the tokens must be meant, and for nobody else.").example("pilotage"),
        &visible("an audience"),
    );
    let claims = fields.required(
        field("claims", "What the tokens must say, each claim exactly.")
            .example("{ repository: shop/api, ref: refs/heads/main }"),
        &Checked {
            shape: MapOf {
                key: visible("the name of a claim"),
                value: visible("the value of a claim"),
                expected: "a mapping of claims",
                at_least: 1,
            },
            check: |named, faults| {
                let telling = |name: &ClaimName| !OWN_CLAIMS.contains(&name.as_str());
                for (Spanned { value: name, span }, _) in named.iter().filter(|(name, _)| !telling(&name.value)) {
                    faults
                        .error(span, format!("`{name}` tells no two jobs apart"))
                        .help("name a claim that says which job it is, such as `repository` or `sub`; issuer, audience and times are always checked");
                }
                named.into_iter().map(|(name, value)| Some((name.value, value?))).collect()
            },
        },
    );
    Some(WorkloadIdentity { issuer: issuer?, audience: audience?, claims: claims? })
}

fn issuer() -> Scalar<Issuer> {
    let schema = json!({ "type": "string", "pattern": "^https?://[^\\s/?#@]+[^\\s?#@]*$", "maxLength": 512 });
    parsed("an issuer such as `https://accounts.example.com`", schema)
}

/// A text of visible characters.
fn visible<T: FromStr<Err = NameError> + 'static>(expected: &'static str) -> Scalar<T> {
    parsed(expected, json!({ "type": TEXT, "pattern": "^[!-~]+$", "maxLength": 512 }))
}
