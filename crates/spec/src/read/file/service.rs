//! A service.

use std::time::Duration;

use serde_json::json;

use crate::read::fault::Faults;
use crate::read::node::{Kind, Node, Spanned};
use crate::read::shape::{
    Either, Fields, Hidden, ListOf, MapOf, Misread, Named, Object, Placed, Scalar, Shape, field,
};
use crate::read::values::{
    cpu, duration, http_path, label, memory, parsed, relative_path, secret_source, variable,
};
use crate::{
    Health, HttpPath, ImageTemplate, KubernetesWorkload, ListenOn, Protocol, RelativePath, ReloadSignal,
    Resources, SecretSource, ServiceName, Value, VariableName,
};

use super::route::{RouteDraft, route};
use super::target::workload;

/// Environment variables as they are written.
pub(crate) type EnvDraft = Named<VariableName, Spanned<Value>>;

/// A service as it is written.
pub(crate) struct ServiceDraft {
    pub run: Option<Vec<Spanned<String>>>,
    pub artifact: Option<RelativePath>,
    pub image: Option<ImageTemplate>,
    pub container_port: Option<Spanned<u64>>,
    pub kubernetes: Option<KubernetesWorkload>,
    pub port: Option<Spanned<u64>>,
    pub listen: Option<Spanned<ListenOn>>,
    pub protocol: Option<Protocol>,
    pub route: RouteDraft,
    pub health: Option<Health>,
    pub smoke: Vec<Vec<Spanned<String>>>,
    pub replicas: Option<u64>,
    pub resources: Resources,
    pub env: EnvDraft,
    pub needs: Vec<Spanned<ServiceName>>,
    pub stop_grace: Option<Duration>,
    pub start_timeout: Option<Duration>,
    pub reload: Option<ReloadSignal>,
}

/// The shape of a service.
pub(crate) const fn service() -> Object<ServiceDraft> {
    Object { expected: "a service", fields }
}

/// No shortest time.
pub(super) const NO_TIME: Duration = Duration::ZERO;
/// Shorter times are mistakes.
pub(super) const SHORTEST_TIME: Duration = Duration::from_millis(10);

