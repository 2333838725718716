//! Both Ingresses in a cluster.

use std::time::Duration;

use async_trait::async_trait;
use pilotage_spec::{Capabilities, Version, Weights, Workload};
use pilotage_targets::{Routed, TargetError, Traffic};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::super::TrafficRoute;
use super::super::holder::{HAND_OVER, is_handed_over};
use super::super::kind::INGRESS;
use super::super::objects::{Changed, Objects, Write as How};
use super::super::refusal::Refusal;
use super::super::scene::{NOWHERE, annotated, is_ours, items, name_of, text};
use super::super::services::Services;
use super::turn::{Pair, Write};
use super::{Nginx, object, read, turn};
use crate::cluster::Cluster;

/// How long ingress-nginx takes to send requests by changed Ingresses: it gathers changes for a second, and loads them.
const SETTLING: Duration = Duration::from_secs(3);

/// What is there.
struct Found {
    objects: Objects,
    services: Services,
    main: Option<Value>,
    canary: Option<Value>,
}

impl Found {
    async fn of(
        cluster: &Cluster,
        workload: &Workload,
        known: Option<&Traffic>,
    ) -> Result<Self, TargetError> {
        let objects = Objects::need(cluster, &INGRESS).await?;
        let mut services = Services::of(cluster, workload).await?;
        let scene = &services.scene;
        let canary = objects.get(&object::canary_name(scene)).await?.filter(is_ours);
        let written = canary.as_ref().and_then(annotated);
        for traffic in known.into_iter().chain(&written) {
            services.know(traffic);
        }
        let main = main(&objects, &services).await?;
        Ok(Self { objects, services, main, canary })
    }

    fn pair(&self) -> Option<Pair> {
        read::pair(self.main.as_ref(), self.canary.as_ref(), &self.services.backends)
    }

    fn written(&self) -> Option<Traffic> {
        self.canary.as_ref().and_then(annotated)
    }

    /// Names who holds an Ingress of the team that was not handed over.
    async fn check_main(
        &self,
        nginx: &Nginx,
        traffic: &Traffic,
        version: &Version,
    ) -> Result<(), TargetError> {
        let Some(main) = self.main.as_ref().filter(|main| !is_ours(main)) else {
            let wanted = object::main(nginx, &self.services.scene, &traffic.route, version);
            let tried = self.objects.write(&wanted, How::Try).await;
            return match tried {
                Err(TargetError::Conflict { .. }) if self.main.is_some() => Ok(()),
                tried => tried.map(drop),
            };
        };
        if is_handed_over(main) {
            return Ok(());
        }
        let mut wanted =
            json!({ "metadata": { "name": name_of(main) }, "spec": renamed(main, &self.services, version) });
        wanted["metadata"]["namespace"] = json!(self.services.scene.namespace);
        self.objects.write(&wanted, How::Try).await?;
        Err(Refusal::new(
            format!("Ingress {}, which the team has made, as the route of the service", name_of(main)),
            format!("hand it over with the annotation `{HAND_OVER}: \"true\"`, or take its rules for the service out"),
        )
        .into())
    }

    async fn write(&self, nginx: &Nginx, traffic: &Traffic, write: &Write) -> Result<Value, TargetError> {
        let scene = &self.services.scene;
        match (write, &self.main) {
            (Write::Canary(canary), main) => {
                let mut wanted = object::canary(nginx, scene, traffic, canary);
                if let Some(team) = main.as_ref().filter(|main| !is_ours(main)) {
                    // The same requests as the team's Ingress, to our version.
                    wanted["spec"] = renamed(team, &self.services, &canary.version);
                }
                self.objects.write(&wanted, How::Again).await
            }
            (Write::Main(version), Some(main)) if !is_ours(main) => {
                let change = json!({ "spec": renamed(main, &self.services, version) });
                match self.objects.change(name_of(main), &change).await? {
                    Changed::Done(object) => Ok(object),
                    Changed::Stale | Changed::Missing => Err(TargetError::Failed {
                        doing: format!("change Ingress {}", name_of(main)),
                        reason: "it is not there any more; try again".to_owned(),
                    }),
                }
            }
            (Write::Main(version), _) => {
                let wanted = object::main(nginx, scene, &traffic.route, version);
                self.objects.write(&wanted, How::Again).await
            }
        }
    }
}

