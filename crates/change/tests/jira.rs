//! Jira and Jira Service Management, as their documentation shows their answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken helper should fail its test"
)]

#[path = "support/exchange.rs"]
mod exchange;
mod support;

use exchange::{Asked, Exchange, look, system};
use pilotage_spec::{TicketKind, TicketScheme, TicketSystem};
use support::at;

const BASIC: &str = "Basic Ym90QHNob3AuZXhhbXBsZTp0MHAtczNjcmV0Lys9";

fn jira(url: &str) -> TicketSystem {
    system(TicketKind::Jira, url, Some(TicketScheme::Basic("bot@shop.example".to_owned())))
}

fn service_management(url: &str) -> TicketSystem {
    system(TicketKind::ServiceManagement, url, Some(TicketScheme::Bearer))
}

fn issue(status: &str, fields: &str) -> String {
    format!(
        r#"{{"expand":"names","id":"10002","self":"https://shop.atlassian.net/rest/api/2/issue/10002","key":"CHG-12","fields":{{
           "status":{{"name":"{status}","id":"10004","statusCategory":{{"key":"done","name":"Done"}}}},
           "assignee":{{"accountId":"5b10a2844c20165700ede21g","displayName":"Mia Krystof"}}{fields}}}}}"#
    )
}

#[tokio::test]
async fn the_state_of_an_issue_is_its_status() {
    for (status, approved) in [
        ("Approved", true),
        ("APPROVED", true),
        ("Approved by nobody", false),
        ("Аpproved", false),
        ("Declined", false),
    ] {
        let server = Exchange::json(&[&issue(status, "")]).await;
        let ticket = look(&jira(&server.url), "CHG-12").await.unwrap();
        assert_eq!((ticket.approved, ticket.state.as_str()), (approved, status));
        assert_eq!(ticket.url, format!("{}/browse/CHG-12", server.url));
        assert_eq!(ticket.assignee.as_deref(), Some("Mia Krystof"));
        assert_eq!((ticket.services, ticket.environments, ticket.from, ticket.to), (None, None, None, None));
        let target = "/rest/api/2/issue/CHG-12?fields=status%2Cassignee";
        assert_eq!(server.asked().await, [Asked::get(target, "application/json", BASIC)]);
    }
}

#[tokio::test]
async fn fields_of_every_usual_form_say_for_what_and_when() {
    let fields = r#","customfield_1":[{"value":"web"},{"name":"api"},"worker"],"customfield_2":{"value":"production"},
                   "customfield_3":"2026-11-23T09:00:00.000+0100","customfield_4":"2026-11-23T17:00:00.000+0100""#;
    let server = Exchange::json(&[&issue("Approved", fields)]).await;
    let mut system = jira(&server.url);
    let place = |number: u8| Some(format!("customfield_{number}"));
    (system.service, system.environment, system.from, system.to) = (place(1), place(2), place(3), place(4));
    let ticket = look(&system, "CHG-12").await.unwrap();
    assert_eq!(ticket.services.unwrap(), ["web", "api", "worker"]);
    assert_eq!(ticket.environments.unwrap(), ["production"]);
    assert_eq!(
        (ticket.from, ticket.to),
        (Some(at("2026-11-23T08:00:00Z")), Some(at("2026-11-23T16:00:00Z")))
    );
    let fields = "status%2Cassignee%2Ccustomfield_1%2Ccustomfield_2%2Ccustomfield_3%2Ccustomfield_4";
    assert_eq!(
        server.asked().await[0].line,
        format!("GET /rest/api/2/issue/CHG-12?fields={fields} HTTP/1.1")
    );
}

