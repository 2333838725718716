//! One Service whose selector is switched. A switch to one version is one patch; several versions share as their ready pods stand to
//! each other. Connections that are open stay with the pods they have: a Service balances connections, not requests.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::{Endpoints, Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use pilotage_spec::{Capabilities, RouteSettings, Version, Weights, Workload};
use pilotage_targets::{Routed, TargetError, Traffic};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use super::TrafficRoute;
use crate::cluster::{Cluster, Patched};
use crate::names::{BEFORE, EPOCH, Names, TRAFFIC, VERSION};
use crate::observe::annotation;
use crate::shared::Shared;

/// Where users reach a Service that no port was wanted of.
const USUAL_PORT: u16 = 80;
/// A value that no version has: nobody is served.
const NOBODY: &str = "nobody";
/// How long the controllers may take to bring the list of endpoints in step.
const IN_STEP_WITHIN: Duration = Duration::from_secs(10);
/// How often it is looked whether they have.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long nodes take to follow the list of endpoints, of which nobody says when they have: kube-proxy writes its rules once a
/// second at most (`--iptables-min-sync-period`).
const NODES_FOLLOW: Duration = Duration::from_secs(2);
/// Whoever loses so often against others fights about the Service.
const ATTEMPTS: u32 = 10;

/// The way by one Service.
#[derive(Default)]
pub(super) struct ServiceSwitch {
    /// The Services of the whole environment.
    services: Shared<Vec<Service>>,
}

/// What is written on the Service.
struct Plan {
    traffic: Traffic,
    selector: BTreeMap<String, String>,
    target_port: Option<IntOrString>,
}

