//! From what the engine says and what the probes have found to how an instance is. Pure.

use std::time::Duration;

use pilotage_targets::{Fence, InstanceState};

use super::container::{Container, Phase};

/// What the probes know of the run that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Readiness {
    /// It was there before us, and has not been asked yet.
    Unknown,
    /// It has not been ready yet.
    #[default]
    NotYet,
    /// It takes traffic.
    Ready,
    /// It was ready, and is not.
    Failing,
}

/// What we know of an instance beyond what the engine says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub readiness: Readiness,
    /// Whether it was ready at least once, in this run or one before.
    pub was_ready: bool,
    /// How often we have started it again.
    pub own_restarts: u32,
    /// Failed probes in a row.
    pub probe_failures: u32,
    /// How its last run ended, with the last lines it wrote.
    pub ending: Option<String>,
    /// Why it was given up.
    pub given_up: Option<String>,
    /// It gets no traffic any more, because the holder of this token wants it stopped.
    pub draining: Option<Fence>,
    pub cpu_millis: Option<u32>,
    pub memory_bytes: Option<u64>,
}

/// How an instance is; `None` if it was stopped on purpose.
pub(crate) fn state(container: &Container, seen: &Seen) -> Option<InstanceState> {
    if container.is_retired() && !container.may_run() {
        return None;
    }
    if container.is_retired() || seen.draining.is_some() {
        return Some(InstanceState::Stopping);
    }
    if let Some(reason) = &seen.given_up {
        return Some(InstanceState::Failed { reason: reason.clone() });
    }
    Some(match container.phase {
        Phase::Created => InstanceState::Starting,
        Phase::Paused => InstanceState::Unready,
        Phase::Running => match seen.readiness {
            Readiness::Unknown | Readiness::NotYet => InstanceState::Starting,
            Readiness::Ready => InstanceState::Ready,
            Readiness::Failing => InstanceState::Unready,
        },
        Phase::Leaving => InstanceState::Stopping,
        Phase::Restarting => InstanceState::Waiting { reason: ending(container, seen) },
        Phase::Exited if container.is_kept_up => InstanceState::Waiting { reason: ending(container, seen) },
        Phase::Exited => {
            InstanceState::Failed { reason: format!("was given up; it {}", ending(container, seen)) }
        }
    })
}

/// Whether traffic may be sent to it.
pub(crate) fn takes_traffic(container: &Container, seen: &Seen) -> bool {
    state(container, seen) == Some(InstanceState::Ready)
}

/// How the last run ended, as far as is known.
fn ending(container: &Container, seen: &Seen) -> String {
    seen.ending.clone().unwrap_or_else(|| how_it_ended(container))
}

/// How the last run ended, in words that follow the instance's name.
pub(crate) fn how_it_ended(container: &Container) -> String {
    if !container.error.is_empty() {
        return format!("could not be started: {}", container.error);
    }
    let how = if container.out_of_memory {
        let limit = container.marks.release.instance.resources.memory_bytes;
        let limit = limit.map(|bytes| format!(" of {}", in_mebibytes(bytes))).unwrap_or_default();
        format!("was killed because it needed more memory than its limit{limit}")
    } else {
        match container.exit_code {
            // A shell's way to tell of a signal, which engines have taken over.
            code @ 129..=192 => format!("was ended by signal {}", code - 128),
            code => format!("ended with exit status {code}"),
        }
    };
    match (container.started_at, container.finished_at) {
        (Some(start), Some(end)) if end > start => format!("{how} after {}", in_units(end.since(start))),
        _ => how,
    }
}

fn in_mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// `340 ms`, `30 s`, `1.5 s`.
pub(crate) fn in_units(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else if duration.subsec_millis() == 0 || duration > Duration::from_secs(100) {
        format!("{} s", duration.as_secs())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

/// A reason with the last lines that the instance wrote.
pub(crate) fn with_tail(reason: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return reason.to_owned();
    }
    format!("{reason}; its last lines:\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use pilotage_spec::Timestamp;

    use super::*;
    use crate::instance::container::example;

    fn ready() -> Seen {
        Seen { readiness: Readiness::Ready, ..Seen::default() }
    }

    #[test]
    fn only_a_ready_instance_that_nobody_wants_stopped_takes_traffic() {
        assert!(takes_traffic(&example(Phase::Running), &ready()));
        for phase in [Phase::Created, Phase::Paused, Phase::Restarting, Phase::Exited, Phase::Leaving] {
            assert!(!takes_traffic(&example(phase), &ready()), "{phase:?}");
        }
        for readiness in [Readiness::Unknown, Readiness::NotYet, Readiness::Failing] {
            let seen = Seen { readiness, ..Seen::default() };
            assert!(!takes_traffic(&example(Phase::Running), &seen), "{readiness:?}");
        }
        let draining = Seen { draining: Some(Fence(1)), ..ready() };
        assert!(!takes_traffic(&example(Phase::Running), &draining));
    }

    #[test]
    fn what_was_stopped_on_purpose_is_listed_only_while_it_runs() {
        let retired = |phase| Container { name: "shop-api-1-retired".into(), ..example(phase) };
        assert_eq!(state(&retired(Phase::Exited), &Seen::default()), None);
        assert_eq!(state(&retired(Phase::Running), &ready()), Some(InstanceState::Stopping));
    }

    #[test]
    fn an_end_is_told_with_its_cause() {
        let ended = Container {
            exit_code: 3,
            finished_at: Some(Timestamp::from_micros(1_340_000)),
            ..example(Phase::Restarting)
        };
        assert_eq!(how_it_ended(&ended), "ended with exit status 3 after 340 ms");
        let killed = Container { exit_code: 137, ..example(Phase::Exited) };
        assert_eq!(how_it_ended(&killed), "was ended by signal 9");
        let mut starved = Container { out_of_memory: true, ..killed };
        starved.marks.release.instance.resources.memory_bytes = Some(64 << 20);
        assert!(how_it_ended(&starved).contains("more memory than its limit of 64 MiB"));
        let refused = Container { error: "exec: \"./api\": no such file".into(), ..example(Phase::Created) };
        assert!(how_it_ended(&refused).starts_with("could not be started: exec"));
    }

    #[test]
    fn one_that_ended_is_waiting_unless_it_was_given_up() {
        let waiting = state(&example(Phase::Exited), &Seen::default());
        assert!(matches!(waiting, Some(InstanceState::Waiting { .. })));
        let given_up = Container { is_kept_up: false, ..example(Phase::Exited) };
        assert!(matches!(state(&given_up, &Seen::default()), Some(InstanceState::Failed { .. })));
    }
}