/// The Ingress that is ours, else the only one of others that sends requests to Services of the workload.
async fn main(objects: &Objects, services: &Services) -> Result<Option<Value>, TargetError> {
    let scene = &services.scene;
    if let Some(ours) = objects.get(&scene.service).await?.filter(is_ours) {
        scene.need_own(&ours)?;
        return Ok(Some(ours));
    }
    let mut others = objects.list(None).await?;
    others
        .retain(|ingress| !is_ours(ingress) && read::backends_of(ingress).any(|name| is_of(name, services)));
    if others.len() > 1 {
        let names: Vec<&str> = others.iter().map(name_of).collect();
        return Err(Refusal::new(
            format!("several Ingresses for the service ({})", names.join(", ")),
            "leave one of them, so that one write switches all requests",
        )
        .into());
    }
    Ok(others.pop())
}

fn is_of(name: &str, services: &Services) -> bool {
    name == services.scene.service || services.backends.contains_key(name)
}

/// The `spec` of a team's Ingress with our version in place of whatever it names of the workload.
fn renamed(ingress: &Value, services: &Services, version: &Version) -> Value {
    let mut spec = ingress.get("spec").cloned().unwrap_or_default();
    let rules = items(&spec, "/rules").len();
    for rule in 0..rules {
        let paths = items(&spec, &format!("/rules/{rule}/http/paths")).len();
        for path in 0..paths {
            let pointer = format!("/rules/{rule}/http/paths/{path}/backend/service");
            let Some(service) = spec.pointer_mut(&pointer) else { continue };
            if text(service, "/name").is_some_and(|name| is_of(name, services)) {
                service["name"] = json!(services.scene.backend(version));
                service["port"] = json!({ "number": services.scene.port });
            }
        }
    }
    spec
}

#[async_trait]
impl TrafficRoute for Nginx {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            weights: Weights::Exact,
            cohorts: true,
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
        object::refuse(traffic)?;
        let wanted = turn::pair(traffic)?;
        let found = Found::of(cluster, workload, Some(traffic)).await?;
        match wanted {
            Some(wanted) => found.check_main(self, traffic, &wanted.main).await,
            None => Ok(()),
        }
    }

    async fn apply(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        traffic: &Traffic,
    ) -> Result<Routed, TargetError> {
        object::refuse(traffic)?;
        let Some(wanted) = turn::pair(traffic)? else {
            self.remove(cluster, workload).await?;
            return Ok(Routed { listen: traffic.listen, epoch: 0 });
        };
        let found = Found::of(cluster, workload, Some(traffic)).await?;
        found.services.need(traffic)?;
        let traffic = Traffic { listen: found.services.listen(traffic.listen), ..traffic.clone() };
        // An Ingress of the team that still names the users' Service has no pair yet.
        let now = found.pair();
        found.check_main(self, &traffic, &wanted.main).await?;
        let mut epoch = 0;
        let writes = turn::writes(now.as_ref(), &wanted);
        for (index, write) in writes.iter().enumerate() {
            if index > 0 && now.is_some() {
                // The main Ingress must not move before the canary has everything.
                sleep(SETTLING).await;
            }
            let written = found.write(self, &traffic, write).await?;
            let generation = written.pointer("/metadata/generation").and_then(Value::as_u64);
            epoch = epoch.max(generation.unwrap_or_default());
        }
        Ok(Routed { listen: traffic.listen, epoch })
    }

    async fn read(&self, cluster: &Cluster, workload: &Workload) -> Result<Option<Traffic>, TargetError> {
        let found = Found::of(cluster, workload, None).await?;
        let Some(pair) = found.pair() else { return Ok(None) };
        let unwritten = || Traffic::new(found.services.listen(NOWHERE));
        Ok(Some(read::traffic(&pair, found.written().unwrap_or_else(unwritten))))
    }

    async fn remove(&self, cluster: &Cluster, workload: &Workload) -> Result<(), TargetError> {
        let found = Found::of(cluster, workload, None).await?;
        if let Some(canary) = &found.canary {
            found.objects.delete(canary).await?;
        }
        match &found.main {
            Some(main) if is_ours(main) => found.objects.delete(main).await,
            _ => Ok(()),
        }
    }

    /// ingress-nginx does not say how many requests are in flight; instances are stopped gracefully after this.
    async fn drain(
        &self,
        _cluster: &Cluster,
        _workload: &Workload,
        _version: &Version,
        limit: Duration,
    ) -> Result<(), TargetError> {
        sleep(limit.min(SETTLING)).await;
        Ok(())
    }
}
