//! Traefik's rules as text (version 3's syntax), and back.

use pilotage_spec::RouteSettings;

use super::super::matcher::{Matcher, Pattern, Place};
use super::super::refusal::Refusal;
use super::super::rules::{Rule, SAFE_METHODS};

/// Which requests are the workload's own.
pub(super) fn own(route: &RouteSettings) -> String {
    let path = match route.path.as_str() {
        "/" => "PathPrefix(`/`)".to_owned(),
        // Traefik compares beginnings by characters, we by whole segments.
        path => format!("(Path(`{path}`) || PathPrefix(`{path}/`))"),
    };
    let mut hosts = Vec::new();
    for host in &route.hosts {
        let host = host.as_str();
        hosts.push(match host.strip_prefix("*.") {
            None => format!("Host(`{host}`)"),
            Some(domain) => format!("HostRegexp(`^[^.]+\\.{}$`)", domain.replace('.', "\\.")),
        });
    }
    match hosts.as_slice() {
        [] => path,
        [host] => format!("{host} && {path}"),
        several => format!("({}) && {path}", several.join(" || ")),
    }
}

/// A rule narrowed to what the traffic's rule asks for.
pub(super) fn narrowed(base: &str, rule: &Rule) -> Result<String, Refusal> {
    let mut parts = Vec::new();
    for matcher in &rule.when {
        parts.push(written(matcher, &rule.name)?);
    }
    if rule.safe_only {
        parts.push(safe_methods());
    }
    if parts.is_empty() {
        return Ok(base.to_owned());
    }
    // What is ours begins at the last mark, so that it can be told from what was there.
    Ok(format!("({base}){MARK}{}", parts.join(AND)))
}

fn safe_methods() -> String {
    let methods: Vec<String> = SAFE_METHODS.iter().map(|method| format!("Method(`{method}`)")).collect();
    format!("({})", methods.join(" || "))
}

/// Between what was there and what we have added. Ours is the only place with two blanks.
const MARK: &str = "  && ";
const AND: &str = " && ";

fn written(matcher: &Matcher, cohort: &str) -> Result<String, Refusal> {
    let (exact, regexp, name) = match &matcher.place {
        Place::Header(name) => ("Header", "HeaderRegexp", name),
        Place::Query(name) => ("Query", "QueryRegexp", name),
    };
    let (text, value) = match &matcher.pattern {
        Pattern::Exact(value) => (format!("{exact}(`{name}`, `{value}`)"), value),
        Pattern::Regex(regex) => (format!("{regexp}(`{name}`, `{regex}`)"), regex),
        Pattern::Without(regex) => (format!("!{regexp}(`{name}`, `{regex}`)"), regex),
    };
    if name.contains('`') || value.contains('`') {
        return Err(Refusal::new(
            format!("a backtick in a condition of cohort `{cohort}`, on Traefik"),
            "choose a value without one",
        ));
    }
    Ok(text)
}

/// What we have added to a rule: its conditions, and whether it is only for methods that change nothing. `None` if it is not
/// as we write it.
pub(super) fn read(rule: &str) -> Option<(Vec<Matcher>, bool)> {
    let Some((_, ours)) = rule.rsplit_once(MARK) else { return Some((Vec::new(), false)) };
    let safe = safe_methods();
    let safe_only = ours.ends_with(&safe);
    let mut rest = ours.strip_suffix(&safe).map_or(ours, |before| before.strip_suffix(AND).unwrap_or(before));
    let mut matchers = Vec::new();
    while !rest.is_empty() {
        let (matcher, after) = read_one(rest)?;
        matchers.push(matcher);
        rest = if after.is_empty() { after } else { after.strip_prefix(AND)? };
    }
    Some((matchers, safe_only))
}

fn read_one(text: &str) -> Option<(Matcher, &str)> {
    let (without, text) = text.strip_prefix('!').map_or((false, text), |text| (true, text));
    let (function, arguments) = text.split_once("(`")?;
    let (name, arguments) = arguments.split_once("`, `")?;
    let (value, rest) = arguments.split_once("`)")?;
    let place = match function {
        "Header" | "HeaderRegexp" => Place::Header(name.to_ascii_lowercase()),
        "Query" | "QueryRegexp" => Place::Query(name.to_owned()),
        _ => return None,
    };
    let pattern = match (function.ends_with("Regexp"), without) {
        (true, true) => Pattern::Without(value.to_owned()),
        (true, false) => Pattern::Regex(value.to_owned()),
        (false, false) => Pattern::Exact(value.to_owned()),
        (false, true) => return None,
    };
    Some((Matcher { place, pattern }, rest))
}