fn fields(fields: &mut Fields<'_>) -> Option<ServiceDraft> {
    Some(ServiceDraft {
        run: fields.required_unless(
            "image",
            field(
                "run",
                "Program and arguments, as a list. `$PORT` (or `$PILOTAGE_SOCKET`) and the names under `env` are \
                 substituted, nothing else; no shell is involved. A program with a `/` is looked up in the artifact, any other on PATH. \
                 Beside an `image` it may be left out: then the image says what is run.",
            )
            .example("[\"./api\", \"--port\", \"$PORT\"]"),
            &command(),
        ),
        artifact: fields.required_unless(
            "image",
            field("artifact", "The file, folder or archive (.tar, .tar.gz, .tgz) that is deployed as processes.")
                .example("target/release/api"),
            &artifact(),
        ),
        image: fields.optional(
            field(
                "image",
                "The image that is deployed as containers. `$VERSION` stands for the version, which is the tag where none is written; \
                 what is run is the image with the digest that it has then.",
            )
            .example("registry.example.com/shop/api"),
            &parsed("the name of an image", json!({ "type": "string", "maxLength": 512 })),
        ),
        container_port: fields.or(
            field("container_port", "The port at which a container listens; it is also handed to it as `$PORT`."),
            &port(),
            "8080",
        ),
        kubernetes: fields.optional(field("kubernetes", "How the service is a workload of Kubernetes."), &workload()),
        port: fields.optional(
            field(
                "port",
                "The port at which the service is served. Without one, a free port is chosen at the first deployment and kept.",
            ),
            &port(),
        ),
        listen: fields.or(
            field(
                "listen",
                "Where an instance listens: `port` (TCP, at `$PORT`), `socket` (a unix socket, which it creates at \
                 `$PILOTAGE_SOCKET`) or `passed` (a unix socket that it is handed as descriptor 3, listening already: \
                 sd_listen_fds(3)).",
            ),
            &listen(),
            "port",
        ),
        protocol: fields.or(
            field("protocol", "What an instance speaks: `http1`, or `http2` without TLS, as gRPC servers do."),
            &protocol(),
            "http1",
        ),
        route: fields
            .optional(
                field(
                    "route",
                    "Which requests go to the service, and what is done for them on the way. Not part of a release: \
                     `pilotage up` applies changes to what runs.",
                ),
                &route(),
            )
            .unwrap_or_default(),
        health: fields.or(
            field("health", "What is probed: one path for both, or `live` and `ready` apart.").example("/health"),
            &Either { short: health_path(), long: Object { expected: "`health`", fields: health } },
            "{}",
        ),
        smoke: fields
            .optional(
                field(
                    "smoke",
                    "Commands that must succeed against a new version before it takes traffic, each a list of arguments. \
                     `$URL` and `$VERSION` are substituted.",
                )
                .example("[[\"./smoke.sh\", \"$URL\"]]"),
                &Commands,
            )
            .unwrap_or_default(),
        replicas: fields.or(field("replicas", "How many instances run."), &replicas(), "1"),
        resources: fields
            .optional(
                field("resources", "What one instance may use; readings are compared with it."),
                &Object { expected: "`resources`", fields: resources },
            )
            .unwrap_or_default(),
        env: fields.optional(field("env", "Environment variables."), &env()).unwrap_or_default(),
        needs: fields
            .optional(
                field("needs", "Services that must have been deployed to the same environment before this one."),
                &ListOf {
                    item: Placed(label("the name of a service")),
                    at_least: 0,
                    expected: "a list of services",
                    example: "[api]",
                },
            )
            .unwrap_or_default(),
        stop_grace: fields.or(
            field("stop_grace", "How long an instance has to end after SIGTERM before it gets SIGKILL."),
            &duration(NO_TIME),
            "10s",
        ),
        start_timeout: fields.or(
            field("start_timeout", "How long an instance may take to become ready."),
            &duration(SHORTEST_TIME),
            "30s",
        ),
        reload: fields.optional(
            field(
                "reload",
                "The signal at which the service reads its files anew: it is sent when a secret that it has as a file has \
                 changed. See `secrets.refresh`.",
            )
            .example("SIGHUP"),
            &Scalar::word("a signal", &ReloadSignal::WORDS),
        ),
    })
}

fn command() -> ListOf<Placed<Scalar<String>>> {
    ListOf {
        item: Placed(Scalar::text("an argument")),
        at_least: 1,
        expected: "a list of arguments",
        example: "[\"./api\", \"--port\", \"$PORT\"]",
    }
}

/// A list of commands. Whoever writes just one as a flat list is told once how to mend it.
struct Commands;

impl Commands {
    fn shape() -> ListOf<ListOf<Placed<Scalar<String>>>> {
        ListOf {
            item: command(),
            at_least: 0,
            expected: "a list of commands",
            example: "[[\"./smoke.sh\", \"$URL\"]]",
        }
    }
}

impl Shape for Commands {
    type Value = Vec<Vec<Spanned<String>>>;

    fn read(&self, node: &Node, faults: &mut Faults) -> Option<Self::Value> {
        let words: Option<Vec<String>> = match &node.kind {
            Kind::List(items) if !items.is_empty() => items.iter().map(quoted_scalar).collect(),
            _ => None,
        };
        let Some(words) = words else { return Self::shape().read(node, faults) };
        faults
            .error(&node.span, "each command must be a list of its own")
            .label("one command without its own brackets")
            .help(format!("write `[[{}]]`", words.join(", ")));
        None
    }

    fn schema(&self) -> serde_json::Value {
        Self::shape().schema()
    }
}

fn quoted_scalar(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Scalar(scalar) => Some(format!("\"{}\"", scalar.text.escape_debug())),
        _ => None,
    }
}

fn artifact() -> impl Shape<Value = RelativePath> {
    let long = Object {
        expected: "`artifact`",
        fields: |fields: &mut Fields<'_>| {
            let path = field("path", "The file, folder or archive.").example("target/release/api");
            fields.required(path, &relative_path())
        },
    };
    Either { short: relative_path(), long }
}

