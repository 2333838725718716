//! The client over TLS. Which authorities a process trusts is decided by its environment, so each case is played by a
//! process of its own: this very test program, started again.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use pilotage_signals::{JsonClient, PrometheusClient};
use pilotage_spec::{JsonSource, Workload};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const URL: &str = "PILOTAGE_SIGNALS_TEST_URL";
const ANSWER: &str = r#"{"status":"success","data":{"resultType":"scalar","result":[0,"42"]}}"#;

/// The other process: asks the server that its environment names, and says what came of it.
#[tokio::test]
async fn the_asking_process() {
    let Ok(url) = std::env::var(URL) else { return };
    let client = PrometheusClient::new(&url, Some("s3cret".to_owned())).unwrap();
    println!("outcome: {:?}", client.instant("up").await);
    let source = JsonSource { url, pointer: "/data/result/0".to_owned(), token: None };
    let client = JsonClient::new(source, Some("s3cret".to_owned())).unwrap();
    let workload = Workload { environment: "dev".parse().unwrap(), service: "api".parse().unwrap() };
    println!("document: {:?}", client.number(&workload, &"1.0.0".parse().unwrap()).await);
}

#[tokio::test]
async fn a_server_is_trusted_by_the_authorities_of_the_machine_and_by_no_others() {
    let (authority, certificate, key) = certificates();
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let port = serve(TlsAcceptor::from(Arc::new(config))).await;

    let folder = tempfile::tempdir().unwrap();
    let (trusted, other) = (folder.path().join("trusted.pem"), folder.path().join("other.pem"));
    std::fs::write(&trusted, &authority).unwrap();
    std::fs::write(&other, certificates().0).unwrap();

    let url = format!("https://localhost:{port}");
    let answered = ask(&url, &trusted).await;
    assert!(answered.contains("outcome: Ok(Some(42.0))"), "{answered}");
    assert!(answered.contains("document: Ok(0.0)"), "{answered}");
    let refused = ask(&url, &other).await;
    assert!(refused.contains("Unreachable") && refused.contains("invalid peer certificate"), "{refused}");
    assert!(refused.contains("document: Err(Unreachable"), "{refused}");
    let other_name = ask(&format!("https://127.0.0.1:{port}"), &trusted).await;
    assert!(other_name.contains("Unreachable") && other_name.contains("not valid for name"), "{other_name}");
}

async fn ask(url: &str, authorities: &Path) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "the_asking_process", "--nocapture"]);
    command.env(URL, url).env("SSL_CERT_FILE", authorities).env_remove("SSL_CERT_DIR");
    let output: Output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// An authority in PEM, and a certificate for `localhost` that it has signed, with its key.
fn certificates() -> (String, tokio_rustls::rustls::pki_types::CertificateDer<'static>, PrivateKeyDer<'static>)
{
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    (authority.pem(), certificate.der().clone(), PrivateKeyDer::Pkcs8(key.serialize_der().into()))
}

/// Answers every question with a number, as long as the test runs.
async fn serve(acceptor: TlsAcceptor) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not trust us hangs up here.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 8192]).await;
            let length = ANSWER.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(format!("{head}{ANSWER}").as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    port
}
