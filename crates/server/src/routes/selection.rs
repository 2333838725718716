//! Which workloads are meant.

use std::collections::BTreeSet;

use pilotage_spec::{Project, Workload};
use pilotage_views as views;
use serde::Deserialize;

use crate::context::Context;
use crate::error::ErrorBody;

/// Those of a service, of an environment, of both, or all.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Selection {
    pub(crate) service: Option<String>,
    pub(crate) environment: Option<String>,
}

impl Selection {
    /// The same under the names that things really have. Fails with the nearest name if neither the file nor a workload
    /// has it; without a readable file every name is taken as it is.
    pub(crate) fn resolve(
        self,
        project: Option<&Project>,
        known: &BTreeSet<Workload>,
    ) -> Result<Self, ErrorBody> {
        let Some(project) = project else { return Ok(self) };
        // What the file does not name may still be in the journal.
        let has_service = |name: &str| known.iter().any(|workload| workload.service.as_str() == name);
        let has_environment = |name: &str| known.iter().any(|workload| workload.environment.as_str() == name);
        let service = match self.service {
            Some(name) if !has_service(&name) => Some(project.service(&name)?.0.to_string()),
            service => service,
        };
        let environment = match self.environment {
            Some(name) if !has_environment(&name) => Some(project.environment(&name)?.0.to_string()),
            environment => environment,
        };
        Ok(Self { service, environment })
    }

    /// Whether what has these names is meant.
    pub(crate) fn holds(&self, environment: &str, service: &str) -> bool {
        self.service.as_ref().is_none_or(|name| name == service)
            && self.environment.as_ref().is_none_or(|name| name == environment)
    }
}

/// The workloads that the file names and those that were ever deployed, by environment and service.
pub(crate) fn known(context: &Context, project: Option<&Project>) -> Result<BTreeSet<Workload>, ErrorBody> {
    let mut all: BTreeSet<Workload> = views::workloads(&context.reader())?.into_iter().collect();
    for (environment, _) in project.iter().flat_map(|project| &project.environments) {
        let services = project.iter().flat_map(|project| project.services.keys());
        all.extend(
            services.map(|service| Workload { environment: environment.clone(), service: service.clone() }),
        );
    }
    Ok(all)
}
