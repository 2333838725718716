//! Between the words of the contract and those of a target.

use std::net::SocketAddr;

use pilotage_spec::{
    Capabilities, Cohort, Condition, Protocol, Release, Source as Place, Test, Timestamp, Weights, Workload,
};

use super::contract::{self, FaultKind};
use super::fault::CommandFault;
use crate::{Artifact, Instance, InstanceState, LogLine, LogQuery, Source, TargetError, Traffic};

/// The error of a target for a request that came to nothing.
pub fn target_error(
    program: &str,
    workload: Option<&Workload>,
    ours: u64,
    fault: CommandFault,
) -> TargetError {
    let engine = format!("the engine behind `{program}`");
    let reason = fault.to_string();
    match fault {
        CommandFault::Refused(fault) if fault.kind == FaultKind::Fenced => TargetError::Fenced {
            workload: workload.map(Workload::to_string).unwrap_or_default(),
            held: fault.held.unwrap_or(ours.saturating_add(1)),
            ours,
        },
        fault if fault.is_transient() => TargetError::Unreachable { engine, reason },
        _ => TargetError::Refused { engine, reason },
    }
}

/// What a target can do, as its program describes it.
pub fn capabilities(description: &contract::Description) -> Capabilities {
    Capabilities {
        weights: match description.weights {
            contract::Weights::Exact => Weights::Exact,
            contract::Weights::ByReplicas => Weights::ByReplicas,
            contract::Weights::Switch => Weights::Switch,
        },
        cohorts: description.cohorts,
        mirror: description.mirror,
        preview: description.preview,
        counters: false,
        holds_requests: description.holds_requests,
    }
}

/// What is to be made ready.
pub fn staging(source: &Source) -> contract::Verb {
    let artifact = match &source.artifact {
        Artifact::Path(path) => contract::Artifact::Path(path.to_string_lossy().into_owned()),
        Artifact::Image(image) => contract::Artifact::Image(image.to_string()),
    };
    contract::Verb::Stage { version: source.version.to_string(), artifact }
}

/// What is to be run, with its environment as the program is to be told.
pub fn release(
    release: &Release,
    env: std::collections::BTreeMap<String, contract::Variable>,
) -> contract::Release {
    let instance = &release.instance;
    let milliseconds = |duration: std::time::Duration| duration.as_millis().try_into().unwrap_or(u64::MAX);
    contract::Release {
        version: release.id.version.to_string(),
        digest: release.id.digest.to_string(),
        image: instance.image.as_ref().map(|image| image.pinned(&release.id.digest)),
        run: instance.run.clone(),
        container_port: instance.container_port,
        env,
        health: contract::Health {
            live: instance.health.live.as_ref().map(ToString::to_string),
            ready: instance.health.ready.as_ref().map(ToString::to_string),
            interval_ms: milliseconds(instance.health.interval),
            timeout_ms: milliseconds(instance.health.timeout),
        },
        resources: contract::Resources {
            cpu_millis: instance.resources.cpu_millis,
            memory_bytes: instance.resources.memory_bytes,
        },
        stop_grace_ms: milliseconds(instance.stop_grace),
        start_timeout_ms: milliseconds(instance.start_timeout),
        protocol: match instance.protocol {
            Protocol::Http1 => "http1",
            Protocol::Http2 => "http2",
        }
        .to_owned(),
    }
}

/// The traffic.
pub fn traffic(traffic: &Traffic) -> contract::Traffic {
    contract::Traffic {
        listen: traffic.listen.to_string(),
        shares: traffic
            .shares
            .iter()
            .map(|(version, share)| contract::Share { version: version.clone(), share: *share })
            .collect(),
        hosts: traffic.route.hosts.iter().map(ToString::to_string).collect(),
        path: traffic.route.path.to_string(),
        hold_ms: traffic.hold_ms,
        cohorts: traffic.cohorts.iter().map(cohort).collect(),
        mirror: traffic.mirror.as_ref().map(|mirror| contract::Mirror {
            version: mirror.version.to_string(),
            share: mirror.share,
            unsafe_methods: mirror.unsafe_methods,
        }),
        preview: traffic.preview.as_ref().map(|preview| contract::Preview {
            version: preview.version.to_string(),
            listen: preview.listen.to_string(),
        }),
    }
}

fn cohort(cohort: &Cohort) -> contract::Cohort {
    contract::Cohort {
        name: cohort.name.clone(),
        when: cohort.when.iter().map(condition).collect(),
        version: cohort.version.to_string(),
        share: cohort.share,
    }
}

fn condition(condition: &Condition) -> contract::Condition {
    let test = match &condition.test {
        Test::Equals(text) => contract::Test::Equals(text.clone()),
        Test::Prefix(text) => contract::Test::Prefix(text.clone()),
        Test::Present(present) => contract::Test::Present(*present),
    };
    let mut told = contract::Condition { test, ..Default::default() };
    match &condition.source {
        Place::Header(name) => told.header = Some(name.clone()),
        Place::Cookie(name) => told.cookie = Some(name.clone()),
        Place::Query(name) => told.query = Some(name.clone()),
    }
    told
}

/// Which lines are wanted.
pub fn log_query(query: &LogQuery) -> contract::LogQuery {
    contract::LogQuery {
        version: query.version.as_ref().map(ToString::to_string),
        lines: query.lines.try_into().unwrap_or(u32::MAX),
        after: query.after.map(contract::write_time),
    }
}

/// One instance.
pub fn instance(told: contract::Instance) -> Instance {
    let reason = || told.reason.clone().unwrap_or_else(|| "no reason was given".to_owned());
    let state = match told.state {
        contract::State::Starting => InstanceState::Starting,
        contract::State::Ready => InstanceState::Ready,
        contract::State::Unready => InstanceState::Unready,
        contract::State::Waiting => InstanceState::Waiting { reason: reason() },
        contract::State::Failed => InstanceState::Failed { reason: reason() },
        contract::State::Stopping => InstanceState::Stopping,
        contract::State::Lost => InstanceState::Lost,
    };
    Instance {
        name: told.name,
        release: pilotage_spec::ReleaseId { version: told.version, digest: told.digest },
        state,
        address: told.address,
        pid: told.pid,
        started_at: told.started_at,
        restarts: told.restarts,
        probe_failures: told.probe_failures,
        cpu_millis: told.cpu_millis,
        memory_bytes: told.memory_bytes,
    }
}

/// Lines in order of time, those that were asked for only.
pub fn lines(told: Vec<contract::Line>, query: &LogQuery, masked: impl Fn(&str) -> String) -> Vec<LogLine> {
    let wanted = |line: &contract::Line| {
        query.version.as_ref().is_none_or(|version| line.version == *version)
            && query.after.is_none_or(|after: Timestamp| line.at > after)
    };
    let mut lines: Vec<LogLine> = told
        .into_iter()
        .filter(wanted)
        .map(|line| LogLine {
            at: line.at,
            text: masked(&line.text),
            instance: line.instance,
            version: line.version,
            stderr: line.stderr,
        })
        .collect();
    lines.sort_by_key(|line| line.at);
    let surplus = lines.len().saturating_sub(query.lines);
    lines.drain(..surplus);
    lines
}

/// Where users reach a workload after its traffic was switched.
pub fn listen(wanted: SocketAddr, routed: Option<contract::Routed>) -> Option<SocketAddr> {
    routed.map(|routed| routed.listen).or(Some(wanted)).filter(|listen| listen.port() != 0)
}
