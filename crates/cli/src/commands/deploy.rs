//! `pilotage deploy`.

use std::io::BufRead;

use pilotage_conductor::Started;
use pilotage_engine::Outcome;
use pilotage_engine::gate::may_pass_later;
use pilotage_server::{Client, DeployBody};
use pilotage_spec::Project;

use super::gates::show_gates;
use super::{Session, address_move, plan, waves};
use crate::arguments::{Deploy, Wait};
use crate::failure::{DONE, FAILED, Failure, ROLLED_BACK, WAITS};
use crate::follow::{self, Ending};
use crate::place::environment;
use crate::printer::Printer;
use crate::terminal;

pub async fn run(asked: &Deploy, session: &Session) -> Result<u8, Failure> {
    if let Some(name) = &asked.waves {
        return waves::deploy(asked, name, session).await;
    }
    let project = session.place.project()?;
    let mut body = plan::request(&asked.plan, &project)?;
    let client = session.client().await?;
    let printer = &session.printer;
    if must_ask(&body, &project, printer) {
        let planned: Started = client.post("/v1/plan", &body).await?;
        printer.say(plan::headline(&planned.plan));
        address_move(&planned.plan).iter().for_each(|moves| printer.say(format!("  ! {moves}")));
        for (number, step) in planned.plan.steps.iter().enumerate() {
            printer.say(format!("  {:>2}  {step}", number + 1));
        }
        body.confirmation = Some(ask(&body.environment, printer).await?);
    }
    let started: Started = client.post("/v1/deployments", &body).await?;
    stay(session, client, &started, &asked.wait, code).await
}

/// Follows what was begun to its end, unless it is not to be waited for.
pub async fn stay(
    session: &Session,
    client: Client,
    started: &Started,
    wait: &Wait,
    code: fn(Outcome) -> u8,
) -> Result<u8, Failure> {
    let printer = &session.printer;
    if started.outcome.is_none() && may_pass_later(&started.gates) {
        return Ok(waits(started, printer));
    }
    if wait.detach {
        if printer.json() {
            printer.object(&serde_json::json!({ "deployment": started.id }));
        } else {
            printer.line(format!("{} began: {}", started.id, plan::headline(&started.plan)));
            printer.hint(follow::RESUME);
        }
        return Ok(started.outcome.map_or(DONE, code));
    }
    let ending = follow::to_the_end(session, client, started.id, wait.timeout).await?;
    Ok(match ending {
        Ending::Ended(outcome) => code(outcome),
        Ending::Detached => DONE,
        Ending::TimedOut => crate::failure::TIMED_OUT,
    })
}

/// It goes on by itself once its gates pass; nobody has to stay for that.
fn waits(started: &Started, printer: &Printer) -> u8 {
    let id = started.id;
    if printer.json() {
        printer.object(&serde_json::json!({ "deployment": id, "waiting": started.gates }));
    } else {
        printer.line(format!("‖ {id} waits: {}", plan::headline(&started.plan)));
        let open: Vec<_> = started.gates.iter().filter(|gate| !gate.outcome.lets_pass()).cloned().collect();
        show_gates(&open, printer);
        printer.hint(format!("it begins by itself once they pass; `pilotage abort {id}` gives it up"));
    }
    WAITS
}

/// The exit status of a deployment that has ended.
pub fn code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Succeeded | Outcome::Concluded => DONE,
        Outcome::RolledBack => ROLLED_BACK,
        Outcome::Failed | Outcome::Refused => FAILED,
    }
}

fn must_ask(body: &DeployBody, project: &Project, printer: &Printer) -> bool {
    let asks = environment(project, Some(&body.environment)).is_ok_and(|(_, found)| found.policy.confirm);
    asks && body.confirmation.is_none() && !printer.json() && terminal::can_ask()
}

/// Lets the person type the environment's name. What they typed is checked by the gate, and recorded with its word.
async fn ask(environment: &str, printer: &Printer) -> Result<String, Failure> {
    printer.ask(format!("type `{environment}` to deploy to it, or press Ctrl-C:"));
    let read = || {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line.trim().to_owned())
    };
    let typed = tokio::select! {
        line = tokio::task::spawn_blocking(read) => line.map_err(|error| Failure::failed(error.to_string()))??,
        _ = tokio::signal::ctrl_c() => String::new(),
    };
    if typed.is_empty() {
        Err(Failure::failed("nothing was confirmed, and nothing was done"))
    } else {
        Ok(typed)
    }
}
