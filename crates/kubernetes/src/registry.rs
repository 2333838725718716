//! Asks a registry which image a tag means now. See <https://github.com/opencontainers/distribution-spec>, "Checking if content
//! exists", and <https://distribution.github.io/distribution/spec/auth/token/> for tokens.

use http::header::{ACCEPT, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, Method, StatusCode};
use pilotage_fetch::{Transport, bearer, percent_encoded, request};
use pilotage_spec::{Digest, ImageReference};
use pilotage_targets::TargetError;
use serde::Deserialize;

/// Where names without a registry are found, and what it calls the images without a path.
const USUAL_REGISTRY: &str = "registry-1.docker.io";
/// What the usual registry calls itself in names.
const USUAL_ALIASES: [&str; 2] = ["docker.io", "index.docker.io"];
/// Kinds of manifests: lists for several platforms first, since that is what a node pulls by.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// Why a registry's answer is no digest.
type Reason = String;

/// The digest that a tag stands for now, as far as anybody may know it without a password.
pub(crate) async fn digest(image: &ImageReference) -> Result<Digest, TargetError> {
    ask(image).await.map_err(|reason| TargetError::Image {
        image: image.to_string(),
        reason: format!(
            "its digest cannot be found out: {reason}; or name it by its digest: `{}@sha256:…`",
            image.name()
        ),
    })
}

async fn ask(image: &ImageReference) -> Result<Digest, Reason> {
    let (registry, path) = place(image.name());
    let secure = !is_local(&registry);
    let scheme = if secure { "https" } else { "http" };
    let transport = Transport::new(secure).map_err(|error| error.to_string())?;
    let tag = image.tag().unwrap_or("latest");
    let url = format!("{scheme}://{registry}/v2/{path}/manifests/{tag}");
    let (status, headers) = head(&transport, &url, None).await?;
    let (status, headers) = match status {
        StatusCode::UNAUTHORIZED => {
            let token = token(&headers, &path).await?;
            head(&transport, &url, Some(&token)).await?
        }
        _ => (status, headers),
    };
    match status {
        StatusCode::OK => {
            let digest = headers.get("docker-content-digest").and_then(|digest| digest.to_str().ok());
            let digest = digest.ok_or("the registry does not say it")?;
            digest.parse().map_err(|error| format!("{error}"))
        }
        StatusCode::NOT_FOUND => Err("there is no such image or tag".to_owned()),
        status => Err(format!("the registry answered {status}")),
    }
}

async fn head(
    transport: &Transport,
    url: &str,
    authorization: Option<&HeaderValue>,
) -> Result<(StatusCode, HeaderMap), Reason> {
    let mut request = request(url, authorization).map_err(|error| error.to_string())?;
    *request.method_mut() = Method::HEAD;
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static(MANIFESTS));
    let answer = transport.send(request).await.map_err(|error| error.to_string())?;
    Ok((answer.status(), answer.headers().clone()))
}

/// A token for everybody, from where the registry says that there are some.
async fn token(headers: &HeaderMap, path: &str) -> Result<HeaderValue, Reason> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(alias = "access_token")]
        token: String,
    }
    let challenge = headers.get(WWW_AUTHENTICATE).and_then(|challenge| challenge.to_str().ok());
    let challenge = challenge.and_then(|text| text.strip_prefix("Bearer ")).ok_or("it wants a password")?;
    let realm = parameter(challenge, "realm").filter(|realm| realm.starts_with("https://"));
    let realm = realm.ok_or("it does not say safely where a token is to be had")?;
    let service = percent_encoded(parameter(challenge, "service").unwrap_or_default());
    let scope = percent_encoded(&format!("repository:{path}:pull"));
    let url = format!("{realm}?service={service}&scope={scope}");
    let transport = Transport::new(true).map_err(|error| error.to_string())?;
    let request = request(&url, None).map_err(|error| error.to_string())?;
    let answer = transport.send(request).await.map_err(|error| error.to_string())?;
    if answer.status() != StatusCode::OK {
        return Err(format!("asked for a token, it answered {}", answer.status()));
    }
    let answer: Answer = serde_json::from_slice(answer.body()).map_err(|_| "it gave no token")?;
    bearer(&answer.token).map_err(|_| "it gave no token".to_owned())
}

/// `name="value"` in a challenge (RFC 9110, 11.6.1).
fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    challenge.split(',').find_map(|part| {
        let (key, value) = part.trim().split_once('=')?;
        (key == name).then(|| value.trim_matches('"'))
    })
}

/// The registry's host and the path there.
fn place(name: &str) -> (String, String) {
    match name.split_once('/') {
        Some((host, path)) if USUAL_ALIASES.contains(&host) => (USUAL_REGISTRY.to_owned(), library(path)),
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => {
            (host.to_owned(), path.to_owned())
        }
        _ => (USUAL_REGISTRY.to_owned(), library(name)),
    }
}

fn library(path: &str) -> String {
    if path.contains('/') { path.to_owned() } else { format!("library/{path}") }
}

/// Whether a registry is on this machine, where one without TLS is usual; as Docker has it.
fn is_local(registry: &str) -> bool {
    let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
    host == "localhost" || host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_registries() {
        let place = |name: &str| {
            let (registry, path) = place(name);
            format!("{registry} {path}")
        };
        assert_eq!(place("nginx"), "registry-1.docker.io library/nginx");
        assert_eq!(place("shop/api"), "registry-1.docker.io shop/api");
        assert_eq!(place("docker.io/nginx"), "registry-1.docker.io library/nginx");
        assert_eq!(place("127.0.0.1:5000/shop/api"), "127.0.0.1:5000 shop/api");
    }

    #[test]
    fn only_a_registry_of_this_machine_is_asked_without_tls() {
        assert!(is_local("127.0.0.1:5000") && is_local("localhost"));
        assert!(!is_local("127.0.0.1.example.com:80") && !is_local("10.0.0.1:5000"));
    }

    #[test]
    fn a_challenge_says_where_tokens_are() {
        let challenge = r#"realm="https://auth.example.com/token",service="registry",scope="x""#;
        assert_eq!(parameter(challenge, "realm"), Some("https://auth.example.com/token"));
        assert_eq!(parameter(challenge, "nothing"), None);
    }
}
