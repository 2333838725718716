//! The container of an instance, as the engine is asked for it: nothing is allowed that the service does not need.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HostConfig, HostConfigLogConfig, Mount, MountType,
    NetworkingConfig, PortBinding, RestartPolicy, RestartPolicyNameEnum,
};
use pilotage_spec::Resources;

use super::environment::{Environment, SECRETS_FOLDER, container_port};
use super::marks::Marks;
use super::secret_files::SecretPlace;
use crate::config::Hardening;
use crate::engine::Reach;

/// So many processes and threads may a container have: enough for any service, too few to stop the machine.
pub(crate) const PROCESSES_LIMIT: i64 = 4096;
/// How much of the log the engine keeps, as `docker run --log-opt` takes it.
const LOG_OPTIONS: [(&str, &str); 2] = [("max-size", "10m"), ("max-file", "3")];
/// What `/tmp` may hold is memory. 1777: everybody may write, and remove what is their own.
const TEMPORARY: (&str, &str) = ("/tmp", "rw,nosuid,nodev,size=64m,mode=1777");

/// What a container is made of.
pub(crate) struct Wanted<'a> {
    pub marks: &'a Marks,
    pub labels: HashMap<String, String>,
    /// `name@digest`, or the id of an image that is only there.
    pub image: String,
    pub environment: &'a Environment,
    pub network: &'a str,
    pub reach: Reach,
    pub hardening: &'a Hardening,
    /// Where the secrets are that it is given as files, if there are any.
    pub secrets: Option<&'a SecretPlace>,
}

/// The body of the request that creates it.
pub(crate) fn body(wanted: Wanted<'_>) -> ContainerCreateBody {
    let instance = &wanted.marks.release.instance;
    let port = format!("{}/tcp", container_port(instance));
    let mut run = wanted.environment.run.iter().cloned();
    let entrypoint = run.next().map(|program| vec![program]);
    let arguments: Vec<String> = run.collect();
    let endpoints = HashMap::from([(wanted.network.to_owned(), EndpointSettings::default())]);
    ContainerCreateBody {
        image: Some(wanted.image.clone()),
        // With a program of the file's, the image's own arguments mean nothing.
        cmd: entrypoint.is_some().then_some(arguments),
        entrypoint,
        env: Some(wanted.environment.env.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        labels: Some(wanted.labels.clone()),
        user: wanted.hardening.user.clone(),
        exposed_ports: Some(vec![port.clone()]),
        stop_timeout: Some(seconds(instance.stop_grace)),
        host_config: Some(host_config(&wanted, &port, &instance.resources)),
        networking_config: Some(NetworkingConfig { endpoints_config: Some(endpoints) }),
        ..ContainerCreateBody::default()
    }
}

fn host_config(wanted: &Wanted<'_>, port: &str, resources: &Resources) -> HostConfig {
    let memory = resources.memory_bytes.and_then(|bytes| i64::try_from(bytes).ok());
    HostConfig {
        network_mode: Some(wanted.network.to_owned()),
        port_bindings: published(wanted.reach, port),
        memory,
        // No swap beyond it: a service that swaps is worse than one that is started again.
        memory_swap: memory,
        nano_cpus: resources.cpu_millis.map(nano_cpus),
        pids_limit: Some(PROCESSES_LIMIT),
        readonly_rootfs: Some(!wanted.hardening.writable_root),
        cap_drop: Some(vec!["ALL".to_owned()]),
        cap_add: Some(wanted.hardening.capabilities.clone()),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        tmpfs: Some(HashMap::from([(TEMPORARY.0.to_owned(), TEMPORARY.1.to_owned())])),
        mounts: wanted.secrets.map(|place| vec![secrets_mount(place)]),
        // By the engine, so that a crash is mended also while nobody else is there.
        restart_policy: Some(policy(RestartPolicyNameEnum::UNLESS_STOPPED)),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(LOG_OPTIONS.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
        }),
        ..HostConfig::default()
    }
}

/// A policy by its name alone.
pub(crate) fn policy(name: RestartPolicyNameEnum) -> RestartPolicy {
    RestartPolicy { name: Some(name), maximum_retry_count: None }
}

/// Thousandths of a core as engines count.
pub(crate) fn nano_cpus(millis: u32) -> i64 {
    i64::from(millis) * 1_000_000
}

/// Whole seconds, rounded up.
pub(crate) fn seconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis().div_ceil(1_000)).unwrap_or(i64::MAX)
}

fn published(reach: Reach, port: &str) -> Option<HashMap<String, Option<Vec<PortBinding>>>> {
    let Reach::Published { bind, .. } = reach else { return None };
    // Without a port, the engine chooses a free one.
    let binding = PortBinding { host_ip: Some(bind.to_string()), host_port: Some(String::new()) };
    Some(HashMap::from([(port.to_owned(), Some(vec![binding]))]))
}

