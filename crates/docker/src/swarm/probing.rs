//! Probes of tasks. Swarm starts again what has ended; what runs and does not work is ended here, where that can be done.

use std::sync::{Arc, PoisonError};

use bollard::query_parameters::KillContainerOptionsBuilder;
use pilotage_proxy::Address;
use pilotage_targets::probe::{self, Asked, Finding};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::shared::Shared;
use super::slot::Run;
use crate::instance::state::{in_units, with_tail};
use crate::watch::{AbortOnDrop, Streaks, readings, task_tail};

impl Shared {
    /// Probes these runs from now on, and no others.
    pub fn probe(self: &Arc<Self>, running: Vec<Run>) {
        let mut probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
        probes.retain(|id, _| running.iter().any(|run| run.id == *id));
        for run in running {
            // Its port may not be known yet; it is looked at again with the next news.
            if probes.contains_key(&run.id) || run.port.is_none() || self.board.node(&run.node).is_none() {
                continue;
            }
            let id = run.id.clone();
            probes.insert(id, AbortOnDrop(tokio::spawn(attend(Arc::clone(self), run))));
        }
    }
}

/// Stays with one run until it is over.
async fn attend(shared: Arc<Shared>, run: Run) {
    let spec = &run.marks.release.instance;
    let Some(address) = run.address(shared.board.node(&run.node)) else { return };
    let _readings = readings_of(&shared, &run);
    let asked = Asked { address: Address::Tcp(address), protocol: spec.protocol };
    let (sender, mut findings) = mpsc::channel(4);
    let _probes = AbortOnDrop(tokio::spawn(probe::watch(asked, spec.health.clone(), sender)));
    let deadline = Instant::now() + spec.start_timeout;
    let (mut ready, mut streaks) = (false, Streaks::default());
    let mut not_ready = "it was not probed".to_owned();
    loop {
        tokio::select! {
            finding = findings.recv() => {
                let Some(finding) = finding else { return };
                if let Finding::Ready(Err((failure, _))) = &finding {
                    not_ready.clone_from(&failure.reason);
                }
                ready |= matches!(finding, Finding::Ready(Ok(())));
                let mut verdict = None;
                shared.board.note(&run.id, |seen| verdict = streaks.judge(finding, ready, seen));
                if let Some(reason) = verdict {
                    end(&shared, &run, &reason).await;
                    return;
                }
            }
            () = sleep_until(deadline), if !ready => {
                let reason = format!("was not ready within {}: {not_ready}", in_units(spec.start_timeout));
                let lines = task_tail(&shared.engine, shared.config.secrets.known(), &run.id).await;
                shared.board.note(&run.id, |seen| seen.given_up = Some(with_tail(&reason, &lines)));
                return;
            }
        }
    }
}

/// Readings can be had of the containers of the engine that is asked.
fn readings_of(shared: &Arc<Shared>, run: &Run) -> Option<AbortOnDrop> {
    let container = run.container.clone().filter(|_| is_here(shared, run))?;
    let (own, task) = (Arc::clone(shared), run.id.clone());
    let note = move |cpu_millis, memory_bytes| {
        own.board.note(&task, |seen| (seen.cpu_millis, seen.memory_bytes) = (cpu_millis, memory_bytes));
    };
    Some(AbortOnDrop(tokio::spawn(readings::take(shared.engine.clone(), container, note))))
}

fn is_here(shared: &Shared, run: &Run) -> bool {
    shared.engine.known_facts().is_some_and(|facts| facts.node.as_ref() == Some(&run.node))
}

/// Ends a task that does not work; Swarm then starts another.
async fn end(shared: &Shared, run: &Run, reason: &str) {
    let instance = run.instance();
    let Some(container) = run.container.as_ref().filter(|_| is_here(shared, run)) else {
        tracing::warn!(instance, reason, "an instance of another node does not work; end it there");
        return;
    };
    tracing::warn!(instance, reason, "an instance is started again");
    let options = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
    if let Err(error) = shared.engine.docker().kill_container(container, Some(options)).await {
        let error = shared.engine.failed("end a container", &error);
        tracing::warn!(instance, %error, "an instance that does not work goes on");
    }
}
