//! What all parts of a command target share.

use std::sync::{PoisonError, RwLock};

use pilotage_spec::Workload;

use super::config::CommandConfig;
use super::contract::{Answer, Description, Verb};
use super::convert;
use super::environment::ProgramEnvironment;
use super::fault::CommandFault;
use super::observations::Observations;
use super::program::Program;
use super::routes::{Routes, in_force};
use crate::process::{file_error, now, private_folder};
use crate::{Observation, TargetError};

/// The parts of a command target.
#[derive(Debug)]
pub struct Shared {
    pub(super) config: CommandConfig,
    pub(super) program: Program,
    pub(super) environment: ProgramEnvironment,
    pub(super) routes: Routes,
    pub(super) observations: Observations,
    description: RwLock<Option<Description>>,
}

impl Shared {
    /// Without having run the program yet. Creates the folders that are not there.
    pub fn open(config: CommandConfig) -> Result<Self, TargetError> {
        let routes = config.state_folder.join("routes");
        private_folder(&routes).map_err(|error| file_error("create", &routes, &error))?;
        let known = config.secrets.known().clone();
        Ok(Self {
            program: Program::new(config.run.clone(), config.project_folder.clone(), config.timeout, known),
            environment: ProgramEnvironment::new(config.env.clone(), config.secrets.clone()),
            routes: Routes::new(routes),
            observations: Observations::new(config.interval),
            description: RwLock::default(),
            config,
        })
    }

    /// Asks the program anew what it can do: it may be another one by now.
    pub async fn describe(&self) -> Result<Description, TargetError> {
        let answer = self.ask(None, Verb::Describe).await?;
        let description = self.field(answer.description, "describe", "description")?;
        *self.description.write().unwrap_or_else(PoisonError::into_inner) = Some(description.clone());
        Ok(description)
    }

    /// What the program has said that it can do; it is asked if it has not been yet.
    pub async fn description(&self) -> Result<Description, TargetError> {
        let known = self.description.read().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(description) => Ok(description),
            None => self.describe().await,
        }
    }

    /// Asks the program what is there.
    pub async fn look(&self, workload: &Workload) -> Result<Observation, TargetError> {
        let at = now();
        let answer: Answer = self.ask(Some(workload), Verb::Observe).await?;
        let told = self.field(answer.observation, "observe", "observation")?;
        let record = self.routes.read(workload)?;
        let instances = told.instances.into_iter().map(|told| self.masked(told)).collect();
        Ok(Observation {
            at,
            instances,
            traffic: told.traffic.and_then(|now| in_force(record.as_ref(), now)),
        })
    }

    /// What is said of an instance may hold what it wrote.
    fn masked(&self, mut told: super::contract::Instance) -> crate::Instance {
        told.reason = told.reason.map(|reason| self.config.secrets.known().text(&reason).into_owned());
        convert::instance(told)
    }

    /// What an answer has to hold.
    pub fn field<T>(
        &self,
        value: Option<T>,
        verb: &'static str,
        field: &'static str,
    ) -> Result<T, TargetError> {
        let missing = || CommandFault::Missing { verb, field };
        value.ok_or_else(|| convert::target_error(self.config.program(), None, 0, missing()))
    }
}
