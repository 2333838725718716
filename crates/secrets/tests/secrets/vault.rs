//! Vault's documented exchange, replayed strictly: every question must be asked to the letter.

use std::path::Path;
use std::time::Duration;

use super::replay::{Exchange, Replay, exchange};
use super::support::{read, reader, refusal};

const REFERENCE: &str = "vault:kv/shop/api#password";

/// What reading a secret of version 2 answers; from the documentation of the key-value store.
const FOUND: &str = r#"{"request_id":"7b8d","lease_id":"","renewable":false,"lease_duration":0,"data":{"data":{"password":"hunter22","port":5432,"list":[]},"metadata":{"created_time":"2026-03-22T02:24:06.945319214Z","custom_metadata":null,"deletion_time":"","destroyed":false,"version":2}},"wrap_info":null,"warnings":null,"auth":null}"#;
const DELETED: &str = r#"{"request_id":"7b8d","data":{"data":null,"metadata":{"created_time":"2026-03-22T02:24:06Z","custom_metadata":null,"deletion_time":"2026-03-23T02:36:43Z","destroyed":false,"version":3}}}"#;
const DESTROYED: &str = r#"{"request_id":"7b8d","data":{"data":null,"metadata":{"created_time":"2026-03-22T02:24:06Z","deletion_time":"","destroyed":true,"version":3}}}"#;

fn asked(token: &str, status: u16, answer: &str) -> Exchange {
    let question = format!("GET /v1/kv/data/shop/api\nx-vault-request: true\nx-vault-token: {token}\n\n");
    exchange(&question, status, answer)
}

fn login(token: &str, seconds: u64, renewable: bool) -> Exchange {
    exchange(
        "POST /v1/auth/approle/login\ncontent-type: application/json\nx-vault-request: true\n\n{\"role_id\":\"role-id-value\",\"secret_id\":\"secret-id-value\"}",
        200,
        &format!(
            r#"{{"request_id":"1","data":null,"auth":{{"renewable":{renewable},"lease_duration":{seconds},"metadata":null,"token_policies":["default","shop"],"accessor":"fd6c9a00","client_token":"{token}"}}}}"#
        ),
    )
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "s.token1\n").unwrap();
    std::fs::write(folder.path().join("role"), "role-id-value\n").unwrap();
    std::fs::write(folder.path().join("id"), "secret-id-value\n").unwrap();
    folder
}

fn by_token(folder: &Path, url: &str) -> pilotage_secrets::SecretReader {
    reader(folder, &format!("{{ vault: {{ url: \"{url}\", token: \"file:token\" }} }}"))
}

fn by_role(folder: &Path, url: &str) -> pilotage_secrets::SecretReader {
    let role = "app_role: { role_id: \"file:role\", secret_id: \"file:id\" }";
    reader(folder, &format!("{{ vault: {{ url: \"{url}\", {role} }} }}"))
}

#[tokio::test]
async fn a_field_is_read_with_a_token_that_is_read_anew_each_time() {
    let folder = folder();
    let vault = Replay::start(vec![asked("s.token1", 200, FOUND), asked("s.token2", 200, FOUND)]);
    let reader = by_token(folder.path(), &vault.url);
    assert_eq!(read(&reader, REFERENCE).await.unwrap().expose(), b"hunter22");
    std::fs::write(folder.path().join("token"), "s.token2").unwrap();
    assert_eq!(read(&reader, "vault:kv/shop/api#port").await.unwrap().expose(), b"5432");
    assert_eq!(reader.known().text("s.token1 s.token2 hunter22"), "[masked] [masked] [masked]");
    vault.finish();
}

#[tokio::test]
async fn a_namespace_is_named() {
    let folder = folder();
    let question =
        "GET /v1/kv/data/a\nx-vault-namespace: team/shop\nx-vault-request: true\nx-vault-token: s.token1\n\n";
    let vault = Replay::start(vec![exchange(question, 200, FOUND)]);
    let settings =
        format!("{{ vault: {{ url: \"{}\", namespace: team/shop, token: \"file:token\" }} }}", vault.url);
    assert!(read(&reader(folder.path(), &settings), "vault:kv/a#password").await.is_ok());
    vault.finish();
}

