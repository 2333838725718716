//! A container of ours as the engine describes it.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use bollard::models::{
    ContainerInspectResponse, ContainerState, ContainerStateStatusEnum, NetworkSettings,
    RestartPolicyNameEnum,
};
use pilotage_spec::Timestamp;

use super::environment::container_port;
use super::marks::Marks;
use crate::engine::Reach;
use crate::names::{Scope, is_retired};

/// What a container is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Never started.
    Created,
    /// Its process runs.
    Running,
    /// Its process is frozen.
    Paused,
    /// Its process has ended, and the engine starts it again after a pause.
    Restarting,
    /// Its process has ended.
    Exited,
    /// It is being removed.
    Leaving,
}

/// One container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Container {
    pub id: String,
    /// What it is called now.
    pub name: String,
    pub marks: Marks,
    pub phase: Phase,
    pub pid: Option<u32>,
    /// How its process ended last; 0 while it runs.
    pub exit_code: i64,
    /// Whether the kernel killed it for want of memory.
    pub out_of_memory: bool,
    /// Why it could not be started, in the engine's words.
    pub error: String,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// How often the engine has started it again by itself.
    pub engine_restarts: u32,
    /// Whether the engine starts it again when it ends. We take that from one that is given up.
    pub is_kept_up: bool,
    /// Where its service listens, as we reach it.
    pub address: Option<SocketAddr>,
    pub image: String,
}

impl Container {
    /// Reads what the engine says; `None` if the container is not ours.
    pub fn read(scope: &Scope, network: &str, reach: Reach, said: ContainerInspectResponse) -> Option<Self> {
        let labels: HashMap<String, String> = said.config?.labels?;
        let marks = Marks::read(scope, &labels)?;
        let port = container_port(&marks.release.instance);
        let state = said.state.unwrap_or_default();
        let settings = said.network_settings.unwrap_or_default();
        let policy = said.host_config.and_then(|host| host.restart_policy).and_then(|policy| policy.name);
        let is_kept_up =
            !matches!(policy, None | Some(RestartPolicyNameEnum::NO | RestartPolicyNameEnum::EMPTY));
        Some(Self {
            id: said.id?,
            name: said.name.unwrap_or_default().trim_start_matches('/').to_owned(),
            marks,
            phase: phase(&state),
            pid: state.pid.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid != 0),
            exit_code: state.exit_code.unwrap_or(0),
            out_of_memory: state.oom_killed == Some(true),
            error: state.error.unwrap_or_default(),
            started_at: state.started_at.as_deref().and_then(time),
            finished_at: state.finished_at.as_deref().and_then(time),
            engine_restarts: said.restart_count.and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
            is_kept_up,
            address: address(&settings, network, reach, port),
            image: said.image.unwrap_or_default(),
        })
    }

    /// Whether it was stopped on purpose.
    pub fn is_retired(&self) -> bool {
        is_retired(&self.name)
    }

    /// Whether there is a process to be stopped.
    pub fn may_run(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Paused | Phase::Restarting)
    }
}

fn phase(state: &ContainerState) -> Phase {
    use ContainerStateStatusEnum as Status;
    match state.status {
        Some(Status::CREATED) => Phase::Created,
        Some(Status::RUNNING | Status::STOPPING) => Phase::Running,
        Some(Status::PAUSED) => Phase::Paused,
        Some(Status::RESTARTING) => Phase::Restarting,
        Some(Status::REMOVING | Status::DEAD) => Phase::Leaving,
        // Podman has words of its own, such as `configured`, for what has not been started.
        None | Some(Status::EMPTY) if state.running == Some(true) => Phase::Running,
        None | Some(Status::EMPTY) => Phase::Created,
        Some(Status::EXITED) => Phase::Exited,
    }
}

/// A time of the engine; it writes the year 1 for what has not happened.
fn time(text: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = text.parse().ok()?;
    (time.as_second() > 0).then(|| Timestamp::from_micros(time.as_microsecond()))
}

