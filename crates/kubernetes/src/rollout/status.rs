//! Whether a Deployment or StatefulSet is rolled out: only if everything says so. A status that has not seen the newest
//! generation says nothing at all, since it may still praise what was there before.

use std::fmt;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};

/// What is missing until it is rolled out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Its controller has not looked at the newest generation.
    Observed {
        /// The generation its status is of.
        seen: i64,
        /// The newest one.
        newest: i64,
    },
    /// Replicas of the newest template.
    Updated {
        /// So many are there.
        there: i32,
        /// So many are wanted.
        wanted: i32,
    },
    /// Replicas that have been ready for long enough.
    Available {
        /// So many are.
        there: i32,
        /// So many are wanted.
        wanted: i32,
    },
    /// Replicas of older templates are still there.
    Old(i32),
    /// No replica can be made, as when a quota is used up.
    Created(String),
    /// It took longer than it may.
    Deadline(String),
    /// Somebody has paused it.
    Paused,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Observed { seen, newest } => {
                write!(f, "its controller has seen generation {seen}, the newest is {newest}")
            }
            Self::Updated { there, wanted } => {
                write!(f, "{there} of {wanted} pods are of the newest template")
            }
            Self::Available { there, wanted } => write!(f, "{there} of {wanted} pods are available"),
            Self::Old(count) => write!(f, "{count} pods of an older template are still there"),
            Self::Created(why) => write!(f, "pods cannot be made: {why}"),
            Self::Deadline(why) => write!(f, "it is past its deadline: {why}"),
            Self::Paused => f.write_str("it is paused; `kubectl rollout resume` lets it go on"),
        }
    }
}

/// What is missing until a Deployment is rolled out; nothing if it is.
pub(crate) fn missing(deployment: &Deployment) -> Vec<Missing> {
    let status = deployment.status.clone().unwrap_or_default();
    let newest = deployment.metadata.generation.unwrap_or(0);
    let seen = status.observed_generation.unwrap_or(0);
    if seen < newest {
        return vec![Missing::Observed { seen, newest }];
    }
    let spec = deployment.spec.as_ref();
    let wanted = spec.and_then(|spec| spec.replicas).unwrap_or(1);
    let mut missing = Vec::new();
    for condition in status.conditions.iter().flatten() {
        let why = || condition.message.clone().unwrap_or_default();
        match (condition.type_.as_str(), condition.status.as_str(), condition.reason.as_deref()) {
            ("ReplicaFailure", "True", _) => missing.push(Missing::Created(why())),
            ("Progressing", "False", Some("ProgressDeadlineExceeded")) => {
                missing.push(Missing::Deadline(why()))
            }
            _ => {}
        }
    }
    if spec.is_some_and(|spec| spec.paused == Some(true)) {
        missing.push(Missing::Paused);
    }
    missing.extend(counted(
        wanted,
        status.replicas.unwrap_or(0),
        status.updated_replicas.unwrap_or(0),
        status.available_replicas.unwrap_or(0),
    ));
    missing
}

/// The same of a StatefulSet, whose ordinals below the partition stay as they are on purpose.
pub(crate) fn missing_of_stateful_set(set: &StatefulSet) -> Vec<Missing> {
    let status = set.status.clone().unwrap_or_default();
    let newest = set.metadata.generation.unwrap_or(0);
    let seen = status.observed_generation.unwrap_or(0);
    if seen < newest {
        return vec![Missing::Observed { seen, newest }];
    }
    let spec = set.spec.as_ref();
    let wanted = spec.and_then(|spec| spec.replicas).unwrap_or(1);
    let strategy = spec.and_then(|spec| spec.update_strategy.as_ref());
    let rolling = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
    let partition = rolling.and_then(|rolling| rolling.partition).unwrap_or(0).min(wanted);
    let settled = status.update_revision.is_some() && status.update_revision == status.current_revision;
    let updated = if settled { wanted } else { status.updated_replicas.unwrap_or(0) + partition };
    counted(wanted, status.replicas, updated, status.ready_replicas.unwrap_or(0))
}

