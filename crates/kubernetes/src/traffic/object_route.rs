//! Routes that are switched by writing one object, whatever its kind.

use std::time::Duration;

use async_trait::async_trait;
use pilotage_spec::{Capabilities, Version, Workload};
use pilotage_targets::{Routed, TargetError, Traffic};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::holder::{self, Holder};
use super::objects::{Objects, Write};
use super::provider::{Provider, Verdict};
use super::scene::{NOWHERE, Scene, annotated, name_of};
use super::services::Services;
use super::{TrafficRoute, live};
use crate::cluster::Cluster;

/// How long a system that reads routes has to say that it has taken one up.
const PATIENCE: Duration = Duration::from_secs(10);
/// The time between two looks at a status.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long systems take to send new requests by a new route where they do not say it: they gather changes for some seconds.
const SETTLING: Duration = Duration::from_secs(5);
/// How long objects that a route will name are there before it, so that they are known when it is read.
const AHEAD: Duration = Duration::from_secs(1);

/// A route of one kind.
pub(crate) struct ObjectRoute<P> {
    provider: P,
}

impl<P: Provider> ObjectRoute<P> {
    /// A route of this kind.
    pub(crate) fn new(provider: P) -> Self {
        Self { provider }
    }

    /// Refuses where a parent is missing; says whether one of them shows that somebody reads the routes.
    async fn parents(&self, cluster: &Cluster, scene: &Scene) -> Result<bool, TargetError> {
        let mut read = false;
        for parent in self.provider.parents(scene) {
            let objects = Objects::need(cluster, parent.kind).await?;
            match objects.get_in(&parent.namespace, &parent.name).await {
                Ok(Some(object)) => read |= self.provider.is_read(&object),
                Ok(None) => {
                    return Err(TargetError::Unsupported {
                        what: format!(
                            "{} {}/{}, which is not there",
                            parent.kind.kind, parent.namespace, parent.name
                        ),
                        mend: "create it, or name another in the target's `traffic`".to_owned(),
                    });
                }
                // Who may not look at it may still hang a route on it.
                Err(TargetError::Forbidden { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    /// Puts what the route will name there before it.
    async fn put_beside(
        &self,
        cluster: &Cluster,
        scene: &Scene,
        traffic: &Traffic,
    ) -> Result<(), TargetError> {
        let mut new = false;
        for (kind, object) in self.provider.beside(scene, traffic) {
            let objects = Objects::need(cluster, kind).await?;
            new |= objects.get(name_of(&object)).await?.is_none();
            objects.write(&object, Write::Again).await?;
        }
        if new {
            sleep(AHEAD).await;
        }
        Ok(())
    }

    /// Takes away what no route names any more.
    async fn clear_beside(
        &self,
        cluster: &Cluster,
        scene: &Scene,
        traffic: &Traffic,
    ) -> Result<(), TargetError> {
        let wanted = self.provider.beside(scene, traffic);
        for kind in self.provider.kinds_beside() {
            let is_wanted = |object: &Value| {
                wanted.iter().any(|(other, one)| other == kind && name_of(one) == name_of(object))
            };
            let Some(objects) = Objects::find(cluster, kind).await? else { continue };
            for object in objects.list(Some(&scene.names.selector())).await? {
                if !is_wanted(&object) {
                    objects.delete(&object).await?;
                }
            }
        }
        Ok(())
    }

    /// Waits until the written route is in force, if somebody says so.
    async fn in_force(&self, objects: &Objects, route: Value, expected: bool) -> Result<(), TargetError> {
        let until = Instant::now() + PATIENCE;
        let mut route = route;
        loop {
            match self.provider.verdict(&route) {
                Verdict::InForce => return Ok(()),
                Verdict::Silent if !expected => {
                    let (kind, name) = (self.provider.kind().kind, name_of(&route));
                    tracing::warn!("nobody says whether {kind} {name} is in force; it is taken to be");
                    return Ok(());
                }
                Verdict::Refused(why) => return Err(self.failed(&route, why)),
                Verdict::Pending | Verdict::Silent if Instant::now() >= until => {
                    let why =
                        format!("it is not in force after {} s; look at who reads it", PATIENCE.as_secs());
                    return Err(self.failed(&route, why));
                }
                Verdict::Pending | Verdict::Silent => sleep(LOOK_EVERY).await,
            }
            let name = name_of(&route).to_owned();
            let gone = "somebody has deleted it".to_owned();
            route = objects.get(&name).await?.ok_or_else(|| self.failed(&route, gone))?;
        }
    }

    fn failed(&self, route: &Value, reason: String) -> TargetError {
        let doing = format!("switch traffic by {} {}", self.provider.kind().kind, name_of(route));
        TargetError::Failed { doing, reason }
    }

    async fn beside(&self, cluster: &Cluster, scene: &Scene) -> Result<Vec<Value>, TargetError> {
        let mut beside = Vec::new();
        for kind in self.provider.kinds_beside() {
            if let Some(objects) = Objects::find(cluster, kind).await? {
                beside.extend(objects.list(Some(&scene.names.selector())).await?);
            }
        }
        Ok(beside)
    }
}

#[async_trait]
impl<P: Provider> TrafficRoute for ObjectRoute<P> {
    fn capabilities(&self) -> Capabilities {
        self.provider.capabilities()
    }

    async fn check(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        traffic: &Traffic,
    ) -> Result<(), TargetError> {
        let objects = Objects::need(cluster, self.provider.kind()).await?;
        let mut services = Services::of(cluster, workload).await?;
        services.know(traffic);
        self.parents(cluster, &services.scene).await?;
        let holder = holder::find(&self.provider, &objects, &services).await?;
        holder::write(&self.provider, &objects, &services.scene, &holder, traffic, true).await.map(drop)
    }

    async fn apply(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        traffic: &Traffic,
    ) -> Result<Routed, TargetError> {
        let objects = Objects::need(cluster, self.provider.kind()).await?;
        let mut services = Services::of(cluster, workload).await?;
        services.need(traffic)?;
        services.know(traffic);
        if self.provider.is_reached_by_service() {
            services.make_users(cluster).await?;
        }
        let scene = &services.scene;
        let traffic = Traffic { listen: services.listen(traffic.listen), ..traffic.clone() };
        let holder = holder::find(&self.provider, &objects, &services).await?;
        let spoken = holder.object().is_some_and(|route| self.provider.verdict(route) != Verdict::Silent);
        let expected = spoken || self.parents(cluster, scene).await?;
        self.put_beside(cluster, scene, &traffic).await?;
        let route = holder::write(&self.provider, &objects, scene, &holder, &traffic, false).await?;
        let epoch = route.pointer("/metadata/generation").and_then(Value::as_u64).unwrap_or_default();
        self.in_force(&objects, route, expected).await?;
        self.clear_beside(cluster, scene, &traffic).await?;
        Ok(Routed { listen: traffic.listen, epoch })
    }

    async fn read(&self, cluster: &Cluster, workload: &Workload) -> Result<Option<Traffic>, TargetError> {
        let Some(objects) = Objects::find(cluster, self.provider.kind()).await? else { return Ok(None) };
        let mut services = Services::of(cluster, workload).await?;
        let holder = holder::find(&self.provider, &objects, &services).await?;
        let Some(route) = holder.object() else { return Ok(None) };
        let written = annotated(route);
        if matches!(holder, Holder::Team(_)) && written.is_none() {
            return Ok(None);
        }
        let written = written.unwrap_or_else(|| Traffic::new(services.listen(NOWHERE)));
        services.know(&written);
        let beside = self.beside(cluster, &services.scene).await?;
        let rules = self.provider.rules(route, &beside, &services.backends);
        Ok(Some(live::traffic(&rules, written)))
    }

    async fn remove(&self, cluster: &Cluster, workload: &Workload) -> Result<(), TargetError> {
        let services = Services::of(cluster, workload).await?;
        if let Some(objects) = Objects::find(cluster, self.provider.kind()).await? {
            let holder = holder::find(&self.provider, &objects, &services).await?;
            holder::end(&self.provider, &objects, &services.scene, &holder).await?;
        }
        let nothing = Traffic::new(NOWHERE);
        self.clear_beside(cluster, &services.scene, &nothing).await?;
        if self.provider.is_reached_by_service() {
            services.remove_users(cluster).await?;
        }
        Ok(())
    }

    /// Who reads routes does not say how many requests are in flight; instances are stopped gracefully after this.
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