fn address(settings: &NetworkSettings, network: &str, reach: Reach, port: u16) -> Option<SocketAddr> {
    match reach {
        Reach::Bridge => {
            let endpoint = settings.networks.as_ref()?.get(network)?;
            let texts = [&endpoint.ip_address, &endpoint.global_ipv6_address];
            let address = texts.into_iter().flatten().find_map(|text| text.parse::<IpAddr>().ok())?;
            Some(SocketAddr::new(address, port))
        }
        Reach::Published { host, .. } => {
            let bindings = settings.ports.as_ref()?.get(&format!("{port}/tcp"))?.as_ref()?;
            let port = bindings.iter().find_map(|binding| binding.host_port.as_ref()?.parse().ok())?;
            Some(SocketAddr::new(host, port))
        }
    }
}

/// A container for tests of what is derived from one.
#[cfg(test)]
pub(crate) fn example(phase: Phase) -> Container {
    Container {
        id: "0123".into(),
        name: "shop-production-api-v1-2-0-1".into(),
        marks: super::marks::example(),
        phase,
        pid: Some(7),
        exit_code: 0,
        out_of_memory: false,
        error: String::new(),
        started_at: Some(Timestamp::from_micros(1_000_000)),
        finished_at: None,
        engine_restarts: 0,
        is_kept_up: true,
        address: Some(([172, 18, 0, 2], 8080).into()),
        image: "sha256:00".into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        Scope { project: "shop".parse().unwrap(), environment: "production".parse().unwrap() }
    }

    fn said(state: serde_json::Value) -> ContainerInspectResponse {
        let labels = super::super::marks::example().labels(&scope()).unwrap();
        serde_json::from_value(json!({
            "Id": "0123",
            "Name": "/shop-production-api-v1-2-0-1-retired",
            "RestartCount": 3,
            "State": state,
            "Config": { "Labels": labels },
            "HostConfig": { "RestartPolicy": { "Name": "unless-stopped" } },
            "NetworkSettings": {
                "Ports": { "8080/tcp": [{ "HostIp": "127.0.0.1", "HostPort": "49153" }], "9/tcp": null },
                "Networks": { "shop-production": { "IPAddress": "172.18.0.2" }, "other": { "IPAddress": "10.0.0.9" } },
            },
        }))
        .unwrap()
    }

    #[test]
    fn what_an_engine_says_is_read() {
        let state = json!({
            "Status": "exited", "Running": false, "Pid": 0, "ExitCode": 137, "OOMKilled": true, "Error": "",
            "StartedAt": "2026-07-01T09:30:00.5Z", "FinishedAt": "0001-01-01T00:00:00Z",
        });
        let read = |reach| Container::read(&scope(), "shop-production", reach, said(state.clone())).unwrap();
        let container = read(Reach::Bridge);
        assert_eq!(container.phase, Phase::Exited);
        assert!(container.is_retired() && container.out_of_memory && container.is_kept_up);
        assert_eq!((container.pid, container.engine_restarts, container.finished_at), (None, 3, None));
        assert_eq!(container.started_at.unwrap().as_micros() % 1_000_000, 500_000);
        assert_eq!(container.address.unwrap().to_string(), "172.18.0.2:8080");
        let host = [127, 0, 0, 1].into();
        let published = read(Reach::Published { host, bind: host });
        assert_eq!(published.address.unwrap().to_string(), "127.0.0.1:49153");
    }

    #[test]
    fn what_belongs_to_others_is_not_read() {
        let mut other = said(json!({ "Status": "running" }));
        let labels = other.config.as_mut().unwrap().labels.as_mut().unwrap();
        labels.insert(crate::names::PROJECT.into(), "another".into());
        assert_eq!(Container::read(&scope(), "shop-production", Reach::Bridge, other), None);
    }
}
