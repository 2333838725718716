//! The service of a version, as Swarm is asked for it.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{
    EndpointPortConfig, EndpointPortConfigProtocolEnum, EndpointPortConfigPublishModeEnum, EndpointSpec,
    EndpointSpecModeEnum, Limit, Mount, MountTmpfsOptions, MountType, NetworkAttachmentConfig, ServiceSpec,
    ServiceSpecMode, ServiceSpecModeReplicated, ServiceSpecRollbackConfig,
    ServiceSpecRollbackConfigFailureActionEnum, ServiceSpecRollbackConfigOrderEnum, ServiceSpecUpdateConfig,
    ServiceSpecUpdateConfigFailureActionEnum, ServiceSpecUpdateConfigOrderEnum, TaskSpec,
    TaskSpecContainerSpec, TaskSpecContainerSpecPrivileges, TaskSpecContainerSpecSecrets, TaskSpecLogDriver,
    TaskSpecResources, TaskSpecRestartPolicy, TaskSpecRestartPolicyConditionEnum,
};

use crate::config::Hardening;
use crate::instance::Marks;
use crate::instance::environment::{Environment, container_port};
use crate::instance::specification::{PROCESSES_LIMIT, nano_cpus};

/// A task that ends is started again after this.
const RESTART_DELAY: Duration = Duration::from_millis(500);
/// One that ends more often than this within a minute is given up by Swarm.
const RESTARTS: i64 = 4;
const RESTART_WINDOW: Duration = Duration::from_secs(60);
/// What `/tmp` may hold.
const TEMPORARY_BYTES: i64 = 64 << 20;
/// Everybody may write there, and remove what is their own.
const TEMPORARY_MODE: i64 = 0o1777;

/// What a service is made of.
pub(super) struct Wanted<'a> {
    /// Of the service: the instance is its name.
    pub marks: &'a Marks,
    pub labels: HashMap<String, String>,
    pub image: String,
    pub environment: &'a Environment,
    pub secrets: Vec<TaskSpecContainerSpecSecrets>,
    /// A network that its tasks join beside, if the file names one.
    pub network: Option<&'a str>,
    pub hardening: &'a Hardening,
    pub replicas: u32,
}

/// The specification of the service. We never update the program of a service: a version has one of its own. Should somebody
/// else do so, Swarm stops at the first failure instead of going on.
pub(super) fn specification(wanted: &Wanted<'_>) -> ServiceSpec {
    let (name, labels) = (wanted.marks.instance.clone(), wanted.labels.clone());
    let port = EndpointPortConfig {
        target_port: Some(i64::from(container_port(&wanted.marks.release.instance))),
        protocol: Some(EndpointPortConfigProtocolEnum::TCP),
        // A free port of the node, for this task alone.
        publish_mode: Some(EndpointPortConfigPublishModeEnum::HOST),
        ..EndpointPortConfig::default()
    };
    ServiceSpec {
        name: Some(name),
        labels: Some(labels),
        task_template: Some(task(wanted)),
        mode: Some(mode(wanted.replicas)),
        update_config: Some(ServiceSpecUpdateConfig {
            parallelism: Some(1),
            failure_action: Some(ServiceSpecUpdateConfigFailureActionEnum::PAUSE),
            order: Some(ServiceSpecUpdateConfigOrderEnum::START_FIRST),
            ..ServiceSpecUpdateConfig::default()
        }),
        rollback_config: Some(ServiceSpecRollbackConfig {
            parallelism: Some(1),
            failure_action: Some(ServiceSpecRollbackConfigFailureActionEnum::PAUSE),
            order: Some(ServiceSpecRollbackConfigOrderEnum::START_FIRST),
            ..ServiceSpecRollbackConfig::default()
        }),
        endpoint_spec: Some(EndpointSpec {
            // No virtual address: nobody is to be sent past the shares.
            mode: Some(EndpointSpecModeEnum::DNSRR),
            ports: Some(vec![port]),
        }),
        ..ServiceSpec::default()
    }
}

/// So many tasks.
pub(super) fn mode(replicas: u32) -> ServiceSpecMode {
    let replicated = ServiceSpecModeReplicated { replicas: Some(i64::from(replicas)) };
    ServiceSpecMode { replicated: Some(replicated), ..ServiceSpecMode::default() }
}

