//! The container of a service: what it runs, what it is told, and what it may do.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Capabilities, Container, ContainerPort, EnvVar, EnvVarSource, Lifecycle, LifecycleHandler,
    ObjectFieldSelector, ResourceRequirements, SeccompProfile, SecretKeySelector, SecurityContext,
    SleepAction, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use pilotage_spec::{ListenOn, SecretSource, Value, substitute, variables};
use pilotage_targets::TargetError;

use super::blueprint::Blueprint;
use super::probes::{liveness, readiness, startup};

/// What the container of a service is called in its pod.
pub(crate) const CONTAINER: &str = "service";
/// What the port of a service is called.
pub(super) const PORT_NAME: &str = "http";
/// The port of a service that names none.
pub(crate) const DEFAULT_PORT: u16 = 8080;
/// Where the secrets that a service has as files are mounted.
pub(super) const SECRETS_FOLDER: &str = "/run/pilotage/secrets";
/// The volumes of a pod.
pub(super) const TEMPORARY_VOLUME: &str = "tmp";
/// The volume of secrets.
pub(super) const SECRETS_VOLUME: &str = "secrets";
/// How long an instance that is stopped goes on, so that nobody sends it requests any more when it ends; and never more than
/// half of its grace.
const FAREWELL_SECONDS: u64 = 5;
/// Ports below need a capability.
const FIRST_FREE_PORT: i32 = 1024;

/// The container.
pub(super) fn container(blueprint: &Blueprint<'_>) -> Result<Container, TargetError> {
    let instance = blueprint.instance();
    if instance.listen != ListenOn::Port {
        return Err(TargetError::Unsupported {
            what: format!("{} at a unix socket", blueprint.workload),
            mend: "let it listen at the port in $PORT: `listen: port`".to_owned(),
        });
    }
    let command = command(blueprint)?;
    Ok(Container {
        name: CONTAINER.to_owned(),
        image: Some(blueprint.image()?),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        command: (!command.is_empty()).then_some(command),
        env: Some(environment(blueprint)),
        ports: Some(vec![ContainerPort {
            name: Some(PORT_NAME.to_owned()),
            container_port: blueprint.port(),
            protocol: Some("TCP".to_owned()),
            ..ContainerPort::default()
        }]),
        resources: resources(blueprint),
        startup_probe: startup(blueprint),
        readiness_probe: Some(readiness(blueprint)),
        liveness_probe: liveness(blueprint),
        lifecycle: farewell(blueprint),
        security_context: Some(security(blueprint.port())),
        volume_mounts: Some(mounts(blueprint)),
        ..Container::default()
    })
}

/// `run` with its variables filled in. Kubernetes has a substitution of its own, `$(NAME)`, that must not take place.
fn command(blueprint: &Blueprint<'_>) -> Result<Vec<String>, TargetError> {
    let instance = blueprint.instance();
    let port = blueprint.port().to_string();
    let value = |name: &str| match instance.env.iter().find(|(variable, _)| variable.as_str() == name) {
        Some((_, Value::Plain(value))) => Some(value.clone()),
        Some((_, Value::SecretFile(_))) => Some(format!("{SECRETS_FOLDER}/{name}")),
        Some((_, Value::Secret(_))) => None,
        None => (name == "PORT").then(|| port.clone()),
    };
    refuse_secrets(blueprint)?;
    let filled = instance.run.iter().map(|argument| substitute(argument, value));
    let arguments = filled.collect::<Result<Vec<_>, _>>().map_err(|error| TargetError::Unsupported {
        what: format!("`run` of {}", blueprint.workload),
        mend: error.to_string(),
    })?;
    Ok(arguments.iter().map(|argument| literal(argument)).collect())
}

/// Whoever may read a Deployment reads its arguments.
fn refuse_secrets(blueprint: &Blueprint<'_>) -> Result<(), TargetError> {
    let instance = blueprint.instance();
    let shown = |name: &str| {
        instance.run.iter().any(|argument| variables(argument).is_ok_and(|names| names.contains(&name)))
    };
    for (name, value) in &instance.env {
        if let Value::Secret(source) = value
            && shown(name.as_str())
        {
            return Err(in_arguments(name.as_str(), source));
        }
    }
    Ok(())
}

fn in_arguments(name: &str, source: &SecretSource) -> TargetError {
    TargetError::Secret {
        reference: source.to_string(),
        reason: format!(
            "`run` would show it to everybody who may read Deployments; let the service read the variable {name} instead, \
             or write `as: file` beside `secret`"
        ),
    }
}

/// A text that Kubernetes substitutes nothing in: `$$(` stands for `$(`.
fn literal(text: &str) -> String {
    text.replace("$(", "$$(")
}

