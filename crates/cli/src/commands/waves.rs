//! `pilotage deploy --waves` and `pilotage rollback --waves`: one release in several environments.
//!
//! Each environment has a deployment of its own, with its own gates. Those of a later wave wait by the gate `wave`, so that
//! nothing here has to be remembered, and nobody has to stay.

use futures_util::future::join_all;
use pilotage_conductor::Started;
use pilotage_engine::gate::may_pass_later;
use pilotage_server::{Client, ClientError, RollbackBody};
use pilotage_spec::{EnvironmentName, Project, Version};
use serde_json::json;

use super::{Session, deploy, plan, typed};
use crate::arguments::{Deploy, Rollback};
use crate::failure::{DONE, FAILED, Failure, WAITS};
use crate::follow;
use crate::printer::Printer;

/// What came of one environment.
struct Begun {
    wave: usize,
    environment: EnvironmentName,
    answer: Result<Started, Failure>,
}

/// Begins a deployment to each environment. A wave that could not be begun everywhere is the last one: those after it would wait for
/// ever.
pub async fn deploy(asked: &Deploy, name: &str, session: &Session) -> Result<u8, Failure> {
    let project = session.place.project()?;
    let (name, waves) = project.waves_named(name)?;
    let client = session.client().await?;
    let mut begun = Vec::new();
    for (number, wave) in waves.iter().enumerate() {
        let begin = wave.iter().map(|environment| async {
            let mut plan = asked.plan.clone();
            plan.given.env = Some(environment.to_string());
            // Whoever types the name of the waves means all of their environments.
            if plan.given.confirm.as_deref() == Some(name.as_str()) {
                plan.given.confirm = Some(environment.to_string());
            }
            let answer = deploy_one(&client, &plan, &project).await;
            Begun { wave: number + 1, environment: environment.clone(), answer }
        });
        let wave = join_all(begin).await;
        let failed = wave.iter().any(|one| one.answer.is_err());
        begun.extend(wave);
        if failed {
            break;
        }
    }
    Ok(report(&begun, &session.printer))
}

async fn deploy_one(
    client: &Client,
    asked: &crate::arguments::Plan,
    project: &Project,
) -> Result<Started, Failure> {
    Ok(client.post("/v1/deployments", &plan::request(asked, project)?).await?)
}

/// Begins the way back in every environment at once: one that is out of reach is in nobody else's way.
pub async fn roll_back(asked: &Rollback, name: &str, session: &Session) -> Result<u8, Failure> {
    let project = session.place.project()?;
    let (_, waves) = project.waves_named(name)?;
    let (service, _) = project.service(&asked.service)?;
    let to = asked.to.as_deref().map(str::parse::<Version>).transpose()?;
    let client = session.client().await?;
    let numbered = waves.iter().enumerate();
    let all = numbered.flat_map(|(number, wave)| wave.iter().map(move |environment| (number, environment)));
    let begin = all.map(|(number, environment)| {
        let body = RollbackBody {
            service: service.to_string(),
            environment: environment.to_string(),
            to: to.as_ref().map(ToString::to_string),
            reason: asked.reason.clone(),
            command: typed(),
        };
        let client = &client;
        async move {
            let answer: Result<Started, ClientError> = client.post("/v1/rollback", &body).await;
            let answer = answer.map_err(Failure::from);
            Begun { wave: number + 1, environment: environment.clone(), answer }
        }
    });
    let begun = join_all(begin).await;
    Ok(report(&begun, &session.printer))
}

/// Says what came of each, and the exit status of all.
fn report(begun: &[Begun], printer: &Printer) -> u8 {
    let width = begun.iter().map(|one| one.environment.as_str().len()).max().unwrap_or_default();
    let mut exit = DONE;
    for Begun { wave, environment, answer } in begun {
        let place = format!("wave {wave}  {:width$}", environment.as_str());
        let code = match answer {
            Ok(started) => begun_or_waits(started),
            Err(failure) => failure.exit_code,
        };
        exit = worse(exit, code);
        match answer {
            _ if printer.json() => printer.object(&as_json(*wave, environment, answer)),
            Ok(started) if code == WAITS => printer.line(format!("‖ {place}  {} waits", started.id)),
            Ok(started) => {
                printer.line(format!("● {place}  {} {}", started.id, plan::headline(&started.plan)));
            }
            Err(failure) => {
                printer.line(format!("✗ {place}  {}", failure.message));
                failure.hints.iter().for_each(|hint| printer.hint(hint));
            }
        }
    }
    if exit != FAILED && !printer.json() {
        printer.hint(follow::RESUME);
    }
    exit
}

fn begun_or_waits(started: &Started) -> u8 {
    match started.outcome {
        Some(outcome) => deploy::code(outcome),
        None if may_pass_later(&started.gates) => WAITS,
        None => DONE,
    }
}

/// What has failed is told before what waits.
fn worse(one: u8, other: u8) -> u8 {
    match (one, other) {
        (DONE, other) | (WAITS, other) if other != DONE => other,
        (one, _) => one,
    }
}

fn as_json(
    wave: usize,
    environment: &EnvironmentName,
    answer: &Result<Started, Failure>,
) -> serde_json::Value {
    match answer {
        Ok(started) => json!({
            "wave": wave, "environment": environment, "deployment": started.id, "gates": started.gates,
            "outcome": started.outcome,
        }),
        Err(failure) => json!({ "wave": wave, "environment": environment, "error": failure.body() }),
    }
}
