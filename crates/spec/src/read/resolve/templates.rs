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
        for program in service.smoke.iter().map(Vec::as_slice).chain([run]).filter_map(<[_]>::first) {
            check_program(program, faults);
        }
        check_run(run, name, service, environments, faults);
        for argument in service.smoke.iter().flatten() {
            check_smoke(argument, faults);
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
    run: &[Spanned<String>],
    name: &ServiceName,
    service: &ServiceDraft,
    environments: &Environments,
    faults: &mut Faults,
) {
    let mut seen = BTreeSet::from(["PORT"]);
    for argument in run {
        for variable in variables_of(argument, faults) {
            if faults.is_full() {
                return;
            }
            if seen.insert(variable) {
                check_variable(variable, argument, name, service, environments, faults);
            }
        }
    }
}

/// A variable needs a value in every environment, and none of them may be a secret.
fn check_variable(
    variable: &str,
    argument: &Spanned<String>,
    name: &ServiceName,
    service: &ServiceDraft,
    environments: &Environments,
    faults: &mut Faults,
) {
    let declared_in: Vec<(&str, Declared)> = environments
        .iter()
        .map(|(environment, draft)| {
            let mut overrides = draft.iter().flat_map(|draft| &draft.services);
            let changed = overrides
                .find(|(service, _)| service.value == *name)
                .and_then(|(_, changed)| changed.as_ref());
            (
                environment.value.as_str(),
                declared(variable, &service.env, changed.map(|changed| &changed.env)),
            )
        })
        .collect();
    let first = |wanted| declared_in.iter().find(|(_, declared)| *declared == wanted).map(|(name, _)| *name);
    if first(Declared::Secret).is_some() {
        report_secret(argument, variable, faults);
    } else if let Some(environment) = first(Declared::No) {
        match first(Declared::Text) {
            Some(_) => report_undeclared_in(environment, argument, variable, faults),
            None => report_undeclared(argument, variable, &service.env, faults),
        }
    }
}

/// How a variable is declared.
#[derive(Clone, Copy, PartialEq, Eq)]
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

fn report_undeclared_in(environment: &str, argument: &Spanned<String>, variable: &str, faults: &mut Faults) {
    faults.error(&argument.span, format!("`${variable}` has no value in `{environment}`")).help(format!(
        "declare `{variable}` under the service's own `env`, and override it where it differs"
    ));
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
    for variable in variables_of(argument, faults) {
        if SMOKE_VARIABLES.contains(&variable) || faults.is_full() {
            continue;
        }
        let meant = nearest(variable, SMOKE_VARIABLES).map(|name| format!("did you mean `${name}`? "));
        faults.error(&argument.span, format!("`${variable}` is not known in a smoke command")).help(format!(
            "{}`$URL` and `$VERSION` are; write `$$` for a literal dollar",
            meant.unwrap_or_default()
        ));
    }
}

/// The variables of an argument; none after a fault in it has been noted.
fn variables_of<'a>(argument: &'a Spanned<String>, faults: &mut Faults) -> Vec<&'a str> {
    variables(&argument.value).unwrap_or_else(|error| {
        faults
            .error(&argument.span, format!("{} holds a `$` that starts no variable", quoted(&argument.value)))
            .help(error.to_string());
        Vec::new()
    })
}
