use pilotage_spec::RoleName;

use super::*;

const FILE: &str = r#"
project: shop
services:
  api: { run: [./api], artifact: api }
environments:
  dev:
  production:
access:
  people:
    anna: { groups: [payments], roles: [admin], logins: [unix:anna, unix:anna-root, "oidc:company#anna@shop.example"] }
    anna-second: { roles: [approver], for: anna }
    bert: { roles: [viewer, { role: on-call, environments: [production] }], logins: [unix:bert] }
  machines:
    ci:
      roles: [developer]
      workload: { issuer: https://ci.example.com, audience: pilotage, claims: { repository: shop/api } }
  agents:
    helper: { roles: [viewer], for: bert }
  roles:
    on-call: [rollback]
  sign_in:
    company: { issuer: https://accounts.shop.example, client_id: pilotage, claim: email }
allowed_urls: ["https://ci.example.com", "https://accounts.shop.example"]
"#;

fn name(text: &str) -> PrincipalName {
    text.parse().unwrap()
}

fn directory() -> Directory {
    let project = pilotage_spec::read("pilotage.yaml", FILE).unwrap();
    Directory::of(project.access.as_ref(), [name("deploy"), name("root")])
}

fn roles(identity: &Identity) -> Vec<&str> {
    identity.roles.iter().map(RoleName::as_str).collect()
}

#[test]
fn without_access_the_owner_may_do_everything_and_nobody_else_anything() {
    let directory = Directory::of(None, [name("deploy"), name("root")]);
    for user in ["deploy", "root"] {
        let permissions = directory.permissions(&directory.peer(&name(user)).unwrap()).unwrap();
        assert!(Verb::ALL.iter().all(|verb| permissions.everywhere(*verb)));
        assert_eq!(roles(&directory.identity(&name(user)).unwrap()), ["admin"]);
    }
    assert_eq!(directory.peer(&name("anna")), None);
    assert_eq!(directory.permissions(&name("anna")), None);
    let left = directory.identity(&name("anna")).unwrap();
    assert_eq!(
        (left.person, left.roles.len()),
        (Some(name("anna")), 0),
        "the log may name users who have left"
    );
}

#[test]
fn with_access_even_the_owner_may_do_nothing_unless_it_says_so() {
    let directory = directory();
    for user in ["deploy", "root", "carl"] {
        assert_eq!(directory.peer(&name(user)), None);
        assert_eq!(directory.permissions(&name(user)), None);
        assert_eq!(directory.identity(&name(user)), None);
    }
}

#[test]
fn an_unreadable_file_lets_the_owner_look_and_take_back() {
    let directory = Directory::unreadable([name("deploy")]);
    let permissions = directory.permissions(&directory.peer(&name("deploy")).unwrap()).unwrap();
    for verb in Verb::ALL {
        let moves = matches!(verb, Verb::Deploy | Verb::Promote | Verb::Approve | Verb::Alert);
        assert_eq!(permissions.everywhere(verb), !moves, "{verb}");
    }
    assert_eq!(directory.permissions(&name("anna")), None);
    assert_eq!(directory.identity(&name("anna")), None);
    assert!(directory.identity(&name("deploy")).unwrap().roles.is_empty());
}

#[test]
fn several_accounts_of_a_person_are_one_person() {
    let directory = directory();
    let identity = |text: &str| directory.identity(&name(text)).unwrap();
    assert_eq!(directory.peer(&name("anna-root")), Some(name("anna")));
    assert!(identity("anna").is_same_person(&identity("anna-second")));
    assert!(identity("anna").is_same_person(&identity("anna-root")), "what the log has under a user's name");
    assert!(identity("bert").is_same_person(&identity("helper")), "an agent counts as who answers for it");
    assert!(!identity("anna").is_same_person(&identity("bert")));
    assert_eq!(identity("ci").person, None);
    assert_eq!(
        (identity("helper").kind, identity("ci").kind),
        (PrincipalKind::Agent, PrincipalKind::Machine)
    );
    assert!(directory.answers_for(&identity("bert"), &name("helper")));
    assert!(!directory.answers_for(&identity("anna"), &name("helper")));
    assert!(!directory.answers_for(&identity("anna"), &name("ci")), "nobody answers for it");
    assert!(!directory.answers_for(&identity("anna-second"), &name("anna")), "the other account may do more");
    assert!(!directory.answers_for(&identity("helper"), &name("helper")), "an agent is no person");
}

#[test]
fn roles_hold_where_the_file_says() {
    let directory = directory();
    let at = |environment: &str| directory.identity_at(&name("bert"), environment, "api").unwrap();
    assert_eq!(roles(&at("production")), ["on-call", "viewer"]);
    assert_eq!(roles(&at("dev")), ["viewer"]);
    assert_eq!(roles(&directory.identity(&name("bert")).unwrap()), ["viewer"]);
}

#[test]
fn a_login_is_compared_exactly() {
    let directory = directory();
    let found = |sign_in: &str, value: &str| {
        directory.signed_in(&sign_in.parse().unwrap(), &value.parse().unwrap()).map(PrincipalName::as_str)
    };
    assert_eq!(found("company", "anna@shop.example"), Some("anna"));
    for (sign_in, value) in [
        ("company", "anna@shop.exampl"),
        ("company", "ANNA@shop.example"),
        ("other", "anna@shop.example"),
        ("company", "a"),
    ] {
        assert_eq!(found(sign_in, value), None);
    }
    assert!(directory.knows_issuer(&"https://ci.example.com".parse().unwrap()));
    assert!(!directory.knows_issuer(&"https://ci.example.com/".parse().unwrap()));
}
