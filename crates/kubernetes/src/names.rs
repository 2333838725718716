//! What our objects are called, and the labels and annotations by which they are found again.

use std::collections::BTreeMap;

use pilotage_spec::{EnvironmentName, ProjectName, Version, Workload};
use sha2::{Digest as _, Sha256};

/// Label: the project.
pub(crate) const PROJECT: &str = "pilotage.dev/project";
/// Label: the environment.
pub(crate) const ENVIRONMENT: &str = "pilotage.dev/environment";
/// Label: the service.
pub(crate) const SERVICE: &str = "pilotage.dev/service";
/// Label: the [`slug`] of the version.
pub(crate) const VERSION: &str = "pilotage.dev/version";
/// Label of Kubernetes' own recommendation: the service.
pub(crate) const NAME: &str = "app.kubernetes.io/name";
/// Label of Kubernetes' own recommendation: who looks after the object.
pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The value of [`MANAGED_BY`].
pub(crate) const PILOTAGE: &str = "pilotage";

/// Annotation: the release as JSON of `ReleaseId`.
pub(crate) const RELEASE: &str = "pilotage.dev/release";
/// Annotation: the fencing token.
pub(crate) const FENCE: &str = "pilotage.dev/fence";
/// Annotation: what was asked of the traffic, as JSON.
pub(crate) const TRAFFIC: &str = "pilotage.dev/traffic";
/// Annotation: a number that rises with every change of the traffic.
pub(crate) const EPOCH: &str = "pilotage.dev/epoch";
/// Annotation: the digest of all that a version's objects were made from.
pub(crate) const SPEC: &str = "pilotage.dev/spec";
/// Annotation: a Deployment that was there before us, with the time at which it became ours.
pub(crate) const ADOPTED: &str = "pilotage.dev/adopted";
/// Annotation: the selector that a Service had before it was ours, as JSON.
pub(crate) const BEFORE: &str = "pilotage.dev/selector-before";
/// Annotation: what an instance speaks, where that is not HTTP/1.1.
pub(crate) const PROTOCOL: &str = "pilotage.dev/protocol";
/// Annotation: how many instances were asked for last.
pub(crate) const REPLICAS: &str = "pilotage.dev/replicas";

/// The longest name that all kinds of objects accept: a DNS label (RFC 1123).
const NAME_LIMIT: usize = 63;
/// The longest slug, so that a name has room for the service as well.
const SLUG_LIMIT: usize = 32;
/// Hexadecimal digits of a digest that tell two long names apart.
const SHORT_DIGEST: usize = 8;

/// The version as part of a name: `1.2.0` becomes `1-2-0`. One that could be taken for another (upper case, build metadata, a
/// hyphen inside the pre-release) or is too long gets a short digest at its end.
pub(crate) fn slug(version: &Version) -> String {
    let text = version.to_string();
    let plain: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let pre_release = text.split_once('-').map_or("", |(_, rest)| rest);
    let ambiguous = text.contains('+')
        || pre_release.contains('-')
        || text.chars().any(|c| c.is_ascii_uppercase())
        || plain.ends_with('-');
    if !ambiguous && plain.len() <= SLUG_LIMIT {
        return plain;
    }
    with_digest(&plain, &text, SLUG_LIMIT)
}

/// As much of `plain` as fits, with a short digest of `text`.
fn with_digest(plain: &str, text: &str, limit: usize) -> String {
    let kept: String = plain.chars().take(limit - SHORT_DIGEST - 1).collect();
    format!("{}-{}", kept.trim_end_matches('-'), short_digest(text))
}

/// Eight hexadecimal digits of a text's SHA-256.
pub(crate) fn short_digest(text: &str) -> String {
    let hex: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    hex.chars().take(SHORT_DIGEST).collect()
}

/// A name that all kinds of objects accept: one that is too long ends in a short digest of the whole.
pub(crate) fn cut(name: &str) -> String {
    if name.len() <= NAME_LIMIT { name.to_owned() } else { with_digest(name, name, NAME_LIMIT) }
}

/// Whose objects they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The project.
    pub project: ProjectName,
    /// The environment.
    pub environment: EnvironmentName,
}

impl Owner {
    /// The selector of all objects of the environment.
    pub fn selector(&self) -> String {
        format!("{PROJECT}={},{ENVIRONMENT}={}", self.project, self.environment)
    }

