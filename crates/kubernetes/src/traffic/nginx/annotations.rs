//! The annotations of a canary, and back.

use pilotage_spec::{Cohort, Condition, Source, Test, Version};
use pilotage_targets::Traffic;
use serde_json::{Map, Value, json};

use super::super::matcher::{self, Pattern, Place};
use super::super::refusal::Refusal;
use super::super::shares::ALL;

const PREFIX: &str = "nginx.ingress.kubernetes.io";
/// The value of a cookie by which ingress-nginx sends a client to the canary.
const ALWAYS: &str = "always";

/// Requests that a canary gets whatever its weight: by one header, and by one cookie.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Picks {
    header: Option<HeaderPick>,
    cookie: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct HeaderPick {
    name: String,
    pattern: Pattern,
}

impl Picks {
    /// Whether nobody is picked.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The conditions that they stand for, one for each cohort.
    pub(super) fn conditions(&self) -> Vec<Condition> {
        let header = self.header.iter().map(|pick| {
            let place = Place::Header(pick.name.to_ascii_lowercase());
            matcher::condition(&matcher::Matcher { place, pattern: pick.pattern.clone() })
        });
        let cookie = self.cookie.iter().map(|name| Condition {
            source: Source::Cookie(name.clone()),
            test: Test::Equals(ALWAYS.to_owned()),
        });
        header.chain(cookie).collect()
    }
}

/// The picks of the traffic's cohorts, if one canary of this version can have them beside this main version.
pub(super) fn picks(traffic: &Traffic, canary: &Version, main: &Version) -> Result<Picks, Refusal> {
    let mut picks = Picks::default();
    for cohort in &traffic.cohorts {
        if cohort.version != *canary || canary == main {
            return Err(refused(
                cohort,
                "another version than the canary's",
                "send cohorts to the new version only",
            ));
        }
        if cohort.share < ALL {
            return Err(refused(cohort, "a part of its clients", "give the cohort all of its clients"));
        }
        add(&mut picks, cohort)?;
    }
    Ok(picks)
}

fn add(picks: &mut Picks, cohort: &Cohort) -> Result<(), Refusal> {
    let [condition] = cohort.when.as_slice() else {
        return Err(refused(cohort, "several conditions", "use one condition"));
    };
    match (&condition.source, &condition.test) {
        (Source::Cookie(name), Test::Equals(value)) if value == ALWAYS => {
            if picks.cookie.replace(name.clone()).is_some() {
                return Err(refused(cohort, "a second cookie", "use one cohort by cookie at a time"));
            }
        }
        (Source::Cookie(_), _) => {
            return Err(refused(
                cohort,
                "a cookie with a value of its own",
                "use a cookie whose value is `always`",
            ));
        }
        (Source::Query(_), _) => {
            return Err(refused(
                cohort,
                "a parameter of the query",
                "use a header, or a cookie with the value `always`",
            ));
        }
        (Source::Header(_), Test::Present(false)) => {
            return Err(refused(cohort, "a header that is missing", "turn the condition round"));
        }
        (Source::Header(name), _) => {
            let pattern = matcher::matcher(condition).pattern;
            if picks.header.replace(HeaderPick { name: name.clone(), pattern }).is_some() {
                return Err(refused(cohort, "a second header", "use one cohort by header at a time"));
            }
        }
    }
    Ok(())
}

fn refused(cohort: &Cohort, what: &str, mend: &str) -> Refusal {
    Refusal::new(
        format!("cohort `{}` ({what}) by ingress-nginx's canary annotations", cohort.name),
        format!("{mend}, or use `traffic: edge`, which can"),
    )
}

/// The annotations of a canary.
pub(super) fn written(weight: u32, picks: &Picks) -> Map<String, Value> {
    let mut annotations = Map::new();
    let mut say = |name: &str, value: String| annotations.insert(format!("{PREFIX}/{name}"), json!(value));
    say("canary", "true".to_owned());
    say("canary-weight", weight.to_string());
    say("canary-weight-total", ALL.to_string());
    if let Some(HeaderPick { name, pattern }) = &picks.header {
        say("canary-by-header", name.clone());
        match pattern {
            Pattern::Exact(value) => say("canary-by-header-value", value.clone()),
            Pattern::Regex(regex) | Pattern::Without(regex) => say("canary-by-header-pattern", regex.clone()),
        };
    }
    if let Some(name) = &picks.cookie {
        say("canary-by-cookie", name.clone());
    }
    annotations
}

/// What a live canary's annotations say: its share in hundredths of a percent, and its picks. Without `canary: "true"` it is none.
pub(super) fn read(ingress: &Value) -> Option<(u32, Picks)> {
    let annotations = ingress.pointer("/metadata/annotations")?;
    let said = |name: &str| annotations.get(format!("{PREFIX}/{name}")).and_then(Value::as_str);
    if said("canary") != Some("true") {
        return None;
    }
    let number = |name: &str| said(name).and_then(|text| text.parse::<u64>().ok());
    let total = number("canary-weight-total").unwrap_or(100).max(1);
    let weight = number("canary-weight").unwrap_or_default().min(total);
    let weight = u32::try_from(weight * u64::from(ALL) / total).unwrap_or(ALL);
    let header = said("canary-by-header").map(|name| HeaderPick {
        name: name.to_owned(),
        pattern: match (said("canary-by-header-value"), said("canary-by-header-pattern")) {
            (Some(value), _) => Pattern::Exact(value.to_owned()),
            (None, Some(regex)) => Pattern::Regex(regex.to_owned()),
            (None, None) => Pattern::Exact(ALWAYS.to_owned()),
        },
    });
    Some((weight, Picks { header, cookie: said("canary-by-cookie").map(str::to_owned) }))
}
