//! What the implementation of the Gateway says of a route.

use serde_json::Value;

use super::super::provider::Verdict;
use super::super::scene::{items, text};

/// The reason that a Gateway's conditions have from its definition, before anybody reads it.
const UNREAD: &str = "Pending";

/// Judged by the conditions of the parent of this name, by those that speak of the route as it is now.
pub(super) fn verdict(route: &Value, parent: &str) -> Verdict {
    let generation = route.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default();
    let ours = |status: &&Value| text(status, "/parentRef/name") == Some(parent);
    let parents: Vec<&Value> = items(route, "/status/parents").iter().filter(ours).collect();
    if parents.is_empty() {
        return Verdict::Silent;
    }
    for parent in &parents {
        for kind in ["Accepted", "ResolvedRefs"] {
            match condition(parent, kind, generation) {
                Some((true, _)) => {}
                Some((false, why)) => return Verdict::Refused(why),
                None => return Verdict::Pending,
            }
        }
    }
    Verdict::InForce
}

/// Whether the condition is true, and its words; `None` if it is missing, unknown or about an older state.
fn condition(status: &Value, kind: &str, generation: i64) -> Option<(bool, String)> {
    let found =
        items(status, "/conditions").iter().find(|condition| text(condition, "/type") == Some(kind))?;
    let observed = found.get("observedGeneration").and_then(Value::as_i64);
    // An implementation that leaves it out is taken at its word.
    if observed.is_some_and(|observed| observed < generation) {
        return None;
    }
    let (reason, message) =
        (text(found, "/reason").unwrap_or_default(), text(found, "/message").unwrap_or_default());
    match text(found, "/status")? {
        "True" => Some((true, String::new())),
        "False" => Some((false, format!("{kind} is False ({reason}): {message}"))),
        _ => None,
    }
}

/// Whether somebody has written the Gateway's status.
pub(super) fn is_read(gateway: &Value) -> bool {
    let written = |condition: &Value| text(condition, "/reason").is_some_and(|reason| reason != UNREAD);
    items(gateway, "/status/conditions").iter().any(written)
        || !items(gateway, "/status/listeners").is_empty()
        || !items(gateway, "/status/addresses").is_empty()
}