fn task(wanted: &Wanted<'_>) -> TaskSpec {
    let network = |name: &str| NetworkAttachmentConfig {
        target: Some(name.to_owned()),
        ..NetworkAttachmentConfig::default()
    };
    let resources = &wanted.marks.release.instance.resources;
    TaskSpec {
        container_spec: Some(container(wanted)),
        resources: Some(TaskSpecResources {
            limits: Some(Limit {
                nano_cpus: resources.cpu_millis.map(nano_cpus),
                memory_bytes: resources.memory_bytes.and_then(|bytes| bytes.try_into().ok()),
                pids: Some(PROCESSES_LIMIT),
            }),
            ..TaskSpecResources::default()
        }),
        restart_policy: Some(TaskSpecRestartPolicy {
            condition: Some(TaskSpecRestartPolicyConditionEnum::ANY),
            delay: Some(nanos(RESTART_DELAY)),
            max_attempts: Some(RESTARTS),
            window: Some(nanos(RESTART_WINDOW)),
        }),
        networks: wanted.network.map(|name| vec![network(name)]),
        log_driver: Some(TaskSpecLogDriver {
            name: Some("json-file".to_owned()),
            options: Some(
                [("max-size", "10m"), ("max-file", "3")].map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
            ),
        }),
        ..TaskSpec::default()
    }
}

fn container(wanted: &Wanted<'_>) -> TaskSpecContainerSpec {
    let mut run = wanted.environment.run.iter().cloned();
    let command = run.next().map(|program| vec![program]);
    let arguments: Vec<String> = run.collect();
    let temporary = Mount {
        target: Some("/tmp".to_owned()),
        typ: Some(MountType::TMPFS),
        tmpfs_options: Some(MountTmpfsOptions {
            size_bytes: Some(TEMPORARY_BYTES),
            mode: Some(TEMPORARY_MODE),
            ..MountTmpfsOptions::default()
        }),
        ..Mount::default()
    };
    TaskSpecContainerSpec {
        image: Some(wanted.image.clone()),
        // The tasks say whose they are, also when their service is gone.
        labels: Some(wanted.labels.clone()),
        args: command.is_some().then_some(arguments),
        command,
        env: Some(wanted.environment.env.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        user: wanted.hardening.user.clone(),
        read_only: Some(!wanted.hardening.writable_root),
        capability_drop: Some(vec!["ALL".to_owned()]),
        capability_add: Some(wanted.hardening.capabilities.clone()),
        privileges: Some(TaskSpecContainerSpecPrivileges {
            no_new_privileges: Some(true),
            ..TaskSpecContainerSpecPrivileges::default()
        }),
        mounts: Some(vec![temporary]),
        secrets: Some(wanted.secrets.clone()),
        stop_grace_period: Some(nanos(wanted.marks.release.instance.stop_grace)),
        ..TaskSpecContainerSpec::default()
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::instance::marks::example;

    #[test]
    fn a_service_publishes_a_port_for_each_task_and_drops_what_it_does_not_need() {
        let marks = example();
        let environment = Environment { env: BTreeMap::new(), run: Vec::new(), files: BTreeMap::new() };
        let wanted = Wanted {
            marks: &marks,
            labels: HashMap::new(),
            image: "shop/api@sha256:00".into(),
            environment: &environment,
            secrets: Vec::new(),
            network: None,
            hardening: &Hardening::default(),
            replicas: 2,
        };
        let asked = serde_json::to_value(specification(&wanted)).unwrap();
        let port = &asked["EndpointSpec"]["Ports"][0];
        assert_eq!((&port["TargetPort"], &port["PublishMode"]), (&json!(8080), &json!("host")));
        assert_eq!(asked["EndpointSpec"]["Mode"], "dnsrr");
        assert_eq!(asked["UpdateConfig"]["FailureAction"], "pause");
        let container = &asked["TaskTemplate"]["ContainerSpec"];
        assert_eq!((&container["ReadOnly"], &container["CapabilityDrop"]), (&json!(true), &json!(["ALL"])));
        assert_eq!(container["StopGracePeriod"], 1_500_000_000_u64);
        assert_eq!(asked["TaskTemplate"]["Resources"]["Limits"]["NanoCPUs"], 250_000_000);
        assert_eq!(asked["Mode"]["Replicated"]["Replicas"], 2);
    }
}
