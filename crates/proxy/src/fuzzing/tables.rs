//! Routing tables as text, and what is said over the control socket.

use crate::control::{Request, Response};
use crate::routing::{CompiledTable, Registry, RouteId};
use crate::{Address, RoutingTable};

/// A table as it stands on disk. One that is accepted can be used by workers, and reads the same after it was written.
pub fn routing_table(text: &[u8]) {
    let Ok(table) = serde_json::from_slice::<RoutingTable>(text) else { return };
    accept(table);
}

/// A line on the control socket, as either end reads it.
pub fn control_message(line: &[u8]) {
    if let Ok(request) = serde_json::from_slice::<Request>(line) {
        let written = serde_json::to_vec(&request).expect("it was read from such a text");
        assert_eq!(serde_json::from_slice::<Request>(&written).expect("we wrote it"), request);
        if let Request::Apply { table } = request {
            accept(table);
        }
    }
    if let Ok(response) = serde_json::from_slice::<Response>(line) {
        let written = serde_json::to_vec(&response).expect("it was read from such a text");
        assert!(!written.contains(&b'\n'), "an answer is one line");
        serde_json::from_slice::<Response>(&written).expect("we wrote it");
    }
}

fn accept(table: RoutingTable) {
    let written = serde_json::to_vec(&table).expect("it was read from such a text");
    assert_eq!(serde_json::from_slice::<RoutingTable>(&written).expect("we wrote it"), table);
    if table.validate().is_err() {
        return;
    }
    let compiled = CompiledTable::new(table, None, &Registry::new(1, 0));
    for (index, route) in compiled.source.routes.iter().enumerate() {
        let exact = route.hosts.iter().filter(|host| !host.starts_with('*'));
        for host in exact {
            let found = compiled.find(route.listen, host.as_bytes(), route.path.as_bytes());
            assert_eq!(found.map(RouteId::index), Ok(index), "a route is found by its own host and path");
        }
        for endpoint in route.pools.iter().flat_map(|pool| &pool.endpoints) {
            let text = endpoint.address.to_string();
            assert_eq!(text.parse::<Address>().expect("we wrote it"), endpoint.address);
        }
    }
}
