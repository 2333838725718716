//! A program that does what a target does.

use std::time::Duration;

use crate::CommandSettings;
use crate::read::file::service::env;
use crate::read::shape::{Fields, ListOf, Object, Scalar, field};
use crate::read::values::duration;

/// Less is a mistake.
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(100);

pub(super) const fn command() -> Object<CommandSettings> {
    Object { expected: "`command`", fields }
}

fn fields(fields: &mut Fields<'_>) -> Option<CommandSettings> {
    let run = "Program and arguments, as a list; run in the project's folder, once for each request.";
    let run = fields.required(
        field("run", run).example("[\"./deployer\"]"),
        &ListOf {
            item: Scalar::text("an argument"),
            at_least: 1,
            expected: "a list of arguments",
            example: "[\"./deployer\"]",
        },
    );
    let variables = "All the environment variables that it gets beside `PATH` and `HOME`.";
    let variables = fields.optional(field("env", variables), &env()).unwrap_or_default();
    let timeout =
        fields.or(field("timeout", "How long one request may take."), &duration(SHORTEST_TIMEOUT), "60s");
    let env = variables.into_iter().filter_map(|(name, value)| Some((name.value, value?.value))).collect();
    Some(CommandSettings { run: run?, env, timeout: timeout? })
}
