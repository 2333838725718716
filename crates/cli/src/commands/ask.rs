//! `pilotage promote`, `abort`, `pause` and `resume`: what may be asked of a deployment that is under way.

use pilotage_engine::{DeploymentId, Request};
use pilotage_server::{Client, DeploymentDetail, RequestBody, StatusReport};

use super::Session;
use crate::arguments::{Asked, Promote};
use crate::failure::{DONE, Failure};

pub async fn promote(asked: &Promote, session: &Session) -> Result<u8, Failure> {
    let request = if asked.full { Request::PromoteFully } else { Request::Promote };
    send(request, asked.deployment.as_deref(), None, session).await
}

pub async fn run(request: Request, asked: &Asked, session: &Session) -> Result<u8, Failure> {
    send(request, asked.deployment.as_deref(), asked.reason.clone(), session).await
}

async fn send(
    request: Request,
    named: Option<&str>,
    reason: Option<String>,
    session: &Session,
) -> Result<u8, Failure> {
    let named: Option<DeploymentId> = named.map(str::parse).transpose()?;
    let client = session.client().await?;
    let id = match named {
        Some(id) => id,
        None => only_moving(&client).await?,
    };
    let (verb, done) = match request {
        Request::Promote => ("promote", "the watch or the hold ends, and the next step is taken"),
        Request::PromoteFully => ("promote", "every watch and hold but the soak is skipped"),
        Request::Abort => ("abort", "it is taken back"),
        Request::Pause => ("pause", "no further step is taken; `pilotage resume` goes on"),
        Request::Resume => ("resume", "it goes on"),
    };
    let body = RequestBody { reason, full: request == Request::PromoteFully };
    let detail: DeploymentDetail = client.post(&format!("/v1/deployments/{id}/{verb}"), &body).await?;
    let printer = &session.printer;
    if printer.json() {
        printer.object(&detail.status);
    } else {
        printer.line(format!("✓ {id}: {done}"));
        printer.hint(crate::follow::RESUME);
    }
    Ok(DONE)
}

async fn only_moving(client: &Client) -> Result<DeploymentId, Failure> {
    let report: StatusReport = client.get("/v1/status").await?;
    let moving: Vec<_> = report.workloads.iter().filter_map(|workload| workload.moving.as_ref()).collect();
    match moving.as_slice() {
        [only] => Ok(only.id),
        [] => {
            Err(Failure::failed("no deployment is under way")
                .hint("`pilotage history` lists those that were"))
        }
        several => {
            let ids: Vec<String> = several.iter().map(|moving| moving.id.to_string()).collect();
            Err(Failure::usage("several deployments are under way: which is meant?")
                .hint(format!("name one of: {}", ids.join(", "))))
        }
    }
}
