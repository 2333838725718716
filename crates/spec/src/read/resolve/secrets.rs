//! Secrets that seem to be written out. They end up in version control; a reference does not.

use super::environments::Environments;
use crate::Value;
use crate::read::fault::Faults;
use crate::read::file::{EnvDraft, ServiceDraft};
use crate::read::node::Spanned;
use crate::read::shape::Named;
use crate::{ServiceName, VariableName};

/// How the names of variables that hold secrets end.
const ENDINGS: [&str; 8] =
    ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "PRIVATE_KEY", "ACCESS_KEY", "CREDENTIALS"];

/// Warns of every variable whose text looks like a secret.
pub(super) fn warn(
    services: &Named<ServiceName, ServiceDraft>,
    environments: &Environments,
    faults: &mut Faults,
) {
    let own = services.iter().filter_map(|(_, service)| Some(&service.as_ref()?.env));
    let overrides =
        environments.iter().filter_map(|(_, environment)| Some(&environment.as_ref()?.services)).flatten();
    let changed = overrides.filter_map(|(_, changed)| Some(&changed.as_ref()?.env));
    own.chain(changed).for_each(|env| warn_in(env, faults));
}

fn warn_in(env: &EnvDraft, faults: &mut Faults) {
    for (name, value) in env {
        let Some(Spanned { value: Value::Plain(text), .. }) = value else { continue };
        if has_telling_name(&name.value, text) || has_password_in_url(text) {
            faults
                .warning(&name.span, format!("`{}` looks like a secret that is written out", name.value))
                .help(format!(
                    "refer to it: `{0}: {{ secret: \"env:{0}\" }}`, or `file:` and a path",
                    name.value
                ))
                .hide();
        }
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
