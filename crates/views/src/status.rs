//! What serves where, what is moving, what broke, and what a person can do about it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use pilotage_engine::judge::Reading;
use pilotage_engine::{Cause, Course, Deployment, DeploymentId, Outcome, Phase};
use pilotage_spec::{Timestamp, Version, Workload};
use serde::{Deserialize, Serialize};

use crate::time::as_rfc3339;
use crate::{DeploymentRecord, WorkloadRecord};

/// How long a deployment that did not succeed is something to do about. Later it is history.
const RECENT: Duration = Duration::from_secs(60 * 60);

/// Everything that is known of one workload when its status is asked for.
#[derive(Debug, Clone, Copy)]
pub struct StatusFacts<'a> {
    /// What has served it.
    pub record: &'a WorkloadRecord,
    /// What its target says now; `None` if it could not be asked.
    pub observed: Option<&'a Observed>,
    /// The deployment that moves it, and what that does or waits for right now.
    pub moving: Option<(&'a DeploymentRecord, Option<&'a str>)>,
    /// The deployment that waits for its gates, and what is missing.
    pub waiting: Option<(&'a DeploymentRecord, Option<&'a str>)>,
    /// The deployment that ended last.
    pub last: Option<&'a DeploymentRecord>,
    /// When it is asked for.
    pub now: Timestamp,
}

/// What a target says of a workload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Ready instances by version.
    pub ready: BTreeMap<Version, u32>,
    /// Shares of the traffic in hundredths of a percent.
    pub shares: BTreeMap<Version, u32>,
    /// Where users reach it.
    pub listen: Option<SocketAddr>,
    /// The same as they write it.
    pub url: Option<String>,
    /// What is wrong with instances, in words.
    pub troubles: Vec<String>,
}

/// One workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkloadStatus {
    /// Where it runs.
    pub environment: String,
    /// What runs.
    pub service: String,
    /// The version that is known to be good and serves; `None` before the first deployment has succeeded.
    pub version: Option<Version>,
    /// How many instances of it are wanted.
    pub replicas_wanted: u32,
    /// How many of them are ready.
    pub replicas_ready: u32,
    /// Where users reach it.
    pub address: Option<SocketAddr>,
    /// The same as they write it, with host and path.
    #[serde(default)]
    pub url: Option<String>,
    /// The versions that have instances or traffic, the newest first.
    pub serving: Vec<VersionShare>,
    /// The deployment that is under way.
    pub moving: Option<MovingStatus>,
    /// The deployment that waits for its gates; nothing has been done yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<MovingStatus>,
    /// The deployment that ended last.
    pub last: Option<LastDeployment>,
    /// What is wrong, in words.
    pub troubles: Vec<String>,
    /// The one thing that a person can do next, if there is one.
    pub next_action: Option<NextAction>,
}

/// One version of a workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionShare {
    /// The version.
    pub version: Version,
    /// Its share of the traffic in hundredths of a percent.
    pub share: u32,
    /// Its ready instances.
    pub ready: u32,
}

/// A deployment that is under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MovingStatus {
    /// Its name.
    pub id: DeploymentId,
    /// The version it replaces.
    pub from: Option<Version>,
    /// The version it brings.
    pub to: Version,
    /// The strategy's name.
    pub strategy: String,
    /// Where it stands, in one word.
    pub phase: Phase,
    /// Who asked for it.
    pub started_by: String,
    /// When.
    #[serde(with = "as_rfc3339")]
    pub started_at: Timestamp,
    /// The steps of the course that is being taken: the way forward, or the way back.
    pub steps: Vec<StepStatus>,
    /// What it does or waits for.
    pub activity: String,
    /// Why it is being taken back, if it is.
    pub cause: Option<String>,
    /// What was measured at the judge's last word.
    pub reading: Option<Reading>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepStatus {
    /// The step in words.
    pub step: String,
    /// How far it is.
    pub state: StepState,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Behind us.
    Done,
    /// Being taken.
    Now,
    /// To come.
    Next,
}

