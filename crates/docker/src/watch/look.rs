//! Asks the engine, and takes in what it says.

use std::sync::Arc;

use bollard::query_parameters::{InspectContainerOptions, ListContainersOptionsBuilder};
use futures_util::{StreamExt, TryStreamExt, stream};
use pilotage_spec::Workload;
use pilotage_targets::TargetError;

use super::held::Held;
use super::supervise::supervise;
use crate::clock::now;
use crate::engine::Fault;
use crate::instance::Container;
use crate::shared::Shared;

/// So many containers are asked about at once.
const AT_ONCE: usize = 8;

impl Shared {
    /// All containers of the environment, or of one workload, each as the engine describes it now; oldest first.
    pub async fn look(self: &Arc<Self>, workload: Option<&Workload>) -> Result<Vec<Arc<Held>>, TargetError> {
        self.engine.facts().await?;
        // What is added from here on may be missing in the list.
        let known = match workload {
            Some(workload) => self.registry.of(workload),
            None => self.registry.all(),
        };
        let options =
            ListContainersOptionsBuilder::default().all(true).filters(&self.scope.filter(workload)).build();
        let listed = self.engine.docker().list_containers(Some(options)).await;
        let listed = listed.map_err(|error| self.engine.failed("list containers", &error))?;
        let ids: Vec<String> = listed.into_iter().filter_map(|container| container.id).collect();
        for held in known.iter().filter(|held| !ids.contains(&held.id)) {
            self.registry.forget(&held.id);
        }
        let asked = stream::iter(ids).map(|id| async move { self.refresh(&id).await });
        let found: Vec<Option<Arc<Held>>> = asked.buffer_unordered(AT_ONCE).try_collect().await?;
        let mut found: Vec<Arc<Held>> = found.into_iter().flatten().collect();
        found.sort_by_key(|held| held.container().marks.number);
        Ok(found)
    }

    /// One container as the engine describes it now; `None` if it is gone, or not ours.
    pub async fn refresh(self: &Arc<Self>, id: &str) -> Result<Option<Arc<Held>>, TargetError> {
        let reach = self.engine.facts().await?.reach;
        let known = self.registry.get(id);
        let _turn = match &known {
            Some(held) => Some(held.asking.lock().await),
            None => None,
        };
        let said = match self.engine.docker().inspect_container(id, None::<InspectContainerOptions>).await {
            Ok(said) => said,
            Err(error) => {
                return match self.engine.fault(&error) {
                    Fault::NotFound { .. } => {
                        self.registry.forget(id);
                        Ok(None)
                    }
                    fault => Err(self.engine.refused("look at a container", fault)),
                };
            }
        };
        let container = Container::read(&self.scope, &self.network, reach, said);
        Ok(container.map(|container| self.take_in(container)))
    }

    fn take_in(self: &Arc<Self>, container: Container) -> Arc<Held> {
        if let Some(held) = self.registry.get(&container.id) {
            if held.update(container) {
                self.registry.announce();
            }
            return held;
        }
        let was_there = !self.registry.is_complete();
        let (held, is_new) = self.registry.add(Held::new(container, was_there, now()));
        if is_new {
            self.tasks.spawn(supervise(Arc::clone(self), Arc::clone(&held)));
        }
        held
    }
}
