//! `pilotage approve`, `reject` and `withdraw`; and `approvals`, the list of what waits.

use pilotage_engine::gate::GateResult;
use pilotage_engine::{DeploymentId, Opinion};
use pilotage_server::{Client, DeploymentDetail, OpinionBody};

use super::Session;
use super::gates::show_gates;
use crate::arguments;
use crate::failure::{DONE, Failure};

pub async fn say(opinion: Opinion, asked: &arguments::Opinion, session: &Session) -> Result<u8, Failure> {
    let named: Option<DeploymentId> = asked.deployment.as_deref().map(str::parse).transpose()?;
    let client = session.client().await?;
    let looked_at = match named {
        Some(id) => client.get(&format!("/v1/deployments/{id}")).await?,
        None => only_waiting(&client).await?,
    };
    let printer = &session.printer;
    let id = looked_at.status.id;
    printer.say(headline(&looked_at));
    // What is said is bound to the very plan that was looked at.
    let body = OpinionBody { opinion, plan_hash: looked_at.plan_hash, reason: asked.reason.clone() };
    let detail: DeploymentDetail = client.post(&format!("/v1/deployments/{id}/opinion"), &body).await?;
    if printer.json() {
        printer.object(&detail.statements);
        return Ok(DONE);
    }
    let done = match opinion {
        Opinion::Approve => "you have approved its plan",
        Opinion::Reject => "you have rejected its plan, and it is not carried out",
        Opinion::Withdraw => "what you had said of its plan does not count any more",
    };
    printer.line(format!("✓ {id}: {done} ({})", body.plan_hash.short()));
    printer.hint(format!("`pilotage gates {id}` shows what is still missing"));
    Ok(DONE)
}

/// Shows everything that waits, and for what.
pub async fn waiting(session: &Session) -> Result<u8, Failure> {
    let waiting: Vec<DeploymentDetail> = session.client().await?.get("/v1/waiting").await?;
    let printer = &session.printer;
    if printer.json() {
        waiting.iter().for_each(|detail| printer.object(detail));
        return Ok(DONE);
    }
    if waiting.is_empty() {
        printer.line("nothing waits");
    }
    for detail in &waiting {
        printer.line(headline(detail));
        let open: Vec<GateResult> =
            detail.gates.iter().filter(|gate| !gate.outcome.lets_pass()).cloned().collect();
        show_gates(&open, printer);
    }
    Ok(DONE)
}

fn headline(detail: &DeploymentDetail) -> String {
    let DeploymentDetail { summary, status, plan_hash, .. } = detail;
    let from = status.from.as_ref().map(|from| format!("{from} → ")).unwrap_or_default();
    format!(
        "{}: {}/{} {from}{} by {}, asked for by {} at {} (plan {})",
        status.id,
        summary.environment,
        summary.service,
        status.to,
        status.strategy,
        status.started_by,
        pilotage_views::rfc3339(status.started_at),
        plan_hash.short()
    )
}

async fn only_waiting(client: &Client) -> Result<DeploymentDetail, Failure> {
    let mut waiting: Vec<DeploymentDetail> = client.get("/v1/waiting").await?;
    match waiting.len() {
        0 => Err(Failure::failed("nothing waits").hint("`pilotage status` shows what is under way")),
        1 => waiting.pop().ok_or_else(|| Failure::failed("nothing waits")),
        _ => {
            let ids: Vec<String> = waiting.iter().map(|detail| detail.status.id.to_string()).collect();
            Err(Failure::usage("several deployments wait: which is meant?")
                .hint(format!("name one of: {}", ids.join(", "))))
        }
    }
}
