//! Services: their order, and their final form.

use std::collections::BTreeMap;

use crate::read::fault::Faults;
use crate::read::file::{EnvDraft, ServiceDraft};
use crate::read::node::{Span, Spanned};
use crate::read::shape::Named;
use crate::{ListenOn, Service, ServiceName, Value, VariableName};

use super::report_unknown;

/// Every service that is needed must exist, and none may need itself, not even by way of others.
pub(super) fn check_needs(services: &Named<ServiceName, ServiceDraft>, faults: &mut Faults) {
    let known = || services.iter().map(|(name, _)| name.value.as_str());
    for need in services.iter().filter_map(|(_, service)| service.as_ref()).flat_map(|service| &service.needs)
    {
        if !known().any(|name| name == need.value.as_str()) {
            report_unknown("service", need.value.as_str(), &need.span, known(), faults);
        }
    }
    report_cycles(services, faults);
}

/// A socket that is handed over listening takes connections before the service does, so only an answer tells whether it is
/// ready.
pub(super) fn check_listening(services: &Named<ServiceName, ServiceDraft>, faults: &mut Faults) {
    for service in services.iter().filter_map(|(_, service)| service.as_ref()) {
        let passed = service.listen.as_ref().filter(|listen| listen.value == ListenOn::Passed);
        let answers = service.health.as_ref().is_none_or(|health| health.ready.is_some());
        if let Some(passed) = passed.filter(|_| !answers) {
            faults
                .error(
                    &passed.span,
                    "a service that is handed its socket needs a path that tells whether it is ready",
                )
                .label("it accepts connections before the service runs")
                .help("add `health: /health`, or a path under `ready`");
        }
    }
}

/// A need, by the positions of the two services in the file.
struct Need<'a> {
    to: usize,
    span: &'a Span,
}

fn report_cycles(services: &Named<ServiceName, ServiceDraft>, faults: &mut Faults) {
    let position: BTreeMap<&ServiceName, usize> =
        services.iter().enumerate().map(|(index, (name, _))| (&name.value, index)).collect();
    let needs: Vec<Vec<Need<'_>>> = services
        .iter()
        .map(|(_, service)| {
            let needs = service.iter().flat_map(|service| &service.needs);
            needs
                .filter_map(|need| Some(Need { to: *position.get(&need.value)?, span: &need.span }))
                .collect()
        })
        .collect();
    let mut done = vec![false; services.len()];
    for start in 0..services.len() {
        for (cycle, span) in find_cycles(start, &needs, &mut done) {
            let names: Vec<&str> = cycle.iter().map(|index| services[*index].0.value.as_str()).collect();
            faults
                .error(&span, format!("services need each other in a circle: {}", names.join(" → ")))
                .label("this closes the circle")
                .help("remove one of these `needs`: the first deployment could never start");
        }
    }
}

/// Walks along the needs from one service, depth first, and gives each circle it closes with the need that closes it.
fn find_cycles(start: usize, needs: &[Vec<Need<'_>>], done: &mut [bool]) -> Vec<(Vec<usize>, Span)> {
    let mut path: Vec<(usize, usize)> = vec![(start, 0)];
    let mut on_path = vec![false; needs.len()];
    let mut found = Vec::new();
    if done[start] {
        return found;
    }
    on_path[start] = true;
    while let Some((service, next)) = path.last_mut() {
        let Some(need) = needs[*service].get(*next) else {
            done[*service] = true;
            on_path[*service] = false;
            path.pop();
            continue;
        };
        *next += 1;
        if on_path[need.to] {
            let walked = path.iter().map(|(service, _)| *service).skip_while(|service| *service != need.to);
            found.push((walked.chain([need.to]).collect(), need.span.clone()));
        } else if !done[need.to] {
            on_path[need.to] = true;
            path.push((need.to, 0));
        }
    }
    found
}

/// The services in their final form, or `None` if one of them has a fault.
pub(super) fn resolve(drafts: Named<ServiceName, ServiceDraft>) -> Option<BTreeMap<ServiceName, Service>> {
    drafts.into_iter().map(|(name, draft)| Some((name.value, service(draft?)?))).collect()
}

fn service(draft: ServiceDraft) -> Option<Service> {
    let mut needs: Vec<ServiceName> = Vec::new();
    for need in draft.needs {
        if !needs.contains(&need.value) {
            needs.push(need.value);
        }
    }
    Some(Service {
        // Without an image, that both are missing has been noted.
        run: match draft.image {
            Some(_) => draft.run.map(texts).unwrap_or_default(),
            None => texts(draft.run?),
        },
        artifact: match draft.image {
            Some(_) => draft.artifact,
            None => Some(draft.artifact?),
        },
        image: draft.image,
        container_port: draft.container_port?.value.try_into().ok()?,
        kubernetes: draft.kubernetes,
        port: draft.port.and_then(|port| port.value.try_into().ok()),
        listen: draft.listen?.value,
        protocol: draft.protocol?,
        health: draft.health?,
        smoke: draft.smoke.into_iter().map(texts).collect(),
        replicas: draft.replicas?.try_into().ok()?,
        resources: draft.resources,
        env: env(draft.env),
        needs,
        stop_grace: draft.stop_grace?,
        start_timeout: draft.start_timeout?,
        reload: draft.reload,
    })
}

fn texts(spanned: Vec<Spanned<String>>) -> Vec<String> {
    spanned.into_iter().map(|text| text.value).collect()
}

/// Environment variables in their final form; those with a fault are left out.
pub(super) fn env(draft: EnvDraft) -> BTreeMap<VariableName, Value> {
    draft.into_iter().filter_map(|(name, value)| Some((name.value, value?.value))).collect()
}
