use proptest::prelude::*;
use serde_json::json;

use super::*;

const ISSUER: &str = "https://ci.example.com";

fn claims(value: Value) -> Claims {
    match value {
        Value::Object(map) => Claims(map),
        other => panic!("{other}"),
    }
}

fn machine() -> WorkloadIdentity {
    WorkloadIdentity {
        issuer: ISSUER.parse().unwrap(),
        audience: "pilotage".parse().unwrap(),
        claims: [
            ("repository", "shop/api"),
            ("ref", "refs/heads/main"),
            ("protected", "true"),
            ("project_id", "42"),
        ]
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .into(),
    }
}

fn job() -> Value {
    json!({
        "iss": ISSUER, "aud": "pilotage", "sub": "repo:shop/api:ref:refs/heads/main", "repository": "shop/api",
        "ref": "refs/heads/main", "protected": true, "project_id": 42, "other": "whatever",
    })
}

fn with(mut value: Value, name: &str, to: Value) -> Claims {
    value[name] = to;
    claims(value)
}

#[test]
fn a_job_that_says_everything_is_the_machine() {
    assert_eq!(claims(job()).check_workload(&machine()), Ok(()));
    assert_eq!(with(job(), "aud", json!(["pilotage"])).check_workload(&machine()), Ok(()));
}

#[test]
fn a_claim_that_is_missing_or_only_begins_so_is_not_enough() {
    for name in ["iss", "aud", "repository", "ref", "protected", "project_id"] {
        let mut without = job();
        without.as_object_mut().unwrap().remove(name);
        assert!(claims(without).check_workload(&machine()).is_err(), "without {name}");
        for odd in [json!(null), json!([]), json!({}), json!(""), json!(4.2e1), json!(["shop/api"]), json!(1)]
        {
            assert!(with(job(), name, odd.clone()).check_workload(&machine()).is_err(), "{name}: {odd}");
        }
    }
    for repository in
        ["shop/api2", "shop/ap", "Shop/api", "shop/api ", "evil/shop/api", "shop/api\0", "shop/*"]
    {
        assert!(
            with(job(), "repository", json!(repository)).check_workload(&machine()).is_err(),
            "{repository}"
        );
    }
}

#[test]
fn a_job_that_is_meant_for_others_too_is_refused() {
    for audience in [
        json!("pilotage2"),
        json!(["pilotage", "other"]),
        json!([]),
        json!(["other"]),
        json!(["pilotage", 1]),
    ] {
        let refused = with(job(), "aud", audience.clone()).check_workload(&machine());
        assert_eq!(refused, Err(OidcError::Audience("aud")), "{audience}");
    }
    for issuer in ["https://ci.example.com/", "https://CI.example.com", "https://ci.example.co"] {
        assert_eq!(with(job(), "iss", json!(issuer)).check_workload(&machine()), Err(OidcError::Issuer));
    }
}

#[test]
fn a_machine_without_claims_is_nobody() {
    let anybody = WorkloadIdentity { claims: [].into(), ..machine() };
    assert!(claims(job()).check_workload(&anybody).is_err());
}

fn company() -> SignIn {
    SignIn {
        issuer: ISSUER.parse().unwrap(),
        client_id: "pilotage".parse().unwrap(),
        claim: "email".parse().unwrap(),
    }
}

fn anna() -> Value {
    json!({ "iss": ISSUER, "aud": "pilotage", "sub": "00u1", "email": "anna@shop.example", "email_verified": true, "nonce": "n" })
}

#[test]
fn somebody_who_signs_in_is_who_the_claim_says() {
    let who = |claims: Claims| claims.check_sign_in(&company(), "n").map(|value| value.to_string());
    assert_eq!(who(claims(anna())).as_deref(), Ok("anna@shop.example"));
    assert_eq!(who(with(anna(), "azp", json!("pilotage"))).as_deref(), Ok("anna@shop.example"));
    assert_eq!(who(with(anna(), "azp", json!("other"))), Err(OidcError::Audience("azp")));
    assert_eq!(who(with(anna(), "azp", json!(1))), Err(OidcError::Audience("azp")));
    assert_eq!(who(with(anna(), "aud", json!(["pilotage", "other"]))), Err(OidcError::Audience("azp")));
    assert_eq!(who(with(anna(), "aud", json!("other"))), Err(OidcError::Audience("aud")));
    assert_eq!(who(with(anna(), "iss", json!("https://evil.example.com"))), Err(OidcError::Issuer));
    for (name, value) in [
        ("email_verified", json!(false)),
        ("email_verified", json!("true")),
        ("email_verified", json!(null)),
        ("email", json!(["anna@shop.example"])),
        ("email", json!("аnna@shop.example")),
        ("nonce", json!("m")),
        ("nonce", json!(null)),
    ] {
        assert!(
            matches!(who(with(anna(), name, value.clone())), Err(OidcError::Nobody(_))),
            "{name}: {value}"
        );
    }
    let without_nonce = with(anna(), "nonce", json!(""));
    assert!(without_nonce.check_sign_in(&company(), "").is_err(), "nobody signs in without a nonce");
}

const NOW: i64 = 1_800_000_000;

fn now() -> Timestamp {
    Timestamp::from_micros(NOW * 1_000_000)
}

#[test]
fn times_are_kept_to_half_a_minute() {
    let at = |value: Value| claims(value).check_time(now());
    assert_eq!(at(json!({ "exp": NOW - 29 })), Ok(()));
    assert_eq!(at(json!({ "exp": NOW as f64 + 0.5, "iat": NOW as f64 - 0.5 })), Ok(()));
    assert!(at(json!({ "exp": NOW - 30 })).is_err());
    assert_eq!(at(json!({ "exp": NOW + 60, "nbf": NOW + 30, "iat": NOW + 30 })), Ok(()));
    assert!(at(json!({ "exp": NOW + 60, "nbf": NOW + 31 })).is_err());
    assert!(at(json!({ "exp": NOW + 60, "iat": NOW + 31 })).is_err());
    for odd in [
        json!({}),
        json!({ "exp": null }),
        json!({ "exp": "9999999999" }),
        json!({ "exp": 1e300 }),
        json!({ "exp": NOW + 9, "nbf": "0" }),
    ] {
        assert!(at(odd.clone()).is_err(), "{odd}");
    }
}

proptest! {
    #[test]
    fn no_other_text_passes_for_a_claim(text in "\\PC{0,20}") {
        prop_assume!(text != "shop/api");
        prop_assert!(with(job(), "repository", json!(text)).check_workload(&machine()).is_err());
    }
}
