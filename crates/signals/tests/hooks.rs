//! Deliveries as their sources document and sign them, and as others would forge them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken helper should fail its test")]

use http::{HeaderMap, HeaderName, HeaderValue};
use pilotage_signals::hooks::{Headers, MalformedDelivery, Unverified, parse, verify};
use pilotage_spec::{Alert, HookKind, Timestamp};
use serde_json::json;

const NOON: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let header = |(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
    };
    let mut map = HeaderMap::new();
    pairs.iter().map(header).for_each(|(name, value)| {
        map.append(name, value);
    });
    map
}

fn proved(
    kind: HookKind,
    pairs: &[(&str, &str)],
    body: &[u8],
    secret: &str,
    now: Timestamp,
) -> Result<(), Unverified> {
    verify(kind, Headers(&headers(pairs)), body, secret, now)
}

fn one(kind: HookKind, body: &serde_json::Value) -> Alert {
    let mut alerts = parse(kind, body.to_string().as_bytes()).unwrap();
    assert_eq!(alerts.len(), 1);
    alerts.remove(0)
}

/// github.com's documentation, "Testing the webhook payload validation".
#[test]
fn github_s_published_signature_is_proved() {
    let right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let secret = "It's a Secret to Everybody";
    let check = |signature: &str, body: &[u8], secret: &str| {
        proved(HookKind::Generic, &[("x-hub-signature-256", signature)], body, secret, NOON)
    };
    assert_eq!(check(right, b"Hello, World!", secret), Ok(()));
    assert_eq!(check(right, b"Hello, World", secret), Err(Unverified::Wrong));
    assert_eq!(check(right, b"Hello, World!", "It's a Secret"), Err(Unverified::Wrong));
    assert_eq!(check(&right.to_uppercase(), b"Hello, World!", secret), Err(Unverified::Missing));
    assert_eq!(check(&right[..70], b"Hello, World!", secret), Err(Unverified::Wrong));
    assert_eq!(check("sha256=", b"Hello, World!", secret), Err(Unverified::Wrong));
    assert_eq!(check("sha1=00", b"Hello, World!", secret), Err(Unverified::Missing));
}

/// The vector of the reference implementations of Standard Webhooks.
#[test]
fn the_published_signature_of_standard_webhooks_is_proved_within_its_time() {
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
    let check = |id: &str, time: &str, signature: &str, now: Timestamp| {
        let pairs = [("webhook-id", id), ("webhook-timestamp", time), ("webhook-signature", signature)];
        proved(HookKind::Generic, &pairs, BODY, SECRET, now)
    };
    let (id, time, now) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", at(1_614_265_330));
    assert_eq!(check(id, time, SIGNATURE, now), Ok(()));
    let several = format!("v1,bm9uc2Vuc2U= v2,other {SIGNATURE}");
    assert_eq!(check(id, time, &several, now), Ok(()), "a secret is being changed");
    assert_eq!(check(id, time, SIGNATURE, at(1_614_265_330 + 300)), Ok(()));
    assert_eq!(check(id, time, SIGNATURE, at(1_614_265_330 + 301)), Err(Unverified::Stale));
    assert_eq!(check(id, time, SIGNATURE, at(1_614_265_330 - 301)), Err(Unverified::Stale));
    assert_eq!(check("msg_other", time, SIGNATURE, now), Err(Unverified::Wrong));
    assert_eq!(check(id, "1614265331", SIGNATURE, now), Err(Unverified::Wrong));
    assert_eq!(check(id, "-1614265330", SIGNATURE, now), Err(Unverified::Missing));
    assert_eq!(check(id, "99999999999999999999", SIGNATURE, now), Err(Unverified::Missing));
    assert_eq!(check("", time, SIGNATURE, now), Err(Unverified::Missing));
    let without_time = [("x-hub-signature-256", "sha256=00")];
    assert_eq!(proved(HookKind::Generic, &without_time, BODY, SECRET, now), Err(Unverified::Missing));
    let pairs = [("webhook-id", id), ("webhook-timestamp", time), ("webhook-signature", SIGNATURE)];
    assert_eq!(proved(HookKind::Generic, &pairs, BODY, "whsec_not base64", now), Err(Unverified::Secret));
}

#[test]
fn pagerduty_s_signatures_are_proved_and_one_of_several_is_enough() {
    let body = br#"{"event":{"event_type":"pagey.ping","occurred_at":"2023-11-14T22:13:20Z"}}"#;
    // HMAC-SHA256 by Python's hmac module.
    let right = "v1=44f89328e7c0b4adebcf29cdb2471e3f824a55667aca0bc6b56203704b513157";
    let check = |signature: &str| {
        proved(HookKind::Pagerduty, &[("x-pagerduty-signature", signature)], body, "secret", NOON)
    };
    assert_eq!(check(right), Ok(()));
    assert_eq!(check(&format!("v1={}, {right}", "0".repeat(64))), Ok(()));
    assert_eq!(check(&format!("v1={},v1={}", "0".repeat(64), "1".repeat(64))), Err(Unverified::Wrong));
    assert_eq!(check(&right.replace("v1=", "v0=")), Err(Unverified::Missing));
    assert_eq!(check(""), Err(Unverified::Missing));
    assert_eq!(parse(HookKind::Pagerduty, body), Ok(Vec::new()), "a ping is about nothing");
}

