//! `pilotage init`: looks at a folder, and writes a first `pilotage.yaml`.

mod compose;
mod detect;
mod write;

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::arguments::{Global, Init};
use crate::failure::{DONE, Failure};
use crate::printer::Printer;

pub use detect::Found;

/// What the file is called unless the command line says otherwise.
const FILE_NAME: &str = "pilotage.yaml";

/// A file that is to be written, with what there is to say about it.
struct First {
    /// What it was made from, in words.
    kind: String,
    /// The file.
    text: String,
    /// Its services, in the order in which they are deployed.
    services: Vec<String>,
    /// What was not taken over, a line each.
    remarks: Vec<String>,
    /// What to do next, in order.
    next: Vec<String>,
}

impl First {
    /// From what was found in a folder, where there may be a Compose file too.
    fn of(found: &Found, compose: Option<&str>) -> Self {
        let mut next = found.next();
        next.extend(compose.map(|name| format!("or begin with {name}: pilotage init --compose --force")));
        Self {
            kind: found.kind.to_owned(),
            text: write::file(found),
            services: vec![found.name.clone()],
            remarks: Vec::new(),
            next,
        }
    }
}

pub fn run(asked: &Init, global: &Global, printer: &Printer) -> Result<u8, Failure> {
    let path = std::path::absolute(global.file.clone().unwrap_or_else(|| PathBuf::from(FILE_NAME)))?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let found = detect::look(folder);
    let first = match compose::wanted(asked, folder, found.is_some())? {
        Some(file) => compose::first(&file, folder)?,
        None => First::of(&found.unwrap_or_else(|| detect::unknown(folder)), compose::beside(folder)),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // What is written must be sound; if it ever is not, nothing is written, and the words say why.
    pilotage_spec::read(&name, &first.text).map_err(|faults| Failure::failed(faults.to_string()))?;
    save(&path, &first.text, asked.force)?;
    let First { kind, services, remarks, next, .. } = first;
    if printer.json() {
        printer.object(&serde_json::json!({
            "file": path, "kind": kind, "service": services.first(), "services": services, "remarks": remarks,
        }));
        return Ok(DONE);
    }
    printer.line(format!("✓ wrote {name} for {kind}"));
    for remark in &remarks {
        printer.line(format!("  ! {remark}"));
    }
    for (number, next) in next.iter().enumerate() {
        printer.line(format!("  {}. {next}", number + 1));
    }
    Ok(DONE)
}

fn save(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    let mut file = options.open(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::usage(format!("{} exists already, and is left alone", path.display()))
                .hint("`pilotage init --force` replaces it")
        }
        _ => Failure::failed(format!("cannot write {}: {error}", path.display())),
    })?;
    file.write_all(text.as_bytes())
        .map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))
}
