//! From the tasks of a service to instances: a slot is an instance, its tasks are the runs of it. Pure.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use bollard::models::{Task, TaskState};
use pilotage_proxy::Address;
use pilotage_spec::Timestamp;
use pilotage_targets::{Instance, InstanceState};

use crate::instance::state::{Readiness, Seen};
use crate::instance::{Marks, state::in_units};
use crate::names::Scope;

/// One run of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// The task's id.
    pub id: String,
    /// Whose it is; the instance is the name of the service.
    pub marks: Marks,
    pub slot: i64,
    pub node: String,
    pub state: TaskState,
    pub desired: TaskState,
    /// What went wrong, in Swarm's words.
    pub error: String,
    pub exit_code: i64,
    pub container: Option<String>,
    pub pid: Option<u32>,
    /// The port of its node that leads to it.
    pub port: Option<u16>,
    pub created_at: Timestamp,
    /// When its state was another one.
    pub changed_at: Timestamp,
    pub image: String,
}

impl Run {
    /// Reads a task; `None` if it is not ours.
    pub fn read(scope: &Scope, task: Task) -> Option<Self> {
        let container = task.spec?.container_spec?;
        let marks = Marks::read(scope, &container.labels?)?;
        let status = task.status.unwrap_or_default();
        let held = status.container_status.unwrap_or_default();
        let ports = status.port_status.and_then(|status| status.ports).unwrap_or_default();
        Some(Self {
            id: task.id?,
            marks,
            slot: task.slot?,
            node: task.node_id.unwrap_or_default(),
            state: status.state?,
            desired: task.desired_state?,
            error: status.err.unwrap_or_default(),
            exit_code: held.exit_code.unwrap_or(0),
            container: held.container_id.filter(|id| !id.is_empty()),
            pid: held.pid.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid != 0),
            port: ports.iter().find_map(|port| port.published_port?.try_into().ok()),
            created_at: time(task.created_at.as_deref()?)?,
            changed_at: status.timestamp.as_deref().and_then(time).unwrap_or_default(),
            image: container.image.unwrap_or_default(),
        })
    }

    /// The instance that it is a run of.
    pub fn instance(&self) -> String {
        format!("{}.{}", self.marks.instance, self.slot)
    }

    /// Whether it runs, and is to go on.
    pub fn is_running(&self) -> bool {
        self.state == TaskState::RUNNING && is_wanted(self.desired)
    }

    /// Whether its process may still be there.
    pub fn may_run(&self) -> bool {
        !has_ended(self.state)
    }

    /// Where it answers, if its node has this address.
    pub fn address(&self, node: Option<IpAddr>) -> Option<SocketAddr> {
        Some(SocketAddr::new(node?, self.port?))
    }

    /// How it ended, in words that follow the instance's name.
    pub fn ending(&self) -> String {
        let how = match (self.state, self.exit_code) {
            (TaskState::REJECTED, _) => format!("could not be started: {}", self.error),
            (_, code @ 129..=192) => format!("was ended by signal {}", code - 128),
            (TaskState::FAILED | TaskState::COMPLETE | TaskState::SHUTDOWN, 0) if self.error.is_empty() => {
                "ended with exit status 0".to_owned()
            }
            (_, 0) => format!("ended: {}", self.error),
            (_, code) => format!("ended with exit status {code}"),
        };
        format!("{how} after {}", in_units(self.changed_at.since(self.created_at)))
    }
}

fn time(text: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_micros(time.as_microsecond()))
}

fn is_wanted(desired: TaskState) -> bool {
    matches!(desired, TaskState::RUNNING | TaskState::READY | TaskState::ACCEPTED)
}

fn has_ended(state: TaskState) -> bool {
    use TaskState as State;
    matches!(
        state,
        State::COMPLETE | State::SHUTDOWN | State::FAILED | State::REJECTED | State::REMOVE | State::ORPHANED
    )
}

/// An instance with all its runs, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pub runs: Vec<Run>,
}

/// The slots of all runs, oldest first.
pub(super) fn slots(runs: Vec<Run>) -> Vec<Slot> {
    let mut by_slot: BTreeMap<(String, i64), Vec<Run>> = BTreeMap::new();
    for run in runs {
        by_slot.entry((run.marks.instance.clone(), run.slot)).or_default().push(run);
    }
    let newest_first = |mut runs: Vec<Run>| {
        runs.sort_by_key(|run| std::cmp::Reverse(run.created_at));
        Slot { runs }
    };
    by_slot.into_values().map(newest_first).collect()
}

impl Slot {
    /// The last run.
    pub fn last(&self) -> Option<&Run> {
        self.runs.first()
    }