fn counted(wanted: i32, all: i32, updated: i32, available: i32) -> Vec<Missing> {
    let mut missing = Vec::new();
    if updated < wanted {
        missing.push(Missing::Updated { there: updated, wanted });
    }
    if all > updated {
        missing.push(Missing::Old(all - updated));
    }
    if available < wanted {
        missing.push(Missing::Available { there: available, wanted });
    }
    missing
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A Deployment as it is when all is well, with what a case changes.
    fn deployment(changes: &Value) -> Deployment {
        let mut well = json!({
            "metadata": {"name": "api", "generation": 4},
            "spec": {"replicas": 3, "selector": {}, "template": {}},
            "status": {
                "observedGeneration": 4, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3,
                "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]
            }
        });
        merge(&mut well, changes);
        serde_json::from_value(well).unwrap()
    }

    fn merge(into: &mut Value, changes: &Value) {
        match (into, changes) {
            (Value::Object(into), Value::Object(changes)) => {
                for (key, change) in changes {
                    merge(into.entry(key.clone()).or_insert(Value::Null), change);
                }
            }
            (into, change) => *into = change.clone(),
        }
    }

    fn said(changes: &Value) -> Vec<String> {
        missing(&deployment(changes)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nothing_is_missing_when_everything_says_so() {
        assert_eq!(said(&json!({})), Vec::<String>::new());
    }

    #[test]
    fn a_status_of_an_older_generation_says_nothing_else() {
        // All counts and conditions still praise what was there before.
        let stale = json!({"metadata": {"generation": 5}});
        assert_eq!(said(&stale), ["its controller has seen generation 4, the newest is 5"]);
        let never = json!({"status": null});
        assert_eq!(said(&never), ["its controller has seen generation 0, the newest is 4"]);
    }

    #[test]
    fn each_count_that_falls_short_is_named() {
        assert_eq!(
            said(&json!({"status": {"updatedReplicas": 1, "replicas": 4, "availableReplicas": 2}})),
            [
                "1 of 3 pods are of the newest template",
                "3 pods of an older template are still there",
                "2 of 3 pods are available"
            ]
        );
    }

    #[test]
    fn old_pods_that_linger_are_not_overlooked() {
        assert_eq!(
            said(&json!({"status": {"replicas": 4}})),
            ["1 pods of an older template are still there"]
        );
    }

    #[test]
    fn a_deadline_and_a_quota_say_why() {
        let conditions = json!([
            {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: pods"},
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
        ]);
        let words = said(&json!({"status": {"conditions": conditions, "availableReplicas": 0}}));
        assert_eq!(
            words,
            [
                "pods cannot be made: exceeded quota: pods",
                "it is past its deadline: timed out",
                "0 of 3 pods are available"
            ]
        );
    }

    #[test]
    fn a_pause_is_named() {
        assert_eq!(said(&json!({"spec": {"paused": true}})), [Missing::Paused.to_string()]);
    }

    #[test]
    fn replicas_that_are_not_said_are_one() {
        let one = json!({"spec": {"replicas": null}, "status": {
            "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1
        }});
        assert_eq!(said(&one), Vec::<String>::new());
    }

    #[test]
    fn ordinals_below_the_partition_may_stay_as_they_are() {
        let set = |updated: i32, ready: i32| -> StatefulSet {
            serde_json::from_value(json!({
                "metadata": {"name": "db", "generation": 2},
                "spec": {"replicas": 3, "serviceName": "db", "selector": {}, "template": {},
                         "updateStrategy": {"rollingUpdate": {"partition": 2}}},
                "status": {"observedGeneration": 2, "replicas": 3, "updatedReplicas": updated, "readyReplicas": ready,
                           "currentRevision": "a", "updateRevision": "b"}
            }))
            .unwrap()
        };
        assert_eq!(missing_of_stateful_set(&set(1, 3)), []);
        let wanted = 3;
        assert_eq!(
            missing_of_stateful_set(&set(0, 2)),
            [Missing::Updated { there: 2, wanted }, Missing::Old(1), Missing::Available { there: 2, wanted }]
        );
    }
}
