//! Change requests of ServiceNow, as the documentation of its Table API shows them.

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

fn service_now(url: &str) -> TicketSystem {
    let kind = TicketKind::ServiceNow {
        approvals: vec!["approved".to_owned()],
        conflicts: vec!["Conflict".to_owned()],
    };
    let mut system = system(kind, url, Some(TicketScheme::Basic("bot".to_owned())));
    system.states = vec!["Scheduled".to_owned(), "-1".to_owned()];
    system.service = Some("cmdb_ci".to_owned());
    system
}

fn field(name: &str, value: &str, shown: &str) -> String {
    format!(r#""{name}":{{"display_value":"{shown}","value":"{value}"}}"#)
}

fn change(fields: &[(&str, &str, &str)]) -> String {
    let usual = [
        ("number", "CHG0030001", "CHG0030001"),
        ("state", "-2", "Scheduled"),
        ("approval", "approved", "Approved"),
        ("conflict_status", "No Conflict", "No Conflict"),
        ("assigned_to", "6816f79cc0a8016401c5a33be04be441", "System Administrator"),
        ("start_date", "2026-11-23 08:00:00", "2026-11-23 00:00:00"),
        ("end_date", "2026-11-23 16:00:00", "2026-11-23 08:00:00"),
        ("cmdb_ci", "affd3c8437201000deeabfc8bcbe5dc3", "web"),
    ];
    let fields: Vec<String> = usual
        .iter()
        .map(|(name, value, shown)| {
            let changed = fields.iter().find(|(changed, ..)| changed == name);
            changed
                .map_or_else(|| field(name, value, shown), |(name, value, shown)| field(name, value, shown))
        })
        .collect();
    format!("{{{}}}", fields.join(","))
}

fn result(records: &[String]) -> String {
    format!(r#"{{"result":[{}]}}"#, records.join(","))
}

#[tokio::test]
async fn a_change_is_approved_by_state_and_approval_together() {
    let server = Exchange::json(&[&result(&[change(&[])])]).await;
    let ticket = look(&service_now(&server.url), "CHG0030001").await.unwrap();
    assert!(ticket.approved);
    assert_eq!(ticket.state, "Scheduled, approval: Approved");
    assert_eq!(ticket.services.unwrap(), ["web"]);
    assert_eq!(ticket.assignee.as_deref(), Some("System Administrator"));
    assert_eq!(ticket.conflict, None);
    // What is stored is in UTC; what is shown is the clock of whoever asks.
    assert_eq!(
        (ticket.from, ticket.to),
        (Some(at("2026-11-23T08:00:00Z")), Some(at("2026-11-23T16:00:00Z")))
    );
    assert_eq!(
        ticket.url,
        format!("{}/nav_to.do?uri=change_request.do%3Fsysparm_query%3Dnumber%3DCHG0030001", server.url)
    );
    let target = "/api/now/table/change_request?sysparm_query=number%3DCHG0030001&sysparm_display_value=all\
                  &sysparm_exclude_reference_link=true&sysparm_limit=2&sysparm_fields=number%2Cstate%2Capproval%2Cconflict_status\
                  %2Cassigned_to%2Cstart_date%2Cend_date%2Ccmdb_ci";
    assert_eq!(
        server.asked().await,
        [Asked::get(target, "application/json", "Basic Ym90OnQwcC1zM2NyZXQvKz0=")]
    );
}

#[tokio::test]
async fn states_are_known_by_number_or_name_and_neither_state_nor_approval_is_enough() {
    for (fields, approved) in [
        (&[("state", "-1", "Implement")][..], true),
        (&[("state", "-2", "scheduled")], true),
        (&[("state", "-5", "New")], false),
        (&[("state", "-12", "Not scheduled")], false),
        (&[("approval", "requested", "Requested")], false),
        (&[("approval", "not requested", "Not Yet Requested")], false),
        (&[("approval", "rejected", "Rejected"), ("state", "-1", "Implement")], false),
    ] {
        let server = Exchange::json(&[&result(&[change(fields)])]).await;
        let ticket = look(&service_now(&server.url), "CHG0030001").await.unwrap();
        assert_eq!(ticket.approved, approved, "{fields:?}");
    }
}

#[tokio::test]
async fn a_conflict_is_told() {
    let server = Exchange::json(&[&result(&[change(&[("conflict_status", "Conflict", "Conflict")])])]).await;
    let ticket = look(&service_now(&server.url), "CHG0030001").await.unwrap();
    assert_eq!(ticket.conflict.as_deref(), Some("Conflict"));
}

#[tokio::test]
async fn a_change_must_be_the_one_and_say_all_that_matters() {
    let other = change(&[("number", "CHG0030002", "CHG0030002")]);
    for (body, reason) in [
        (result(&[]), "knows no ticket CHG0030001"),
        (result(&[change(&[]), change(&[])]), "answers about several changes"),
        (result(&[other]), "answers about CHG0030002"),
        (result(&[change(&[("state", "", "")])]), "does not say its state"),
        (result(&[change(&[("approval", "", "")])]), "does not say whether it is approved"),
        (
            result(&[change(&[("start_date", "", "")])]),
            "does not say from when on it is planned: `start_date`",
        ),
        (result(&[change(&[("end_date", "", "")])]), "does not say until when it is planned: `end_date`"),
        (result(&[change(&[("end_date", "23.11.2026", "")])]), "`end_date` is not a time"),
        (result(&[change(&[("cmdb_ci", "", "")])]), "does not say for which services it is: `cmdb_ci`"),
        (result(&["{}".to_owned()]), "does not say its number"),
        (r#"{"result":{}}"#.to_owned(), "`/result` is missing"),
        (r#"{"error":{"message":"No Record found"},"status":"failure"}"#.to_owned(), "`/result` is missing"),
    ] {
        let server = Exchange::json(&[&body]).await;
        let error = look(&service_now(&server.url), "CHG0030001").await.unwrap_err().to_string();
        assert!(error.contains(reason), "{body}: {error}");
    }
}

#[tokio::test]
async fn a_query_cannot_be_widened_by_a_key() {
    for key in ["CHG0030001^ORnumberISNOTEMPTY", "CHG0030001&sysparm_limit=1", "x=y"] {
        assert!(key.parse::<pilotage_spec::TicketKey>().is_err(), "{key}");
    }
    for key in ["CHG-1", "a/b#1"] {
        let error = look(&service_now("http://127.0.0.1:9"), key).await.unwrap_err().to_string();
        assert_eq!(
            error,
            format!("`{key}` is not how ServiceNow calls a ticket: write, for example, `CHG0030001`")
        );
    }
}
