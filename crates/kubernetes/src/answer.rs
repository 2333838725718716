//! What API servers refuse, in words: what, why, and what to do about it.

use std::error::Error as _;
use std::time::Duration;

use kube::core::Status;
use kube::core::response::StatusCause;
use pilotage_targets::TargetError;

/// Longer messages are cut: an admission webhook may say anything.
const MESSAGE_LIMIT: usize = 1_000;

/// A request that was not answered as it should be.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The HTTP status; 0 if nothing was answered.
    pub code: u16,
    /// There is no such object, kind or group.
    pub missing: bool,
    /// There is such an object already.
    pub exists: bool,
    /// The object is not the one that was read before.
    pub stale: bool,
    /// The same for people.
    pub error: TargetError,
}

impl Refusal {
    /// A refusal of our own.
    pub fn of(doing: &str, reason: String) -> Self {
        Self::unanswered(failed(doing, reason))
    }

    fn unanswered(error: TargetError) -> Self {
        Self { code: 0, missing: false, exists: false, stale: false, error }
    }
}

impl From<Refusal> for TargetError {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

/// Whether the same request may well be answered in a moment: the server was at fault, or just not there. What asks for a
/// pause of its own (429, 503, 504) has been tried again by the client already.
pub(crate) fn is_passing(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => status.code == 500 && status.reason != "NotAcceptable",
        kube::Error::Service(_) | kube::Error::HyperError(_) => !chain(error).contains("certificate"),
        _ => false,
    }
}

/// Nothing was answered in time.
pub(crate) fn late(engine: &str, doing: &str, limit: Duration) -> Refusal {
    let reason = format!("no answer within {} s when asked to {doing}", limit.as_secs());
    Refusal::unanswered(TargetError::Unreachable { engine: engine.to_owned(), reason })
}

/// An answer in words.
pub(crate) fn refusal(engine: &str, doing: &str, error: &kube::Error) -> Refusal {
    match error {
        kube::Error::Api(status) => Refusal {
            code: status.code,
            missing: status.is_not_found() && !names_namespace(status),
            exists: status.is_already_exists(),
            stale: status.is_conflict() && !status.is_already_exists() && managers(status).is_empty(),
            error: answered(engine, doing, status),
        },
        kube::Error::Discovery(kube::error::DiscoveryError::MissingApiGroup(_)) => {
            Refusal { missing: true, ..Refusal::of(doing, chain(error)) }
        }
        kube::Error::Auth(_) | kube::Error::InferKubeconfig(_) => Refusal::unanswered(failed(
            doing,
            format!("no credentials for {engine}: {}; log in to it again", chain(error)),
        )),
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => Refusal::of(
            doing,
            format!("{engine} answered something else than was asked for: {}", chain(error)),
        ),
        _ => Refusal::unanswered(not_reached(engine, doing, &chain(error))),
    }
}

fn not_reached(engine: &str, doing: &str, reason: &str) -> TargetError {
    if reason.contains("certificate") {
        let reason = format!(
            "the certificate of {engine} does not match: {reason}; correct `certificate-authority-data` or `server` of its \
             kubeconfig"
        );
        return failed(doing, reason);
    }
    TargetError::Unreachable { engine: engine.to_owned(), reason: reason.to_owned() }
}

fn answered(engine: &str, doing: &str, status: &Status) -> TargetError {
    let message = cut(&status.message);
    match status.code {
        401 => failed(
            doing,
            format!(
                "{engine} does not accept our credentials (401): they have expired or were withdrawn; log in again"
            ),
        ),
        403 => forbidden(doing, status),
        404 if names_namespace(status) => {
            failed(doing, format!("{message}; create the namespace, or correct it in the target's settings"))
        }
        409 => conflict(doing, status),
        422 => TargetError::Unsupported {
            what: format!("{doing}: {message}"),
            mend: "correct what the object is made from, and deploy again".to_owned(),
        },
        429 | 500..=599 => TargetError::Unreachable {
            engine: engine.to_owned(),
            reason: format!("asked to {doing}, it answered {}: {message}", status.code),
        },
        _ => failed(doing, format!("{engine} answered {}: {message}", status.code)),
    }
}

