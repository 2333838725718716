//! Asks an API server what we may do.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, ResourceRule, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
    SelfSubjectRulesReview, SelfSubjectRulesReviewSpec,
};
use kube::Api;
use kube::api::PostParams;
use pilotage_targets::TargetError;

use super::grants::allows;
use super::missing::Missing;
use super::need::Need;
use super::user;
use crate::cluster::Cluster;

/// How many questions are asked at once.
const AT_ONCE: usize = 8;

/// Which of the needs are not met. The rules that the server tells answer most of it at once; the rest is asked one by one, which
/// every authorizer answers.
///
/// # Errors
/// Fails if the server cannot be asked; that is no answer.
pub(crate) async fn missing(cluster: &Cluster, needs: &[Need]) -> Result<Missing, TargetError> {
    let mut rules: BTreeMap<&str, Vec<ResourceRule>> = BTreeMap::new();
    for need in needs {
        if !rules.contains_key(need.namespace.as_str()) {
            rules.insert(&need.namespace, rules_in(cluster, &need.namespace).await?);
        }
    }
    let is_open = |need: &Need| !rules.get(need.namespace.as_str()).is_some_and(|rules| allows(rules, need));
    let open: Vec<Need> = needs.iter().filter(|need| is_open(need)).cloned().collect();
    let answers = stream::iter(open).map(|need| ask(cluster.clone(), need)).buffered(AT_ONCE);
    let answers: Vec<(Need, bool)> = answers.try_collect().await?;
    let refused = answers.into_iter().filter(|(_, allowed)| !allowed).map(|(need, _)| need);
    let (optional, needed): (Vec<Need>, Vec<Need>) = refused.partition(|need| need.optional);
    let all: Vec<Need> = needed.iter().chain(&optional).cloned().collect();
    let subject = if all.is_empty() { None } else { user::find(cluster, &all).await };
    Ok(Missing { needed, optional, subject })
}

async fn ask(cluster: Cluster, need: Need) -> Result<(Need, bool), TargetError> {
    let allowed = is_allowed(&cluster, &need).await?;
    Ok((need, allowed))
}

async fn rules_in(cluster: &Cluster, namespace: &str) -> Result<Vec<ResourceRule>, TargetError> {
    let reviews: Api<SelfSubjectRulesReview> = Api::all(cluster.client());
    let review = SelfSubjectRulesReview {
        spec: SelfSubjectRulesReviewSpec { namespace: Some(namespace.to_owned()) },
        ..SelfSubjectRulesReview::default()
    };
    let doing = format!("ask what we may do in the namespace {namespace}");
    let parameters = PostParams::default();
    let answer = cluster.ask(&doing, || reviews.create(&parameters, &review)).await?;
    Ok(answer.status.map(|status| status.resource_rules).unwrap_or_default())
}

async fn is_allowed(cluster: &Cluster, need: &Need) -> Result<bool, TargetError> {
    let reviews: Api<SelfSubjectAccessReview> = Api::all(cluster.client());
    let Need { namespace, group, resource, subresource, verb, .. } = need.clone();
    let attributes = ResourceAttributes {
        namespace: Some(namespace),
        group: Some(group),
        resource: Some(resource),
        subresource: Some(subresource),
        verb: Some(verb),
        ..ResourceAttributes::default()
    };
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..Default::default() },
        ..SelfSubjectAccessReview::default()
    };
    let doing = format!("ask whether we may {need}");
    let parameters = PostParams::default();
    let answer = cluster.ask(&doing, || reviews.create(&parameters, &review)).await?;
    // An error of the authorizer is a refusal.
    Ok(answer.status.is_some_and(|status| status.allowed && status.denied != Some(true)))
}
