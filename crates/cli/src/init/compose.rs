//! A first `pilotage.yaml` from a Compose file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pilotage_docker::compose::{Converted, convert};
use pilotage_server::{ErrorBody, ErrorKind};

use super::First;
use super::detect::folder_name;
use crate::arguments::Init;
use crate::failure::Failure;
use crate::words::count;

/// What Compose files are called, in the order in which Compose itself looks for them.
const FILE_NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
/// A longer file is not read, in bytes.
const SIZE_LIMIT_BYTES: u64 = 1 << 20;

/// The name of the folder's Compose file, if it has one.
pub(super) fn beside(folder: &Path) -> Option<&'static str> {
    FILE_NAMES.into_iter().find(|name| folder.join(name).is_file())
}

/// The Compose file to begin with: the one that was asked for, or the folder's own where nothing else is known.
pub(super) fn wanted(asked: &Init, folder: &Path, is_known: bool) -> Result<Option<PathBuf>, Failure> {
    let own = beside(folder).map(|name| folder.join(name));
    match &asked.compose {
        Some(Some(file)) => Ok(Some(std::path::absolute(file)?)),
        Some(None) if own.is_none() => {
            Err(Failure::usage(format!("{} has none of {}", folder.display(), FILE_NAMES.join(", ")))
                .hint("name the Compose file: `pilotage init --compose FILE`"))
        }
        Some(None) => Ok(own),
        None => Ok(own.filter(|_| !is_known)),
    }
}

/// What becomes of it.
pub(super) fn first(file: &Path, folder: &Path) -> Result<First, Failure> {
    let name = file.strip_prefix(folder).unwrap_or(file).display().to_string();
    let text = read(file).map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
    let unusable = |words: String| Failure::from(ErrorBody::new(ErrorKind::File, words));
    let converted = convert(&name, &text, &folder_name(folder));
    let Converted { file, services, remarks } = converted.map_err(|faults| unusable(faults.to_string()))?;
    if services.is_empty() {
        return Err(unusable(format!("{name} has no services")).hint("name at least one below `services`"));
    }
    let kind = format!("{} of {name}", count(services.len(), "service"));
    Ok(First { kind, text: file, next: next(&services, &remarks), services, remarks })
}

fn next(services: &[String], remarks: &[String]) -> Vec<String> {
    let mut next = Vec::new();
    if !remarks.is_empty() {
        next.push("look at what was left out, and complete the file where it matters".to_owned());
    }
    next.push("push the images, each with the version as its tag".to_owned());
    next.extend(services.iter().map(|name| format!("deploy it: pilotage deploy {name} 0.1.0")));
    next
}

fn read(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > SIZE_LIMIT_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 MiB"));
    }
    fs::read_to_string(path)
}
