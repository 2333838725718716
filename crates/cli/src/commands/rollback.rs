//! `pilotage rollback`.

use pilotage_conductor::Started;
use pilotage_engine::Outcome;
use pilotage_server::RollbackBody;
use pilotage_spec::Version;

use super::{Session, deploy, typed, waves};
use crate::arguments::Rollback;
use crate::failure::{DONE, FAILED, Failure};
use crate::place::environment;

pub async fn run(asked: &Rollback, session: &Session) -> Result<u8, Failure> {
    if let Some(name) = &asked.waves {
        return waves::roll_back(asked, name, session).await;
    }
    let project = session.place.project()?;
    let (service, _) = project.service(&asked.service)?;
    let (environment, _) = environment(&project, asked.env.as_deref())?;
    let to = asked.to.as_deref().map(str::parse::<Version>).transpose()?;
    let body = RollbackBody {
        service: service.to_string(),
        environment: environment.to_string(),
        to: to.map(|version| version.to_string()),
        reason: asked.reason.clone(),
        command: typed(),
    };
    let client = session.client().await?;
    let started: Started = client.post("/v1/rollback", &body).await?;
    deploy::stay(session, client, &started, &asked.wait, code).await
}

/// To be taken back is what was asked for.
fn code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Succeeded | Outcome::RolledBack | Outcome::Concluded => DONE,
        Outcome::Failed | Outcome::Refused => FAILED,
    }
}
