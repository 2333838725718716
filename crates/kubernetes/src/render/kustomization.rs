//! Which folders a kustomization needs: its own, and those that it names as resources and components, and so on from there.
//! Files may only lie in or below the folder of the kustomization that names them; `kustomize` sees to that.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::RenderError;
use super::inputs::Inputs;
use super::paths::{ProjectFolder, join};
use super::yaml::read_stream;

/// The names of the file that `kustomize` looks for.
const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// The keys under which other kustomizations can stand
/// (<https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/>).
const FOLDER_KEYS: [&str; 6] =
    ["resources", "bases", "components", "generators", "transformers", "validators"];
/// The most kustomizations of one rendering.
const FOLDER_LIMIT: usize = 200;

/// Takes all that the kustomization in a folder needs.
pub(super) fn gather(project: &ProjectFolder, start: &Path) -> Result<Inputs, RenderError> {
    let mut inputs = Inputs::default();
    let mut waiting = vec![start.to_owned()];
    let mut seen: BTreeSet<PathBuf> = waiting.iter().cloned().collect();
    while let Some(folder) = waiting.pop() {
        inputs.folder(project, &folder)?;
        for named in folders_named_in(project, &inputs, &folder)? {
            if seen.insert(named.clone()) {
                waiting.push(named);
            }
        }
        if seen.len() > FOLDER_LIMIT {
            let reason = format!("needs more than {FOLDER_LIMIT} kustomizations; render it beforehand");
            return Err(RenderError::input(start.display(), reason));
        }
    }
    Ok(inputs)
}

fn folders_named_in(
    project: &ProjectFolder,
    inputs: &Inputs,
    folder: &Path,
) -> Result<Vec<PathBuf>, RenderError> {
    let mut files = FILE_NAMES.iter().map(|name| folder.join(name)).filter(|path| inputs.has(path));
    let (Some(file), None) = (files.next(), files.next()) else {
        let reason = format!("must hold exactly one of {}", FILE_NAMES.join(", "));
        return Err(RenderError::input(folder.display(), reason));
    };
    let text = inputs.text(&file).unwrap_or(Ok(""))?;
    let documents = read_stream(&file.display().to_string(), text)?;
    let entries = documents.iter().flat_map(|document| {
        FOLDER_KEYS
            .iter()
            .filter_map(|key| document.value.get(key)?.as_array())
            .flatten()
            .filter_map(Value::as_str)
    });
    let mut found = Vec::new();
    // What spans lines is an object written in place.
    for entry in entries.filter(|entry| !entry.contains('\n')) {
        if let Some(inner) = folder_named(project, &file, folder, entry)? {
            found.push(inner);
        }
    }
    Ok(found)
}

/// The folder that an entry names; `None` for a file.
fn folder_named(
    project: &ProjectFolder,
    file: &Path,
    folder: &Path,
    entry: &str,
) -> Result<Option<PathBuf>, RenderError> {
    let shown: String = entry.chars().take(200).flat_map(char::escape_debug).collect();
    let refused = |reason: &str| RenderError::input(file.display(), format!("`{shown}` {reason}"));
    if entry.contains("://") || entry.contains("?ref=") || entry.starts_with("git@") {
        return Err(refused(
            "lies on the network, and nothing is fetched while rendering; keep a copy in the project and name its path",
        ));
    }
    let Some(path) = join(folder, Path::new(entry)) else {
        return Err(refused("leads out of the project's folder; put what it names into the project"));
    };
    match project.locate(&path) {
        Ok(found) if found.is_dir() => Ok(Some(path)),
        Ok(_) => Ok(None),
        Err(RenderError::Input { reason, .. }) if reason.starts_with("leads out") => {
            Err(refused("leads out of the project's folder by a link; put what it names into the project"))
        }
        Err(_) => Err(refused(
            "is neither a file nor a folder of the project, and nothing is fetched from elsewhere; correct the path",
        )),
    }
}
