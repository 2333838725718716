//! `pilotage init`: looks at a folder, and writes a first `pilotage.yaml`.

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

pub fn run(asked: &Init, global: &Global, printer: &Printer) -> Result<u8, Failure> {
    let path = std::path::absolute(global.file.clone().unwrap_or_else(|| PathBuf::from(FILE_NAME)))?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let found = detect::look(folder);
    let text = write::file(&found);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // What is written must be sound; if it ever is not, nothing is written, and the words say why.
    pilotage_spec::read(&name, &text).map_err(|faults| Failure::failed(faults.to_string()))?;
    save(&path, &text, asked.force)?;
    if printer.json() {
        printer.object(&serde_json::json!({ "file": path, "kind": found.kind, "service": found.name }));
        return Ok(DONE);
    }
    printer.line(format!("✓ wrote {name} for {}", found.kind));
    for (number, next) in found.next().iter().enumerate() {
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