fn secrets_mount(place: &SecretPlace) -> Mount {
    let target = Some(SECRETS_FOLDER.to_owned());
    match place {
        SecretPlace::Folder(folder) => Mount {
            target,
            source: Some(folder.display().to_string()),
            typ: Some(MountType::BIND),
            read_only: Some(true),
            ..Mount::default()
        },
        // An engine takes files into a volume only while it may be written to.
        SecretPlace::Volume => Mount { target, typ: Some(MountType::VOLUME), ..Mount::default() },
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use pilotage_spec::InstanceSpec;
    use serde_json::{Value, json};

    use super::*;
    use crate::instance::marks::example;

    /// How an instance of the tests is run.
    pub(crate) fn instance() -> InstanceSpec {
        serde_json::from_value(json!({
            "run": [], "env": {}, "smoke": [], "resources": { "cpu_millis": 250, "memory_bytes": 67_108_864 },
            "health": { "live": "/live", "ready": "/ready", "interval_ms": 100, "timeout_ms": 1000 },
            "stop_grace_ms": 1500, "start_timeout_ms": 30_000, "container_port": 8080,
        }))
        .unwrap()
    }

    fn created(run: &[&str], reach: Reach, hardening: &Hardening, secrets: Option<&SecretPlace>) -> Value {
        let marks = example();
        let environment = Environment {
            env: BTreeMap::from([("PORT".to_owned(), "8080".to_owned())]),
            run: run.iter().map(|word| (*word).to_owned()).collect(),
            files: BTreeMap::new(),
        };
        let wanted = Wanted {
            marks: &marks,
            labels: HashMap::new(),
            image: "shop/api@sha256:00".into(),
            environment: &environment,
            network: "shop-production",
            reach,
            hardening,
            secrets,
        };
        serde_json::to_value(body(wanted)).unwrap()
    }

    #[test]
    fn a_container_may_do_nothing_that_was_not_asked_for() {
        let body = created(&[], Reach::Bridge, &Hardening::default(), None);
        let host = &body["HostConfig"];
        assert_eq!(host["ReadonlyRootfs"], true);
        assert_eq!((&host["CapDrop"], &host["CapAdd"]), (&json!(["ALL"]), &json!([])));
        assert_eq!(host["SecurityOpt"], json!(["no-new-privileges"]));
        assert_eq!(host["PidsLimit"], 4096);
        assert_eq!((&host["Memory"], &host["MemorySwap"]), (&json!(64 << 20), &json!(64 << 20)));
        assert_eq!(host["NanoCpus"], 250_000_000);
        assert_eq!(host["NetworkMode"], "shop-production");
        assert_eq!(host["RestartPolicy"]["Name"], "unless-stopped");
        assert!(host["PortBindings"].is_null() && host["Privileged"].is_null());
        assert_eq!(body["StopTimeout"], 2);
        assert!(body["Entrypoint"].is_null() && body["Cmd"].is_null(), "the image's own are used");
    }

    #[test]
    fn what_the_file_says_of_a_container_is_done() {
        let hardening = Hardening {
            writable_root: true,
            capabilities: vec!["NET_BIND_SERVICE".into()],
            user: Some("1000:1000".into()),
        };
        let body = created(&["/api", "--fast"], Reach::Bridge, &hardening, None);
        assert_eq!(body["HostConfig"]["ReadonlyRootfs"], false);
        assert_eq!(body["HostConfig"]["CapAdd"], json!(["NET_BIND_SERVICE"]));
        assert_eq!(body["User"], "1000:1000");
        assert_eq!((&body["Entrypoint"], &body["Cmd"]), (&json!(["/api"]), &json!(["--fast"])));
    }

    #[test]
    fn an_engine_elsewhere_publishes_a_port_and_has_the_secrets_in_a_volume() {
        let reach = Reach::Published { host: [192, 0, 2, 1].into(), bind: [0, 0, 0, 0].into() };
        let body = created(&[], reach, &Hardening::default(), Some(&SecretPlace::Volume));
        let expected = json!({ "8080/tcp": [{ "HostIp": "0.0.0.0", "HostPort": "" }] });
        assert_eq!(body["HostConfig"]["PortBindings"], expected);
        assert_eq!(body["HostConfig"]["Mounts"][0]["Type"], "volume");
        let here = SecretPlace::Folder("/run/pilotage/secrets/0".into());
        let body = created(&[], Reach::Bridge, &Hardening::default(), Some(&here));
        let mount = &body["HostConfig"]["Mounts"][0];
        assert_eq!((&mount["Target"], &mount["ReadOnly"]), (&json!("/run/secrets"), &json!(true)));
    }
}
