//! `pilotage gates`, and how gates are shown.

use pilotage_conductor::Started;
use pilotage_engine::DeploymentId;
use pilotage_engine::gate::{GateResult, may_pass_later};
use pilotage_server::DeploymentDetail;

use super::{Session, plan};
use crate::arguments::Gates;
use crate::failure::{DONE, FAILED, Failure, WAITS};
use crate::printer::Printer;
use crate::words::gate_mark;

pub async fn run(asked: &Gates, session: &Session) -> Result<u8, Failure> {
    let client = session.client().await?;
    let gates = match (&asked.version, asked.what.parse::<DeploymentId>()) {
        (Some(version), _) => {
            let body = plan::request_of(&asked.what, version, &asked.given, &session.place.project()?)?;
            let planned: Started = client.post("/v1/plan", &body).await?;
            session.printer.say(plan::headline(&planned.plan));
            planned.gates
        }
        (None, Ok(id)) => {
            let detail: DeploymentDetail = client.get(&format!("/v1/deployments/{id}")).await?;
            detail.gates
        }
        (None, Err(_)) => {
            return Err(Failure::usage("which version?")
                .hint(format!("pilotage gates {} VERSION --env ENVIRONMENT", asked.what.escape_debug())));
        }
    };
    let printer = &session.printer;
    if printer.json() {
        gates.iter().for_each(|gate| printer.object(gate));
    } else {
        show_gates(&gates, printer);
    }
    Ok(code(&gates))
}

/// The exit status that tells how things stand.
fn code(gates: &[GateResult]) -> u8 {
    if gates.iter().all(|gate| gate.outcome.lets_pass()) {
        DONE
    } else if may_pass_later(gates) {
        WAITS
    } else {
        FAILED
    }
}

/// What the gates say, a line each.
pub fn show_gates(gates: &[GateResult], printer: &Printer) {
    if gates.is_empty() {
        printer.line("  no gate applies");
    }
    for gate in gates {
        let (tone, glyph, word) = gate_mark(gate.outcome);
        printer.line(format!(
            "  {} gate `{}` {word}: {}",
            printer.paint(tone, glyph),
            gate.gate,
            gate.finding
        ));
        if let Some(remedy) = &gate.remedy {
            printer.hint(format!("{remedy}; see `pilotage explain gate {}`", gate.gate));
        }
    }
}
