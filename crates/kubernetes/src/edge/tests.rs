//! The feeder beside a real edge, told by hand what the API server would say.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Endpoints};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use pilotage_proxy::{EdgeClient, EdgeConfig, Protocol, RoutingTable};
use pilotage_spec::{Preview, Version};
use pilotage_targets::Traffic;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::backends::{Backends, of_endpoints, of_slices};
use super::desired::{Desired, Entry, FORMAT, digest_of};
use super::feeder::Feeder;
use super::state::{Applied, State};
use super::watches::Watches;
use super::{leave, pages};
use crate::names::Owner;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn owner() -> Owner {
    Owner { project: "shop".parse().unwrap(), environment: "production".parse().unwrap() }
}

/// What the control plane would write for a service with these shares.
fn entry(port: u16, shares: &[(&str, u32)]) -> Entry {
    let shares = shares.iter().map(|(name, share)| (version(name), *share)).collect();
    let traffic = Traffic { shares, ..Traffic::new(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 80))) };
    Entry { format: FORMAT, port, preview_port: None, traffic }
}

fn config_map(resource_version: &str, data: &[(&str, String)]) -> ConfigMap {
    let mut config_map = ConfigMap::default();
    config_map.metadata.name = Some("pilotage-edge-production".into());
    config_map.metadata.resource_version = Some(resource_version.into());
    config_map.data = Some(data.iter().map(|(key, text)| ((*key).to_owned(), text.clone())).collect());
    config_map
}

fn text(entry: &Entry) -> String {
    serde_json::to_string(entry).unwrap()
}

fn endpoints(subsets: Value) -> Endpoints {
    serde_json::from_value(json!({ "metadata": { "name": "api-v1-0-0" }, "subsets": subsets })).unwrap()
}

/// The instances of `api` 1.0.0 and 1.1.0, as `Endpoints` tell them.
fn backends(first: &[&str], second: &[&str]) -> BTreeMap<String, Backends> {
    let of = |addresses: &[&str]| {
        let addresses: Vec<Value> = addresses
            .iter()
            .map(|ip| json!({ "ip": ip, "targetRef": { "name": format!("pod-{ip}") } }))
            .collect();
        Arc::new(endpoints(json!([{ "addresses": addresses, "ports": [{ "port": 8080 }] }])))
    };
    of_endpoints(&BTreeMap::from([
        ("api-v1-0-0".to_owned(), of(first)),
        ("api-v1-1-0".to_owned(), of(second)),
    ]))
}

fn addresses(backends: &Backends) -> Vec<String> {
    backends.endpoints.iter().map(|endpoint| format!("{} {}", endpoint.instance, endpoint.address)).collect()
}

#[test]
fn endpoints_that_are_ready_serve_at_the_port_called_http() {
    let object = endpoints(json!([
        {
            "addresses": [{ "ip": "10.0.0.2", "targetRef": { "name": "b" } }, { "ip": "10.0.0.1", "targetRef": { "name": "a" } }],
            "notReadyAddresses": [{ "ip": "10.0.0.3" }],
            "ports": [{ "name": "metrics", "port": 9000 }, { "name": "http", "port": 8080 }],
        },
        { "notReadyAddresses": [{ "ip": "10.0.0.4" }], "ports": [{ "port": 8080 }] },
    ]));
    let read = of_endpoints(&BTreeMap::from([("api-v1-0-0".to_owned(), Arc::new(object))]));
    assert_eq!(addresses(&read["api-v1-0-0"]), ["a 10.0.0.1:8080", "b 10.0.0.2:8080"]);
    assert_eq!(read["api-v1-0-0"].protocol, Protocol::Http1);
}

#[test]
fn slices_of_one_service_are_one_and_those_about_to_end_serve_no_more() {
    let slice = |name: &str, endpoints: Value| {
        let object = json!({
            "metadata": { "name": name, "labels": { "kubernetes.io/service-name": "api-v1-0-0" } },
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": [{ "name": "", "port": 8080, "appProtocol": "kubernetes.io/h2c" }],
        });
        (name.to_owned(), Arc::new(serde_json::from_value::<EndpointSlice>(object).unwrap()))
    };
    let slices = [
        slice(
            "one",
            json!([
                { "addresses": ["10.0.0.1"], "conditions": { "ready": true }, "targetRef": { "name": "a" } },
                { "addresses": ["10.0.0.2"], "conditions": { "ready": false, "serving": true, "terminating": true } },
            ]),
        ),
        slice(
            "two",
            json!([{ "addresses": ["10.0.0.3"], "targetRef": { "name": "c" } }, { "addresses": ["10.0.0.1"], "targetRef": { "name": "a" } }]),
        ),
    ];
    let read = of_slices(&slices.into());
    assert_eq!(addresses(&read["api-v1-0-0"]), ["a 10.0.0.1:8080", "c 10.0.0.3:8080"]);
    assert_eq!(read["api-v1-0-0"].protocol, Protocol::Http2);
}

