//! Where alerts come from, and which of them mean what.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{EnvironmentName, HookName, Project, SecretSource, ServiceName, Timestamp, Workload};

/// A source of alerts that calls us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// How it speaks, and how it proves who it is.
    pub kind: HookKind,
    /// What it proves it with.
    pub secret: SecretSource,
    /// The severities that take a deployment back; all others are only recorded.
    pub severities: Vec<String>,
    /// The label that names the service.
    pub service_label: String,
    /// The label that names the environment.
    pub environment_label: String,
    /// Services by what that label says, where it is not the service's name.
    pub services: BTreeMap<String, ServiceName>,
    /// Environments by what that label says, where it is neither name nor alias.
    pub environments: BTreeMap<String, EnvironmentName>,
    /// The environment of an alert without that label.
    pub environment: Option<EnvironmentName>,
}

/// How a source of alerts speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookKind {
    /// Prometheus' Alertmanager, version 4 of its webhooks.
    Alertmanager,
    /// PagerDuty, version 3 of its webhooks.
    Pagerduty,
    /// Grafana's alerting.
    Grafana,
    /// Anything that signs as Standard Webhooks or GitHub do.
    Generic,
}

impl HookKind {
    /// The words of the file.
    pub const WORDS: [(&'static str, Self); 4] = [
        ("alertmanager", Self::Alertmanager),
        ("pagerduty", Self::Pagerduty),
        ("grafana", Self::Grafana),
        ("generic", Self::Generic),
    ];

    /// The kind as written in the file.
    pub fn name(self) -> &'static str {
        Self::WORDS.into_iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

/// One alert, whoever has sent it. Its texts come from outside: they are cut and without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// What tells it from all others of its source; the same when it is sent again.
    pub key: String,
    /// Whether it has gone away again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resolved: bool,
    /// How bad it is, in the words of its source.
    pub severity: Option<String>,
    /// What it says.
    pub summary: String,
    /// Where there is more about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Since when it fires, where its source says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// An alert that takes a deployment back: its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertCause {
    /// The hook of the file by which it came.
    pub hook: HookName,
    /// How the hook speaks.
    pub source: HookKind,
    /// The alert.
    pub alert: Alert,
}

impl AlertCause {
    /// The alert in words.
    pub fn words(&self) -> String {
        let severity = self.alert.severity.as_deref().unwrap_or("no");
        format!("{} (alert by {}, severity {severity})", self.alert.summary, self.hook)
    }
}

impl Hook {
    /// Whether an alert of this severity takes a deployment back.
    pub fn is_severe(&self, alert: &Alert) -> bool {
        alert.severity.as_ref().is_some_and(|severity| self.severities.contains(severity))
    }

    /// What an alert is about, or why that is not known.
    ///
    /// # Errors
    /// In words, if the file does not know its service or its environment.
    pub fn workload(&self, project: &Project, alert: &Alert) -> Result<Workload, String> {
        let label = |name: &str| alert.labels.get(name).filter(|value| !value.is_empty());
        let named = |name: &str| label(name).ok_or_else(|| format!("it has no label `{name}`"));
        let said = named(&self.service_label)?;
        let service = match self.services.get(said) {
            Some(service) => service.clone(),
            None => project.service(said).map_err(|_| format!("no service is called `{said}`"))?.0.clone(),
        };
        let environment = match (label(&self.environment_label), &self.environment) {
            (Some(said), _) => self.environment(project, said)?,
            (None, Some(environment)) => environment.clone(),
            (None, None) => return Err(format!("it has no label `{}`", self.environment_label)),
        };
        Ok(Workload { environment, service })
    }

    fn environment(&self, project: &Project, said: &str) -> Result<EnvironmentName, String> {
        if let Some(environment) = self.environments.get(said) {
            return Ok(environment.clone());
        }
        let found = project.environment(said);
        Ok(found.map_err(|_| format!("no environment is called `{said}`"))?.0.clone())
    }
}
