//! Watching a deployment to its end: a view that redraws itself on a terminal, a line a transition elsewhere, and the
//! audit lines for programs.

mod live;
mod transitions;
mod trouble;

use std::time::{Duration, Instant};

use pilotage_engine::{Deployment, DeploymentEvent, DeploymentId, Outcome};
use pilotage_journal::Event;
use pilotage_server::{Client, ClientError, DeploymentDetail, StatusReport};
use pilotage_views::{AuditFold, from_event};

use crate::commands::Session;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::words;
use live::LiveView;
pub use transitions::lines as transition_lines;
use trouble::Trouble;

/// The advice for those who have stopped watching.
pub const RESUME: &str = "pilotage status --watch";

/// How often the live view is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(200);
/// How often a trouble is looked for where no view would show it.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Why watching ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The deployment has ended.
    Ended(Outcome),
    /// Ctrl-C; the deployment goes on.
    Detached,
    /// It was waited for long enough; the deployment goes on.
    TimedOut,
}

/// Watches a deployment until it ends, Ctrl-C is pressed, or the time is over.
pub async fn to_the_end(
    session: &Session,
    client: Client,
    id: DeploymentId,
    timeout: Option<Duration>,
) -> Result<Ending, Failure> {
    let printer = &session.printer;
    let over = async {
        match timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    let mut follower = Follower::new(session, client, id);
    tokio::select! {
        ended = follower.follow() => return Ok(Ending::Ended(ended?)),
        _ = tokio::signal::ctrl_c() => {}
        () = over => {
            printer.say(format!("{id} is not over yet; it goes on"));
            printer.hint(RESUME);
            return Ok(Ending::TimedOut);
        }
    }
    printer.say(format!("detached; {id} goes on"));
    printer.hint(RESUME);
    Ok(Ending::Detached)
}

struct Follower<'a> {
    session: &'a Session,
    client: Client,
    id: DeploymentId,
    deployment: Option<Deployment>,
    audit: AuditFold,
    live: Option<LiveView>,
    trouble: Trouble,
    seq: u64,
}

impl<'a> Follower<'a> {
    fn new(session: &'a Session, client: Client, id: DeploymentId) -> Self {
        let live = session.printer.live().then(LiveView::default);
        let (audit, trouble) = (AuditFold::default(), Trouble::default());
        Self { session, client, id, deployment: None, audit, live, trouble, seq: 0 }
    }