/// A deployment that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastDeployment {
    /// Its name.
    pub id: DeploymentId,
    /// The version it was to bring.
    pub version: Version,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, unless it simply succeeded.
    pub reason: Option<String>,
    /// When it ended.
    #[serde(with = "as_rfc3339")]
    pub ended_at: Timestamp,
}

/// What a person can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextAction {
    /// The command.
    pub command: String,
    /// What for.
    pub why: String,
}

/// The status of one workload.
pub fn workload_status(facts: StatusFacts<'_>) -> WorkloadStatus {
    let current = facts.record.current();
    let version = current.map(|served| served.release.id.version.clone());
    let wanted = current.map_or(0, |served| served.replicas);
    let ready = match (facts.observed, &version) {
        (Some(observed), Some(version)) => observed.ready.get(version).copied().unwrap_or(0),
        _ => 0,
    };
    let moving = facts.moving.map(|(record, activity)| moving_status(record, activity));
    let last = facts.last.and_then(last);
    let listen = facts.observed.and_then(|observed| observed.listen);
    let mut status = WorkloadStatus {
        environment: facts.record.workload.environment.to_string(),
        service: facts.record.workload.service.to_string(),
        version,
        replicas_wanted: wanted,
        replicas_ready: ready,
        address: listen.or(current.map(|served| served.listen)),
        url: facts
            .observed
            .and_then(|observed| observed.url.clone())
            .or_else(|| current.map(|served| served.route.url("http", served.listen))),
        serving: facts.observed.map(shares).unwrap_or_default(),
        moving,
        waiting: facts.waiting.map(|(record, missing)| moving_status(record, missing)),
        last,
        troubles: facts.observed.map(|observed| observed.troubles.clone()).unwrap_or_default(),
        next_action: None,
    };
    status.next_action = next_action(&facts.record.workload, &status, facts.now);
    status
}

fn shares(observed: &Observed) -> Vec<VersionShare> {
    let versions: BTreeSet<&Version> = observed.ready.keys().chain(observed.shares.keys()).collect();
    let share = |version: &Version| VersionShare {
        version: version.clone(),
        share: observed.shares.get(version).copied().unwrap_or(0),
        ready: observed.ready.get(version).copied().unwrap_or(0),
    };
    versions.into_iter().rev().map(share).collect()
}

/// Where a deployment stands, with what it does or waits for right now if that is known.
pub fn moving_status(record: &DeploymentRecord, activity: Option<&str>) -> MovingStatus {
    let deployment = &record.deployment;
    let step = deployment.course.step().map(ToString::to_string);
    MovingStatus {
        id: record.id,
        from: deployment.plan.stable().cloned(),
        to: deployment.plan.candidate().clone(),
        strategy: deployment.plan.request.strategy_name.to_string(),
        phase: deployment.phase(),
        started_by: record.author().to_owned(),
        started_at: deployment.started_at,
        steps: steps(&deployment.course),
        activity: activity.filter(|words| !words.is_empty()).map(str::to_owned).or(step).unwrap_or_default(),
        cause: deployment.cause.as_ref().map(Cause::words),
        reading: record.last_reading().cloned(),
    }
}

/// The steps of a course with how far each is.
pub fn steps(course: &Course) -> Vec<StepStatus> {
    let state = |index: usize| match index.cmp(&course.next) {
        std::cmp::Ordering::Less => StepState::Done,
        std::cmp::Ordering::Equal => StepState::Now,
        std::cmp::Ordering::Greater => StepState::Next,
    };
    let status = |(index, step): (usize, &pilotage_engine::Step)| StepStatus {
        step: step.to_string(),
        state: state(index),
    };
    course.steps.iter().enumerate().map(status).collect()
}

fn last(record: &DeploymentRecord) -> Option<LastDeployment> {
    let Deployment { plan, end, .. } = &record.deployment;
    let (outcome, reason, ended_at) = end.clone()?;
    let version = plan.candidate().clone();
    Some(LastDeployment { id: record.id, version, outcome, reason, ended_at })
}