#[test]
fn grafana_s_signature_is_proved_with_and_without_its_time() {
    let body = br#"{"alerts":[]}"#;
    let bare = "1745765da3451aa4b37c66c165cd80b9a4765574a56eedd22aebc2737ac612c3";
    let timed = "f6cf38fe59b7879f90339c5638036974d4eee686d2f29dac25a545d2bcaeaa21";
    let check = |pairs: &[(&str, &str)], now| proved(HookKind::Grafana, pairs, body, "secret", now);
    let signature = |value| ("x-grafana-alerting-signature", value);
    let time = ("x-grafana-alerting-signature-timestamp", "1700000000");
    assert_eq!(check(&[signature(bare)], NOON), Ok(()));
    assert_eq!(check(&[signature(timed), time], NOON), Ok(()));
    assert_eq!(check(&[signature(timed)], NOON), Err(Unverified::Wrong), "its time was taken out");
    assert_eq!(check(&[signature(bare), time], NOON), Err(Unverified::Wrong), "a time was put in");
    let later = NOON.shifted(301 * 1_000_000);
    assert_eq!(check(&[signature(timed), time], later), Err(Unverified::Stale));
    assert_eq!(check(&[signature(bare), signature(bare)], NOON), Err(Unverified::Missing), "twice");
    assert_eq!(check(&[], NOON), Err(Unverified::Missing));
}

#[test]
fn alertmanager_s_token_or_password_is_compared() {
    let check =
        |value: &str| proved(HookKind::Alertmanager, &[("authorization", value)], b"{}", "s3cret:x", NOON);
    assert_eq!(check("Bearer s3cret:x"), Ok(()));
    assert_eq!(check("bearer  s3cret:x"), Ok(()));
    // `alertmanager:s3cret:x` and `:s3cret:x`.
    assert_eq!(check("Basic YWxlcnRtYW5hZ2VyOnMzY3JldDp4"), Ok(()));
    assert_eq!(check("Basic OnMzY3JldDp4"), Ok(()));
    assert_eq!(check("Bearer s3cret"), Err(Unverified::Wrong));
    assert_eq!(check("Bearer "), Err(Unverified::Wrong));
    assert_eq!(check("Basic YWxlcnRtYW5hZ2Vy"), Err(Unverified::Missing));
    assert_eq!(check("Digest s3cret:x"), Err(Unverified::Missing));
    assert_eq!(check("s3cret:x"), Err(Unverified::Missing));
    for kind in [HookKind::Alertmanager, HookKind::Pagerduty, HookKind::Grafana, HookKind::Generic] {
        assert_eq!(proved(kind, &[("authorization", "Bearer ")], b"", " ", NOON), Err(Unverified::Secret));
    }
}

#[test]
fn alertmanager_s_message_is_read() {
    let body = json!({
        "version": "4", "groupKey": "{}:{alertname=\"Errors\"}", "truncatedAlerts": 0, "status": "firing", "receiver": "pilotage",
        "groupLabels": { "alertname": "Errors" }, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://alerts",
        "alerts": [{
            "status": "firing",
            "labels": { "alertname": "Errors", "severity": "critical", "service": "api", "environment": "production" },
            "annotations": { "summary": "errors\nof \u{202e}api" },
            "startsAt": "2026-11-20T13:05:00.5+01:00", "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus/graph?g0.expr=up", "fingerprint": "c0ffee",
        }],
    });
    let alert = one(HookKind::Alertmanager, &body);
    assert_eq!(alert.key, "c0ffee@2026-11-20T13:05:00.5+01:00");
    assert_eq!(alert.summary, "errors of  api");
    assert_eq!(alert.severity.as_deref(), Some("critical"));
    assert_eq!(alert.started_at, Some(Timestamp::from_micros(1_795_176_300_500_000)));
    assert_eq!(alert.url.as_deref(), Some("http://prometheus/graph?g0.expr=up"));
    assert_eq!(alert.labels["service"], "api");
    let mut resolved = body.clone();
    resolved["alerts"][0]["status"] = json!("resolved");
    let gone = one(HookKind::Alertmanager, &resolved);
    assert!(gone.resolved && gone.key != alert.key);
    assert_eq!(one(HookKind::Grafana, &body), alert, "Grafana's form holds it too");
    for (place, wrong) in [("version", json!("3")), ("alerts", json!({})), ("alerts", json!([{}]))] {
        let mut body = body.clone();
        body[place] = wrong;
        assert!(parse(HookKind::Alertmanager, body.to_string().as_bytes()).is_err(), "{place}");
    }
}

