//! What the labels of a container say: everything that a control plane that comes back has to know.

use std::collections::HashMap;

use pilotage_spec::{Release, Workload};

use crate::names::{INSTANCE, NUMBER, RELEASE, SERVICE, Scope};

/// Whose an instance is, and what it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marks {
    /// The instance's name.
    pub instance: String,
    /// Its number within the workload; a later one is higher.
    pub number: u64,
    pub workload: Workload,
    pub release: Release,
}

impl Marks {
    /// As labels.
    pub fn labels(&self, scope: &Scope) -> Result<HashMap<String, String>, serde_json::Error> {
        let mut labels = scope.version_labels(&self.workload, &self.release.id.version);
        labels.insert(INSTANCE.to_owned(), self.instance.clone());
        labels.insert(NUMBER.to_owned(), self.number.to_string());
        labels.insert(RELEASE.to_owned(), serde_json::to_string(&self.release)?);
        Ok(labels)
    }

    /// What labels say; `None` if they are not ours, or of a version of Pilotage that is not understood here.
    pub fn read(scope: &Scope, labels: &HashMap<String, String>) -> Option<Self> {
        if !scope.owns(labels) {
            return None;
        }
        let service = labels.get(SERVICE)?.parse().ok()?;
        Some(Self {
            instance: labels.get(INSTANCE)?.clone(),
            number: labels.get(NUMBER)?.parse().ok()?,
            workload: Workload { environment: scope.environment.clone(), service },
            release: serde_json::from_str(labels.get(RELEASE)?).ok()?,
        })
    }
}

/// Marks for tests.
#[cfg(test)]
pub(crate) fn example() -> Marks {
    use pilotage_spec::{Digest, ReleaseId};
    Marks {
        instance: "shop-production-api-v1-2-0-1".into(),
        number: 1,
        workload: Workload { environment: "production".parse().unwrap(), service: "api".parse().unwrap() },
        release: Release {
            id: ReleaseId { version: "1.2.0".parse().unwrap(), digest: Digest::from_bytes([7; 32]) },
            instance: super::specification::tests::instance(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_into_labels_is_read_from_them() {
        let scope = Scope { project: "shop".parse().unwrap(), environment: "production".parse().unwrap() };
        let marks = example();
        assert_eq!(Marks::read(&scope, &marks.labels(&scope).unwrap()), Some(marks.clone()));
        let mut broken = marks.labels(&scope).unwrap();
        broken.insert(RELEASE.to_owned(), "{".to_owned());
        assert_eq!(Marks::read(&scope, &broken), None);
    }
}
