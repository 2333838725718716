//! What all parts of the Swarm target work with.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use pilotage_targets::{TargetError, Tasks};

use super::board::Board;
use crate::config::{DockerConfig, Hardening};
use crate::engine::{Engine, Facts};
use crate::image::{Images, Login};
use crate::names::Scope;
use crate::watch::AbortOnDrop;

pub(super) struct Shared {
    pub config: DockerConfig,
    pub scope: Scope,
    pub hardening: Hardening,
    pub engine: Engine,
    pub images: Images,
    pub login: Login,
    pub board: Arc<Board>,
    pub tasks: Tasks,
    /// The probes, by task.
    pub probes: Mutex<BTreeMap<String, AbortOnDrop>>,
    /// The swarm is asked by one at a time, so that a later answer is a newer one.
    pub asking: tokio::sync::Mutex<()>,
}

impl Shared {
    pub fn new(config: DockerConfig) -> Result<Self, TargetError> {
        let engine = config.engine()?;
        Ok(Self {
            scope: config.scope(),
            hardening: config.hardening(),
            images: Images::new(engine.clone(), config.login()),
            login: config.login(),
            board: Arc::new(Board::new()),
            tasks: Tasks::default(),
            probes: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            engine,
            config,
        })
    }

    /// What the engine is; refuses one that cannot be asked about a swarm.
    pub async fn manager(&self) -> Result<&Facts, TargetError> {
        let facts = self.engine.facts().await?;
        if facts.is_manager {
            return Ok(facts);
        }
        Err(TargetError::Unsupported {
            what: format!("Swarm on {}", self.engine.name()),
            mend: "name one of the swarm's managers in `host`, or make it one by `docker swarm init`, and start \
                   Pilotage again"
                .to_owned(),
        })
    }
}
