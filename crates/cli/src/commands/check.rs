//! `pilotage check`.

use pilotage_spec::{Checked, Severity};

use crate::arguments::Global;
use crate::failure::{DONE, Failure, USAGE};
use crate::place::project_file;
use crate::printer::Printer;
use crate::words::count;

pub fn run(global: &Global, printer: &Printer) -> Result<u8, Failure> {
    let path = project_file(global)?;
    let unreadable = |error| Failure::usage(format!("cannot read {}: {error}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(unreadable)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Checked { project, diagnostics } = pilotage_policy::check(&name, &text);
    if printer.json() {
        printer.object(&serde_json::json!({ "ok": project.is_some(), "diagnostics": diagnostics }));
    } else if !diagnostics.is_empty() {
        printer.line(diagnostics.render(printer.color()));
    }
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    match project {
        Some(project) if !printer.json() => {
            let (services, environments) = (project.services.len(), project.environments.len());
            let parts = [count(services, "service"), count(environments, "environment")];
            printer.line(format!("✓ {name} is sound: {}", parts.join(", ")));
            Ok(DONE)
        }
        Some(_) => Ok(DONE),
        None => {
            printer.say(format!("✗ {} in {}", count(errors, "error"), path.display()));
            Ok(USAGE)
        }
    }
}
