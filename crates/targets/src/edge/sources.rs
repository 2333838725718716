//! Who tells the edge which instances take traffic.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use pilotage_proxy::{Endpoint, Protocol};
use pilotage_spec::{EnvironmentName, Version, Workload};
use tokio::sync::watch;

/// The instances of a version that take traffic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Serving {
    /// Where they answer.
    pub endpoints: Vec<Endpoint>,
    /// What they speak: the same for all instances of a version, since it is part of the release.
    pub protocol: Protocol,
}

/// Knows the instances of one or several environments.
pub trait EndpointSource: Send + Sync {
    /// The instances of a version that take traffic now. `None`: they are not known, because whoever runs them cannot be asked;
    /// the edge goes on with those that it has.
    fn serving(&self, workload: &Workload, version: &Version) -> Option<Serving>;

    /// Changes with every piece of news.
    fn subscribe(&self) -> watch::Receiver<u64>;
}

/// The sources by environment. An environment without one is not known yet, so that the edge goes on with the endpoints it has.
#[derive(Default)]
pub(super) struct Sources {
    by_environment: RwLock<BTreeMap<EnvironmentName, Arc<dyn EndpointSource>>>,
    /// For all other environments.
    fallback: RwLock<Option<Arc<dyn EndpointSource>>>,
}

impl Sources {
    /// Puts a source in the place of the one before; says whether it is another one.
    pub fn attach(&self, environment: &EnvironmentName, source: Arc<dyn EndpointSource>) -> bool {
        let mut sources = self.by_environment.write().unwrap_or_else(PoisonError::into_inner);
        let before = sources.insert(environment.clone(), Arc::clone(&source));
        before.is_none_or(|before| !Arc::ptr_eq(&before, &source))
    }

    /// The source of all environments that have none of their own.
    pub fn attach_fallback(&self, source: Arc<dyn EndpointSource>) {
        *self.fallback.write().unwrap_or_else(PoisonError::into_inner) = Some(source);
    }

    /// See [`EndpointSource::serving`].
    pub fn serving(&self, workload: &Workload, version: &Version) -> Option<Serving> {
        let own = {
            let sources = self.by_environment.read().unwrap_or_else(PoisonError::into_inner);
            sources.get(&workload.environment).cloned()
        };
        let source = own.or_else(|| self.fallback.read().unwrap_or_else(PoisonError::into_inner).clone())?;
        source.serving(workload, version)
    }
}
