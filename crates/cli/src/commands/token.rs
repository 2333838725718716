//! `pilotage token`.

use pilotage_access::{TokenKind, TokenRecord};
use pilotage_server::{TokenBody, TokenDone};
use pilotage_spec::Verb;
use pilotage_views::rfc3339;

use super::Session;
use crate::arguments::{TokenCreate, TokenVerb};
use crate::failure::{DONE, Failure};

pub async fn run(verb: TokenVerb, session: &Session) -> Result<u8, Failure> {
    match verb {
        TokenVerb::Create(asked) => create(asked, session).await,
        TokenVerb::List => list(session).await,
        TokenVerb::Revoke(asked) => revoke(&asked.id, session).await,
    }
}

async fn create(asked: TokenCreate, session: &Session) -> Result<u8, Failure> {
    let only = |names: Vec<String>| (!names.is_empty()).then_some(names);
    let body = TokenBody {
        principal: asked.principal,
        purpose: asked.purpose,
        verbs: (!asked.verb.is_empty()).then(|| asked.verb.into_iter().collect()),
        environments: only(asked.env),
        services: only(asked.service),
        expires_seconds: asked.expires.map(|life| life.as_secs()),
    };
    let done: TokenDone = session.client().await?.post("/v1/tokens", &body).await?;
    let printer = &session.printer;
    if printer.json() {
        printer.object(&done);
    } else {
        let TokenRecord { principal, expires, .. } = &done.record;
        printer.line(&done.token);
        printer
            .say(format!("a token for {principal}, good until {}; it is not shown again", rfc3339(*expires)));
        printer.hint(format!("pilotage token revoke {}", done.record.id));
    }
    Ok(DONE)
}

async fn list(session: &Session) -> Result<u8, Failure> {
    let tokens: Vec<TokenRecord> = session.client().await?.get("/v1/tokens").await?;
    let printer = &session.printer;
    if tokens.is_empty() && !printer.json() {
        printer.say("there are no tokens");
    }
    for token in &tokens {
        if printer.json() {
            printer.object(token);
        } else {
            printer.line(text(token));
        }
    }
    Ok(DONE)
}

fn text(token: &TokenRecord) -> String {
    let kind = match token.kind {
        TokenKind::Api => "token",
        TokenKind::Session => "session",
    };
    let used = token.used.map_or_else(|| "never used".to_owned(), |at| format!("used {}", rfc3339(at)));
    let row = format!(
        "{}  {kind:<7} {:<20} until {}  {used}  {}  {}",
        token.id,
        token.principal.to_string(),
        rfc3339(token.expires),
        scope(token),
        token.purpose,
    );
    row.trim_end().to_owned()
}

/// What it may be used for.
fn scope(token: &TokenRecord) -> String {
    let scope = &token.scope;
    let verbs = scope
        .verbs
        .as_ref()
        .map(|verbs| verbs.iter().map(|verb| Verb::name(*verb)).collect::<Vec<_>>().join(","));
    let environments = scope.environments.as_ref().map(joined);
    let services = scope.services.as_ref().map(joined);
    let everything = || "*".to_owned();
    format!(
        "{} in {}/{}",
        verbs.unwrap_or_else(everything),
        environments.unwrap_or_else(everything),
        services.unwrap_or_else(everything)
    )
}

fn joined<T: ToString>(names: &std::collections::BTreeSet<T>) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

async fn revoke(id: &str, session: &Session) -> Result<u8, Failure> {
    // People copy more of a token than its name; nothing of that is sent on.
    let name = id.strip_prefix("plt_").unwrap_or(id);
    let name = name.split('_').next().unwrap_or(name);
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !name.is_empty();
    if !is_name {
        return Err(Failure::usage("a token is called by the letters and digits behind `plt_`"));
    }
    let path = format!("/v1/tokens/{name}/revoke");
    let token: TokenRecord = session.client().await?.post(&path, &pilotage_server::Empty {}).await?;
    if session.printer.json() {
        session.printer.object(&token);
    } else {
        session.printer.line(format!("✓ {} of {} is revoked", token.id, token.principal));
    }
    Ok(DONE)
}
