//! Trouble in words that say what to do.

use k8s_openapi::api::core::v1::Event;

use super::pod::Trouble;

/// More of an event or a log helps nobody.
const WORDS_LIMIT: usize = 600;

/// What was found out about a pod in trouble.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// The newest warning about it.
    pub warning: Option<String>,
    /// The last lines that its container wrote before it ended.
    pub last_lines: Vec<String>,
}

impl Told {
    /// What the events of a pod say, newest last in time.
    pub fn by(events: &[Event], last_lines: Vec<String>) -> Self {
        let warnings = events.iter().filter(|event| event.type_.as_deref() == Some("Warning"));
        // Of a back-off only the time is told, of the failure before it the reason.
        let telling = warnings.filter(|event| event.reason.as_deref() != Some("BackOff"));
        let newest = telling.max_by_key(|event| {
            event
                .last_timestamp
                .as_ref()
                .map(|time| time.0)
                .or_else(|| event.event_time.as_ref().map(|time| time.0))
        });
        Self { warning: newest.and_then(|event| event.message.clone()), last_lines }
    }
}

/// Why a pod is not ready, in words.
pub(crate) fn why(trouble: &Trouble, told: &Told) -> String {
    let warning = told.warning.as_deref().unwrap_or_default();
    match trouble {
        Trouble::Unschedulable(why) => {
            format!("no node can take it: {}; free some room, or lower its `resources`", cut(why))
        }
        Trouble::Image(why) => {
            let why = if warning.len() > why.len() { warning } else { why };
            format!("its image cannot be pulled: {}", cut(why))
        }
        Trouble::Configuration(why) => format!("its container cannot be made: {}", cut(why)),
        Trouble::Crash { container, ended, restarts } => {
            let times =
                if *restarts == 0 { String::new() } else { format!(", started again {restarts} times") };
            format!("container {container}: {}{times}{}", cut(ended), lines(&told.last_lines))
        }
        Trouble::Probe if warning.is_empty() => format!("it does not get ready{}", lines(&told.last_lines)),
        Trouble::Probe => format!("it does not get ready: {}{}", cut(warning), lines(&told.last_lines)),
        Trouble::Ended(why) => cut(why),
    }
}

fn lines(last: &[String]) -> String {
    if last.is_empty() { String::new() } else { format!("; it wrote last: {}", cut(&last.join(" | "))) }
}

fn cut(text: &str) -> String {
    let text = text.trim();
    let kept: String = text.chars().take(WORDS_LIMIT).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if kept.len() < text.len() { format!("{kept} …") } else { kept }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(reason: &str, at: &str, message: &str) -> Event {
        serde_json::from_value(json!({
            "metadata": {}, "involvedObject": {}, "type": "Warning", "reason": reason, "lastTimestamp": at, "message": message
        }))
        .unwrap()
    }

    #[test]
    fn a_probe_that_fails_is_told_with_what_it_got() {
        let events = [
            event(
                "Unhealthy",
                "2026-01-01T00:00:05Z",
                "Readiness probe failed: HTTP probe failed with statuscode: 503",
            ),
            event("Unhealthy", "2026-01-01T00:00:01Z", "Readiness probe failed: connection refused"),
        ];
        assert_eq!(
            why(&Trouble::Probe, &Told::by(&events, vec!["no database".to_owned()])),
            "it does not get ready: Readiness probe failed: HTTP probe failed with statuscode: 503; it wrote last: no database"
        );
    }

    #[test]
    fn the_reason_of_a_failed_pull_wins_over_the_pause_after_it() {
        let events = [
            event("Failed", "2026-01-01T00:00:01Z", "Failed to pull image \"shop/api:9\": manifest unknown"),
            event(
                "BackOff",
                "2026-01-01T00:00:09Z",
                "Back-off pulling image \"shop/api:9\" for a long time to come",
            ),
        ];
        let trouble = Trouble::Image("Back-off pulling image".to_owned());
        assert_eq!(
            why(&trouble, &Told::by(&events, Vec::new())),
            "its image cannot be pulled: Failed to pull image \"shop/api:9\": manifest unknown"
        );
    }

    #[test]
    fn a_crash_is_told_with_its_last_lines() {
        let trouble = Trouble::Crash {
            container: "service".to_owned(),
            ended: "it ended with exit code 1".to_owned(),
            restarts: 3,
        };
        let told =
            Told { warning: None, last_lines: vec!["starting".to_owned(), "no such table".to_owned()] };
        assert_eq!(
            why(&trouble, &told),
            "container service: it ended with exit code 1, started again 3 times; it wrote last: starting | no such table"
        );
    }

    #[test]
    fn what_somebody_else_wrote_is_cut_and_holds_no_control_characters() {
        let told = Told { warning: None, last_lines: vec![format!("\u{1b}[31m{}", "x".repeat(5_000))] };
        let words = why(&Trouble::Probe, &told);
        assert!(words.len() < 800 && !words.contains('\u{1b}'), "{words}");
    }
}
