use serde_json::{Value, json};

use super::*;

fn refused(status: Value) -> Refusal {
    let status: Status = serde_json::from_value(status).unwrap();
    refusal("cluster shop-eu", "apply deployments api", &kube::Error::Api(Box::new(status)))
}

fn words(status: Value) -> String {
    refused(status).error.to_string()
}

#[test]
fn a_missing_permission_is_told_as_the_rule_to_add() {
    let message = "deployments.apps \"api\" is forbidden: User \"u\" cannot patch resource \"deployments\" in API group \"apps\" \
                   in the namespace \"shop\"";
    let told = refused(json!({"code": 403, "reason": "Forbidden", "message": message})).error;
    let TargetError::Forbidden { rule, .. } = told else { panic!("{told}") };
    assert_eq!(rule, r#"apiGroups: ["apps"], resources: ["deployments"], verbs: ["patch"]"#);
}

#[test]
fn the_core_group_has_no_name() {
    let message = "pods is forbidden: User \"u\" cannot list resource \"pods\" in API group \"\" in the namespace \"shop\"";
    let told = refused(json!({"code": 403, "reason": "Forbidden", "message": message})).error;
    let TargetError::Forbidden { rule, .. } = told else { panic!("{told}") };
    assert_eq!(rule, r#"apiGroups: [""], resources: ["pods"], verbs: ["list"]"#);
}

#[test]
fn a_quota_and_a_namespace_that_goes_are_no_missing_permissions() {
    let quota = words(
        json!({"code": 403, "reason": "Forbidden", "message": "exceeded quota: small, requested: pods=1"}),
    );
    assert!(quota.contains("raise the quota"), "{quota}");
    let going = words(json!({"code": 403, "reason": "Forbidden", "message": "unable to create new content",
        "details": {"causes": [{"reason": "NamespaceTerminating", "message": "namespace shop is being terminated"}]}}));
    assert!(going.contains("the namespace is being deleted"), "{going}");
}

#[test]
fn a_conflict_names_who_owns_what() {
    let cause = |manager: &str, field: &str| json!({"reason": "FieldManagerConflict", "message": format!("conflict with \"{manager}\" using apps/v1"), "field": field});
    let told = refused(json!({"code": 409, "reason": "Conflict", "message": "Apply failed",
    "details": {"name": "api", "kind": "deployments", "causes": [
        cause("kubectl-edit", ".spec.template.spec.containers"), cause("helm", ".spec.paused")
    ]}}));
    assert!(!told.stale);
    let TargetError::Conflict { object, manager, fields } = told.error else { panic!("{}", told.error) };
    assert_eq!((object.as_str(), manager.as_str()), ("deployments api", "helm, kubectl-edit"));
    assert_eq!(fields, ".spec.template.spec.containers, .spec.paused");
}

#[test]
fn an_object_that_was_changed_meanwhile_is_stale() {
    let told = refused(json!({"code": 409, "reason": "Conflict", "message": "the object has been modified"}));
    assert!(told.stale && !told.exists);
    let told = refused(
        json!({"code": 409, "reason": "AlreadyExists", "message": "configmaps \"x\" already exists"}),
    );
    assert!(told.exists && !told.stale);
}

#[test]
fn credentials_that_expired_are_told_from_a_server_that_is_away() {
    let told = words(json!({"code": 401, "reason": "Unauthorized", "message": "Unauthorized"}));
    assert!(told.contains("log in again"), "{told}");
    for code in [429, 500, 503] {
        let told = refused(json!({"code": code, "message": "too busy"})).error;
        assert!(matches!(told, TargetError::Unreachable { .. }), "{told}");
    }
}

#[test]
fn a_namespace_that_is_not_there_is_no_missing_object() {
    let told = refused(json!({"code": 404, "reason": "NotFound", "message": "namespaces \"shop\" not found",
        "details": {"name": "shop", "kind": "namespaces"}}));
    assert!(!told.missing);
    assert!(told.error.to_string().contains("create the namespace"), "{}", told.error);
    let told =
        refused(json!({"code": 404, "reason": "NotFound", "message": "deployments.apps \"api\" not found",
        "details": {"name": "api", "kind": "deployments"}}));
    assert!(told.missing);
}

#[test]
fn what_a_webhook_says_is_passed_on_and_cut() {
    let long = "x".repeat(10_000);
    let told = words(
        json!({"code": 403, "message": format!("admission webhook \"policy\" denied the request: {long}")}),
    );
    assert!(told.contains("denied the request") && told.len() < 1_200, "{}", told.len());
}