    /// How the instance is; `None` if it was stopped on purpose, and is gone.
    pub fn state(&self, seen: &Seen) -> Option<InstanceState> {
        let last = self.last()?;
        if !is_wanted(last.desired) {
            return match (last.may_run(), last.state) {
                (true, _) => Some(InstanceState::Stopping),
                // Swarm starts it no more, although nobody wanted it stopped.
                (false, TaskState::FAILED | TaskState::REJECTED | TaskState::COMPLETE)
                    if last.desired == TaskState::SHUTDOWN =>
                {
                    let ends = self.runs.len();
                    let ending = seen.ending.clone().unwrap_or_else(|| last.ending());
                    let reason = format!("ended {ends} times within a minute; the last time it {ending}");
                    Some(InstanceState::Failed { reason })
                }
                _ => None,
            };
        }
        if seen.draining.is_some() {
            return Some(InstanceState::Stopping);
        }
        if let Some(reason) = &seen.given_up {
            return Some(InstanceState::Failed { reason: reason.clone() });
        }
        Some(match (last.state, seen.readiness) {
            (TaskState::RUNNING, Readiness::Ready) => InstanceState::Ready,
            (TaskState::RUNNING, Readiness::Failing) => InstanceState::Unready,
            (TaskState::RUNNING, _) => InstanceState::Starting,
            (state, _) if has_ended(state) => InstanceState::Waiting { reason: last.ending() },
            _ => match self.runs.get(1) {
                // Before it is started again.
                Some(before) if has_ended(before.state) && last.desired == TaskState::READY => {
                    InstanceState::Waiting { reason: before.ending() }
                }
                _ => InstanceState::Starting,
            },
        })
    }

    /// The instance for an observation; `None` if it was stopped on purpose, and is gone.
    pub fn instance(&self, seen: &Seen, node: Option<IpAddr>) -> Option<Instance> {
        let last = self.last()?;
        let before = self.runs.iter().skip(1).filter(|run| has_ended(run.state)).count();
        Some(Instance {
            name: last.instance(),
            release: last.marks.release.id.clone(),
            state: self.state(seen)?,
            address: last.address(node).map(Address::Tcp),
            pid: last.pid,
            started_at: (last.state == TaskState::RUNNING).then_some(last.changed_at),
            // As far as Swarm remembers: five tasks of a slot, unless it is told otherwise.
            restarts: u32::try_from(before).unwrap_or(u32::MAX),
            probe_failures: seen.probe_failures,
            cpu_millis: seen.cpu_millis.filter(|_| last.may_run()),
            memory_bytes: seen.memory_bytes.filter(|_| last.may_run()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::marks::example;

    fn run(number: i64, state: TaskState, desired: TaskState) -> Run {
        Run {
            id: format!("task-{number}"),
            marks: Marks { instance: "shop-production-api-v1-2-0".into(), ..example() },
            slot: 1,
            node: "node".into(),
            state,
            desired,
            error: String::new(),
            exit_code: 0,
            container: None,
            pid: None,
            port: Some(30_000),
            created_at: Timestamp::from_micros(number * 1_000_000),
            changed_at: Timestamp::from_micros(number * 1_000_000 + 20_000),
            image: String::new(),
        }
    }

    fn state(runs: Vec<Run>, readiness: Readiness) -> Option<InstanceState> {
        slots(runs)[0].state(&Seen { readiness, ..Seen::default() })
    }

    #[test]
    fn the_last_run_of_a_slot_says_how_the_instance_is() {
        let failed = || Run { exit_code: 3, ..run(1, TaskState::FAILED, TaskState::SHUTDOWN) };
        let running = run(2, TaskState::RUNNING, TaskState::RUNNING);
        let slot = &slots(vec![failed(), running.clone()])[0];
        let seen = Seen { readiness: Readiness::Ready, ..Seen::default() };
        let instance = slot.instance(&seen, Some([127, 0, 0, 1].into())).unwrap();
        assert_eq!((instance.state, instance.restarts), (InstanceState::Ready, 1));
        assert_eq!(instance.name, "shop-production-api-v1-2-0.1");
        let waiting = state(vec![failed(), run(2, TaskState::PENDING, TaskState::READY)], Readiness::NotYet);
        let reason = "ended with exit status 3 after 20 ms".to_owned();
        assert_eq!(waiting, Some(InstanceState::Waiting { reason }));
    }

    #[test]
    fn one_that_swarm_starts_no_more_has_failed_and_one_that_was_stopped_is_gone() {
        let given_up = run(2, TaskState::FAILED, TaskState::SHUTDOWN);
        let failed = state(vec![run(1, TaskState::FAILED, TaskState::SHUTDOWN), given_up], Readiness::NotYet);
        let Some(InstanceState::Failed { reason }) = failed else { panic!("{failed:?}") };
        assert!(reason.starts_with("ended 2 times"), "{reason}");
        let stopped = run(1, TaskState::SHUTDOWN, TaskState::SHUTDOWN);
        assert_eq!(state(vec![stopped], Readiness::Ready), None);
        let leaving = run(1, TaskState::RUNNING, TaskState::REMOVE);
        assert_eq!(state(vec![leaving], Readiness::Ready), Some(InstanceState::Stopping));
    }
}
