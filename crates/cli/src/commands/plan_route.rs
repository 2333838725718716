//! How a plan says where users reach the workload, and what is done for their requests.

use pilotage_engine::Plan;
use pilotage_spec::{EdgeSettings, RouteSettings};

/// That users have to go to another address after it, if they have to.
pub fn address_move(plan: &Plan) -> Option<String> {
    let (from, to) = (plan.request.stable_listen?, plan.request.listen);
    let moves = plan.stable().is_some() && from != to;
    moves.then(|| {
        let scheme = plan.request.edge.as_ref().map_or("http", EdgeSettings::scheme);
        let to = plan.request.route.url(scheme, to);
        format!("the address moves at the complete switch, from {from} to {to}")
    })
}

/// Every setting of the route, a group a line; and what the complete switch changes of it.
pub fn lines(plan: &Plan) -> Vec<String> {
    let request = &plan.request;
    let scheme = request.edge.as_ref().map_or("http", EdgeSettings::scheme);
    // A port of 0 is chosen by the target.
    let place = match request.listen.port() {
        0 => format!("a free port of {}, path {}", request.listen.ip(), request.route.path),
        _ => request.route.url(scheme, request.listen),
    };
    let mut lines = vec![format!("  route {place}")];
    let edge = request.edge.as_ref().map(EdgeSettings::in_words).unwrap_or_default();
    let settings = request.route.in_words();
    for (group, settings) in groups(edge.iter().chain(&settings)) {
        lines.push(format!("      {group:<10} {}", settings.join(", ")));
    }
    lines.extend(changes(request.stable_route.as_ref(), &request.route));
    lines
}

/// `timeouts`: `connect 1s`, `idle 5m`; and what belongs to no group, under its own name.
fn groups<'a>(
    settings: impl Iterator<Item = &'a (&'static str, String)>,
) -> Vec<(&'static str, Vec<String>)> {
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for (key, value) in settings {
        let (group, text) = match key.split_once('.') {
            Some((group, name)) => (group, format!("{name} {value}")),
            None => (*key, value.clone()),
        };
        match groups.last_mut() {
            Some((last, texts)) if *last == group => texts.push(text),
            _ => groups.push((group, vec![text])),
        }
    }
    groups
}

fn changes(before: Option<&RouteSettings>, after: &RouteSettings) -> Vec<String> {
    let Some(before) = before else { return Vec::new() };
    let pairs = before.in_words().into_iter().zip(after.in_words());
    let different = pairs.filter(|(before, after)| before != after);
    different
        .map(|((key, before), (_, after))| {
            format!("  ! {key} changes at the complete switch, from {before} to {after}")
        })
        .collect()
}
