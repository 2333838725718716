//! The table as text: edges of other makes have written what is read here, and read what is written.

use super::{Ejection, FULL_WEIGHT, Pool, Protocol, Retries, Route, RouteLimits, RoutingTable, Timeouts};

fn table(change: impl FnOnce(&mut Route)) -> RoutingTable {
    let endpoint =
        super::Endpoint { instance: "web-1".to_owned(), address: "unix:/run/web.sock".parse().unwrap() };
    let pool = Pool {
        version: "1.0.0".to_owned(),
        weight: FULL_WEIGHT,
        protocol: Protocol::Http1,
        endpoints: vec![endpoint],
    };
    let mut route = Route::new("production/web", "127.0.0.1:80".parse().unwrap());
    route.pools = vec![pool];
    change(&mut route);
    RoutingTable { epoch: 7, routes: vec![route], ..RoutingTable::empty() }
}

#[test]
fn settings_with_their_defaults_are_left_out_and_what_every_reader_needs_is_not() {
    let written = serde_json::to_string(&table(|_| {})).unwrap();
    let expected = concat!(
        r#"{"format":2,"epoch":7,"routes":[{"name":"production/web","listen":"127.0.0.1:80","#,
        r#""pools":[{"version":"1.0.0","weight":10000,"endpoints":[{"instance":"web-1","address":"unix:/run/web.sock"}]}],"#,
        r#""hold_ms":0}]}"#,
    );
    assert_eq!(written, expected);
    assert_eq!(serde_json::from_str::<RoutingTable>(&written).unwrap(), table(|_| {}));
}

/// As written before defaults were left out. The defaults must never change under this format.
#[test]
fn settings_that_are_written_out_mean_the_same() {
    let text = r#"{"format":2,"epoch":7,"routes":[{"name":"production/web","listen":"127.0.0.1:80","pools":[
        {"version":"1.0.0","weight":10000,"protocol":"http1","endpoints":[{"instance":"web-1","address":"unix:/run/web.sock"}]}],
        "hold_ms":0,
        "timeouts":{"connect_ms":1000,"first_byte_ms":60000,"idle_ms":300000,"total_ms":null},
        "limits":{"max_body_bytes":null,"max_in_flight":null,"queue":1024,"queue_ms":10000},
        "retries":{"attempts":2,"budget_percent":20,"budget_floor":10},
        "ejection":{"consecutive_failures":5,"pause_ms":1000,"floor_percent":50},
        "slow_start_ms":0,"tunnel_drain_ms":30000}]}"#;
    assert_eq!(serde_json::from_str::<RoutingTable>(text).unwrap(), table(|_| {}));
}

#[test]
fn settings_without_their_defaults_are_written() {
    let table = table(|route| {
        route.pools[0].protocol = Protocol::Http2;
        route.timeouts = Timeouts { idle_ms: 1, ..Timeouts::default() };
        route.limits = RouteLimits { queue: 1, ..RouteLimits::default() };
        route.retries = Retries { attempts: 1, ..Retries::default() };
        route.ejection = Ejection { pause_ms: 1, ..Ejection::default() };
        route.slow_start_ms = 1;
        route.tunnel_drain_ms = 1;
    });
    let written = serde_json::to_string(&table).unwrap();
    assert_eq!(serde_json::from_str::<RoutingTable>(&written).unwrap(), table, "{written}");
}