#[test]
fn a_key_that_cannot_be_used_leaves_its_service_as_it_was() {
    let good = text(&entry(10_000, &[("1.0.0", 10_000)]));
    let first = Desired::read(&config_map("1", &[("api", good.clone()), ("web", good)]), &Desired::default());
    assert_eq!((first.entries.len(), first.faults.len()), (2, 0));
    let newer = text(&Entry { format: FORMAT + 1, ..entry(10_000, &[("1.1.0", 10_000)]) });
    let data = [("api", newer), ("web", "{".to_owned()), ("Not A Service", String::new())];
    let second = Desired::read(&config_map("2", &data), &first);
    assert_eq!(second.entries, first.entries);
    assert_eq!(second.faults.keys().collect::<Vec<_>>(), ["Not A Service", "api", "web"]);
    assert!(second.faults["api"].contains("same version"), "{}", second.faults["api"]);
}

#[test]
fn pods_listen_at_the_ports_that_were_chosen_for_them() {
    let mut entry = entry(10_000, &[("1.0.0", 10_000)]);
    entry.traffic.preview =
        Some(Preview { version: version("1.1.0"), listen: "127.0.0.1:9000".parse().unwrap() });
    let any = Ipv4Addr::UNSPECIFIED.into();
    assert_eq!(entry.in_pod(any).preview, None, "without a port of its own, there is none");
    entry.preview_port = Some(10_001);
    let traffic = entry.in_pod(any);
    assert_eq!(traffic.listen.to_string(), "0.0.0.0:10000");
    assert_eq!(traffic.preview.unwrap().listen.to_string(), "0.0.0.0:10001");
    assert_eq!(entry.traffic.listen.port(), 80);
}

/// An edge of its own in a thread of this process, and what feeds it.
struct Pod {
    folder: tempfile::TempDir,
    edge: EdgeClient,
    config_map: watch::Sender<super::follow::Objects<ConfigMap>>,
    backends: watch::Sender<Option<BTreeMap<String, Backends>>>,
    state: Arc<State>,
    fed: tokio::task::JoinHandle<()>,
}

