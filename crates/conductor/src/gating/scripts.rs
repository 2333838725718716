//! The scripts that a deployment runs, beside those that somebody has approved.

use pilotage_engine::Plan;
use pilotage_engine::gate::Script;
use pilotage_spec::Project;

use crate::conductor::Inner;

/// Looked at only where the policy wants to know. What is written into a command is approved when the file is read.
pub(super) async fn facts(inner: &Inner, plan: &Plan, project: &Project) -> Option<Vec<Script>> {
    if !plan.request.policy.scripts {
        return None;
    }
    let service = project.services.get(&plan.request.workload.service)?.clone();
    let (folder, approved) = (inner.folder.clone(), project.approved_scripts.clone());
    let look = move || {
        let fact = |script: crate::Script| Script {
            approved: approved.get(&script.path).cloned(),
            name: script.path,
            digest: script.digest,
        };
        crate::scripts(&folder, &service).into_iter().map(fact).collect()
    };
    tokio::task::spawn_blocking(look).await.ok()
}
