//! `pilotage plan`, and what `deploy` shares with it.

use std::collections::BTreeMap;

use pilotage_conductor::Started;
use pilotage_engine::forecast::Forecast;
use pilotage_engine::plan::{Step, way_back};
use pilotage_engine::{Facts, Plan, Split, TrafficState};
use pilotage_server::DeployBody;
use pilotage_spec::{Project, Version};

use super::gates::show_gates;
use super::plan_route::{self, address_move};
use super::{Session, plan_forecast, typed};
use crate::arguments::{self, Given};
use crate::failure::{DONE, Failure};
use crate::place::environment;
use crate::printer::Printer;
use crate::words::{count, percent};

/// Checks what was typed against the file, and makes it a request.
pub fn request(asked: &arguments::Plan, project: &Project) -> Result<DeployBody, Failure> {
    request_of(&asked.service, &asked.version, &asked.given, project)
}

/// The same from its parts.
pub fn request_of(
    service: &str,
    version: &str,
    given: &Given,
    project: &Project,
) -> Result<DeployBody, Failure> {
    let version: Version = version.parse()?;
    let (service, _) = project.service(service)?;
    let (environment, _) = environment(project, given.env.as_deref())?;
    let strategy = given.strategy.as_deref().map(|name| project.strategy(name)).transpose()?;
    let artifact = match &given.artifact {
        Some(path) => Some(std::fs::canonicalize(path).map_err(|error| {
            Failure::usage(format!("cannot find the artifact {}: {error}", path.display()))
        })?),
        None => None,
    };
    Ok(DeployBody {
        service: service.to_string(),
        version: version.to_string(),
        environment: environment.to_string(),
        strategy: strategy.map(|(name, _)| name.to_string()),
        artifact,
        image: given.image.clone(),
        confirmation: given.confirm.clone(),
        ticket: given.ticket.clone(),
        emergency: given.break_glass.clone(),
        command: typed(),
    })
}

pub async fn run(asked: &arguments::PlanShown, session: &Session) -> Result<u8, Failure> {
    let body = request(&asked.plan, &session.place.project()?)?;
    let planned: Started = session.client().await?.post("/v1/plan", &body).await?;
    let printer = &session.printer;
    let forecast = match plan_forecast::traffic(&asked.expected, &planned.plan, session).await? {
        Some(traffic) => Forecast::of(&planned.plan, &traffic).map_err(|error| error.to_string()),
        None => Ok(None),
    };
    if printer.json() {
        let steps: Vec<String> = planned.plan.steps.iter().map(ToString::to_string).collect();
        let back: Vec<String> = undo(&planned.plan).iter().map(ToString::to_string).collect();
        printer.object(&serde_json::json!({
            "plan_hash": planned.plan.hash(), "steps": steps, "way_back": back, "gates": planned.gates,
            "plan": planned.plan, "address_move": address_move(&planned.plan), "forecast": forecast.as_ref().ok(),
        }));
        return Ok(DONE);
    }
    show(&planned, printer);
    match &forecast {
        Ok(Some(forecast)) => {
            printer.line("");
            plan_forecast::lines(&planned.plan, forecast).into_iter().for_each(|line| printer.line(line));
        }
        Ok(None) => {}
        Err(error) => printer.line(format!("  ! nothing is foretold: {error}")),
    }
    printer.hint("nothing was done; `pilotage deploy` with the same words does it");
    Ok(DONE)
}

/// What moves, in a line.
pub fn headline(plan: &Plan) -> String {
    let request = &plan.request;
    let (environment, service) = (&request.workload.environment, &request.workload.service);
    let candidate = plan.candidate();
    let strategy = &request.strategy_name;
    match plan.stable() {
        None => format!("{environment}/{service}: {candidate}, the first deployment"),
        Some(stable) if stable == candidate => {
            format!(
                "{environment}/{service}: {candidate} with {}",
                count(request.replicas as usize, "instance")
            )
        }
        Some(stable) => format!("{environment}/{service}: {stable} → {candidate} by {strategy}"),
    }
}

fn show(planned: &Started, printer: &Printer) {
    let plan = &planned.plan;
    printer.line(headline(plan));
    printer.line(format!("  artifact {}", plan.request.candidate.id.digest.short()));
    address_move(plan).iter().for_each(|moves| printer.line(format!("  ! {moves}")));
    plan_route::lines(plan).into_iter().for_each(|line| printer.line(line));
    printer.line("");
    for row in table(plan) {
        printer.line(row);
    }
    printer.line("");
    printer.line("  the way back, from any point");
    for step in undo(plan) {
        printer.line(format!("      {step}"));
    }
    printer.line("");
    show_gates(&planned.gates, printer);
}

/// The steps, each with what is there and what is served after it.
fn table(plan: &Plan) -> Vec<String> {
    let mut rows = vec![["    steps".to_owned(), "instances".to_owned(), "traffic".to_owned()]];
    let (mut instances, mut traffic) = start(plan);
    for (number, step) in plan.steps.iter().enumerate() {
        apply(step, &mut instances, &mut traffic);
        rows.push([format!("{:>2}  {step}", number + 1), each(&instances), split(&traffic)]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    let text = |[step, instances, traffic]: &[String; 3]| {
        format!("  {step:first$}   {instances:second$}   {traffic}")
    };
    rows.iter().map(text).collect()
}

type Instances = BTreeMap<Version, u32>;

/// What is there before the first step.
fn start(plan: &Plan) -> (Instances, Split) {
    match plan.stable() {
        None => (Instances::new(), Split::nobody()),
        Some(stable) => {
            (Instances::from([(stable.clone(), plan.request.stable_replicas)]), Split::all(stable))
        }
    }
}

fn apply(step: &Step, instances: &mut Instances, traffic: &mut Split) {
    match step {
        Step::Ensure { version, replicas } => {
            let number = instances.entry(version.clone()).or_default();
            *number = (*number).max(*replicas);
        }
        Step::Retire { version, keep: 0 } => drop(instances.remove(version)),
        Step::Retire { version, keep } => drop(instances.insert(version.clone(), *keep)),
        Step::Route(split) => traffic.clone_from(split),
        Step::Check { .. } | Step::Watch { .. } | Step::Hold | Step::Conclude => {}
    }
}

fn each(instances: &Instances) -> String {
    let parts: Vec<String> =
        instances.iter().rev().map(|(version, number)| format!("{number} × {version}")).collect();
    parts.join(", ")
}

fn split(traffic: &Split) -> String {
    let shares = traffic.shares.iter().map(|(version, share)| format!("{} {version}", percent(*share)));
    let cohorts = traffic.cohorts.iter().map(|cohort| format!("{} {}", cohort.name, cohort.version));
    let copies =
        traffic.mirror.iter().map(|copy| format!("copies of {} {}", percent(copy.share), copy.version));
    let parts: Vec<String> = shares.chain(cohorts).chain(copies).collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// The way back while the stable version is still as it was.
fn undo(plan: &Plan) -> Vec<Step> {
    let mut facts = Facts::default();
    if let Some(stable) = plan.stable() {
        let number = plan.request.stable_replicas;
        let state = TrafficState { ready: number, alive: number, ..TrafficState::default() };
        facts.versions.insert(stable.clone(), state);
    }
    way_back(plan, &facts)
}
