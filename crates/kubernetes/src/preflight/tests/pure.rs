use k8s_openapi::api::authorization::v1::ResourceRule;
use pilotage_spec::KubernetesTraffic;
use pilotage_targets::TargetError;
use proptest::prelude::*;
use serde_json::json;

use crate::preflight::grants::allows;
use crate::preflight::missing::Missing;
use crate::preflight::need::{Need, needs};
use crate::preflight::user::{Subject, user_in};
use crate::preflight::{Rule, all_rules};

fn need(verb: &str, group: &str, path: &str) -> Need {
    let (resource, subresource) = path.split_once('/').unwrap_or((path, ""));
    Need {
        namespace: "shop".to_owned(),
        group: group.to_owned(),
        resource: resource.to_owned(),
        subresource: subresource.to_owned(),
        verb: verb.to_owned(),
        optional: false,
    }
}

fn rule(groups: &[&str], resources: &[&str], verbs: &[&str]) -> ResourceRule {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    ResourceRule {
        api_groups: Some(texts(groups)),
        resources: Some(texts(resources)),
        verbs: texts(verbs),
        resource_names: None,
    }
}

#[test]
fn rules_allow_what_they_name_and_no_more() {
    let log = need("get", "", "pods/log");
    let cases = [
        (rule(&[""], &["pods/log"], &["get"]), true),
        (rule(&["*"], &["*"], &["*"]), true),
        (rule(&[""], &["*/log"], &["get"]), true),
        (rule(&[""], &["pods"], &["get"]), false),
        (rule(&[""], &["pods/exec"], &["get"]), false),
        (rule(&["apps"], &["pods/log"], &["get"]), false),
        (rule(&[""], &["pods/log"], &["list"]), false),
        (rule(&[""], &["*/"], &["get"]), false),
        (
            ResourceRule { resource_names: Some(vec!["one".to_owned()]), ..rule(&["*"], &["*"], &["*"]) },
            false,
        ),
        (ResourceRule { resource_names: Some(Vec::new()), ..rule(&["*"], &["*"], &["*"]) }, true),
        (ResourceRule { api_groups: None, ..rule(&[], &["*"], &["*"]) }, false),
    ];
    for (rule, expected) in cases {
        assert_eq!(allows(std::slice::from_ref(&rule), &log), expected, "{rule:?}");
    }
    assert!(!allows(&[rule(&[""], &["*/"], &["get"])], &need("get", "", "pods")));
    assert!(!allows(&[], &log));
}

#[test]
fn every_way_of_traffic_needs_the_base_and_its_own() {
    let of = |traffic: &KubernetesTraffic| needs("shop", traffic, &[]);
    let service = of(&KubernetesTraffic::Service);
    assert!(service.contains(&need("patch", "apps", "deployments")));
    assert!(!service.iter().any(|need| need.group.contains("istio") || need.resource == "roles"));
    let istio = of(&KubernetesTraffic::Istio { gateways: Vec::new() });
    assert!(service.iter().all(|need| istio.contains(need)));
    assert!(istio.contains(&need("create", "networking.istio.io", "virtualservices")));
    let gateway = of(&KubernetesTraffic::Gateway {
        parent: "public".to_owned(),
        namespace: Some("gateways".parse().unwrap()),
    });
    let parent =
        Need { namespace: "gateways".to_owned(), ..need("get", "gateway.networking.k8s.io", "gateways") };
    assert!(gateway.contains(&parent) && !gateway.contains(&Need { namespace: "shop".to_owned(), ..parent }));
    assert!(of(&KubernetesTraffic::ArgoRollouts).contains(&need("patch", "argoproj.io", "rollouts/status")));
    let flagger = of(&KubernetesTraffic::Flagger { provider: "istio".to_owned() });
    assert!(flagger.contains(&need("patch", "flagger.app", "canaries/status")));
}

#[test]
fn nothing_is_needed_of_secrets_that_would_show_all_of_them() {
    let secrets = all_rules().filter(|rule| rule.resources.contains(&"secrets"));
    let verbs: Vec<&str> = secrets.flat_map(|rule: &Rule| rule.verbs).copied().collect();
    assert!(!verbs.is_empty() && !verbs.contains(&"list") && !verbs.contains(&"watch"), "{verbs:?}");
    assert!(all_rules().all(|rule| !rule.verbs.contains(&"*") && !rule.resources.contains(&"*")));
}

#[test]
fn objects_of_manifests_are_needed_and_what_is_needed_is_not_optional() {
    let objects = [
        json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": { "name": "a" } }),
        json!({ "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": { "name": "b" } }),
    ];
    let needs = needs("shop", &KubernetesTraffic::Service, &objects);
    assert!(needs.contains(&need("create", "networking.k8s.io", "networkpolicies")));
    let autoscaler = need("patch", "autoscaling", "horizontalpodautoscalers");
    assert!(needs.contains(&autoscaler) && !needs.contains(&Need { optional: true, ..autoscaler }));
}