fn environment(blueprint: &Blueprint<'_>) -> Vec<EnvVar> {
    let workload = blueprint.workload;
    let mut env: BTreeMap<String, EnvVar> = BTreeMap::new();
    let plain =
        |name: &str, value: String| EnvVar { name: name.to_owned(), value: Some(value), ..EnvVar::default() };
    env.insert("TMPDIR".to_owned(), plain("TMPDIR", "/tmp".to_owned()));
    for (name, value) in &blueprint.instance().env {
        let variable = match value {
            Value::Plain(value) => plain(name.as_str(), literal(value)),
            Value::Secret(_) => secret(name.as_str(), blueprint),
            Value::SecretFile(_) => plain(name.as_str(), format!("{SECRETS_FOLDER}/{name}")),
        };
        env.insert(name.to_string(), variable);
    }
    let own = [
        ("PORT", blueprint.port().to_string()),
        ("PILOTAGE_SERVICE", workload.service.to_string()),
        ("PILOTAGE_ENVIRONMENT", workload.environment.to_string()),
        ("PILOTAGE_VERSION", blueprint.release.id.version.to_string()),
    ];
    for (name, value) in own {
        env.insert(name.to_owned(), plain(name, value));
    }
    env.insert("PILOTAGE_INSTANCE".to_owned(), own_name());
    env.into_values().collect()
}

fn secret(name: &str, blueprint: &Blueprint<'_>) -> EnvVar {
    let reference = SecretKeySelector {
        name: blueprint.secrets.variables.clone().unwrap_or_default(),
        key: name.to_owned(),
        optional: None,
    };
    let source = EnvVarSource { secret_key_ref: Some(reference), ..EnvVarSource::default() };
    EnvVar { name: name.to_owned(), value_from: Some(source), ..EnvVar::default() }
}

fn own_name() -> EnvVar {
    let field =
        ObjectFieldSelector { field_path: "metadata.name".to_owned(), api_version: Some("v1".to_owned()) };
    let source = EnvVarSource { field_ref: Some(field), ..EnvVarSource::default() };
    EnvVar { name: "PILOTAGE_INSTANCE".to_owned(), value_from: Some(source), ..EnvVar::default() }
}

/// Limits; what is requested is the same unless somebody says otherwise in a manifest.
fn resources(blueprint: &Blueprint<'_>) -> Option<ResourceRequirements> {
    let resources = &blueprint.instance().resources;
    let cpu = resources.cpu_millis.map(|millis| ("cpu".to_owned(), Quantity(format!("{millis}m"))));
    let memory = resources.memory_bytes.map(|bytes| ("memory".to_owned(), Quantity(bytes.to_string())));
    let limits: BTreeMap<String, Quantity> = cpu.into_iter().chain(memory).collect();
    (!limits.is_empty()).then(|| ResourceRequirements {
        requests: Some(limits.clone()),
        limits: Some(limits),
        ..ResourceRequirements::default()
    })
}

/// Nothing that a web service does not need.
fn security(port: i32) -> SecurityContext {
    let kept = (port < FIRST_FREE_PORT).then(|| vec!["NET_BIND_SERVICE".to_owned()]);
    SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities { add: kept, drop: Some(vec!["ALL".to_owned()]) }),
        read_only_root_filesystem: Some(true),
        seccomp_profile: Some(SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            ..SeccompProfile::default()
        }),
        ..SecurityContext::default()
    }
}

/// A pause before SIGTERM, while which its address goes from the lists of all who send requests. No program of the image is
/// needed for it; servers before 1.30 cannot do it.
fn farewell(blueprint: &Blueprint<'_>) -> Option<Lifecycle> {
    let seconds = FAREWELL_SECONDS.min(blueprint.instance().stop_grace.as_secs() / 2);
    if !blueprint.knows_sleep || seconds == 0 {
        return None;
    }
    let sleep = SleepAction { seconds: i64::try_from(seconds).unwrap_or(0) };
    let handler = LifecycleHandler { sleep: Some(sleep), ..LifecycleHandler::default() };
    Some(Lifecycle { pre_stop: Some(handler), ..Lifecycle::default() })
}

fn mounts(blueprint: &Blueprint<'_>) -> Vec<VolumeMount> {
    let temporary = VolumeMount {
        name: TEMPORARY_VOLUME.to_owned(),
        mount_path: "/tmp".to_owned(),
        ..VolumeMount::default()
    };
    let secrets = blueprint.secrets.files.as_ref().map(|_| VolumeMount {
        name: SECRETS_VOLUME.to_owned(),
        mount_path: SECRETS_FOLDER.to_owned(),
        read_only: Some(true),
        ..VolumeMount::default()
    });
    std::iter::once(temporary).chain(secrets).collect()
}
