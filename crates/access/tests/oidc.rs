//! Id tokens of a real issuer: which are believed, and which are not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod issuer;

use std::time::Duration;

use issuer::{Issuer, Key, base64url, now};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use pilotage_access::Directory;
use pilotage_access::oidc::{OidcError, Verifier};
use pilotage_spec::{PrincipalName, Timestamp};
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

/// An issuer, and a project that believes it about a job and about people.
struct Site {
    issuer: Issuer,
    key: Key,
    directory: Directory,
    verifier: Verifier,
}

impl Site {
    fn new(algorithm: Algorithm) -> Self {
        let key = Key::new("first", algorithm);
        let issuer = Issuer::start(&[&key]);
        let file = format!(
            "project: shop\nservices: {{ api: {{ run: [./api], artifact: api }} }}\naccess:\n  people:\n    anna: {{ logins: \
             [\"oidc:company#anna@shop.example\"] }}\n  machines:\n    ci: {{ workload: {{ issuer: \"{0}\", audience: pilotage, \
             claims: {{ repository: shop/api, ref: refs/heads/main }} }} }}\n  sign_in:\n    company: {{ issuer: \"{0}\", \
             client_id: cli, claim: email }}\n",
            issuer.url()
        );
        let project = pilotage_spec::read("pilotage.yaml", &file).unwrap();
        let directory = Directory::of(project.access.as_ref(), []);
        Self { issuer, key, directory, verifier: Verifier::default() }
    }

    fn job(&self) -> Value {
        json!({
            "iss": self.issuer.url(), "aud": "pilotage", "exp": now() + 300, "iat": now(), "nbf": now(),
            "sub": "repo:shop/api", "repository": "shop/api", "ref": "refs/heads/main",
        })
    }

    fn job_with(&self, name: &str, value: Value) -> Value {
        let mut job = self.job();
        job[name] = value;
        job
    }

    async fn who(&self, token: &str) -> Result<String, OidcError> {
        self.who_at(token, SECOND).await
    }

    async fn who_at(&self, token: &str, elapsed: Duration) -> Result<String, OidcError> {
        let at = Timestamp::from_micros(i64::try_from(now()).unwrap() * 1_000_000);
        let found = self.verifier.workload(token, &self.directory, at, elapsed).await;
        found.map(|name: PrincipalName| name.to_string())
    }
}

#[tokio::test]
async fn a_job_is_known_by_each_way_of_signing() {
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256] {
        let site = Site::new(algorithm);
        let token = site.key.sign(&site.job());
        assert_eq!(site.who(&token).await.as_deref(), Ok("ci"), "{algorithm:?}");
        let unnamed = site.key.sign_with_head(&Header::new(algorithm), &site.job());
        assert_eq!(site.who(&unnamed).await.as_deref(), Ok("ci"), "the only key needs no name");
    }
}

#[tokio::test]
async fn what_a_token_says_of_another_job_is_not_believed() {
    let site = Site::new(Algorithm::ES256);
    let mut without = site.job();
    without.as_object_mut().unwrap().remove("ref");
    let mut endless = site.job();
    endless.as_object_mut().unwrap().remove("exp");
    for claims in [
        without,
        endless,
        site.job_with("ref", json!("refs/heads/main2")),
        site.job_with("ref", json!("refs/heads/mai")),
        site.job_with("repository", json!("shop/api-fork")),
        site.job_with("aud", json!("other")),
        site.job_with("aud", json!(["pilotage", "other"])),
        site.job_with("iss", json!("https://ci.example.com")),
        site.job_with("iss", json!(format!("{}/", site.issuer.url()))),
        site.job_with("exp", json!(now() - 60)),
        site.job_with("nbf", json!(now() + 600)),
        site.job_with("iat", json!(now() + 600)),
    ] {
        assert!(site.who(&site.key.sign(&claims)).await.is_err(), "{claims}");
    }
}

#[tokio::test]
async fn a_signature_is_made_by_a_key_of_the_issuer_or_counts_for_nothing() {
    let site = Site::new(Algorithm::RS256);
    let other = Key { name: "first".to_owned(), ..Key::new("other", Algorithm::RS256) };
    assert_eq!(site.who(&other.sign(&site.job())).await, Err(OidcError::Signature));
    let token = site.key.sign(&site.job());
    let (head, rest) = token.split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    let none = part(&json!({ "alg": "none", "typ": "JWT" }));
    let forged = part(&site.job_with("ref", json!("refs/heads/evil")));
    for token in [
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
        format!("{}.{claims}.", part(&json!({ "alg": "NONE" }))),
        format!("{head}.{claims}."),
        format!("{head}.{forged}.{signature}"),
        format!("{head}.{claims}"),
        format!("{head}.{claims}.{signature}.{signature}"),
        format!("{}.{claims}.{signature}", part(&json!({ "alg": "RS256", "kid": "first", "crit": ["exp"] }))),
        token.trim_end_matches(|c: char| c != '.').to_owned(),
        token[..token.len() - 4].to_owned(),
        String::new(),
        "..".to_owned(),
        "x".repeat(20_000),
    ] {
        assert!(site.who(&token).await.is_err(), "{token}");
    }
    let access = Header {
        typ: Some("at+jwt".to_owned()),
        kid: Some("first".to_owned()),
        ..Header::new(Algorithm::RS256)
    };
    assert!(site.who(&site.key.sign_with_head(&access, &site.job())).await.is_err(), "an access token");
    assert_eq!(site.who(&token).await.as_deref(), Ok("ci"));
}

