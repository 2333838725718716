//! curl, over TLS.

use pilotage_proxy::Protocol;

use crate::curl::{curl, json, run};
use crate::world::World;

#[tokio::test]
async fn the_version_is_agreed_upon_by_alpn_and_the_connection_is_kept() {
    let Some(curl) = curl() else { return };
    for upstream in [Protocol::Http1, Protocol::Http2] {
        let (world, _) = World::start_encrypted(upstream).await;
        let url = world.url("/");
        for (how, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
            let trusted = ["--verbose", "--cacert", &world.certificate()];
            let answer = run(&curl, &[&[how], &trusted[..], &[&url, &url]].concat()).await;
            assert!(answer.contains("SSL connection using TLSv1.3"), "{how}: {answer}");
            assert_eq!(json(&answer)["version"], "1.0.0");
            for connects in [1, 0] {
                assert!(answer.contains(&format!("\n{version} 200 {connects}\n")), "{how}: {answer}");
            }
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn an_upload_comes_back_byte_for_byte() {
    let Some(curl) = curl() else { return };
    let (world, _) = World::start_encrypted(Protocol::Http1).await;
    let (file, back) = (world.file(2_000_000), world.folder.path().join("back"));
    let (content, url, certificate) = (format!("@{file}"), world.url("/echo"), world.certificate());
    for how in ["--http1.1", "--http2"] {
        let to = ["--data-binary", &content, "--output", back.to_str().unwrap(), &url];
        run(&curl, &[&[how, "--cacert", &certificate], &to[..]].concat()).await;
        assert!(std::fs::read(&back).unwrap() == std::fs::read(&file).unwrap(), "{how}");
    }
    world.stop().await;
}

#[tokio::test]
async fn who_comes_without_encryption_is_sent_to_where_it_is() {
    let Some(curl) = curl() else { return };
    let (world, plain) = World::start_encrypted(Protocol::Http1).await;
    let certificate = world.certificate();
    let asked = ["--location", "--include", "--cacert", &certificate];
    let url = format!("http://{plain}/?from=plain");
    let answer = run(&curl, &[&asked[..], &[&url]].concat()).await;
    let location = format!("location: {}", world.url("/?from=plain"));
    assert!(answer.to_lowercase().contains(&location), "{answer}");
    assert_eq!(json(&answer)["version"], "1.0.0", "{answer}");
    world.stop().await;
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_not_accepted() {
    let Some(curl) = curl() else { return };
    let (world, _) = World::start_encrypted(Protocol::Http1).await;
    let refused = tokio::process::Command::new(curl).args(["--silent", &world.url("/")]).output().await;
    // Exit status 60: the certificate cannot be authenticated.
    assert_eq!(refused.unwrap().status.code(), Some(60));
    world.stop().await;
}