fn listen() -> Placed<Scalar<ListenOn>> {
    let words = &[("port", ListenOn::Port), ("socket", ListenOn::Socket), ("passed", ListenOn::Passed)];
    Placed(Scalar::word("a place to listen", words))
}

fn protocol() -> Scalar<Protocol> {
    Scalar::word("a protocol", &[("http1", Protocol::Http1), ("http2", Protocol::Http2)])
}

/// A port that can be listened on.
pub(super) fn port() -> Placed<Scalar<u64>> {
    Placed(Scalar::whole("a port", 1, 65_535))
}

/// A number of instances.
pub(super) fn replicas() -> Scalar<u64> {
    Scalar::whole("a number of instances", 1, 100)
}

type AsValue = fn(SecretSource) -> Value;

/// How a service is given a secret.
const WAYS_TO_GIVE: [(&str, AsValue); 2] = [("variable", Value::Secret), ("file", Value::SecretFile)];

/// Environment variables: a text, or a reference to a secret.
pub(super) fn env() -> impl Shape<Value = EnvDraft> {
    let secret = Hidden(Object {
        expected: "a reference to a secret",
        fields: |fields: &mut Fields<'_>| {
            let secret = field(
                "secret",
                "Where the value is read when an instance starts: `env:NAME`, `file:path`, `vault:MOUNT/PATH#FIELD`, \
                 `kubernetes:NAMESPACE/NAME#KEY`, `age:path`, `age:path#FIELD` or `command:NAME`.",
            )
            .example("env:DATABASE_URL");
            let given = field(
                "as",
                "How the service is given it: `variable`, or `file`: the variable then holds the path of a file that only the \
                 service's user can read.",
            );
            let secret = fields.required(secret, &secret_source());
            let given = fields.or(given, &Scalar::word("a way to give a secret", &WAYS_TO_GIVE), "variable");
            Some(given?(secret?))
        },
    });
    MapOf {
        key: variable(),
        value: Placed(Either { short: plain_value(), long: secret }),
        expected: "a mapping of environment variables by name",
        at_least: 0,
    }
}

fn plain_value() -> Scalar<Value> {
    let text = Scalar::text("a text");
    let schema = text.schema();
    Scalar::new("a text, or `{ secret: \"env:NAME\" }`", schema, move |written| {
        text.parse(written).map(Value::Plain)
    })
}

fn health_path() -> Scalar<Health> {
    let path = http_path();
    let schema = path.schema();
    Scalar::new("a URL path such as `/health`", schema, move |written| {
        let path = path.parse(written)?;
        probes(Some(path.clone()), Some(path))
    })
}

const INTERVAL: &str = "500ms";
const TIMEOUT: &str = "1s";

/// Both paths with the default times.
fn probes(live: Option<HttpPath>, ready: Option<HttpPath>) -> Result<Health, Misread> {
    let time = duration(SHORTEST_TIME);
    Ok(Health { live, ready, interval: time.parse_plain(INTERVAL)?, timeout: time.parse_plain(TIMEOUT)? })
}

fn health(fields: &mut Fields<'_>) -> Option<Health> {
    let live = field(
        "live",
        "The path that tells whether the process works; an instance that fails it three times in a row is restarted.",
    );
    let ready = field(
        "ready",
        "The path that tells whether the instance can take traffic. Without it, an accepted connection is enough.",
    );
    let live = fields.optional(live.example("/health"), &http_path());
    let ready = fields.optional(ready.example("/ready"), &http_path());
    let interval =
        fields.or(field("interval", "The time between two probes."), &duration(SHORTEST_TIME), INTERVAL);
    let timeout =
        fields.or(field("timeout", "How long a probe may take."), &duration(SHORTEST_TIME), TIMEOUT);
    Some(Health { live, ready, interval: interval?, timeout: timeout? })
}

fn resources(fields: &mut Fields<'_>) -> Option<Resources> {
    let cpu_about = field("cpu", "Processor cores: `0.5`, or `500m` for thousandths.");
    let memory_about = field("memory", "Memory: `256Mi` or `512MB`.");
    Some(Resources {
        cpu_millis: fields.optional(cpu_about, &cpu()),
        memory_bytes: fields.optional(memory_about, &memory()),
    })
}