#[tokio::test]
async fn what_the_file_asks_for_must_be_in_the_issue() {
    for (field, reason) in [
        ("", "does not say for which services it is: `/fields/customfield_1` is missing or empty"),
        (r#","customfield_1":null"#, "is missing or empty"),
        (r#","customfield_1":" ""#, "is missing or empty"),
        (r#","customfield_1":[]"#, "is missing or empty"),
        (r#","customfield_1":",""#, "is missing or empty"),
        (r#","customfield_1":{"id":1}"#, "is not a text or a list of texts"),
        (r#","customfield_1":["web",null]"#, "is not a text or a list of texts"),
    ] {
        let server = Exchange::json(&[&issue("Approved", field)]).await;
        let mut system = jira(&server.url);
        system.service = Some("customfield_1".to_owned());
        let error = look(&system, "CHG-12").await.unwrap_err().to_string();
        assert!(error.contains(reason), "{field}: {error}");
    }
    let server = Exchange::json(&[&issue("Approved", r#","customfield_3":"2026-11-23""#)]).await;
    let mut system = jira(&server.url);
    system.from = Some("customfield_3".to_owned());
    let error = look(&system, "CHG-12").await.unwrap_err().to_string();
    assert!(error.contains("is not a time with its offset"), "{error}");
}

#[tokio::test]
async fn an_issue_of_another_name_is_not_the_one() {
    let moved = issue("Approved", "").replace("CHG-12", "OLD-7");
    let server = Exchange::json(&[&moved]).await;
    let error = look(&jira(&server.url), "CHG-12").await.unwrap_err().to_string();
    assert_eq!(error, format!("{} was asked for CHG-12 and answers about OLD-7", server.url));
}

#[tokio::test]
async fn keys_of_other_systems_are_not_sent() {
    for key in ["CHG0030001", "shop/web#12", "CHG-1/transitions", "CHG-", "-1a", "C.H-1"] {
        let Ok(_) = key.parse::<pilotage_spec::TicketKey>() else { continue };
        for system in [jira("http://127.0.0.1:9"), service_management("http://127.0.0.1:9")] {
            let error = look(&system, key).await.unwrap_err().to_string();
            assert_eq!(
                error,
                format!("`{key}` is not how Jira calls a ticket: write, for example, `CHG-12`")
            );
        }
    }
}

fn approvals(decisions: &[&str], is_last: bool) -> String {
    let approval = |decision: &&str| {
        format!(
            r#"{{"id":"1","name":"Please approve","finalDecision":"{decision}","canAnswerApproval":false,"approvers":[]}}"#
        )
    };
    let values: Vec<String> = decisions.iter().map(approval).collect();
    format!(
        r#"{{"size":{},"start":0,"limit":50,"isLastPage":{is_last},"values":[{}]}}"#,
        values.len(),
        values.join(",")
    )
}

#[tokio::test]
async fn every_approval_of_a_request_must_be_given() {
    for (decisions, state, approved) in [
        (&["approved"][..], "approved", true),
        (&["approved", "approved"], "approved", true),
        (&["approved", "pending"], "pending", false),
        (&["declined", "approved"], "declined", false),
    ] {
        let server = Exchange::json(&[&approvals(decisions, true), &issue("Open", "")]).await;
        let ticket = look(&service_management(&server.url), "CHG-12").await.unwrap();
        assert_eq!((ticket.approved, ticket.state.as_str()), (approved, state), "{decisions:?}");
        let bearer = format!("Bearer {}", exchange::TOKEN);
        let asked = server.asked().await;
        assert_eq!(
            asked[0],
            Asked::get("/rest/servicedeskapi/request/CHG-12/approval", "application/json", &bearer)
        );
        assert_eq!(asked[1].line, "GET /rest/api/2/issue/CHG-12?fields=status%2Cassignee HTTP/1.1");
    }
}

#[tokio::test]
async fn approvals_that_are_not_there_or_not_all_there_are_none() {
    for (body, reason) in [
        (approvals(&[], true), "does not say who approves it"),
        (approvals(&["approved"], false), "more approvals than are read"),
        (approvals(&["approved"], true).replace("finalDecision", "decision"), "does not say its decision"),
        ("{}".to_owned(), "does not say its approvals"),
        (r#"{"values":[{"finalDecision":"approved"}]}"#.to_owned(), "more approvals than are read"),
    ] {
        let server = Exchange::json(&[&body]).await;
        let error = look(&service_management(&server.url), "CHG-12").await.unwrap_err().to_string();
        assert!(error.contains(reason), "{body}: {error}");
    }
}
