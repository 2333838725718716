//! The number of replicas, which is only ours where nobody else decides about it.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::core::DynamicObject;
use pilotage_targets::TargetError;
use serde_json::{Value, json};

use crate::cluster::{Cluster, Patched};
use crate::names::REPLICAS;
use crate::observe::Kept;

/// Whoever loses so often against others fights about the number.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(50);

/// Raises the replicas of a Deployment to `replicas`, and never lowers them. Where an autoscaler decides, only a Deployment that was
/// scaled to nothing is woken, since an autoscaler leaves those alone.
pub(super) async fn scale_up(cluster: &Cluster, name: &str, replicas: u32) -> Result<(), TargetError> {
    let autoscaler = autoscaler(cluster, "Deployment", name).await?;
    let wanted = i32::try_from(replicas).unwrap_or(i32::MAX);
    change(cluster, name, |now, remembered| {
        let raise = now < wanted && (autoscaler.is_none() || now == 0);
        (raise.then_some(wanted), (remembered != Some(wanted)).then_some(wanted))
    })
    .await
}

/// Lowers the replicas of a Deployment to `replicas`, and never raises them. An autoscaler is only overruled where nothing is to
/// be left, because that switches it off.
pub(super) async fn scale_down(cluster: &Cluster, name: &str, replicas: i32) -> Result<(), TargetError> {
    let autoscaler = if replicas > 0 { autoscaler(cluster, "Deployment", name).await? } else { None };
    change(cluster, name, |now, _| {
        let lower = now > replicas && autoscaler.is_none();
        (lower.then_some(replicas), Some(replicas))
    })
    .await
}

/// Changes replicas and what is remembered of them, by what they are at that moment.
async fn change(
    cluster: &Cluster,
    name: &str,
    decide: impl Fn(i32, Option<i32>) -> (Option<i32>, Option<i32>),
) -> Result<(), TargetError> {
    let api = cluster.api::<Deployment>();
    for _ in 0..ATTEMPTS {
        let Some(live) = cluster.get(&api, name).await? else { return Ok(()) };
        let now = live.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
        let remembered = live.metadata.annotations.as_ref().and_then(|all| all.get(REPLICAS)?.parse().ok());
        let change = match decide(now, remembered) {
            (None, None) => return Ok(()),
            (replicas, remember) => patch(live.metadata.resource_version.as_deref(), replicas, remember),
        };
        match cluster.patch(&api, name, &change).await? {
            Patched::Done(_) | Patched::Missing => return Ok(()),
            Patched::Stale => tokio::time::sleep(PAUSE).await,
        }
    }
    Err(TargetError::Failed {
        doing: format!("scale deployments {name}"),
        reason: "somebody else changes it all the time".to_owned(),
    })
}

fn patch(version: Option<&str>, replicas: Option<i32>, remember: Option<i32>) -> Value {
    let mut patch = json!({"metadata": {"resourceVersion": version}});
    if let Some(replicas) = replicas {
        patch["spec"] = json!({"replicas": replicas});
    }
    if let Some(remember) = remember {
        patch["metadata"]["annotations"] = json!({REPLICAS: remember.to_string()});
    }
    patch
}

/// The autoscaler that decides about an object's replicas, if there is one.
pub(super) async fn autoscaler(
    cluster: &Cluster,
    kind: &str,
    name: &str,
) -> Result<Option<String>, TargetError> {
    let Some(resource) = cluster.resource("autoscaling", "HorizontalPodAutoscaler").await? else {
        return Ok(None);
    };
    let all = cluster.list_with(&cluster.dynamic(&resource), &kube::api::ListParams::default()).await?;
    Ok(all
        .iter()
        .find(|autoscaler| targets(autoscaler, kind, name))
        .and_then(|found| found.metadata.name.clone()))
}

fn targets(autoscaler: &DynamicObject, kind: &str, name: &str) -> bool {
    let target = &autoscaler.data["spec"]["scaleTargetRef"];
    target["kind"] == kind && target["name"] == name
}

/// A budget for disruptions that holds for pods of several versions.
pub(super) struct Budget {
    /// Its name.
    pub name: String,
    /// So many pods may be missing just now.
    pub allowed: i32,
}

/// The tightest budget that selects pods of a version, if there is any.
pub(super) async fn allowed_disruptions(
    cluster: &Cluster,
    kept: &Kept,
) -> Result<Option<Budget>, TargetError> {
    let Some(resource) = cluster.resource("policy", "PodDisruptionBudget").await? else { return Ok(None) };
    let all = cluster.list_with(&cluster.dynamic(&resource), &kube::api::ListParams::default()).await?;
    let found = all.into_iter().filter(|budget| kept.pods.iter().any(|pod| selects(budget, pod)));
    let budgets = found.map(|budget| Budget {
        name: budget.metadata.name.clone().unwrap_or_default(),
        allowed: budget.data["status"]["disruptionsAllowed"]
            .as_i64()
            .and_then(|n| n.try_into().ok())
            .unwrap_or(0),
    });
    Ok(budgets.min_by_key(|budget| budget.allowed))
}

fn selects(budget: &DynamicObject, pod: &Pod) -> bool {
    let labels = pod.metadata.labels.clone().unwrap_or_default();
    let wanted = budget.data["spec"]["selector"]["matchLabels"].as_object();
    wanted.is_some_and(|wanted| {
        wanted.iter().all(|(name, value)| labels.get(name).map(String::as_str) == value.as_str())
    })
}
