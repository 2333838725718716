//! `pilotage whoami`.

use std::collections::BTreeSet;

use pilotage_server::WhoAmI;
use pilotage_spec::{PrincipalKind, Verb};

use super::Session;
use crate::failure::{DONE, Failure};

pub async fn run(session: &Session) -> Result<u8, Failure> {
    let who: WhoAmI = session.client().await?.get("/v1/whoami").await?;
    if session.printer.json() {
        session.printer.object(&who);
    } else {
        lines(&who).iter().for_each(|line| session.printer.line(line));
    }
    Ok(DONE)
}

fn lines(who: &WhoAmI) -> Vec<String> {
    let identity = &who.identity;
    let kind = match identity.kind {
        PrincipalKind::Person => "a person",
        PrincipalKind::Machine => "a machine",
        PrincipalKind::Agent => "an agent",
    };
    let known_by = match who.credential.as_str() {
        "socket" => "the user of the unix socket",
        "token" => "a token",
        "session" => "having signed in",
        _ => "an id token",
    };
    let mut lines = vec![format!("{identity}, {kind}, known by {known_by}")];
    let mut list = |what: &str, names: Vec<String>| {
        lines.extend((!names.is_empty()).then(|| format!("{what:<11} {}", names.join(", "))));
    };
    list("groups", identity.groups.iter().map(ToString::to_string).collect());
    list("roles", identity.roles.iter().map(ToString::to_string).collect());
    list("vouched by", identity.vouched_by.iter().map(ToString::to_string).collect());
    list("everywhere", names(&who.everywhere));
    let elsewhere: BTreeSet<Verb> = who.verbs.difference(&who.everywhere).copied().collect();
    list("in places", names(&elsewhere));
    if who.verbs.is_empty() {
        lines.push("may do nothing: it has no roles in pilotage.yaml".to_owned());
    }
    lines
}

fn names(verbs: &BTreeSet<Verb>) -> Vec<String> {
    verbs.iter().map(ToString::to_string).collect()
}
