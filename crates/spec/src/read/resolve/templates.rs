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
use crate::{ListenOn, ServiceName, Value};

/// What is substituted in `smoke`.
const SMOKE_VARIABLES: [&str; 2] = ["URL", "VERSION"];

/// What tells an instance where to listen.
const PLACE_VARIABLES: [&str; 2] = ["PORT", "PILOTAGE_SOCKET"];

/// The one that an instance has.
fn place_variable(listen: Option<ListenOn>) -> Option<&'static str> {
    match listen {
        None | Some(ListenOn::Port) => Some("PORT"),
        Some(ListenOn::Socket) => Some("PILOTAGE_SOCKET"),
        Some(ListenOn::Passed) => None,
    }
}

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
    let listen = service.listen.as_ref().map(|listen| listen.value);
    let place = place_variable(listen);
    let mut seen: BTreeSet<&str> = place.into_iter().collect();
    for argument in run {
        for variable in variables_of(argument, faults) {
            if faults.is_full() {
                return;
            }
            if PLACE_VARIABLES.contains(&variable) && seen.insert(variable) {
                report_place(variable, place, argument, faults);
            } else if seen.insert(variable) {
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
            None => report_undeclared(argument, variable, service, faults),
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

fn report_place(variable: &str, place: Option<&str>, argument: &Spanned<String>, faults: &mut Faults) {
    let help = match place {
        Some("PORT") => {
            "the service has a port: use `$PORT`, or write `listen: socket` for a unix socket".to_owned()
        }
        Some(place) => format!(
            "the service listens at a unix socket: use `${place}`, or write `listen: port` for a port"
        ),
        None => "the service is handed its socket as descriptor 3: leave the variable out".to_owned(),
    };
    faults.error(&argument.span, format!("`${variable}` has no value for this service")).help(help);
}

fn report_undeclared_in(environment: &str, argument: &Spanned<String>, variable: &str, faults: &mut Faults) {
    faults.error(&argument.span, format!("`${variable}` has no value in `{environment}`")).help(format!(
        "declare `{variable}` under the service's own `env`, and override it where it differs"
    ));
}

fn report_undeclared(
    argument: &Spanned<String>,
    variable: &str,
    service: &ServiceDraft,
    faults: &mut Faults,
) {
    let place = place_variable(service.listen.as_ref().map(|listen| listen.value));
    let declared = service.env.iter().map(|(name, _)| name.value.as_str());
    let known: BTreeSet<&str> = declared.chain(place).collect();
    let help = match nearest(variable, known) {
        Some(meant) => format!("did you mean `${meant}`? Write `$$` for a literal dollar"),
        None => format!(
            "declare `{variable}` under `env`, or write `$${variable}` for a literal dollar; no shell expands it"
        ),
    };
    let message = match place {
        Some(place) => format!("`${variable}` is neither `${place}` nor declared under `env`"),
        None => format!("`${variable}` is not declared under `env`"),
    };
    faults.error(&argument.span, message).help(help);
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