#[test]
fn what_is_missing_is_said_with_the_role_to_add() {
    let missing = Missing {
        needed: vec![
            need("create", "apps", "deployments"),
            need("patch", "apps", "deployments"),
            need("create", "apps", "statefulsets"),
            need("patch", "apps", "statefulsets"),
            need("get", "", "pods/log"),
        ],
        optional: vec![Need { optional: true, ..need("list", "", "events") }],
        subject: Some(Subject::of_user("system:serviceaccount:ci:deployer")),
    };
    insta::assert_snapshot!(missing.refuse().unwrap_err().to_string(), @r#"
    in the namespace shop: create, patch deployments.apps; get pods/log; create, patch statefulsets.apps is not allowed to us; add the rule (for `kubectl apply`):
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata: { name: pilotage-f2a5e87c, namespace: shop }
    rules:
    - { apiGroups: [""], resources: ["pods/log"], verbs: ["get"] }
    - { apiGroups: [""], resources: ["events"], verbs: ["list"] }
    - { apiGroups: ["apps"], resources: ["deployments","statefulsets"], verbs: ["create","patch"] }
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata: { name: pilotage-f2a5e87c, namespace: shop }
    roleRef: { kind: Role, name: pilotage-f2a5e87c, apiGroup: rbac.authorization.k8s.io }
    subjects:
    - { kind: ServiceAccount, name: "deployer", namespace: "ci" }
    "#);
    let only_useful = Missing { needed: Vec::new(), ..missing };
    assert!(only_useful.refuse().is_ok());
}

#[test]
fn roles_of_different_rules_have_different_names() {
    let of = |verb: &str| Missing { needed: vec![need(verb, "", "pods")], ..Missing::default() }.roles();
    let name = |role: &str| role.lines().find(|line| line.starts_with("metadata")).unwrap().to_owned();
    assert_ne!(name(&of("get")), name(&of("list")));
    assert_eq!(of("get"), of("get"));
    assert!(of("get").contains("name: USER"), "whoever reads it must put somebody in");
}

#[test]
fn the_user_is_read_off_a_refusal() {
    let message =
        r#"pods is forbidden: User "system:serviceaccount:ci:x" cannot list resource "pods" in API group """#;
    let user = user_in(message).unwrap();
    assert_eq!(
        Subject::of_user(&user),
        Subject::ServiceAccount { namespace: "ci".to_owned(), name: "x".to_owned() }
    );
    assert_eq!(user_in("User \"x\" is unknown"), None);
    assert_eq!(user_in("quota"), None);
}

#[test]
fn a_forbidden_target_names_the_namespace() {
    let missing = Missing { needed: vec![need("get", "", "pods")], ..Missing::default() };
    let Err(TargetError::Forbidden { what, .. }) = missing.refuse() else { panic!("not refused") };
    assert_eq!(what, "in the namespace shop: get pods");
}

proptest! {
    /// A Role that holds what is missing allows it.
    #[test]
    fn the_printed_rules_allow_what_was_missing(chosen in prop::collection::vec(any::<prop::sample::Index>(), 1..20)) {
        let all = needs("shop", &KubernetesTraffic::Edge, &[]);
        let needed: Vec<Need> = chosen.iter().map(|index| index.get(&all).clone()).collect();
        let printed = Missing { needed: needed.clone(), ..Missing::default() }.roles();
        let role = crate::render::read_objects(&printed).remove(0);
        let rules: Vec<ResourceRule> = serde_json::from_value(role["rules"].clone()).unwrap();
        for need in &needed {
            prop_assert!(allows(&rules, need), "{} in {}", need, printed);
        }
        let extra = all.iter().find(|need| !needed.iter().any(|wanted| Need { optional: need.optional, ..wanted.clone() } == **need));
        if let Some(extra) = extra {
            prop_assert!(!allows(&rules, extra), "{} in {}", extra, printed);
        }
    }
}

#[test]
fn the_page_shows_every_rule() {
    let page = include_str!("../../../../../docs/clusters.md");
    for Rule { group, resources, verbs, why, optional, .. } in all_rules() {
        let words =
            |words: &[&str]| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        let group = if group.is_empty() { "core".to_owned() } else { format!("`{group}`") };
        let mark = if *optional { "*optional*: " } else { "" };
        let row = format!("| {group} | {} | {} | {mark}{why} |", words(resources), words(verbs));
        assert!(page.contains(&row), "docs/clusters.md lacks\n{row}");
    }
}
