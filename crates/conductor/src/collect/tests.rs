//! What stays at hand, by journals of several kinds.

use std::time::Duration;

use pilotage_engine::{DeploymentEvent, Plan, PlanRequest, Purpose};
use pilotage_journal::{Append, Expected, Holder, NewEvent};
use pilotage_spec::{
    Health, InstanceSpec, Policy, Release, ReleaseId, Resources, Strategy, StrategyKind, Workload,
};
use pilotage_views::{Served, WorkloadEvent};
use serde_json::json;
use tempfile::TempDir;

use super::*;

/// A journal in a folder of its own.
struct World {
    _folder: TempDir,
    journal: Journal,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("journal.db")).unwrap();
        Self { _folder: folder, journal }
    }

    /// One release after the other serves a workload.
    async fn served(&self, workload: &Workload, releases: &[(u8, Purpose)]) {
        for (number, purpose) in releases {
            let served = Served {
                release: release(*number),
                replicas: 1,
                listen: "127.0.0.1:1".parse().unwrap(),
                route: Default::default(),
                deployment: DeploymentId(1),
                purpose: *purpose,
                takes_downtime: false,
            };
            let event = WorkloadEvent::Serving(Box::new(served)).new_event().unwrap();
            self.record(views::workload_stream(workload).unwrap(), event).await;
        }
    }

    async fn record(&self, stream: pilotage_journal::StreamId, event: NewEvent) {
        self.journal.append(Append::new(stream, Expected::Any, "anna", vec![event])).await.unwrap();
    }

    /// A deployment that brings a release out where another one serves.
    async fn begins(&self, id: DeploymentId, workload: &Workload, candidate: u8, stable: u8) {
        let plan = Plan::new(PlanRequest {
            workload: workload.clone(),
            candidate: release(candidate),
            stable: Some(release(stable)),
            replicas: 1,
            stable_replicas: 1,
            listen: "127.0.0.1:1".parse().unwrap(),
            stable_listen: Some("127.0.0.1:1".parse().unwrap()),
            route: Default::default(),
            stable_route: None,
            edge: None,
            strategy_name: "quick".parse().unwrap(),
            strategy: Strategy::new(StrategyKind::BlueGreen, Duration::from_secs(1), Duration::from_secs(1)),
            policy: Policy::default(),
            prometheus: None,
            purpose: Purpose::Deploy,
        });
        let started = DeploymentEvent::Started {
            plan: Box::new(plan.unwrap()),
            command: "deploy".to_owned(),
            asked: Box::default(),
        };
        self.record(views::deployment_stream(id).unwrap(), views::new_event(&started).unwrap()).await;
    }

    async fn leased(&self, name: &str, id: DeploymentId) {
        let holder = Holder { who: "anna".to_owned(), what: id.to_string() };
        self.journal.acquire(name.parse().unwrap(), holder).await.unwrap();
    }

    /// The numbers of the releases that stay.
    fn needed(&self) -> Vec<u8> {
        needed(&self.journal).unwrap().iter().map(|digest| digest.as_bytes()[0]).collect()
    }
}

fn workload(environment: &str) -> Workload {
    Workload { environment: environment.parse().unwrap(), service: "api".parse().unwrap() }
}

fn release(number: u8) -> Release {
    let health = Health { live: None, ready: None, interval: Duration::ZERO, timeout: Duration::ZERO };
    let instance = InstanceSpec {
        run: Vec::new(),
        env: [].into(),
        health,
        resources: Resources::default(),
        stop_grace: Duration::ZERO,
        start_timeout: Duration::ZERO,
        reload: None,
        image: Some("registry.example.com/shop/api".parse().unwrap()),
        container_port: None,
        kubernetes: None,
        objects: None,
        smoke: Vec::new(),
        listen: Default::default(),
        protocol: Default::default(),
    };
    let version = format!("{number}.0.0").parse().unwrap();
    Release { id: ReleaseId { version, digest: Digest::from_bytes([number; 32]) }, instance }
}

#[tokio::test]
async fn what_serves_and_what_a_rollback_brings_back_stay() {
    use Purpose::{Deploy, Restore};
    let world = World::new();
    assert!(world.needed().is_empty());
    world.served(&workload("dev"), &[(1, Deploy), (2, Deploy), (3, Deploy)]).await;
    assert_eq!(world.needed(), [2, 3]);
    // Another environment may run on the same engine.
    world.served(&workload("production"), &[(1, Deploy)]).await;
    assert_eq!(world.needed(), [1, 2, 3]);
    // After a rollback, the next one goes to the version before.
    let world = World::new();
    world.served(&workload("dev"), &[(1, Deploy), (2, Deploy), (3, Deploy), (2, Restore)]).await;
    assert_eq!(world.needed(), [1, 2]);
}

#[tokio::test]
async fn what_a_deployment_is_about_stays_until_it_has_ended() {
    let world = World::new();
    let dev = workload("dev");
    world.served(&dev, &[(1, Purpose::Deploy)]).await;
    world.begins(DeploymentId(1), &dev, 2, 1).await;
    assert_eq!(world.needed(), [1], "without a lease it has ended");
    world.leased("dev/api", DeploymentId(1)).await;
    world.begins(DeploymentId(2), &dev, 3, 1).await;
    world.leased("waiting/dev/api", DeploymentId(2)).await;
    // One that has recorded nothing yet is in nobody's way.
    world.leased("production/api", DeploymentId(3)).await;
    assert_eq!(world.needed(), [1, 2, 3]);
}

#[tokio::test]
async fn a_journal_that_cannot_be_read_lets_nothing_go() {
    let world = World::new();
    let (dev, production) = (workload("dev"), workload("production"));
    world.served(&dev, &[(1, Purpose::Deploy)]).await;
    let event = NewEvent::new("workload.serving".parse().unwrap(), json!({ "fact": "of another time" }));
    world.record(views::workload_stream(&production).unwrap(), event).await;
    assert!(needed(&world.journal).is_err());
}
