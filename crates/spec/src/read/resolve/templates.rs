//! The variables in commands: each must have a value in every environment.

use std::collections::BTreeSet;

use super::environments::Environments;
use crate::quote::quoted;
use crate::read::fault::Faults;
use crate::read::file::{EnvDraft, ServiceDraft};
use crate::read::node::Spanned;
use crate::read::shape::Named;
use crate::suggest::nearest;
use crate::template::variables;
use crate::{ServiceName, Value};

/// What is substituted in `smoke`.
const SMOKE_VARIABLES: [&str; 2] = ["URL", "VERSION"];

/// Checks `run` and `smoke` of every service.
pub(super) fn check(
    services: &Named<ServiceName, ServiceDraft>,
    environments: &Environments,
    faults: &mut Faults,
) {
    for (name, service) in services.iter().filter_map(|(name, draft)| Some((&name.value, draft.as_ref()?))) {
        let run = service.run.as_deref().unwrap_or_default();
        if let Some(program) = run.first() {
            check_program(program, faults);
        }
        for argument in run {
            check_run(argument, name, service, environments, faults);
        }
        for argument in service.smoke.iter().flatten() {
            check_smoke(argument, faults);
        }
        for command in &service.smoke {
            if let Some(program) = command.first() {
                check_program(program, faults);
            }
        }
    }
}

fn check_program(program: &Spanned<String>, faults: &mut Faults) {
    if program.value.trim().is_empty() {
        faults
            .error(&program.span, "the program is empty")
            .help("write the program first, then its arguments");
    }
    if program.value.split('/').any(|segment| segment == "..") {
        faults
            .error(&program.span, format!("the program {} leaves the artifact", quoted(&program.value)))
            .help("a program with a `/` is looked up in the artifact: write `./program`, an absolute path, or a name on PATH");
    }
}

fn check_run(
    argument: &Spanned<String>,
    name: &ServiceName,
    service: &ServiceDraft,
    environments: &Environments,
    faults: &mut Faults,
) {
    let Some(used) = variables_of(argument, faults) else { return };
    for variable in used.into_iter().filter(|variable| *variable != "PORT") {
        if environments.is_empty() {
            continue;
        }
        for (environment, draft) in environments {
            let overrides =
                draft.iter().flat_map(|draft| &draft.services).find(|(service, _)| service.value == *name);
            let overrides = overrides.and_then(|(_, changed)| changed.as_ref()).map(|changed| &changed.env);
            match declared(variable, &service.env, overrides) {
                Declared::Text => continue,
                Declared::Secret => report_secret(argument, variable, faults),
                Declared::No if known_somewhere(variable, name, service, environments) => {
                    faults
                        .error(
                            &argument.span,
                            format!("`${variable}` has no value in `{}`", environment.value),
                        )
                        .help(format!(
                            "declare `{variable}` under the service's `env`, and override it where it differs"
                        ));
                }
                Declared::No => report_undeclared(argument, variable, &service.env, faults),
            }
            break;
        }
    }
}

/// How a variable is declared.
#[derive(PartialEq, Eq)]
enum Declared {
    No,
    Text,
    Secret,
}

fn declared(variable: &str, own: &EnvDraft, overrides: Option<&EnvDraft>) -> Declared {
    let find = |env: &EnvDraft| {
        let (_, value) = env.iter().find(|(name, _)| name.value.as_str() == variable)?;
        // A value with a fault of its own is taken for a text: one message is enough.
        Some(match value {
            Some(Spanned { value: Value::Secret(_), .. }) => Declared::Secret,
            _ => Declared::Text,
        })
    };
    overrides.and_then(find).or_else(|| find(own)).unwrap_or(Declared::No)
}

fn known_somewhere(
    variable: &str,
    name: &ServiceName,
    service: &ServiceDraft,
    environments: &Environments,
) -> bool {
    let overrides =
        environments.iter().filter_map(|(_, draft)| draft.as_ref()).flat_map(|draft| &draft.services);
    let mut envs =
        overrides.filter(|(service, _)| service.value == *name).filter_map(|(_, changed)| changed.as_ref());
    envs.any(|changed| declared(variable, &service.env, Some(&changed.env)) != Declared::No)
}

fn report_undeclared(argument: &Spanned<String>, variable: &str, env: &EnvDraft, faults: &mut Faults) {
    let known: BTreeSet<&str> = env.iter().map(|(name, _)| name.value.as_str()).chain(["PORT"]).collect();
    let help = match nearest(variable, known) {
        Some(meant) => format!("did you mean `${meant}`? Write `$$` for a literal dollar"),
        None => format!(
            "declare `{variable}` under `env`, or write `$${variable}` for a literal dollar; no shell expands it"
        ),
    };
    faults
        .error(&argument.span, format!("`${variable}` is neither `$PORT` nor declared under `env`"))
        .help(help);
}

fn report_secret(argument: &Spanned<String>, variable: &str, faults: &mut Faults) {
    faults
        .error(&argument.span, format!("`${variable}` is a secret and must not be an argument"))
        .label("every user of the machine could read it in the list of processes")
        .help(format!("let the program read `{variable}` from its environment"));
}

fn check_smoke(argument: &Spanned<String>, faults: &mut Faults) {
    let Some(used) = variables_of(argument, faults) else { return };
    for variable in used.into_iter().filter(|variable| !SMOKE_VARIABLES.contains(variable)) {
        let meant = nearest(variable, SMOKE_VARIABLES).map(|name| format!("did you mean `${name}`? "));
        faults.error(&argument.span, format!("`${variable}` is not known in a smoke command")).help(format!(
            "{}`$URL` and `$VERSION` are; write `$$` for a literal dollar",
            meant.unwrap_or_default()
        ));
    }
}

fn variables_of<'a>(argument: &'a Spanned<String>, faults: &mut Faults) -> Option<Vec<&'a str>> {
    match variables(&argument.value) {
        Ok(names) => Some(names),
        Err(error) => {
            faults
                .error(
                    &argument.span,
                    format!("{} holds a `$` that starts no variable", quoted(&argument.value)),
                )
                .help(error.to_string());
            None
        }
    }
}
