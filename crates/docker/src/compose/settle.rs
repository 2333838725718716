//! What only all services together show: needs that nobody meets, ports that two want, and who comes first.

use std::collections::{BTreeMap, BTreeSet};

use super::Remarks;
use super::service::Service;

/// Takes out what the services cannot have together.
pub(super) fn settle(services: &mut BTreeMap<String, Service>, remarks: &mut Remarks) {
    let names: BTreeSet<String> = services.keys().cloned().collect();
    let mut ports = BTreeSet::new();
    for service in services.values_mut() {
        let place = service.place("depends_on");
        for need in service.needs.extract_if(.., |need| !names.contains(need.as_str())) {
            remarks.add(&place, format!("left out: there is no service `{need}`"));
        }
        let twice = service.port.take_if(|port| !ports.insert(*port));
        if let Some(port) = twice {
            let words = format!("left out: port {port} is another service's already; a free one is chosen");
            remarks.add(&service.place("ports"), words);
        }
    }
}

/// The names of the services in the order in which they can be deployed.
pub(super) fn in_order(services: &BTreeMap<String, Service>) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    while order.len() < services.len() {
        let left: Vec<(&String, &Service)> =
            services.iter().filter(|(name, _)| !order.contains(name)).collect();
        let ready = left.iter().find(|(_, service)| service.needs.iter().all(|need| order.contains(need)));
        // Those of a circle come as they are; whoever reads the file is told of it.
        let Some((name, _)) = ready.or(left.first()) else { break };
        order.push((*name).clone());
    }
    order
}