fn next_action(workload: &Workload, status: &WorkloadStatus, now: Timestamp) -> Option<NextAction> {
    let Workload { environment, service } = workload;
    let action = |command: String, why: &str| Some(NextAction { command, why: why.to_owned() });
    if let Some(moving) = &status.moving {
        let id = moving.id;
        return match moving.phase {
            Phase::Paused => {
                action(format!("pilotage resume {id}"), "it is paused and goes no further by itself")
            }
            Phase::Moving => {
                action(format!("pilotage status --watch --env {environment}"), "it goes on by itself")
            }
            Phase::Holding => {
                action(format!("pilotage promote {id}"), "it waits for a person to let it go on")
            }
            Phase::Waiting | Phase::Soaking | Phase::RollingBack | Phase::Concluding | Phase::Ended => None,
        };
    }
    if let Some(waiting) = &status.waiting {
        let id = waiting.id;
        return action(format!("pilotage gates {id}"), "it waits for its gates");
    }
    if let Some(last) = &status.last
        && !matches!(last.outcome, Outcome::Succeeded | Outcome::Concluded)
        && now.since(last.ended_at) < RECENT
    {
        return action(format!("pilotage explain {}", last.id), "the last deployment did not succeed");
    }
    if status.version.is_none() {
        let command = format!("pilotage deploy {service} VERSION --env {environment}");
        return action(command, "it has never been deployed");
    }
    if status.replicas_ready < status.replicas_wanted {
        let command = format!("pilotage logs {service} --env {environment}");
        return action(command, "fewer instances are ready than wanted");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, version};

    const NOW: Timestamp = Timestamp::from_micros(0);

    fn observed(ready: &[(&str, u32)], shares: &[(&str, u32)]) -> Observed {
        let map =
            |pairs: &[(&str, u32)]| pairs.iter().map(|(text, number)| (version(text), *number)).collect();
        Observed { ready: map(ready), shares: map(shares), ..Observed::default() }
    }

    #[test]
    fn a_moving_workload_shows_steps_split_and_author() {
        let (record, deployment) = (testing::served(), testing::record(7));
        let observed = observed(&[("1.1.0", 2), ("1.2.0", 1)], &[("1.1.0", 9_000), ("1.2.0", 1_000)]);
        let status = workload_status(StatusFacts {
            record: &record,
            observed: Some(&observed),
            moving: Some((&deployment, Some("watching 1.2.0, 2 s left"))),
            waiting: None,
            last: None,
            now: NOW,
        });
        insta::assert_json_snapshot!(status);
    }

    #[test]
    fn what_broke_names_the_command_that_tells_why() {
        let (record, deployment) = (testing::served(), testing::record(12));
        let observed = observed(&[("1.1.0", 2)], &[("1.1.0", 10_000)]);
        let last = Some(&deployment);
        let facts = StatusFacts {
            record: &record,
            observed: Some(&observed),
            moving: None,
            waiting: None,
            last,
            now: NOW,
        };
        let status = workload_status(facts);
        let ended_at = status.last.as_ref().unwrap().ended_at.as_micros();
        assert_eq!(status.next_action.unwrap().command, "pilotage explain d7");
        assert_eq!(status.last.unwrap().outcome, Outcome::RolledBack);
        assert_eq!((status.replicas_ready, status.replicas_wanted), (2, 2));
        let after = |minutes: i64| Timestamp::from_micros(ended_at + minutes * 60_000_000);
        let next_after = |minutes| workload_status(StatusFacts { now: after(minutes), ..facts }).next_action;
        assert!(next_after(59).is_some());
        assert_eq!(next_after(61), None, "it is history by then");
    }

    #[test]
    fn missing_instances_and_missing_deployments_have_a_next_action() {
        let record = testing::served();
        let facts = StatusFacts {
            record: &record,
            observed: None,
            moving: None,
            waiting: None,
            last: None,
            now: NOW,
        };
        assert_eq!(workload_status(facts).next_action.unwrap().command, "pilotage logs api --env production");
        let never = WorkloadRecord { served: Vec::new(), ..testing::served() };
        let command = workload_status(StatusFacts { record: &never, ..facts }).next_action.unwrap().command;
        assert_eq!(command, "pilotage deploy api VERSION --env production");
    }
}
