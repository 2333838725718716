//! The API of Kubernetes, replayed strictly.

use std::path::Path;
use std::sync::Arc;

use super::replay::{Exchange, Replay, exchange};
use super::support::{read, reader, refusal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

const REFERENCE: &str = "kubernetes:shop/database#password";
const FOUND: &str = r#"{"kind":"Secret","apiVersion":"v1","metadata":{"name":"database","namespace":"shop","resourceVersion":"7"},"data":{"password":"aHVudGVyMjI=","broken":"hunter22!"},"type":"Opaque"}"#;

fn asked(token: &str, status: u16, answer: &str) -> Exchange {
    let question = format!(
        "GET /api/v1/namespaces/shop/secrets/database\naccept: application/json\nauthorization: Bearer {token}\n\n"
    );
    exchange(&question, status, answer)
}

fn kubeconfig(folder: &Path, server: &str) {
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: eu\ncontexts:\n\
         - {{ name: eu, context: {{ cluster: eu, user: reader, namespace: other }} }}\n\
         - {{ name: us, context: {{ cluster: us, user: reader }} }}\n\
         - {{ name: file, context: {{ cluster: eu, user: by-file }} }}\n\
         - {{ name: program, context: {{ cluster: eu, user: by-program }} }}\n\
         - {{ name: open, context: {{ cluster: open, user: reader }} }}\n\
         clusters:\n- {{ name: eu, cluster: {{ server: \"{server}\" }} }}\n\
         - {{ name: open, cluster: {{ server: \"https://127.0.0.1:1\", insecure-skip-tls-verify: true }} }}\n\
         users:\n- {{ name: reader, user: {{ token: s.token1 }} }}\n- {{ name: by-file, user: {{ tokenFile: token }} }}\n\
         - name: by-program\n  user:\n    exec: {{ apiVersion: v1, command: aws, args: [eks, get-token] }}\n"
    );
    std::fs::write(folder.join("kubeconfig"), text).unwrap();
    std::fs::write(folder.join("token"), "s.token2\n").unwrap();
}

#[tokio::test]
async fn a_key_of_a_secret_is_read_as_the_user_of_the_context() {
    let folder = tempfile::tempdir().unwrap();
    let api = Replay::start(vec![asked("s.token1", 200, FOUND), asked("s.token2", 200, FOUND)]);
    kubeconfig(folder.path(), &api.url);
    let current = reader(folder.path(), "{ kubernetes: { kubeconfig: kubeconfig } }");
    assert_eq!(read(&current, REFERENCE).await.unwrap().expose(), b"hunter22");
    assert_eq!(current.known().text("s.token1"), "[masked]");
    let other = reader(folder.path(), "{ kubernetes: { kubeconfig: kubeconfig, context: file } }");
    assert_eq!(read(&other, REFERENCE).await.unwrap().expose(), b"hunter22");
    api.finish();
}

#[tokio::test]
async fn what_is_not_there_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let status = |code: u16, message: &str| {
        format!(
            r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"{message}","reason":"X","code":{code}}}"#
        )
    };
    let told = [
        (401, status(401, "Unauthorized"), REFERENCE, "does not accept the credentials"),
        (
            403,
            status(403, "secrets is forbidden: User s.token1 cannot get"),
            REFERENCE,
            "(secrets is forbidden: User [masked] cannot get)",
        ),
        (404, status(404, "secrets not found"), REFERENCE, "has no Secret for shop/database#password"),
        (500, status(500, "etcd is gone"), REFERENCE, "answered 500 (etcd is gone)"),
        (
            200,
            FOUND.to_owned(),
            "kubernetes:shop/database#absent",
            "has no such key; it has broken, password",
        ),
        (200, FOUND.to_owned(), "kubernetes:shop/database#broken", "is not Base64"),
        (
            200,
            "<html>Sign in</html>".to_owned(),
            REFERENCE,
            "is not a Kubernetes API: it answers with a web page",
        ),
        (200, r#"{"kind":"Pod"}"#.to_owned(), REFERENCE, "its answer is no Secret"),
        (302, String::new(), REFERENCE, "is not a Kubernetes API: status 302"),
    ];
    let api =
        Replay::start(told.iter().map(|(status, answer, ..)| asked("s.token1", *status, answer)).collect());
    kubeconfig(folder.path(), &api.url);
    let reader = reader(folder.path(), "{ kubernetes: { kubeconfig: kubeconfig } }");
    for (status, answer, reference, expected) in &told {
        let text = refusal(&reader, reference).await;
        assert!(text.contains(expected), "{status} {answer}: {text}");
    }
    api.finish();
}

#[tokio::test]
async fn a_kubeconfig_that_cannot_be_used_says_why() {
    let folder = tempfile::tempdir().unwrap();
    kubeconfig(folder.path(), "http://127.0.0.1:1");
    for (context, expected) in [
        ("eu", "at http://127.0.0.1:1 cannot be reached: Connection refused"),
        ("us", "it has no cluster `us`"),
        ("absent", "it has no context `absent`"),
        ("program", "its user logs in by a program or a password"),
        ("open", "`insecure-skip-tls-verify` would hand the credentials to anybody"),
    ] {
        let settings = format!("{{ kubernetes: {{ kubeconfig: kubeconfig, context: {context} }} }}");
        let text = refusal(&reader(folder.path(), &settings), REFERENCE).await;
        assert!(text.contains(expected), "{context}: {text}");
    }
    let settings = "{ kubernetes: { kubeconfig: kubeconfig } }";
    for broken in ["token: hunter22\n  x: [", "contexts: hunter22\n", "hunter22"] {
        std::fs::write(folder.path().join("kubeconfig"), broken).unwrap();
        let text = refusal(&reader(folder.path(), settings), REFERENCE).await;
        assert!(text.contains("kubeconfig: it "), "{broken}: {text}");
    }
    std::fs::remove_file(folder.path().join("kubeconfig")).unwrap();
    let text = refusal(&reader(folder.path(), settings), REFERENCE).await;
    assert!(text.contains("kubeconfig cannot be read: No such file"), "{text}");
}

/// A cluster with an authority of its own, that knows its clients by their certificates.
#[tokio::test]
async fn certificates_are_checked_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, address) = tls_server().await;
    let (chain, key) = authority.issue("reader");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("ca.pem", &authority.pem);
    write("other.pem", &Authority::new().pem);
    write("chain.pem", &chain);
    write("key.pem", &key);
    let config = |ca: &str| {
        format!(
            "current-context: a\ncontexts: [ {{ name: a, context: {{ cluster: a, user: a }} }} ]\n\
             clusters: [ {{ name: a, cluster: {{ server: \"https://{address}\", certificate-authority: {ca} }} }} ]\n\
             users: [ {{ name: a, user: {{ client-certificate: chain.pem, client-key: key.pem }} }} ]\n"
        )
    };
    write("kubeconfig", &config("ca.pem"));
    let reader = reader(folder.path(), "{ kubernetes: { kubeconfig: kubeconfig } }");
    assert_eq!(read(&reader, REFERENCE).await.unwrap().expose(), b"hunter22");
    write("kubeconfig", &config("other.pem"));
    let text = refusal(&reader, REFERENCE).await;
    assert!(text.contains("cannot be reached: invalid peer certificate"), "{text}");
    write("kubeconfig", &config("key.pem"));
    let text = refusal(&reader, REFERENCE).await;
    assert!(text.contains("no usable certificate in what is to be trusted"), "{text}");
}

struct Authority {
    pem: String,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    certificate: rcgen::Certificate,
}

impl Authority {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self { pem: certificate.pem(), issuer: rcgen::Issuer::new(params, key), certificate }
    }

    fn issue(&self, name: &str) -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// Answers everybody with a certificate of its authority with the Secret. It ends with the test's runtime.
async fn tls_server() -> (Authority, std::net::SocketAddr) {
    let authority = Authority::new();
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let chain = vec![own.signed_by(&key, &authority.issuer).unwrap().der().clone()];
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate.der().clone()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key.serialize_der().try_into().unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            // A client that does not trust us goes away.
            let Ok(mut connection) = acceptor.accept(connection).await else { continue };
            let mut head = vec![0; 4096];
            let _ = connection.read(&mut head).await.unwrap();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{FOUND}",
                FOUND.len()
            );
            connection.write_all(answer.as_bytes()).await.unwrap();
            connection.shutdown().await.unwrap();
        }
    });
    (authority, address)
}
