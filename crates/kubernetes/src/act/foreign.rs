//! Who else has written which fields of an object, as the server remembers it in `managedFields`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};
use pilotage_targets::TargetError;
use serde_json::Value;

use crate::names::{PROJECT, SERVICE};

/// Refuses an object that is not ours but has the name that ours is to have.
pub(super) fn foreign_owners(
    live: &ObjectMeta,
    wanted: &ObjectMeta,
    object: &str,
) -> Result<(), TargetError> {
    let label = |metadata: &ObjectMeta, name: &str| {
        metadata.labels.as_ref().and_then(|labels| labels.get(name)).cloned()
    };
    let same = [PROJECT, SERVICE, crate::names::ENVIRONMENT]
        .iter()
        .all(|name| label(live, name) == label(wanted, name));
    if same {
        return Ok(());
    }
    let mut managers = live.managed_fields.iter().flatten().filter_map(|entry| entry.manager.clone());
    Err(TargetError::Conflict {
        object: object.to_owned(),
        manager: managers.next_back().unwrap_or_else(|| "somebody else".to_owned()),
        fields: "all of it".to_owned(),
    })
}

/// Who beside us has written what the containers of a template are.
pub(super) fn foreign_template(live: &ObjectMeta, ours: &str) -> Vec<String> {
    const PATH: [&str; 3] = ["f:spec", "f:template", "f:spec"];
    let entries = live.managed_fields.iter().flatten();
    let foreign = entries.filter(|entry| entry.manager.as_deref() != Some(ours) && holds(entry, &PATH));
    foreign.filter_map(|entry| entry.manager.clone()).collect()
}

fn holds(entry: &ManagedFieldsEntry, path: &[&str]) -> bool {
    let Some(fields) = &entry.fields_v1 else { return false };
    path.iter().try_fold(&fields.0, |fields: &Value, part| fields.get(part)).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written_by(manager: &str, fields: Value) -> ManagedFieldsEntry {
        serde_json::from_value(json!({"manager": manager, "operation": "Update", "fieldsV1": fields}))
            .unwrap()
    }

    #[test]
    fn who_changes_containers_is_named_and_who_scales_or_restarts_is_not() {
        let metadata = ObjectMeta {
            managed_fields: Some(vec![
                written_by("pilotage", json!({"f:spec": {"f:template": {"f:spec": {}}}})),
                written_by(
                    "kubectl-edit",
                    json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}}),
                ),
                written_by("kubectl-scale", json!({"f:spec": {"f:replicas": {}}})),
                written_by(
                    "kubectl-rollout",
                    json!({"f:spec": {"f:template": {"f:metadata": {"f:annotations": {}}}}}),
                ),
                written_by("kube-controller-manager", json!({"f:status": {}})),
            ]),
            ..ObjectMeta::default()
        };
        assert_eq!(foreign_template(&metadata, "pilotage"), ["kubectl-edit"]);
    }

    #[test]
    fn an_object_of_somebody_else_is_refused_by_name() {
        let labels = |service: &str| ObjectMeta {
            labels: Some(
                [(PROJECT, "shop"), (SERVICE, service)].map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
            ),
            managed_fields: Some(vec![written_by("helm", json!({}))]),
            ..ObjectMeta::default()
        };
        assert!(foreign_owners(&labels("api"), &labels("api"), "deployments api").is_ok());
        let refused = foreign_owners(&labels("web"), &labels("api"), "deployments api").unwrap_err();
        assert!(refused.to_string().starts_with("deployments api: helm owns all of it"), "{refused}");
    }
}
