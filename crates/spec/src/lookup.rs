//! Names that people type, looked up in a project.

use thiserror::Error;

use crate::quote::quoted;
use crate::suggest::nearest;
use crate::{
    Environment, EnvironmentName, NameError, Project, Service, ServiceName, Strategy, StrategyName, WavesName,
};

/// Why a name finds nothing in the project.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LookupError {
    /// It cannot be a name at all.
    #[error(transparent)]
    Malformed(#[from] NameError),
    /// Nothing has this name.
    #[error("unknown {kind} {}{}", quoted(name), hints(nearest.as_deref(), known))]
    Unknown {
        /// What was looked for: `environment`, `service` or `strategy`.
        kind: &'static str,
        /// What was typed.
        name: String,
        /// The known name it is nearest to.
        nearest: Option<String>,
        /// All known names.
        known: Vec<String>,
    },
}

fn hints(nearest: Option<&str>, known: &[String]) -> String {
    let meant = nearest.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!(": {meant}known: {known}")
}

fn unknown<'a>(kind: &'static str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> LookupError {
    LookupError::Unknown {
        kind,
        name: name.to_owned(),
        nearest: nearest(name, known.clone()).map(str::to_owned),
        known: known.map(str::to_owned).collect(),
    }
}

impl Project {
    /// The environment of this name or alias, under its own name.
    ///
    /// # Errors
    /// If the text is not a name, or there is no such environment; then with the nearest name and all known ones.
    pub fn environment(&self, name: &str) -> Result<(&EnvironmentName, &Environment), LookupError> {
        let wanted: EnvironmentName = name.parse()?;
        let own = self.aliases.get(&wanted).unwrap_or(&wanted);
        self.environments.get_key_value(own).ok_or_else(|| {
            let known = self.environments.keys().chain(self.aliases.keys());
            unknown("environment", name, known.map(EnvironmentName::as_str))
        })
    }

    /// The service of this name.
    ///
    /// # Errors
    /// If the text is not a name, or there is no such service; then with the nearest name and all known ones.
    pub fn service(&self, name: &str) -> Result<(&ServiceName, &Service), LookupError> {
        let wanted: ServiceName = name.parse()?;
        let known = || self.services.keys().map(ServiceName::as_str);
        self.services.get_key_value(&wanted).ok_or_else(|| unknown("service", name, known()))
    }

    /// The waves of this name.
    ///
    /// # Errors
    /// If the text is not a name, or there are no such waves; then with the nearest name and all known ones.
    pub fn waves_named(&self, name: &str) -> Result<(&WavesName, &[Vec<EnvironmentName>]), LookupError> {
        let wanted: WavesName = name.parse()?;
        let known = || self.waves.keys().map(WavesName::as_str);
        let found = self.waves.get_key_value(&wanted).ok_or_else(|| unknown("waves", name, known()))?;
        Ok((found.0, found.1.as_slice()))
    }

    /// The strategy of this name, from the file or built in.
    ///
    /// # Errors
    /// If the text is not a name, or there is no such strategy; then with the nearest name and all known ones.
    pub fn strategy(&self, name: &str) -> Result<(&StrategyName, &Strategy), LookupError> {
        let wanted: StrategyName = name.parse()?;
        let known = || self.strategies.keys().map(StrategyName::as_str);
        self.strategies.get_key_value(&wanted).ok_or_else(|| unknown("strategy", name, known()))
    }
}
