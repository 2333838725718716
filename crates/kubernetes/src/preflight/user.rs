//! Who an API server takes us for.

use http::Request;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::Api;
use kube::api::PostParams;

use super::need::Need;
use crate::cluster::Cluster;

/// How service accounts are called as users.
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// A subject of a RoleBinding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A service account.
    ServiceAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Anybody else.
    User(String),
}

impl Subject {
    pub(super) fn of_user(user: &str) -> Self {
        match user.strip_prefix(SERVICE_ACCOUNT).and_then(|rest| rest.split_once(':')) {
            Some((namespace, name)) => {
                Self::ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() }
            }
            None => Self::User(user.to_owned()),
        }
    }
}

/// Who we are. A server before 1.28 has no question for it, but says it when it refuses something; `refused` is asked for there.
/// `None`: nobody says it.
pub(super) async fn find(cluster: &Cluster, refused: &[Need]) -> Option<Subject> {
    let reviews: Api<SelfSubjectReview> = Api::all(cluster.client());
    let review = SelfSubjectReview::default();
    let parameters = PostParams::default();
    let asked = cluster.ask("ask who we are", || reviews.create(&parameters, &review)).await;
    let told = asked.ok().and_then(|review| review.status?.user_info?.username);
    let user = match told {
        Some(user) => Some(user),
        None => from_refusal(cluster, refused).await,
    };
    user.filter(|user| !user.is_empty()).map(|user| Subject::of_user(&user))
}

/// Reads something that is known to be refused.
async fn from_refusal(cluster: &Cluster, refused: &[Need]) -> Option<String> {
    let reading = |need: &&Need| need.verb == "list" && need.subresource.is_empty();
    let Need { namespace, group, resource, .. } = refused.iter().find(reading)?;
    // Whether somebody may is decided before whether the version exists.
    let root = if group.is_empty() { "/api/v1".to_owned() } else { format!("/apis/{group}/v1") };
    let request =
        Request::get(format!("{root}/namespaces/{namespace}/{resource}?limit=1")).body(Vec::new()).ok()?;
    let client = cluster.client();
    match client.request::<serde_json::Value>(request).await {
        Err(kube::Error::Api(status)) if status.code == 403 => user_in(&status.message),
        _ => None,
    }
}

/// The user in `… is forbidden: User "USER" cannot list …`.
pub(super) fn user_in(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("User \"")?;
    let (user, rest) = rest.split_once('"')?;
    rest.starts_with(" cannot ").then(|| user.to_owned())
}