#[tokio::test]
async fn a_public_key_is_no_secret_to_sign_with() {
    let site = Site::new(Algorithm::RS256);
    // The confusion of ways: what everybody knows, the published key, as the secret of an HMAC.
    let published = site.key.published();
    site.issuer
        .publish_also(json!({ "kid": "shared", "kty": "oct", "k": base64url(b"secret"), "alg": "HS256" }));
    for (kid, secret) in [
        ("first", published["n"].as_str().unwrap().as_bytes().to_vec()),
        ("first", published.to_string().into_bytes()),
        ("shared", b"secret".to_vec()),
    ] {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::HS256) };
        let token = encode(&header, &site.job(), &EncodingKey::from_secret(&secret)).unwrap();
        assert_eq!(site.who(&token).await, Err(OidcError::Algorithm));
    }
}

#[tokio::test]
async fn keys_that_are_replaced_are_learnt_and_forgotten() {
    let site = Site::new(Algorithm::ES256);
    let old = site.key.sign(&site.job());
    assert_eq!(site.who_at(&old, SECOND).await.as_deref(), Ok("ci"));
    let second = Key::new("second", Algorithm::ES256);
    site.issuer.publish(&[&second]);
    let new = second.sign(&site.job());
    assert_eq!(site.who_at(&new, 2 * SECOND).await, Err(OidcError::Key), "it was asked a second ago");
    assert_eq!(site.issuer.asked(), 1);
    assert_eq!(site.who_at(&new, 61 * SECOND).await.as_deref(), Ok("ci"));
    assert_eq!(site.who_at(&old, 62 * SECOND).await, Err(OidcError::Key), "the old key is withdrawn");
    for at in 62..100 {
        let _ = site.who_at(&old, at * SECOND).await;
    }
    assert_eq!(site.issuer.asked(), 2, "whoever sends nonsense does not make the server ask");
}

#[tokio::test]
async fn an_issuer_that_is_not_itself_or_not_there_is_not_believed() {
    let site = Site::new(Algorithm::ES256);
    let token = site.key.sign(&site.job());
    site.issuer.call_itself("https://accounts.shop.example");
    assert!(matches!(site.who(&token).await, Err(OidcError::Unreachable { .. })));
    let Site { issuer, directory, verifier, .. } = site;
    drop(issuer);
    let at = Timestamp::from_micros(i64::try_from(now()).unwrap() * 1_000_000);
    let error = verifier.workload(&token, &directory, at, 100 * SECOND).await.unwrap_err();
    assert!(matches!(error, OidcError::Unreachable { .. }) && !error.to_string().contains(&token), "{error}");
}

#[tokio::test]
async fn the_token_of_a_job_does_not_sign_anybody_in() {
    let site = Site::new(Algorithm::ES256);
    let at = Timestamp::from_micros(i64::try_from(now()).unwrap() * 1_000_000);
    let person = async |claims: &Value, nonce: &str| {
        let found = site.verifier.person(&site.key.sign(claims), nonce, &site.directory, at, SECOND).await;
        found.map(|name| name.to_string())
    };
    let anna = json!({
        "iss": site.issuer.url(), "aud": "cli", "exp": now() + 300, "nonce": "n", "email": "anna@shop.example", "email_verified": true,
    });
    assert_eq!(person(&anna, "n").await.as_deref(), Ok("anna"));
    // A platform that signs people in and vouches for jobs lets a job choose its audience.
    let mut job = anna.clone();
    job.as_object_mut().unwrap().remove("nonce");
    assert!(
        person(&job, "").await.is_err()
            && person(&job, "n").await.is_err()
            && person(&anna, "other").await.is_err()
    );
    let mut stranger = anna.clone();
    stranger["email"] = json!("bert@shop.example");
    assert!(matches!(person(&stranger, "n").await, Err(OidcError::Nobody(_))));
    assert!(site.who(&site.key.sign(&anna)).await.is_err(), "nor does a person's token act for a job");
}
