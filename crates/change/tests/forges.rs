//! Issues of GitHub and GitLab, as their documentation shows them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken helper should fail its test"
)]

#[path = "support/exchange.rs"]
mod exchange;

use exchange::{Asked, Exchange, TOKEN, look, system};
use pilotage_spec::{TicketKind, TicketScheme, TicketSystem};

fn github(url: &str) -> TicketSystem {
    system(TicketKind::GitHub, url, Some(TicketScheme::Bearer))
}

fn gitlab(url: &str) -> TicketSystem {
    system(TicketKind::GitLab, url, Some(TicketScheme::Header("PRIVATE-TOKEN".to_owned())))
}

fn github_issue(state: &str, labels: &str) -> String {
    format!(
        r#"{{"id":1,"url":"https://api.github.com/repos/shop/web/issues/12","html_url":"https://github.com/shop/web/issues/12",
           "number":12,"state":"{state}","title":"Deploy 1.1.0","user":{{"login":"anna"}},"labels":[{labels}],"assignee":{{"login":"bert"}}}}"#
    )
}

#[tokio::test]
async fn an_open_issue_of_github_with_the_label_is_approved() {
    let approved = r#"{"id":208045946,"name":"approved","color":"f29513"},{"name":"service:web"},{"name":"env:production"}"#;
    let server = Exchange::json(&[&github_issue("open", approved)]).await;
    let mut system = github(&server.url);
    (system.service, system.environment) = (Some("service:".to_owned()), Some("env:".to_owned()));
    let ticket = look(&system, "shop/web#12").await.unwrap();
    assert!(ticket.approved);
    assert_eq!(ticket.state, "open, labels: approved, service:web, env:production");
    assert_eq!(
        (ticket.services.unwrap(), ticket.environments.unwrap()),
        (vec!["web".to_owned()], vec!["production".to_owned()])
    );
    assert_eq!(ticket.url, "https://github.com/shop/web/issues/12");
    assert_eq!(ticket.assignee.as_deref(), Some("bert"));
    let bearer = format!("Bearer {TOKEN}");
    let asked = Asked::get("/repos/shop/web/issues/12", "application/vnd.github+json", &bearer);
    assert_eq!(server.asked().await, [asked]);
}

#[tokio::test]
async fn closed_issues_and_other_labels_are_no_approval() {
    for (state, labels) in [
        ("closed", r#"{"name":"approved"}"#),
        ("open", r#"{"name":"not approved"}"#),
        ("open", r#"{"name":"approved-by-qa"}"#),
        ("open", r#""аpproved""#),
        ("open", ""),
    ] {
        let server = Exchange::json(&[&github_issue(state, labels)]).await;
        let ticket = look(&github(&server.url), "shop/web#12").await.unwrap();
        assert!(!ticket.approved, "{state} {labels}");
    }
}

#[tokio::test]
async fn an_issue_must_be_the_one_and_say_all_that_matters() {
    let issue = github_issue("open", r#"{"name":"approved"}"#);
    for (body, reason) in [
        (issue.replace(r#""number":12"#, r#""number":13"#), "answers about 13"),
        (issue.replace("labels", "tags"), "does not say its labels"),
        (issue.replace(r#"{"name":"approved"}"#, "null"), "is not a list of labels"),
        (issue.replace("state", "status"), "does not say its state"),
        (issue.clone(), "does not say for which services it is: `service:…`"),
        (issue.replace("approved", "service:"), "does not say for which services it is"),
    ] {
        let server = Exchange::json(&[&body]).await;
        let mut system = github(&server.url);
        system.service = Some("service:".to_owned());
        let error = look(&system, "shop/web#12").await.unwrap_err().to_string();
        assert!(error.contains(reason), "{body}: {error}");
    }
}

#[tokio::test]
async fn a_page_that_is_none_is_not_shown() {
    for page in ["javascript:alert(1)", "https://x\\u001b[31m", "data:text/html,x"] {
        let server = Exchange::json(&[
            &github_issue("open", "").replace("https://github.com/shop/web/issues/12", page)
        ])
        .await;
        let ticket = look(&github(&server.url), "shop/web#12").await.unwrap();
        assert_eq!(ticket.url, format!("{}/repos/shop/web/issues/12", server.url));
    }
}

#[tokio::test]
async fn a_project_of_gitlab_is_one_part_of_the_path() {
    let issue = r#"{"id":76,"iid":12,"project_id":4,"state":"opened","labels":["approved","service::web"],"assignee":{"username":"root"},
                  "web_url":"https://gitlab.example.com/shop/apps/web/-/issues/12"}"#;
    let server = Exchange::json(&[issue]).await;
    let mut system = gitlab(&server.url);
    system.service = Some("service::".to_owned());
    let ticket = look(&system, "shop/apps/web#12").await.unwrap();
    assert!(ticket.approved);
    assert_eq!(ticket.services.unwrap(), ["web"]);
    assert_eq!(ticket.url, "https://gitlab.example.com/shop/apps/web/-/issues/12");
    let mut asked = Asked::get("/api/v4/projects/shop%2Fapps%2Fweb/issues/12", "application/json", "");
    asked.headers.insert("private-token".to_owned(), TOKEN.to_owned());
    assert_eq!(server.asked().await, [asked]);
    let server = Exchange::json(&[&issue.replace("opened", "closed")]).await;
    assert!(!look(&gitlab(&server.url), "shop/apps/web#12").await.unwrap().approved);
}

#[tokio::test]
async fn keys_of_other_systems_are_not_sent() {
    for key in [
        "CHG-12",
        "web#12",
        "shop/web#",
        "shop/web#1x",
        "shop/web#1#2",
        "shop/web/issues/12",
        "shop/web#12/lock",
    ] {
        for system in [github("http://127.0.0.1:9"), gitlab("http://127.0.0.1:9")] {
            let error = look(&system, key).await.unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{key}` is not how Git")), "{error}");
        }
    }
    assert!(
        look(&github("http://127.0.0.1:9"), "a/b/c#1")
            .await
            .unwrap_err()
            .to_string()
            .contains("is not how GitHub")
    );
}
