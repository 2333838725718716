//! The Services that routes send requests to.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use pilotage_spec::{Version, Workload};
use pilotage_targets::{TargetError, Traffic};

use super::scene::{Backends, Scene};
use crate::cluster::Cluster;
use crate::observe::release_of;

/// The port of Services, unless those that are there say another.
pub(super) const PORT: u16 = 80;

/// Annotation: the Service is there for a route alone.
const MADE_FOR_ROUTE: &str = "pilotage.dev/made-for-route";

/// What is there of a workload's Services.
pub(super) struct Services {
    /// The scene with their port.
    pub(super) scene: Scene,
    /// The versions that they stand for.
    pub(super) backends: Backends,
    /// The address of the one that users know, if it has one.
    address: Option<IpAddr>,
    /// Where the pods listen, if a version's Service says it.
    target_port: Option<IntOrString>,
    present: BTreeSet<String>,
}

impl Services {
    /// Asks the cluster.
    pub(super) async fn of(cluster: &Cluster, workload: &Workload) -> Result<Self, TargetError> {
        let names = cluster.names(workload);
        let api = cluster.api::<Service>();
        let found = cluster.list(&api, &names.selector()).await?;
        let mut backends = Backends::new();
        let mut port = None;
        let mut target_port = None;
        let mut present = BTreeSet::new();
        for service in &found {
            let name = service.metadata.name.clone().unwrap_or_default();
            if let Some(version) = version(service) {
                port = port.or_else(|| first_port(service));
                target_port = target_port.or_else(|| first_target_port(service));
                backends.insert(name.clone(), version);
            }
            present.insert(name);
        }
        let users = cluster.get(&api, names.service()).await?;
        let address = users.as_ref().and_then(address);
        let scene = Scene::new(names, cluster.namespace(), port.unwrap_or(PORT));
        Ok(Self { scene, backends, address, target_port, present })
    }

    /// Makes the Service that users know, if there is none: clients in a mesh look its name up. Without a mesh it selects the pods of
    /// all versions.
    pub(super) async fn make_users(&mut self, cluster: &Cluster) -> Result<(), TargetError> {
        if self.address.is_some() {
            return Ok(());
        }
        let names = &self.scene.names;
        let port = ServicePort {
            name: Some("http".to_owned()),
            port: i32::from(self.scene.port),
            target_port: self.target_port.clone(),
            ..ServicePort::default()
        };
        let service = Service {
            metadata: ObjectMeta {
                name: Some(names.service().to_owned()),
                labels: Some(names.labels()),
                annotations: Some([(MADE_FOR_ROUTE.to_owned(), "true".to_owned())].into()),
                ..ObjectMeta::default()
            },
            spec: Some(ServiceSpec {
                selector: Some(names.selector_labels()),
                ports: Some(vec![port]),
                ..ServiceSpec::default()
            }),
            ..Service::default()
        };
        let created = cluster.create(&cluster.api::<Service>(), &service).await?;
        self.address = created.as_ref().and_then(address);
        Ok(())
    }

    /// Takes the Service away that was made for a route.
    pub(super) async fn remove_users(&self, cluster: &Cluster) -> Result<(), TargetError> {
        let api = cluster.api::<Service>();
        let Some(service) = cluster.get(&api, &self.scene.service).await? else { return Ok(()) };
        let annotations = service.metadata.annotations.as_ref();
        let made = annotations.is_some_and(|annotations| annotations.contains_key(MADE_FOR_ROUTE));
        if made && self.scene.names.own(service.metadata.labels.as_ref()) {
            cluster.delete(&api, &self.scene.service, service.metadata.uid.as_deref()).await?;
        }
        Ok(())
    }

    /// Versions of this traffic are known by the names of their Services, whether or not those are there.
    pub(super) fn know(&mut self, traffic: &Traffic) {
        for version in versions(traffic) {
            self.backends.insert(self.scene.backend(version), version.clone());
        }
    }

    /// Refuses traffic to a version whose Service is not there.
    pub(super) fn need(&self, traffic: &Traffic) -> Result<(), TargetError> {
        let missing = versions(traffic)
            .into_iter()
            .find(|version| !self.present.contains(&self.scene.backend(version)));
        missing.map_or(Ok(()), |version| {
            Err(TargetError::Failed {
                doing: format!("send requests to {version}"),
                reason: format!(
                    "its Service {} is not there; it is made with the version",
                    self.scene.backend(version)
                ),
            })
        })
    }

    /// Where users reach the workload, as far as the Service says it; else where it was wanted. Port 0 is the Services' port.
    pub(super) fn listen(&self, wanted: SocketAddr) -> SocketAddr {
        match self.address {
            Some(address) => SocketAddr::new(address, self.scene.port),
            None if wanted.port() == 0 => SocketAddr::new(wanted.ip(), self.scene.port),
            None => wanted,
        }
    }
}

/// The versions that get requests or copies.
fn versions(traffic: &Traffic) -> BTreeSet<&Version> {
    let shares = traffic.shares.iter().filter(|(_, share)| *share > 0).map(|(version, _)| version);
    shares.chain(traffic.by_cohort_or_copy()).collect()
}

fn version(service: &Service) -> Option<Version> {
    Some(release_of(&service.metadata)?.version)
}

fn first_port(service: &Service) -> Option<u16> {
    let port = service.spec.as_ref()?.ports.as_ref()?.first()?.port;
    u16::try_from(port).ok()
}

fn first_target_port(service: &Service) -> Option<IntOrString> {
    service.spec.as_ref()?.ports.as_ref()?.first()?.target_port.clone()
}

fn address(service: &Service) -> Option<IpAddr> {
    service.spec.as_ref()?.cluster_ip.as_ref()?.parse().ok()
}