#[async_trait]
impl TrafficRoute for ServiceSwitch {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            weights: Weights::ByReplicas,
            cohorts: false,
            mirror: false,
            preview: false,
            counters: false,
            holds_requests: false,
        }
    }

    async fn check(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        traffic: &Traffic,
    ) -> Result<(), TargetError> {
        refuse_what_a_service_cannot_do(workload, traffic)?;
        let names = cluster.names(workload);
        match cluster.get(&cluster.api::<Service>(), names.service()).await? {
            Some(live) => owned(&names, &live),
            None => Ok(()),
        }
    }

    async fn apply(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        traffic: &Traffic,
    ) -> Result<Routed, TargetError> {
        refuse_what_a_service_cannot_do(workload, traffic)?;
        let names = cluster.names(workload);
        let api = cluster.api::<Service>();
        let services = cluster.list(&api, &names.selector()).await?;
        refuse_a_third(cluster, &names, &services, traffic).await?;
        let (selector, target_port) = selected(&services, &names, traffic);
        let plan = Plan { traffic: traffic.clone(), selector, target_port };
        for _ in 0..ATTEMPTS {
            let Some(live) = cluster.get(&api, names.service()).await? else {
                create(cluster, &names, &plan).await?;
                continue;
            };
            owned(&names, &live)?;
            let listen = listen(&live, traffic.listen);
            let epoch = epoch(&live);
            let traffic = Traffic { listen, ..plan.traffic.clone() };
            if is_in_force(&live, &traffic, &plan) {
                in_step(cluster, &names, &plan).await?;
                return Ok(Routed { listen, epoch });
            }
            let change = change(&live, &traffic, &plan, epoch + 1);
            if let Patched::Done(_) = cluster.patch(&api, names.service(), &change).await? {
                in_step(cluster, &names, &plan).await?;
                sleep(NODES_FOLLOW).await;
                return Ok(Routed { listen, epoch: epoch + 1 });
            }
        }
        Err(TargetError::Failed {
            doing: format!("switch services {}", names.service()),
            reason: "somebody else changes it all the time".to_owned(),
        })
    }

    async fn read(&self, cluster: &Cluster, workload: &Workload) -> Result<Option<Traffic>, TargetError> {
        let names = cluster.names(workload);
        let (api, all) = (cluster.api::<Service>(), cluster.owner().selector());
        let services = self.services.fresh(|| cluster.list(&api, &all)).await?;
        let Some(live) = named(&services, names.service()) else { return Ok(None) };
        let Some(mut traffic) = recorded(live) else { return Ok(None) };
        let found = selector_of(live);
        let (wanted, _) = selected(&services, &names, &traffic);
        if found != wanted {
            // Somebody has switched it by hand: whoever wants something else sees it, and puts it right.
            traffic.shares = switched_to(&services, &names, &found);
        }
        Ok(Some(traffic))
    }

    async fn remove(&self, cluster: &Cluster, workload: &Workload) -> Result<(), TargetError> {
        let names = cluster.names(workload);
        let api = cluster.api::<Service>();
        let Some(live) = cluster.get(&api, names.service()).await? else { return Ok(()) };
        if recorded(&live).is_none() {
            return Ok(());
        }
        match annotation(&live.metadata, BEFORE).and_then(|text| serde_json::from_str::<Value>(text).ok()) {
            // It was there before us, and goes back to what it was.
            Some(before) => {
                let was: BTreeMap<String, String> = serde_json::from_value(before).unwrap_or_default();
                let change = json!({
                    "metadata": {"annotations": {TRAFFIC: null, EPOCH: null, BEFORE: null}},
                    "spec": {"selector": replaced(&selector_of(&live), &was)}
                });
                cluster.patch(&api, names.service(), &change).await.map(drop)
            }
            None => cluster.delete(&api, names.service(), live.metadata.uid.as_deref()).await,
        }
    }

    async fn drain(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        version: &Version,
        limit: Duration,
    ) -> Result<(), TargetError> {
        let names = cluster.names(workload);
        let deadline = Instant::now() + limit.min(IN_STEP_WITHIN);
        let of_version = names.of_version(version);
        if cluster.get(&cluster.api::<Service>(), names.service()).await?.is_none() {
            return Ok(());
        }
        while Instant::now() < deadline {
            let serving = endpoints(cluster, names.service()).await?;
            if endpoints(cluster, &of_version).await?.is_disjoint(&serving) {
                sleep(NODES_FOLLOW.min(limit)).await;
                break;
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

fn refuse_what_a_service_cannot_do(workload: &Workload, traffic: &Traffic) -> Result<(), TargetError> {
    let asked = [
        (!traffic.cohorts.is_empty(), "sending clients to a version by header or cookie"),
        (traffic.mirror.is_some(), "copying requests"),
        (traffic.preview.is_some(), "a preview"),
        (traffic.route != RouteSettings::default(), "a route with settings of its own"),
    ];
    match asked.into_iter().find(|(asked, _)| *asked) {
        Some((_, what)) => Err(TargetError::Unsupported {
            what: format!("{what} for {workload} by a Service alone"),
            mend: "choose another way for the target's `traffic`, such as `edge`, `host` or `gateway`"
                .to_owned(),
        }),
        None => Ok(()),
    }
}

/// Versions share by being selected together, and so is every other version that runs.
async fn refuse_a_third(
    cluster: &Cluster,
    names: &Names,
    services: &[Service],
    traffic: &Traffic,
) -> Result<(), TargetError> {
    let shared = traffic.shares.iter().filter(|(_, share)| *share > 0);
    let of_shared: BTreeSet<String> = shared.map(|(version, _)| names.of_version(version)).collect();
    if of_shared.len() < 2 {
        return Ok(());
    }
    let unsupported = |what: String| TargetError::Unsupported {
        what,
        mend:
            "switch all of the traffic at once (`strategy: blue-green`), or choose another way for `traffic`"
                .to_owned(),
    };
    let ours = names.selector_labels();
    for service in services.iter().filter(|service| service.metadata.name.as_deref() != Some(names.service()))
    {
        let name = service.metadata.name.clone().unwrap_or_default();
        let selector = selector_of(service);
        let together = ours.iter().all(|(label, value)| selector.get(label) == Some(value));
        match (of_shared.contains(&name), together) {
            (true, false) => {
                return Err(unsupported(format!("a share for {name}, which was there before us,")));
            }
            (false, true) if !endpoints(cluster, &name).await?.is_empty() => {
                return Err(unsupported(format!("sharing traffic while {name} runs as well")));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The Service has to be ours, or be given to us.
fn owned(names: &Names, live: &Service) -> Result<(), TargetError> {
    if names.own(live.metadata.labels.as_ref()) {
        return Ok(());
    }
    let mut managers =
        live.metadata.managed_fields.iter().flatten().filter_map(|entry| entry.manager.clone());
    Err(TargetError::Conflict {
        object: format!("services {}", names.service()),
        manager: managers.next_back().unwrap_or_else(|| "somebody else".to_owned()),
        fields: ".spec.selector".to_owned(),
    })
}

/// What selects the pods of the versions with a share, and the port at which they listen.
fn selected(
    services: &[Service],
    names: &Names,
    traffic: &Traffic,
) -> (BTreeMap<String, String>, Option<IntOrString>) {
    let mut versions = traffic.shares.iter().filter(|(_, share)| *share > 0).map(|(version, _)| version);
    let Some(first) = versions.next() else {
        let mut nobody = names.selector_labels();
        nobody.insert(VERSION.to_owned(), NOBODY.to_owned());
        return (nobody, None);
    };
    let of_first = named(services, &names.of_version(first));
    let port = of_first.and_then(target_port);
    if versions.next().is_some() {
        return (names.selector_labels(), port);
    }
    let selector = of_first.map(selector_of).filter(|selector| !selector.is_empty());
    (selector.unwrap_or_else(|| names.version_selector_labels(first)), port)
}

/// The shares that a selector comes to which we have not written: all for the version that it selects, else nobody knows.
fn switched_to(
    services: &[Service],
    names: &Names,
    selector: &BTreeMap<String, String>,
) -> Vec<(Version, u32)> {
    let of_version = services.iter().find(|service| {
        let own = names.own(service.metadata.labels.as_ref());
        own && service.metadata.name.as_deref() != Some(names.service()) && selector_of(service) == *selector
    });
    let release = of_version.and_then(|service| crate::observe::release_of(&service.metadata));
    release.map(|release| (release.version, 10_000)).into_iter().collect()
}

fn named<'a>(services: &'a [Service], name: &str) -> Option<&'a Service> {
    services.iter().find(|service| service.metadata.name.as_deref() == Some(name))
}

fn target_port(service: &Service) -> Option<IntOrString> {
    service.spec.as_ref()?.ports.as_ref()?.first()?.target_port.clone()
}

pub(crate) fn selector_of(service: &Service) -> BTreeMap<String, String> {
    service.spec.as_ref().and_then(|spec| spec.selector.clone()).unwrap_or_default()
}

fn recorded(service: &Service) -> Option<Traffic> {
    serde_json::from_str(annotation(&service.metadata, TRAFFIC)?).ok()
}

fn epoch(service: &Service) -> u64 {
    annotation(&service.metadata, EPOCH).and_then(|epoch| epoch.parse().ok()).unwrap_or(0)
}

/// Makes the Service, serving nobody yet: what is served is the change after it.
async fn create(cluster: &Cluster, names: &Names, plan: &Plan) -> Result<(), TargetError> {
    let mut nobody = names.selector_labels();
    nobody.insert(VERSION.to_owned(), NOBODY.to_owned());
    let wanted = plan.traffic.listen;
    let port = if wanted.port() == 0 { USUAL_PORT } else { wanted.port() };
    let mut service = Service {
        metadata: ObjectMeta {
            name: Some(names.service().to_owned()),
            labels: Some(names.labels()),
            ..ObjectMeta::default()
        },
        spec: Some(ServiceSpec {
            selector: Some(nobody),
            // Users who know its address find it there again, should somebody have deleted it.
            cluster_ip: is_address(wanted.ip()).then(|| wanted.ip().to_string()),
            ports: Some(vec![ServicePort {
                name: Some("http".to_owned()),
                port: i32::from(port),
                target_port: plan.target_port.clone(),
                protocol: Some("TCP".to_owned()),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    };
    let api = cluster.api::<Service>();
    match cluster.create(&api, &service).await {
        Err(TargetError::Unsupported { .. }) if is_address(wanted.ip()) => {
            // Somebody else has the address by now.
            if let Some(spec) = &mut service.spec {
                spec.cluster_ip = None;
            }
            cluster.create(&api, &service).await.map(drop)
        }
        created => created.map(drop),
    }
}

/// Whether an address can be that of a Service: one of this machine alone cannot.
fn is_address(ip: IpAddr) -> bool {
    !ip.is_loopback() && !ip.is_unspecified()
}

/// Where users reach it: at its own address and port.
fn listen(live: &Service, wanted: SocketAddr) -> SocketAddr {
    let spec = live.spec.as_ref();
    let port = spec.and_then(|spec| spec.ports.as_ref()?.first()).map(|port| port.port);
    let port = port.and_then(|port| u16::try_from(port).ok()).unwrap_or(USUAL_PORT);
    let ip = spec.and_then(|spec| spec.cluster_ip.as_ref()?.parse().ok());
    SocketAddr::new(ip.unwrap_or(wanted.ip()), port)
}

fn is_in_force(live: &Service, traffic: &Traffic, plan: &Plan) -> bool {
    selector_of(live) == plan.selector
        && recorded(live).as_ref() == Some(traffic)
        && (plan.target_port.is_none() || target_port(live) == plan.target_port)
}

/// The one change that switches.
fn change(live: &Service, traffic: &Traffic, plan: &Plan, epoch: u64) -> Value {
    let before = selector_of(live);
    let record = serde_json::to_string(traffic).unwrap_or_default();
    let mut change = json!({
        "metadata": {
            "resourceVersion": live.metadata.resource_version,
            "annotations": {TRAFFIC: record, EPOCH: epoch.to_string()}
        },
        "spec": {"selector": replaced(&before, &plan.selector)}
    });
    let ports = live.spec.as_ref().and_then(|spec| spec.ports.clone()).unwrap_or_default();
    if plan.target_port.is_some() && target_port(live) != plan.target_port {
        let mut ports = ports;
        if let Some(first) = ports.first_mut() {
            first.target_port = plan.target_port.clone();
        }
        change["spec"]["ports"] = json!(ports);
    }
    change
}

/// A merge patch from one set of labels to another: what is not wanted any more is null.
fn replaced(from: &BTreeMap<String, String>, to: &BTreeMap<String, String>) -> Value {
    let gone = from.keys().filter(|name| !to.contains_key(*name)).map(|name| (name.clone(), Value::Null));
    let set = to.iter().map(|(name, value)| (name.clone(), json!(value)));
    Value::Object(gone.chain(set).collect::<Map<_, _>>())
}

/// Waits until the Service's endpoints are those of its versions.
async fn in_step(cluster: &Cluster, names: &Names, plan: &Plan) -> Result<(), TargetError> {
    let deadline = Instant::now() + IN_STEP_WITHIN;
    loop {
        let mut wanted = BTreeSet::new();
        for (version, _) in plan.traffic.shares.iter().filter(|(_, share)| *share > 0) {
            wanted.extend(endpoints(cluster, &names.of_version(version)).await?);
        }
        let serving = endpoints(cluster, names.service()).await?;
        if serving == wanted || Instant::now() > deadline {
            return Ok(());
        }
        sleep(LOOK_EVERY).await;
    }
}

/// The addresses of pods behind a Service that take traffic.
async fn endpoints(cluster: &Cluster, service: &str) -> Result<BTreeSet<String>, TargetError> {
    let found = cluster.get(&cluster.api::<Endpoints>(), service).await?;
    let subsets = found.into_iter().flat_map(|endpoints| endpoints.subsets.unwrap_or_default());
    Ok(subsets.flat_map(|subset| subset.addresses.unwrap_or_default()).map(|address| address.ip).collect())
}
