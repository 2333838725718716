//! What our things on an engine are called, and the labels by which they are found again. The labels are all that is
//! remembered: a name may be changed by hand.

use std::collections::HashMap;

use pilotage_spec::{EnvironmentName, ProjectName, Version, Workload};
use sha2::{Digest as _, Sha256};

/// The project that a thing belongs to.
pub(crate) const PROJECT: &str = "pilotage.dev/project";
/// Its environment.
pub(crate) const ENVIRONMENT: &str = "pilotage.dev/environment";
/// Its service.
pub(crate) const SERVICE: &str = "pilotage.dev/service";
/// The slug of its version.
pub(crate) const VERSION: &str = "pilotage.dev/version";
/// The name of the instance.
pub(crate) const INSTANCE: &str = "pilotage.dev/instance";
/// The number of the instance within its workload.
pub(crate) const NUMBER: &str = "pilotage.dev/number";
/// The release as JSON: what is needed to bring it up once more. Secrets are in it as references only.
pub(crate) const RELEASE: &str = "pilotage.dev/release";

/// At the end of the name of a container that was stopped on purpose. Labels cannot be changed, names can, and people see
/// them.
const RETIRED: &str = "-retired";
/// A longer slug is cut; names of hosts and DNS labels end at 63.
const SLUG_LIMIT: usize = 30;

/// One environment of a project: what every name begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub project: ProjectName,
    pub environment: EnvironmentName,
}

impl Scope {
    /// The network that the containers of the environment share unless the file names another.
    pub fn network(&self) -> String {
        format!("{}-{}", self.project, self.environment)
    }

    /// What is called after a version: a service of Swarm, or the beginning of a container's name.
    pub fn version_name(&self, workload: &Workload, version: &Version) -> String {
        format!("{}-{}-{}-v{}", self.project, self.environment, workload.service, slug(version))
    }

    /// An instance, and the container that holds it.
    pub fn instance(&self, workload: &Workload, version: &Version, number: u64) -> String {
        format!("{}-{number}", self.version_name(workload, version))
    }

    /// The labels of everything in the environment.
    pub fn labels(&self) -> HashMap<String, String> {
        HashMap::from([
            (PROJECT.to_owned(), self.project.to_string()),
            (ENVIRONMENT.to_owned(), self.environment.to_string()),
        ])
    }

    /// The labels of everything of a version.
    pub fn version_labels(&self, workload: &Workload, version: &Version) -> HashMap<String, String> {
        let mut labels = self.labels();
        labels.insert(SERVICE.to_owned(), workload.service.to_string());
        labels.insert(VERSION.to_owned(), slug(version));
        labels
    }

    /// The engine's filter for what is in the environment, of one service if one is named.
    pub fn filter(&self, workload: Option<&Workload>) -> HashMap<String, Vec<String>> {
        let mut wanted =
            vec![format!("{PROJECT}={}", self.project), format!("{ENVIRONMENT}={}", self.environment)];
        wanted.extend(workload.map(|workload| format!("{SERVICE}={}", workload.service)));
        HashMap::from([("label".to_owned(), wanted)])
    }

    /// Whether labels are those of the environment.
    pub fn owns(&self, labels: &HashMap<String, String>) -> bool {
        let is = |label: &str, value: &str| labels.get(label).is_some_and(|found| found == value);
        is(PROJECT, self.project.as_str()) && is(ENVIRONMENT, self.environment.as_str())
    }
}

/// A version as a part of a name: `1.2.0` becomes `1-2-0`. Where two versions would become the same, or one is long, a short
/// digest tells them apart.
pub(crate) fn slug(version: &Version) -> String {
    let text = version.to_string();
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let slug: String = text.chars().map(letter).collect();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
    // A second `-` may stand for itself or for a dot.
    let is_told_apart = text.chars().all(plain) && text.matches('-').count() <= 1;
    if is_told_apart && slug.len() <= SLUG_LIMIT {
        return slug;
    }
    let cut: String = slug.chars().take(SLUG_LIMIT - 9).collect();
    format!("{}-{}", cut.trim_end_matches('-'), short_digest(text.as_bytes()))
}

/// Eight hexadecimal digits of SHA-256.
pub(crate) fn short_digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// What the container of an instance is called once it is stopped on purpose.
pub(crate) fn retired(instance: &str) -> String {
    format!("{instance}{RETIRED}")
}

/// Whether the container with this name was stopped on purpose.
pub(crate) fn is_retired(name: &str) -> bool {
    name.ends_with(RETIRED)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn of(text: &str) -> String {
        slug(&text.parse().unwrap())
    }

    #[test]
    fn versions_become_parts_of_names_and_no_two_the_same() {
        assert_eq!(of("1.2.0"), "1-2-0");
        assert_eq!(of("1.2.0-rc.1"), "1-2-0-rc-1");
        let alike = ["1.2.0-rc.1", "1.2.0-rc-1", "1.2.0-RC.1", "1.2.0-rc.1+x", "1.2.0-rc.1+X"];
        let slugs: BTreeSet<String> = alike.map(of).into();
        assert_eq!(slugs.len(), alike.len(), "{slugs:?}");
        let long = of("1.2.0-a.very.long.pre.release.that.goes.on.and.on");
        assert!(long.len() <= SLUG_LIMIT && !long.contains("--"), "{long}");
    }

    #[test]
    fn names_say_whose_they_are() {
        let scope = Scope { project: "shop".parse().unwrap(), environment: "production".parse().unwrap() };
        let workload = Workload { environment: scope.environment.clone(), service: "api".parse().unwrap() };
        let name = scope.instance(&workload, &"1.2.0".parse().unwrap(), 3);
        assert_eq!(name, "shop-production-api-v1-2-0-3");
        assert!(!is_retired(&name) && is_retired(&retired(&name)));
        assert!(scope.owns(&scope.labels()) && !scope.owns(&HashMap::new()));
    }
}