    /// The names of one workload of this environment.
    pub fn names(&self, workload: &Workload) -> Names {
        Names { owner: self.clone(), service: workload.service.to_string() }
    }
}

/// The names of one workload's objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    owner: Owner,
    service: String,
}

impl Names {
    /// The Service at which users reach the workload.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The Deployment (or StatefulSet) and the Service of one version: `SERVICE-v1-2-0`.
    pub fn of_version(&self, version: &Version) -> String {
        cut(&format!("{}-v{}", self.service, slug(version)))
    }

    /// An object of our own beside them: `SERVICE-SUFFIX`, cut if it is too long.
    pub fn beside(&self, suffix: &str) -> String {
        cut(&format!("{}-{suffix}", self.service))
    }

    /// The ConfigMap that holds what has to be known of the workload whether or not it is served.
    pub fn record(&self) -> String {
        cut(&format!("pilotage-{}", self.service))
    }

    /// The labels of every object of the workload.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.selector_labels();
        labels.insert(NAME.to_owned(), self.service.clone());
        labels.insert(MANAGED_BY.to_owned(), PILOTAGE.to_owned());
        labels
    }

    /// The labels of every object of one version.
    pub fn version_labels(&self, version: &Version) -> BTreeMap<String, String> {
        let mut labels = self.labels();
        labels.insert(VERSION.to_owned(), slug(version));
        labels
    }

    /// By which the pods of all versions are selected.
    pub fn selector_labels(&self) -> BTreeMap<String, String> {
        [
            (PROJECT, self.owner.project.to_string()),
            (ENVIRONMENT, self.owner.environment.to_string()),
            (SERVICE, self.service.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// By which the pods of one version are selected.
    pub fn version_selector_labels(&self, version: &Version) -> BTreeMap<String, String> {
        let mut labels = self.selector_labels();
        labels.insert(VERSION.to_owned(), slug(version));
        labels
    }

    /// The selector of all objects of the workload, as a query wants it.
    pub fn selector(&self) -> String {
        query(&self.selector_labels())
    }

    /// The selector of all objects of one version, as a query wants it.
    pub fn version_selector(&self, version: &Version) -> String {
        query(&self.version_selector_labels(version))
    }

    /// Whether an object with these labels belongs to the workload.
    pub fn own(&self, labels: Option<&BTreeMap<String, String>>) -> bool {
        labels.is_some_and(|labels| {
            self.selector_labels().iter().all(|(name, value)| labels.get(name) == Some(value))
        })
    }
}

/// Labels as a query wants them: `a=b,c=d`.
pub(crate) fn query(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug_of(version: &str) -> String {
        slug(&version.parse().unwrap())
    }

    fn names(service: &str) -> Names {
        let owner = Owner { project: "shop".parse().unwrap(), environment: "production".parse().unwrap() };
        owner.names(&Workload {
            environment: "production".parse().unwrap(),
            service: service.parse().unwrap(),
        })
    }

    #[test]
    fn a_usual_version_is_read_off_its_slug() {
        assert_eq!(slug_of("1.2.0"), "1-2-0");
        assert_eq!(slug_of("1.2.0-rc.1"), "1-2-0-rc-1");
    }

    #[test]
    fn versions_that_look_alike_have_slugs_of_their_own() {
        let alike = ["1.2.0-rc.1", "1.2.0-rc-1", "1.2.0-RC.1", "1.2.0+rc.1", "1.2.0-rc.1+a", "1.2.0-rc.1+A"];
        let slugs: std::collections::BTreeSet<_> = alike.into_iter().map(slug_of).collect();
        assert_eq!(slugs.len(), alike.len(), "{slugs:?}");
    }

    #[test]
    fn names_are_dns_labels_however_long_their_parts_are() {
        let version: Version = format!("1.2.0-{}", "x".repeat(50)).parse().unwrap();
        let names = names(&"s".repeat(63));
        for name in [names.of_version(&version), names.record(), names.beside("secrets-0123456789")] {
            assert!(name.len() <= 63, "{name}");
            assert!(name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('-'), "{name}");
        }
        assert!(slug(&version).len() <= 63);
    }

    #[test]
    fn an_object_belongs_to_the_workload_that_its_labels_name() {
        let names = names("api");
        assert!(names.own(Some(&names.labels())));
        let mut others = names.labels();
        others.insert(ENVIRONMENT.to_owned(), "staging".to_owned());
        assert!(!names.own(Some(&others)));
        assert!(!names.own(None));
    }
}
