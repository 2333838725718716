//! `pilotage clusters`.

use pilotage_server::{ClusterReport, ForgetBody, Forgotten};

use super::Session;
use super::target::{findings, glyph};
use crate::arguments::ClustersVerb;
use crate::failure::{DONE, FAILED, Failure};
use crate::printer::Printer;
use pilotage_targets::Verdict;

pub async fn run(verb: Option<ClustersVerb>, session: &Session) -> Result<u8, Failure> {
    match verb {
        None | Some(ClustersVerb::List) => list(session).await,
        Some(ClustersVerb::Forget(asked)) => forget(&asked.name, session).await,
    }
}

async fn list(session: &Session) -> Result<u8, Failure> {
    let clusters: Vec<ClusterReport> = session.client().await?.get("/v1/clusters").await?;
    let printer = &session.printer;
    if clusters.is_empty() && !printer.json() {
        printer.say("there are no clusters; name some under `clusters` of pilotage.yaml");
    }
    for cluster in &clusters {
        match printer.json() {
            true => printer.object(cluster),
            false => lines(cluster, printer).iter().for_each(|line| printer.line(line)),
        }
    }
    Ok(if clusters.iter().all(|cluster| cluster.inspection.is_good()) { DONE } else { FAILED })
}

fn lines(cluster: &ClusterReport, printer: &Printer) -> Vec<String> {
    let verdict = if cluster.inspection.is_good() { Verdict::Good } else { Verdict::Bad };
    let region = cluster.region.as_ref().map(|region| format!("  in {region}")).unwrap_or_default();
    let namespaces = cluster.namespaces.join(", ");
    let head = format!("{} {}{region}  namespaces {namespaces}", glyph(verdict, printer), cluster.name);
    std::iter::once(head).chain(findings(&cluster.inspection.findings, printer)).collect()
}

async fn forget(name: &str, session: &Session) -> Result<u8, Failure> {
    let body = ForgetBody { name: name.to_owned() };
    let done: Forgotten = session.client().await?.post("/v1/clusters/forget", &body).await?;
    let printer = &session.printer;
    if printer.json() {
        printer.object(&done);
    } else if done.was_known {
        printer.line(format!("✓ `{name}` is forgotten; what it leads to at its next use is recorded"));
    } else {
        printer.line(format!("nothing was recorded for `{name}`"));
        printer.hint("`pilotage clusters` shows the names that were used");
    }
    Ok(DONE)
}