fn names_namespace(status: &Status) -> bool {
    status.code == 404 && status.details.as_ref().is_some_and(|details| details.kind == "namespaces")
}

/// Refused by a rule: of permissions, of a quota, of an admission webhook, or because the namespace is going away.
fn forbidden(doing: &str, status: &Status) -> TargetError {
    let message = cut(&status.message);
    let going = causes(status).iter().any(|cause| cause.reason == "NamespaceTerminating")
        || message.contains("because it is being terminated");
    if going {
        return failed(doing, format!("the namespace is being deleted: {message}"));
    }
    if message.contains("exceeded quota") {
        return failed(doing, format!("{message}; raise the quota, or lower `resources` or `replicas`"));
    }
    match missing_rule(&message) {
        Some(rule) => TargetError::Forbidden { what: doing.to_owned(), rule },
        None => failed(doing, message),
    }
}

/// The rule that is missing, from a message like `User "u" cannot patch resource "deployments" in API group "apps" in the
/// namespace "shop"`. The subresource is part of the resource there.
fn missing_rule(message: &str) -> Option<String> {
    let (_, rest) = message.split_once(" cannot ")?;
    let (verb, rest) = rest.split_once(" resource \"")?;
    let (resource, rest) = rest.split_once('"')?;
    let group = rest.split_once("in API group \"").and_then(|(_, rest)| rest.split_once('"'));
    let group = group.map_or("", |(group, _)| group);
    Some(format!("apiGroups: [\"{group}\"], resources: [\"{resource}\"], verbs: [\"{verb}\"]"))
}

/// Somebody else owns fields that were to be applied; or the object is not the one that was read.
fn conflict(doing: &str, status: &Status) -> TargetError {
    let owned = managers(status);
    if owned.is_empty() {
        return failed(doing, format!("it was changed meanwhile: {}", cut(&status.message)));
    }
    let mut managers: Vec<&str> = owned.iter().map(|(manager, _)| manager.as_str()).collect();
    managers.sort_unstable();
    managers.dedup();
    TargetError::Conflict {
        object: object(status, doing),
        manager: managers.join(", "),
        fields: owned.iter().map(|(_, field)| field.as_str()).collect::<Vec<_>>().join(", "),
    }
}

fn object(status: &Status, doing: &str) -> String {
    match &status.details {
        Some(details) if !details.name.is_empty() => format!("{} {}", details.kind, details.name),
        _ => doing.to_owned(),
    }
}

/// Who owns which field, from causes like `conflict with "kubectl-edit" using apps/v1` at `.spec.replicas`.
fn managers(status: &Status) -> Vec<(String, String)> {
    let conflicts = causes(status).iter().filter(|cause| cause.reason == "FieldManagerConflict");
    conflicts
        .map(|cause| {
            let manager = cause.message.split('"').nth(1).unwrap_or("another manager");
            (manager.to_owned(), cause.field.clone())
        })
        .collect()
}

fn causes(status: &Status) -> &[StatusCause] {
    status.details.as_ref().map_or(&[], |details| &details.causes)
}

fn failed(doing: &str, reason: String) -> TargetError {
    TargetError::Failed { doing: doing.to_owned(), reason }
}

fn cut(message: &str) -> String {
    message.chars().filter(|c| !c.is_control() || *c == '\n').take(MESSAGE_LIMIT).collect()
}

/// An error with all that caused it; each says only its own part.
fn chain(error: &kube::Error) -> String {
    let mut words = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !words.iter().any(|before| before.contains(&said)) {
            words.push(said);
        }
        cause = error.source();
    }
    cut(&words.join(": "))
}

#[cfg(test)]
mod tests;
