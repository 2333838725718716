//! Secrets that seem to be written out. They end up in version control; a reference does not.

use super::environments::Environments;
use super::report_unknown;
use crate::read::fault::Faults;
use crate::read::file::ServiceDraft;
use crate::read::node::{Span, Spanned};
use crate::read::shape::Named;
use crate::{SecretCommandName, SecretSettings, SecretSource, ServiceName, Value, VariableName};

/// How the names of variables that hold secrets end.
const ENDINGS: [&str; 8] =
    ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "PRIVATE_KEY", "ACCESS_KEY", "CREDENTIALS"];

/// Warns of every variable whose text looks like a secret, and refuses references that nothing tells how to follow.
pub(super) fn check(
    services: &Named<ServiceName, ServiceDraft>,
    environments: &Environments,
    settings: &SecretSettings,
    faults: &mut Faults,
) {
    let own = services.iter().filter_map(|(_, service)| Some(&service.as_ref()?.env));
    let overrides =
        environments.iter().filter_map(|(_, environment)| Some(&environment.as_ref()?.services)).flatten();
    let changed = overrides.filter_map(|(_, changed)| Some(&changed.as_ref()?.env));
    for (name, value) in own.chain(changed).flatten() {
        match value {
            Some(Spanned { value: Value::Plain(text), .. }) => warn(name, text, faults),
            Some(Spanned { value: Value::Secret(source) | Value::SecretFile(source), span }) => {
                check_source(source, span, settings, faults);
            }
            None => {}
        }
    }
}

fn warn(name: &Spanned<VariableName>, text: &str, faults: &mut Faults) {
    if has_telling_name(&name.value, text) || has_password_in_url(text) {
        faults
            .warning(&name.span, format!("`{}` looks like a secret that is written out", name.value))
            .help(format!("refer to it: `{0}: {{ secret: \"env:{0}\" }}`, or `file:` and a path", name.value))
            .hide();
    }
}

fn check_source(source: &SecretSource, span: &Span, settings: &SecretSettings, faults: &mut Faults) {
    match source {
        SecretSource::Vault(_) if settings.vault.is_none() => {
            faults.error(span, "nothing tells where Vault is").help(
                "add `secrets: { vault: { url: \"https://vault.example.com:8200\", token: \"env:VAULT_TOKEN\" } }` at the \
                 top level",
            );
        }
        SecretSource::Age(_) if settings.age_identity.is_none() => {
            faults.error(span, "nothing tells what decrypts this file").help(
                "add `secrets: { age: { identity: \"file:/etc/pilotage/age.key\" } }` at the top level",
            );
        }
        SecretSource::Command(name) if !settings.commands.contains_key(name) => {
            let known = settings.commands.keys().map(SecretCommandName::as_str);
            report_unknown("command", name.as_str(), span, known, faults);
        }
        _ => {}
    }
}

fn has_telling_name(name: &VariableName, text: &str) -> bool {
    let upper = name.as_str().to_ascii_uppercase();
    !text.is_empty() && ENDINGS.iter().any(|ending| upper.ends_with(ending))
}

/// Whether the text is like `scheme://user:password@host`.
fn has_password_in_url(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    authority
        .rsplit_once('@')
        .and_then(|(user, _)| user.split_once(':'))
        .is_some_and(|(_, password)| !password.is_empty())
}
