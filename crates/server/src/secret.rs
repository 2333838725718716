//! Reads the secrets that queries need. Their values are only handed on.

use std::path::Path;
use std::sync::Arc;

use pilotage_conductor::SecretReader;
use pilotage_spec::SecretSource;

/// A reader whose relative paths are relative to the project's folder.
pub(crate) fn reader(project_folder: &Path) -> SecretReader {
    let folder = project_folder.to_owned();
    Arc::new(move |source| read(source, &folder))
}

fn read(source: &SecretSource, folder: &Path) -> Result<String, String> {
    match source {
        SecretSource::Env(name) => std::env::var(name.as_str()).map_err(|_| {
            format!(
                "the variable {name} is not set where the server runs; set it there and restart the server"
            )
        }),
        SecretSource::File(path) => {
            let path = folder.join(path);
            let text = std::fs::read_to_string(&path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
    }
}
