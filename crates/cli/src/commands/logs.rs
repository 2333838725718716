//! `pilotage logs`.

use pilotage_server::Client;
use pilotage_spec::{EnvironmentName, ServiceName, Version};
use pilotage_targets::LogLine;
use pilotage_views::{HistoryLine, rfc3339};

use super::Session;
use crate::arguments::Logs;
use crate::failure::{DONE, Failure};
use crate::place::environment;
use crate::printer::{Printer, Tone};

pub async fn run(asked: &Logs, session: &Session) -> Result<u8, Failure> {
    let project = session.place.project()?;
    let (service, _) = project.service(&asked.service)?;
    let (environment, _) = environment(&project, asked.env.as_deref())?;
    let version = asked.version.as_deref().map(str::parse::<Version>).transpose()?;
    let client = session.client().await?;
    if let Some(version) = &version
        && !has_run(&client, service, environment, version).await?
    {
        let never = format!("{version} of {environment}/{service} never ran");
        if !asked.follow {
            return Err(
                Failure::usage(never).hint("`pilotage history` lists the versions that were deployed")
            );
        }
        session.printer.say(format!("{never}; waiting for it"));
    }
    // A plus sign, which a version may hold, would be read as a space.
    let version = version.map(|version| format!("&version={}", version.to_string().replace('+', "%2B")));
    let path = format!(
        "/v1/logs?service={service}&environment={environment}&lines={}&follow={}{}",
        asked.lines,
        asked.follow,
        version.unwrap_or_default()
    );
    let mut lines = client.lines::<LogLine>(&path).await?;
    let mut any = false;
    loop {
        let line = tokio::select! {
            line = lines.next() => line?,
            _ = tokio::signal::ctrl_c() => return Ok(DONE),
        };
        let Some(line) = line else { break };
        any = true;
        show(&line, &session.printer);
    }
    if !any && !session.printer.json() {
        session.printer.say(format!("no instance of {environment}/{service} has written anything"));
    }
    Ok(DONE)
}

async fn has_run(
    client: &Client,
    service: &ServiceName,
    environment: &EnvironmentName,
    version: &Version,
) -> Result<bool, Failure> {
    let path = format!("/v1/history?service={service}&environment={environment}&limit={}", usize::MAX);
    let mut deployments = client.lines::<HistoryLine>(&path).await?;
    while let Some(deployment) = deployments.next().await? {
        if deployment.version == *version {
            return Ok(true);
        }
    }
    Ok(false)
}

fn show(line: &LogLine, printer: &Printer) {
    if printer.json() {
        printer.object(&serde_json::json!({
            "timestamp": rfc3339(line.at), "instance": line.instance, "version": line.version,
            "stderr": line.stderr, "text": line.text,
        }));
        return;
    }
    let source = printer.paint(Tone::Quiet, &format!("{} {}", rfc3339(line.at), line.instance));
    let mark = if line.stderr { "!" } else { " " };
    printer.line(format!("{source} {mark} {}", line.text));
}
