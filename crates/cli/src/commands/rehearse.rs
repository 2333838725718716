//! `pilotage rehearse`.

use pilotage_conductor::Started;

use super::{Session, deploy, plan};
use crate::arguments::Rehearse;
use crate::failure::Failure;

pub async fn run(asked: &Rehearse, session: &Session) -> Result<u8, Failure> {
    let body = plan::request(&asked.plan, &session.place.project()?)?;
    let client = session.client().await?;
    let started: Started = client.post("/v1/rehearsals", &body).await?;
    deploy::stay(session, client, &started, &asked.wait, deploy::code).await
}
