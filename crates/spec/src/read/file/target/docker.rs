//! A Docker Engine or Swarm.

use serde_json::json;

use crate::read::shape::{Fields, Hidden, ListOf, Misread, Object, Scalar, field};
use crate::read::values::{parsed, secret_source};
use crate::read::web::file_path;
use crate::{DockerSettings, EngineHost, RegistryLogin, TlsFiles};

pub(super) const fn docker() -> Object<DockerSettings> {
    Object { expected: "an engine", fields }
}

/// An engine that nothing is said of.
pub(super) fn usual() -> DockerSettings {
    DockerSettings::at(EngineHost::Unix(EngineHost::USUAL.trim_start_matches("unix://").to_owned()))
}

fn fields(fields: &mut Fields<'_>) -> Option<DockerSettings> {
    let host = "Where the engine answers: `unix:///path`, `ssh://user@host` or `tcp://host:port`.";
    let host = fields.or(field("host", host), &engine_host(), EngineHost::USUAL);
    let tls = fields.optional(
        field("tls", "Certificates for an engine that is reached over `tcp`."),
        &Object { expected: "`tls`", fields: tls },
    );
    let network = "The network of the containers. Without it, one is made for the environment.";
    let network = fields.optional(field("network", network).example("shop"), &word("the name of a network"));
    let writable =
        field("writable_root", "Whether services may write to their own file system; `/tmp` can always be.");
    let writable = fields.or(writable, &Scalar::truth(), "false");
    let capabilities = fields.optional(
        field("capabilities", "Linux capabilities that services keep; all others are dropped."),
        &ListOf {
            item: capability(),
            at_least: 0,
            expected: "a list of capabilities",
            example: "[NET_BIND_SERVICE]",
        },
    );
    let user = "The user that services run as, `user` or `user:group`. Without it, the image's own.";
    let user = fields.optional(field("user", user).example("\"1000:1000\""), &word("a user"));
    let registry = fields.optional(
        field("registry", "Who Pilotage is at the registry of the images."),
        &Hidden(Object { expected: "`registry`", fields: registry }),
    );
    let keep = field("keep_images", "How many images of a service are kept beside those in use.");
    let keep = fields.or(keep, &Scalar::whole("a number of images", 0, 100), "5");
    Some(DockerSettings {
        tls,
        network,
        writable_root: writable?,
        capabilities: capabilities.unwrap_or_default(),
        user,
        registry,
        keep_images: keep?.try_into().ok()?,
        ..DockerSettings::at(host?)
    })
}

fn engine_host() -> Scalar<EngineHost> {
    parsed("the address of an engine", json!({ "type": "string", "pattern": "^(unix|ssh|tcp)://" }))
}

/// A text that can stand in an argument or a path of the API.
fn word(expected: &'static str) -> Scalar<String> {
    let schema =
        json!({ "type": ["string", "number"], "pattern": "^[A-Za-z0-9][A-Za-z0-9_.:-]*$", "maxLength": 128 });
    Scalar::new(expected, schema, move |written| {
        let text = written.text.as_str();
        let plain = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
        match text.len() <= 128
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(plain)
        {
            true => Ok(text.to_owned()),
            false => Err(Misread::new(
                format!("this is not {expected}"),
                "use letters, digits, `_`, `.`, `:` and `-`, beginning with a letter or digit",
            )),
        }
    })
}

fn capability() -> Scalar<String> {
    let schema = json!({ "type": "string", "pattern": "^[A-Z_]+$", "maxLength": 40 });
    Scalar::new("a capability", schema, |written| {
        let text = written.text.trim_start_matches("CAP_");
        match !text.is_empty() && text.len() <= 40 && text.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        {
            true => Ok(text.to_owned()),
            false => Err(Misread::new(
                "this is not a capability",
                "write it as capabilities(7) does, without `CAP_`",
            )),
        }
    })
}

fn tls(fields: &mut Fields<'_>) -> Option<TlsFiles> {
    let ca = field("ca", "The file with whoever has signed the engine's certificate, in PEM.");
    let cert = field("cert", "The file with our certificate, in PEM.");
    let key = field("key", "The file with its key, in PEM.");
    let ca = fields.required(ca.example("certificates/ca.pem"), &file_path());
    let cert = fields.required(cert.example("certificates/cert.pem"), &file_path());
    let key = fields.required(key.example("certificates/key.pem"), &file_path());
    Some(TlsFiles { ca: ca?, cert: cert?, key: key? })
}

fn registry(fields: &mut Fields<'_>) -> Option<RegistryLogin> {
    let username = field("username", "The name.").example("deploy");
    let password =
        field("password", "Where the password is read.").example("{ secret: \"env:REGISTRY_PASSWORD\" }");
    let username = fields.required(username, &Scalar::text("a name"));
    let password = fields.required(password, &Object { expected: "a reference to a secret", fields: secret });
    Some(RegistryLogin { username: username?, password: password? })
}

fn secret(fields: &mut Fields<'_>) -> Option<crate::SecretSource> {
    let secret = field("secret", "`env:NAME`, `file:path` or another reference to a secret.");
    fields.required(secret.example("env:REGISTRY_PASSWORD"), &secret_source())
}