#[tokio::test]
async fn one_login_serves_until_its_token_is_refused() {
    let folder = folder();
    let forbidden = r#"{"errors":["permission denied"]}"#;
    let vault = Replay::start(vec![
        login("s.token1", 3600, true),
        asked("s.token1", 200, FOUND),
        asked("s.token1", 200, FOUND),
        // It was revoked: there is a new login, once.
        asked("s.token1", 403, forbidden),
        login("s.token2", 3600, true),
        asked("s.token2", 200, FOUND),
        // Refused even so.
        asked("s.token2", 403, forbidden),
        login("s.token3", 3600, true),
        asked("s.token3", 403, forbidden),
    ]);
    let reader = by_role(folder.path(), &vault.url);
    for _ in 0..3 {
        assert!(read(&reader, REFERENCE).await.is_ok());
    }
    let text = refusal(&reader, REFERENCE).await;
    assert!(text.contains("refuses kv/data/shop/api (permission denied): the token has expired"), "{text}");
    assert_eq!(reader.known().text("s.token3 secret-id-value"), "[masked] [masked]");
    vault.finish();
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_or_else_replaced() {
    let folder = folder();
    let renewed =
        r#"{"auth":{"client_token":"s.token1","policies":["shop"],"lease_duration":1,"renewable":true}}"#;
    let renewal = "POST /v1/auth/token/renew-self\ncontent-type: application/json\nx-vault-request: true\nx-vault-token: s.token1\n\n{}";
    let vault = Replay::start(vec![
        login("s.token1", 1, true),
        asked("s.token1", 200, FOUND),
        exchange(renewal, 200, renewed),
        asked("s.token1", 200, FOUND),
        exchange(renewal, 403, r#"{"errors":["permission denied"]}"#),
        login("s.token2", 1, false),
        asked("s.token2", 200, FOUND),
        login("s.token3", 0, false),
        asked("s.token3", 200, FOUND),
        // Without a lease it counts for ever.
        asked("s.token3", 200, FOUND),
    ]);
    let reader = by_role(folder.path(), &vault.url);
    for _ in 0..5 {
        assert!(read(&reader, REFERENCE).await.is_ok());
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    vault.finish();
}

#[tokio::test]
async fn a_signed_token_logs_in() {
    let folder = folder();
    std::fs::write(folder.path().join("jwt"), "e.y.J\n").unwrap();
    let question = "POST /v1/auth/kubernetes/login\ncontent-type: application/json\nx-vault-request: true\n\n{\"role\":\"pilotage\",\"jwt\":\"e.y.J\"}";
    let answer = r#"{"auth":{"client_token":"s.token1","lease_duration":60,"renewable":true}}"#;
    let vault = Replay::start(vec![exchange(question, 200, answer), asked("s.token1", 200, FOUND)]);
    let login = "kubernetes: { role: pilotage, token: \"file:jwt\" }";
    let reader = reader(folder.path(), &format!("{{ vault: {{ url: \"{}\", {login} }} }}", vault.url));
    assert!(read(&reader, REFERENCE).await.is_ok());
    vault.finish();
}

#[tokio::test]
async fn what_is_not_there_is_told_apart() {
    let folder = folder();
    let told = [
        (404, r#"{"errors":[]}"#, REFERENCE, "has nothing at kv/data/shop/api; check the path"),
        (404, DELETED, REFERENCE, "kv/data/shop/api was deleted (version 3, at 2026-03-23T02:36:43Z)"),
        (404, DESTROYED, REFERENCE, "kv/data/shop/api was destroyed (version 3)"),
        (200, FOUND, "vault:kv/shop/api#absent", "has no field `absent`; it has password, port, list"),
        (200, FOUND, "vault:kv/shop/api#list", "the field `list` of kv/data/shop/api is a list"),
        (
            403,
            r#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#,
            REFERENCE,
            "* permission denied)",
        ),
        (403, r#"{"errors":["token s.token1 is of no use"]}"#, REFERENCE, "(token [masked] is of no use)"),
        (503, r#"{"errors":["Vault is sealed"]}"#, REFERENCE, "is sealed; unseal it"),
        (473, "", REFERENCE, "is not active (status 473"),
        (500, r#"{"errors":["internal error"]}"#, REFERENCE, "answered 500 (internal error)"),
        // What a redirect points to gets no token.
        (307, "", REFERENCE, "answered 307 (status 307)"),
        (200, "<html>Sign in</html>", REFERENCE, "is not Vault: it answers with a web page"),
        (404, "<html>Not found</html>", REFERENCE, "is not Vault: it answers with a web page"),
        (200, r#"{"data":{"password":"hunter22"}}"#, REFERENCE, "its answer has another form than Vault's"),
        (
            200,
            r#"{"data":{"data":{"password":""},"metadata":{"version":1,"deletion_time":"","destroyed":false}}}"#,
            REFERENCE,
            "it is empty; store a value there",
        ),
    ];
    let vault =
        Replay::start(told.iter().map(|(status, answer, ..)| asked("s.token1", *status, answer)).collect());
    let reader = by_token(folder.path(), &vault.url);
    for (status, answer, reference, expected) in told {
        let text = refusal(&reader, reference).await;
        assert!(
            text.starts_with(&format!("secret {reference}: ")) && text.contains(expected),
            "{status} {answer}: {text}"
        );
    }
    vault.finish();
}

#[tokio::test]
async fn what_stands_in_the_way_is_told() {
    let folder = folder();
    let refused = r#"{"errors":["invalid role or secret ID secret-id-value"]}"#;
    let vault =
        Replay::start(vec![Exchange { status: 400, answer: refused.to_owned(), ..login("", 0, false) }]);
    let text = refusal(&by_role(folder.path(), &vault.url), REFERENCE).await;
    assert!(
        text.contains("refuses the login at `auth/approle` (invalid role or secret ID [masked])"),
        "{text}"
    );
    vault.finish();
    let text = refusal(&by_token(folder.path(), "http://127.0.0.1:1"), REFERENCE).await;
    assert!(text.contains("Vault at http://127.0.0.1:1 cannot be reached: Connection refused"), "{text}");
    std::fs::write(folder.path().join("token"), "two\nlines").unwrap();
    let text = refusal(&by_token(folder.path(), "http://127.0.0.1:1"), REFERENCE).await;
    assert!(text.contains("characters that a header cannot carry"), "{text}");
    std::fs::remove_file(folder.path().join("token")).unwrap();
    let text = refusal(&by_token(folder.path(), "http://127.0.0.1:1"), REFERENCE).await;
    assert!(text.contains("token cannot be read: No such file"), "{text}");
    let text = refusal(&reader(folder.path(), "{}"), REFERENCE).await;
    assert!(text.contains("`secrets.vault` of pilotage.yaml is missing"), "{text}");
}
