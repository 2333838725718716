//! `pilotage check`.

use std::path::Path;

use pilotage_server::{calendar_faults, window_faults};
use pilotage_spec::{Checked, Project, Severity};

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
    let faults = project.as_ref().map(|project| faults(project, &path)).unwrap_or_default();
    if printer.json() {
        let ok = project.is_some() && faults.is_empty();
        printer.object(&serde_json::json!({ "ok": ok, "diagnostics": diagnostics, "faults": faults }));
    } else if !diagnostics.is_empty() {
        printer.line(diagnostics.render(printer.color()));
    }
    let written = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    let errors = written + faults.len();
    match project {
        Some(project) if errors == 0 => {
            if !printer.json() {
                let (services, environments) = (project.services.len(), project.environments.len());
                let parts = [count(services, "service"), count(environments, "environment")];
                printer.line(format!("✓ {name} is sound: {}", parts.join(", ")));
            }
            Ok(DONE)
        }
        _ => {
            if !printer.json() {
                faults.iter().for_each(|fault| printer.line(format!("error: {fault}")));
            }
            printer.say(format!("✗ {} in {}", count(errors, "error"), path.display()));
            Ok(USAGE)
        }
    }
}

/// What is wrong outside of the file's own text: times and zones that there are not, calendars that cannot be read.
fn faults(project: &Project, file: &Path) -> Vec<String> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let calendars = calendar_faults(project, folder);
    window_faults(project).into_iter().chain(calendars).collect()
}