impl Pod {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("edge.sock");
        let mut config = EdgeConfig::new(&socket, folder.path().join("edge"));
        config.workers = std::num::NonZeroUsize::MIN;
        std::thread::spawn(move || pilotage_proxy::run(config));
        let edge = tokio::time::timeout(PATIENCE, async {
            loop {
                match EdgeClient::connect(&socket).await {
                    Ok(edge) => return edge,
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        });
        let edge = edge.await.unwrap();
        Self::feed(folder, edge).await
    }

    async fn feed(folder: tempfile::TempDir, edge: EdgeClient) -> Self {
        let (config_map, maps) = watch::channel(None);
        let (backends, instances) = watch::channel(None);
        let state = Arc::new(State::default());
        let any = Ipv4Addr::LOCALHOST.into();
        let feeder = Feeder::take_over(edge.clone(), owner(), any, Arc::clone(&state)).await.unwrap();
        let fed = tokio::spawn(feeder.run(Watches::told(maps, instances, "pilotage-edge-production")));
        Self { folder, edge, config_map, backends, state, fed }
    }

    /// Another feeder for the same edge, which knows nothing of the one before.
    async fn feed_anew(self) -> Self {
        self.fed.abort();
        Self::feed(self.folder, self.edge).await
    }

    fn tell(&self, config_map: Option<ConfigMap>) {
        let named = config_map.map(|object| ("pilotage-edge-production".to_owned(), Arc::new(object)));
        self.config_map.send_replace(Some(named.into_iter().collect()));
    }

    fn tell_backends(&self, backends: BTreeMap<String, Backends>) {
        self.backends.send_replace(Some(backends));
    }

    /// Waits until what is in force is as wanted, and says the table.
    async fn until(&self, wanted: impl Fn(&Applied, &RoutingTable) -> bool) -> RoutingTable {
        let looked = tokio::time::timeout(PATIENCE, async {
            loop {
                let table = self.edge.table().await.unwrap();
                if wanted(&self.state.applied(), &table) {
                    return table;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        looked.await.expect("it never comes to be so")
    }

    async fn stop(self) {
        self.fed.abort();
        self.edge.shutdown(Duration::ZERO).await.unwrap();
    }
}

fn endpoints_of(table: &RoutingTable, version: &str) -> Vec<String> {
    let pools = table.routes.iter().flat_map(|route| &route.pools);
    let pool = pools.into_iter().find(|pool| pool.version == version).unwrap();
    pool.endpoints.iter().map(|endpoint| endpoint.address.to_string()).collect()
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_follows_what_is_wanted_and_who_can_serve_it() {
    let pod = Pod::start().await;
    let wanted = text(&entry(free_port(), &[("1.1.0", 2_500), ("1.0.0", 7_500)]));
    pod.tell(Some(config_map("7", &[("api", wanted.clone())])));
    pod.tell_backends(backends(&["10.0.0.1"], &["10.0.0.2"]));
    let table = pod.until(|applied, _| applied.resource_version == "7").await;
    assert_eq!(pod.state.applied().services["api"], digest_of(&wanted));
    assert_eq!(pod.state.applied().epoch, table.epoch);
    let weights: Vec<_> =
        table.routes[0].pools.iter().map(|pool| (pool.version.as_str(), pool.weight)).collect();
    assert_eq!(weights, [("1.1.0", 2_500), ("1.0.0", 7_500)]);
    assert_eq!(endpoints_of(&table, "1.0.0"), ["10.0.0.1:8080"]);

    pod.tell_backends(backends(&["10.0.0.1", "10.0.0.9"], &[]));
    let table = pod.until(|_, now| now.epoch > table.epoch).await;
    assert_eq!(endpoints_of(&table, "1.0.0"), ["10.0.0.1:8080", "10.0.0.9:8080"]);
    assert!(endpoints_of(&table, "1.1.0").is_empty());
    pod.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feeder_that_is_started_again_leaves_the_same_table() {
    let pod = Pod::start().await;
    let wanted = config_map("7", &[("api", text(&entry(free_port(), &[("1.0.0", 10_000)])))]);
    pod.tell(Some(wanted.clone()));
    pod.tell_backends(backends(&["10.0.0.1"], &[]));
    let before = pod.until(|applied, _| applied.resource_version == "7").await;

    let pod = pod.feed_anew().await;
    assert_eq!(pod.state.not_ready(), None, "the edge serves by its last table, whoever is away");
    pod.tell(Some(wanted));
    pod.tell_backends(backends(&["10.0.0.1"], &[]));
    let after = pod.until(|applied, _| applied.resource_version == "7").await;
    assert_eq!(after, before);
    pod.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_by_mistake_is_served_on() {
    let pod = Pod::start().await;
    let wanted = text(&entry(free_port(), &[("1.0.0", 10_000)]));
    pod.tell(Some(config_map("7", &[("api", wanted.clone())])));
    pod.tell_backends(backends(&["10.0.0.1"], &[]));
    let before = pod.until(|applied, _| applied.resource_version == "7").await;
    // The ConfigMap, and the Service of a version that runs.
    pod.tell(None);
    pod.tell_backends(BTreeMap::new());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(pod.edge.table().await.unwrap(), before);
    // Back again, with a service more.
    let more = text(&entry(free_port(), &[("1.0.0", 10_000)]));
    pod.tell(Some(config_map("9", &[("api", wanted), ("web", more)])));
    let table = pod.until(|applied, _| applied.resource_version == "9").await;
    assert_eq!(endpoints_of(&table, "1.0.0"), ["10.0.0.1:8080"]);
    assert_eq!(table.routes.len(), 2);
    pod.stop().await;
}

async fn status(address: SocketAddr, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: pod\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_is_ready_when_it_knows_what_to_serve_and_until_it_leaves() {
    let pod = Pod::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let pages = tokio::spawn(pages::serve(listener, pod.edge.clone(), Arc::clone(&pod.state)));
    assert!(status(address, "/ready").await.starts_with("HTTP/1.1 503"));
    assert!(status(address, "/live").await.starts_with("HTTP/1.1 200"));
    assert!(status(address, "/secrets").await.starts_with("HTTP/1.1 404"));

    // Nothing is to be served yet, and that is known.
    pod.tell(None);
    pod.tell_backends(BTreeMap::new());
    pod.until(|_, table| table.epoch > 0).await;
    tokio::time::timeout(PATIENCE, async {
        while !status(address, "/ready").await.starts_with("HTTP/1.1 200") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("ready");
    let applied = status(address, "/applied").await;
    assert!(applied.contains("application/json") && applied.contains("\"epoch\":1"), "{applied}");
    assert!(status(address, "/stats").await.contains("started_micros"));

    leave(address).await.unwrap();
    assert!(status(address, "/ready").await.starts_with("HTTP/1.1 503"));
    assert!(status(address, "/live").await.starts_with("HTTP/1.1 200"));
    pages.abort();
    pod.stop().await;
}
