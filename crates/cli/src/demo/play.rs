//! The three acts.

use std::time::{Duration, Instant};

use pilotage_conductor::Started;
use pilotage_engine::{Action, Deployment, DeploymentEvent, DeploymentId, Outcome};
use pilotage_journal::{Event, Journal};
use pilotage_load::{Load, LoadHandle, LoadPlan};
use pilotage_proxy::{EdgeClient, EdgeStats};
use pilotage_server::{Client, DeployBody, DeploymentDetail, StatusReport};
use pilotage_spec::Timestamp;
use pilotage_views::{AuditFold, AuditLine, from_event};

use super::show::Show;
use super::stage::Stage;
use super::summary::Summary;
use crate::connect::connect;
use crate::failure::Failure;

/// Requests a second: enough to judge a tenth of them within a few seconds, little enough for two busy cores.
const REQUESTS_PER_SECOND: f64 = 400.0;
/// How long there is only load, before, between and after the acts.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the counts are shown.
const TICK: Duration = Duration::from_millis(150);

/// Plays all three acts and draws the sum.
pub async fn all(stage: &Stage, show: &Show) -> Result<Summary, Failure> {
    let began = Instant::now();
    let client = connect(&stage.place, &show.printer().silent()).await?;
    let play = Play { stage, show, client };
    show.act("1.0.0 is brought up");
    play.deploy("1.0.0", None, Outcome::Succeeded).await?;
    let load = play.load().await?;
    show.act(&format!("{REQUESTS_PER_SECOND} requests a second; 1.1.0 goes out by canary"));
    play.pause(&load).await;
    let good = play.deploy("1.1.0", Some(&load), Outcome::Succeeded).await?;
    play.pause(&load).await;
    show.act("1.2.0 fails a tenth of its requests, and goes out by canary");
    let bad = play.deploy("1.2.0", Some(&load), Outcome::RolledBack).await?;
    play.pause(&load).await;
    show.clear();
    let report = load.stop().await.map_err(|error| Failure::failed(error.to_string()))?;
    let stats = play.stats().await?;
    Ok(Summary {
        requests: report.requests,
        failed_by_service: report.outcomes.failed_by_service,
        dropped: report.outcomes.dropped,
        switch_ms: since(good.switched_at, &stats, "1.0.0"),
        rollback_ms: since(bad.taken_back_at, &stats, "1.2.0"),
        audit_verified: Journal::open_read_only(&stage.place.state.journal())?.verify().is_ok(),
        duration_seconds: (began.elapsed().as_secs_f64() * 100.0).round() / 100.0,
        drop_reasons: report.drop_reasons,
        audit: play.audit(bad.id).await?,
    })
}

struct Play<'a> {
    stage: &'a Stage,
    show: &'a Show,
    client: Client,
}

/// When what was measured began.
struct Act {
    id: DeploymentId,
    /// When it was decided to send everybody to the new version.
    switched_at: Option<Timestamp>,
    /// When it was decided to take it back.
    taken_back_at: Option<Timestamp>,
}

