//! A reader, and what it says.

use std::path::Path;

use pilotage_secrets::{Known, Secret, SecretError, SecretReader};
use pilotage_spec::{Project, SecretSettings};

/// The settings of a file that has this under `secrets`.
pub fn settings(secrets: &str) -> SecretSettings {
    let text =
        format!("project: shop\nservices: {{ api: {{ run: [x], artifact: x }} }}\nsecrets: {secrets}\n");
    let project: Project =
        pilotage_spec::read("pilotage.yaml", &text).unwrap_or_else(|faults| panic!("{faults}"));
    project.secrets
}

pub fn reader(folder: &Path, secrets: &str) -> SecretReader {
    SecretReader::new(folder, settings(secrets), Known::default())
}

pub async fn read(reader: &SecretReader, reference: &str) -> Result<Secret, SecretError> {
    reader.read(&reference.parse().unwrap()).await
}

/// Why a secret is not there; its words hold no value.
pub async fn refusal(reader: &SecretReader, reference: &str) -> String {
    let error = read(reader, reference).await.unwrap_err();
    let (text, debug) = (error.to_string(), format!("{error:?}"));
    for value in ["hunter22", "s.token", "secret-id-value"] {
        assert!(!text.contains(value) && !debug.contains(value), "{text} {debug}");
    }
    text
}
