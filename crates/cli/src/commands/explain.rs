//! `pilotage explain`.

use pilotage_engine::DeploymentId;
use pilotage_spec::nearest;
use pilotage_views::{Explanation, HistoryLine, gates, rfc3339};

use super::Session;
use crate::arguments::{Explain, Global};
use crate::failure::{DONE, Failure};
use crate::place::Place;
use crate::printer::{Printer, Tone};

pub async fn run(asked: &Explain, global: &Global, printer: &Printer) -> Result<u8, Failure> {
    if asked.what.as_deref() == Some("gate") {
        return explain_gate(asked.gate.as_deref(), printer);
    }
    let named: Option<DeploymentId> = asked.what.as_deref().map(str::parse).transpose()?;
    let session = Session { place: Place::find(global)?, printer: printer.clone() };
    let client = session.client().await?;
    let id = match named {
        Some(id) => id,
        None => {
            let latest: Vec<HistoryLine> = client.lines("/v1/history?limit=1").await?.all().await?;
            let latest = latest.first().ok_or_else(|| Failure::failed("nothing was deployed yet"))?;
            latest.id
        }
    };
    let explanation: Explanation = client.get(&format!("/v1/deployments/{id}/explanation")).await?;
    if printer.json() {
        printer.object(&explanation);
    } else {
        show(&explanation, printer);
    }
    Ok(DONE)
}

fn show(explanation: &Explanation, printer: &Printer) {
    printer.line(&explanation.title);
    printer.line(&explanation.asked);
    printer.line("");
    for told in &explanation.told {
        let at = rfc3339(told.at);
        // The day stands above already; the time of day is enough here.
        let time = at.split_once('T').map_or(at.as_str(), |(_, time)| time);
        printer.line(format!("{}  {}", printer.paint(Tone::Quiet, time), indented(&told.text)));
        for note in &told.notes {
            printer.line(format!("               - {}", indented(note)));
        }
    }
    printer.line("");
    printer.line(&explanation.ending);
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n                 ")
}

fn explain_gate(wanted: Option<&str>, printer: &Printer) -> Result<u8, Failure> {
    let all = gates();
    let shown: Vec<_> = all.iter().filter(|gate| wanted.is_none_or(|wanted| gate.id == wanted)).collect();
    if let (true, Some(wanted)) = (shown.is_empty(), wanted) {
        let ids: Vec<&str> = all.iter().map(|gate| gate.id.as_str()).collect();
        let hint = match nearest(wanted, ids.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}", ids.join(", ")),
        };
        return Err(Failure::usage(format!("unknown gate `{}`", wanted.escape_debug())).hint(hint));
    }
    for gate in shown {
        if printer.json() {
            printer.object(gate);
        } else {
            printer.line(format!("{}: {}", gate.id, gate.purpose));
        }
    }
    Ok(DONE)
}