impl Play<'_> {
    async fn deploy(
        &self,
        version: &str,
        load: Option<&LoadHandle>,
        expected: Outcome,
    ) -> Result<Act, Failure> {
        let body = DeployBody {
            service: "api".to_owned(),
            version: version.to_owned(),
            environment: "dev".to_owned(),
            strategy: None,
            artifact: Some(self.stage.release(version)),
            image: None,
            confirmation: None,
            ticket: None,
            emergency: None,
            command: format!("pilotage deploy api {version}"),
        };
        let started: Started = self.client.post("/v1/deployments", &body).await?;
        let path = format!("/v1/events?stream=deployment/{}&follow=true", started.id);
        let mut events = self.client.lines::<Event>(&path).await?;
        let mut act = Act { id: started.id, switched_at: None, taken_back_at: None };
        let mut deployment = None;
        let mut fold = AuditFold::default();
        let mut tick = tokio::time::interval(TICK);
        loop {
            let event = tokio::select! {
                event = events.next() => event?,
                _ = tick.tick() => {
                    self.count(started.id, load).await;
                    continue;
                }
            };
            let event = event.ok_or_else(|| Failure::failed("the server has gone away"))?;
            let fact = from_event(&event).map_err(|error| Failure::failed(error.to_string()))?.event;
            let line = fold.line(&event).map_err(|error| Failure::failed(error.to_string()))?;
            self.show.transition(deployment.as_ref(), &fact, &event, &line);
            note(&mut act, &fact, event.time);
            if let DeploymentEvent::Completed { outcome, reason } = fact {
                return if outcome == expected { Ok(act) } else { Err(unexpected(version, outcome, reason)) };
            }
            match &mut deployment {
                None => deployment = Deployment::replay([(&fact, event.time)]).ok(),
                Some(deployment) => drop(deployment.apply(&fact, event.time)),
            }
        }
    }

    /// Load on the address at which users reach the service.
    async fn load(&self) -> Result<LoadHandle, Failure> {
        let report: StatusReport = self.client.get("/v1/status?environment=dev&service=api").await?;
        let address = report.workloads.first().and_then(|workload| workload.address);
        let address = address.ok_or_else(|| Failure::failed("the service has no address"))?;
        let plan = LoadPlan {
            clients: 2_000,
            post_share: 0.1,
            new_connection_share: 0.05,
            ..LoadPlan::open(address, REQUESTS_PER_SECOND)
        };
        Load::start(plan).map_err(|error| Failure::failed(error.to_string()))
    }

    async fn pause(&self, load: &LoadHandle) {
        let until = Instant::now() + PAUSE;
        while Instant::now() < until {
            self.show.counts(&load.snapshot(), &[]);
            tokio::time::sleep(TICK).await;
        }
    }

    async fn count(&self, id: DeploymentId, load: Option<&LoadHandle>) {
        let (Some(load), true) = (load, self.show.is_live()) else { return };
        let detail = self.client.get::<DeploymentDetail>(&format!("/v1/deployments/{id}")).await;
        let shares = detail.ok().and_then(|detail| detail.live).map(|live| live.shares).unwrap_or_default();
        self.show.counts(&load.snapshot(), &shares);
    }

    async fn stats(&self) -> Result<EdgeStats, Failure> {
        let failed = |error: pilotage_proxy::EdgeClientError| Failure::failed(error.to_string());
        let edge = EdgeClient::connect(self.stage.place.edge_socket()).await.map_err(failed)?;
        edge.stats().await.map_err(failed)
    }

    /// The audit lines of one deployment.
    async fn audit(&self, id: DeploymentId) -> Result<Vec<AuditLine>, Failure> {
        let lines: Vec<AuditLine> = self.client.lines("/v1/audit").await?.all().await?;
        let name = id.to_string();
        Ok(lines.into_iter().filter(|line| line.detail["deployment"] == name.as_str()).collect())
    }
}

fn note(act: &mut Act, fact: &DeploymentEvent, at: Timestamp) {
    match fact {
        DeploymentEvent::Intended { action: Action::Route(split), .. } if split.shares.len() == 1 => {
            act.switched_at = Some(at);
        }
        DeploymentEvent::RollbackStarted { .. } => act.taken_back_at = Some(at),
        _ => {}
    }
}

/// From a decision to the last request that was sent to the version it was about, in milliseconds.
fn since(decided: Option<Timestamp>, stats: &EdgeStats, version: &str) -> Option<f64> {
    let last = stats.routes.get("dev/api")?.versions.get(version)?.last_request_micros;
    let micros = Timestamp::from_micros(last).since(decided?).as_micros();
    // To a hundredth: what lies below says nothing.
    Some((f64::from(u32::try_from(micros).ok()?) / 10.0).round() / 100.0)
}

fn unexpected(version: &str, outcome: Outcome, reason: Option<String>) -> Failure {
    let (_, _, word) = crate::words::outcome(outcome);
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    Failure::failed(format!("{version} {word}, which is not how this play ends{reason}"))
}