#[test]
fn pagerduty_s_incidents_are_read_and_its_other_events_are_not() {
    let event = |kind: &str, urgency: &str| {
        json!({ "event": {
            "id": "01E", "event_type": kind, "resource_type": "incident", "occurred_at": "2026-11-20T12:06:00Z",
            "data": {
                "id": "PGR0VU2", "type": "incident", "title": "A little bump in the road", "urgency": urgency,
                "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2", "created_at": "2026-11-20T12:05:00Z",
                "service": { "id": "PF9KMXH", "summary": "API Service", "type": "service_reference" },
                "priority": { "id": "PSO75BM", "summary": "P1" },
            },
        } })
    };
    let alert = one(HookKind::Pagerduty, &event("incident.triggered", "high"));
    assert_eq!(alert.key, "PGR0VU2@2026-11-20T12:05:00Z");
    assert_eq!((alert.severity.as_deref(), alert.resolved), (Some("critical"), false));
    assert_eq!((alert.labels["service"].as_str(), alert.labels["priority"].as_str()), ("API Service", "P1"));
    let again = one(HookKind::Pagerduty, &event("incident.reopened", "low"));
    assert_eq!(again.key, "PGR0VU2@2026-11-20T12:06:00Z", "it has come back, and is news");
    assert_eq!(again.severity.as_deref(), Some("low"));
    assert!(one(HookKind::Pagerduty, &event("incident.resolved", "high")).resolved);
    for kind in ["incident.acknowledged", "incident.annotated", "service.updated", "pagey.ping"] {
        assert_eq!(parse(HookKind::Pagerduty, event(kind, "high").to_string().as_bytes()), Ok(Vec::new()));
    }
}

#[test]
fn the_generic_form_is_read_strictly() {
    let body = json!({ "alerts": [{
        "id": "disk-7", "severity": "critical", "summary": "the disk is full", "started_at": "2026-11-20T12:05:00Z",
        "labels": { "service": "api", "environment": "dev" },
    }] });
    let alert = one(HookKind::Generic, &body);
    assert_eq!((alert.key.as_str(), alert.resolved), ("disk-7@2026-11-20T12:05:00Z", false));
    for (field, wrong) in [
        ("id", json!("")),
        ("id", json!(7)),
        ("severity", json!(null)),
        ("started_at", json!("yesterday")),
        ("status", json!("maybe")),
        ("extra", json!(1)),
        ("labels", json!({ "service": ["api"] })),
    ] {
        let mut body = body.clone();
        body["alerts"][0][field] = wrong;
        assert!(parse(HookKind::Generic, body.to_string().as_bytes()).is_err(), "{field}");
    }
}

#[test]
fn what_is_too_long_too_many_or_not_json_is_refused() {
    for kind in [HookKind::Alertmanager, HookKind::Pagerduty, HookKind::Grafana, HookKind::Generic] {
        for body in ["", "{", "[]", "null", "\u{feff}{}", "<html>", "{\"alerts\":[null]}", "{\"event\":{}}"] {
            assert!(
                matches!(parse(kind, body.as_bytes()), Err(MalformedDelivery::Json(_))),
                "{kind:?} {body}"
            );
        }
        let long = vec![b' '; 300 << 10];
        assert_eq!(parse(kind, &long), Err(MalformedDelivery::TooLong(300 << 10)));
        let deep = "[".repeat(100_000);
        assert!(parse(kind, deep.as_bytes()).is_err());
    }
    let entry = json!({ "id": "a", "severity": "x", "summary": "x", "started_at": "2026-11-20T12:05:00Z", "labels": {} });
    let body = json!({ "alerts": vec![entry; 101] }).to_string();
    assert_eq!(parse(HookKind::Generic, body.as_bytes()), Err(MalformedDelivery::TooMany(101)));
}

#[test]
fn long_texts_are_cut_and_many_labels_left_out() {
    let labels: serde_json::Map<String, serde_json::Value> =
        (0..100).map(|n| (format!("label{n}"), json!("x".repeat(1_000)))).collect();
    let body = json!({ "alerts": [{
        "id": "i".repeat(9_000), "severity": "s".repeat(9_000), "summary": "m".repeat(9_000), "url": "javascript:alert(1)",
        "started_at": "2026-11-20T12:05:00Z", "labels": labels,
    }] });
    let alert = one(HookKind::Generic, &body);
    assert!(serde_json::to_string(&alert).unwrap().len() < 20_000);
    assert_eq!((alert.labels.len(), alert.summary.len(), alert.url), (64, 300, None));
}