    /// Reads events until the last one. A server that goes away is started again: the deployment is in its journal.
    async fn follow(&mut self) -> Result<Outcome, Failure> {
        loop {
            match self.read().await {
                Ok(Some(outcome)) => {
                    self.finish(outcome).await?;
                    return Ok(outcome);
                }
                Ok(None) | Err(ClientError::Broken(_) | ClientError::Unreachable { .. }) => {
                    self.session.printer.say("the server has gone away");
                    // What was drawn stands above these words now, and is not drawn over.
                    self.live = self.live.take().map(|_| LiveView::default());
                    self.client = self.session.client().await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The outcome, or `None` if the answer ended before the deployment did.
    async fn read(&mut self) -> Result<Option<Outcome>, ClientError> {
        let path = format!("/v1/events?after={}&stream=deployment/{}&follow=true", self.seq, self.id);
        let mut events = self.client.lines::<Event>(&path).await?;
        let mut draw = tokio::time::interval(if self.live.is_some() { DRAW_EVERY } else { LOOK_EVERY });
        loop {
            let event = tokio::select! {
                event = events.next() => event?,
                _ = draw.tick(), if self.session.printer.narrates() => {
                    self.draw().await;
                    continue;
                }
            };
            let Some(event) = event else { return Ok(None) };
            self.seq = event.seq;
            self.trouble = Trouble::default();
            let outcome = self.take(&event).map_err(|error| ClientError::Strange(error.to_string()))?;
            if outcome.is_some() {
                return Ok(outcome);
            }
        }
    }

    fn take(&mut self, event: &Event) -> Result<Option<Outcome>, pilotage_views::RecordError> {
        let fact = from_event(event)?.event;
        let printer = &self.session.printer;
        if printer.json() {
            printer.object(&self.audit.line(event)?);
        } else if self.live.is_none() && printer.narrates() {
            let lines = transition_lines(self.deployment.as_ref(), &fact, event, printer);
            lines.iter().for_each(|line| printer.line(line));
        }
        match &mut self.deployment {
            None => self.deployment = Deployment::replay([(&fact, event.time)]).ok(),
            // A history that makes no sense is shown as it is; the server has said so in its log.
            Some(deployment) => drop(deployment.apply(&fact, event.time)),
        }
        Ok(match fact {
            DeploymentEvent::Completed { outcome, .. } => Some(outcome),
            _ => None,
        })
    }

    async fn draw(&mut self) {
        let detail = self.client.get::<DeploymentDetail>(&format!("/v1/deployments/{}", self.id)).await;
        let Ok(detail) = detail else { return };
        match (&mut self.live, &detail.live) {
            (Some(live), _) => live.draw(&detail, &self.session.printer),
            (None, Some(now)) => {
                let told = self.trouble.look(&now.activity, Instant::now());
                told.iter().for_each(|trouble| self.session.printer.say(format!("{}  {trouble}", self.id)));
            }
            (None, None) => {}
        }
    }

    async fn finish(&mut self, outcome: Outcome) -> Result<(), Failure> {
        self.draw().await;
        let printer = &self.session.printer;
        if let Some(deployment) = self.deployment.as_ref().filter(|_| !printer.json()) {
            let address = address(&self.client, deployment).await?;
            conclude(self.id, deployment, outcome, address, printer);
        }
        Ok(())
    }
}

async fn address(client: &Client, deployment: &Deployment) -> Result<Option<String>, Failure> {
    let workload = &deployment.plan.request.workload;
    let (environment, service) = (&workload.environment, &workload.service);
    let path = format!("/v1/status?environment={environment}&service={service}");
    let report: StatusReport = client.get(&path).await?;
    Ok(report.workloads.into_iter().next().and_then(|workload| workload.url))
}

/// The last words: how it ended, what serves now, and what to do.
fn conclude(
    id: DeploymentId,
    deployment: &Deployment,
    outcome: Outcome,
    address: Option<String>,
    printer: &Printer,
) {
    let (tone, glyph, word) = words::outcome(outcome);
    let workload = &deployment.plan.request.workload;
    let (reason, ended_at) = match &deployment.end {
        Some((_, reason, at)) => (reason.as_deref(), *at),
        None => (None, deployment.started_at),
    };
    let took = words::span(ended_at.since(deployment.started_at));
    let serving = match (outcome, deployment.plan.stable()) {
        (Outcome::Succeeded, _) => format!("{} serves", deployment.plan.candidate()),
        (_, Some(stable)) => format!("{stable} serves"),
        (_, None) => "nothing serves".to_owned(),
    };
    let at = address.map(|address| format!(" at {address}")).unwrap_or_default();
    let because =
        reason.map(|reason| format!("\n  because {}", reason.replace('\n', "\n  "))).unwrap_or_default();
    let glyph = printer.paint(tone, glyph);
    printer.line(format!("{glyph} {id} {word} after {took}: {serving} {workload}{at}{because}"));
    match outcome {
        Outcome::Succeeded | Outcome::Concluded => {}
        Outcome::Refused => refused(deployment, printer),
        Outcome::RolledBack | Outcome::Failed => printer.hint(format!("pilotage explain {id}")),
    }
}

fn refused(deployment: &Deployment, printer: &Printer) {
    for gate in deployment.gates.iter().flatten() {
        if let Some(remedy) = &gate.remedy {
            printer.hint(format!("{remedy}; see `pilotage explain gate {}`", gate.gate));
        }
    }
}
