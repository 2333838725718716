//! Blue-green: all new instances beside the old, then one switch. Also the first deployment of a service, which has
//! nothing to compare itself with.

use std::net::SocketAddr;

use pilotage_spec::Preview;

use super::request::PlanRequest;
use super::{Check, Step};
use crate::Split;

/// The steps that every careful strategy begins with: instances, readiness and, once, the smoke suite.
pub(super) fn bring_up(request: &PlanRequest, replicas: u32, first: bool) -> Vec<Step> {
    let version = request.candidate.id.version.clone();
    let mut steps = vec![
        Step::Ensure { version: version.clone(), replicas },
        Step::Check { version: version.clone(), check: Check::Ready { replicas } },
    ];
    if first && !request.candidate.instance.smoke.is_empty() {
        steps.push(Step::Check { version, check: Check::Smoke });
    }
    steps
}

/// The steps that every strategy ends with: the soak, then the old version goes.
pub(super) fn finish(request: &PlanRequest) -> Vec<Step> {
    let version = request.candidate.id.version.clone();
    let mut steps = Vec::new();
    if let Some(stable) = &request.stable {
        if !request.strategy.soak.is_zero() {
            steps.push(Step::Watch { version, duration: request.strategy.soak, soak: true });
        }
        steps.push(Step::Retire { version: stable.id.version.clone(), keep: 0 });
    }
    steps
}

/// A watch of the candidate of the strategy's usual length.
pub(super) fn watch(request: &PlanRequest) -> Step {
    Step::Watch {
        version: request.candidate.id.version.clone(),
        duration: request.strategy.watch,
        soak: false,
    }
}

pub(super) fn steps(request: &PlanRequest) -> Vec<Step> {
    let version = request.candidate.id.version.clone();
    let mut steps = before_switch(request);
    steps.push(Step::Route(Split::all(&version)));
    if request.stable.is_some() {
        steps.push(watch(request));
    }
    steps.extend(finish(request));
    steps
}

/// One switch, a watch, and back as planned.
pub(super) fn rehearsal(request: &PlanRequest) -> Vec<Step> {
    let mut steps = bring_up(request, request.replicas, true);
    steps.push(Step::Route(Split::all(&request.candidate.id.version)));
    steps.push(watch(request));
    steps.push(Step::Conclude);
    steps
}

/// Up to the switch: what serves already goes on serving, and the new version is looked at where users do not see it.
fn before_switch(request: &PlanRequest) -> Vec<Step> {
    let mut steps = bring_up(request, request.replicas, request.stable.is_none());
    let Some(stable) = &request.stable else { return steps };
    let version = request.candidate.id.version.clone();
    if let Some(port) = request.strategy.preview {
        let listen = SocketAddr::new(request.listen.ip(), port);
        let preview = Some(Preview { version: version.clone(), listen });
        steps.push(Step::Route(Split { preview, ..Split::all(&stable.id.version) }));
    }
    if !request.candidate.instance.smoke.is_empty() {
        steps.push(Step::Check { version, check: Check::Smoke });
    }
    if request.strategy.hold {
        steps.push(Step::Hold);
    }
    steps
}
