//! `pilotage up` and `pilotage down`.

use std::time::{Duration, Instant};

use pilotage_conductor::{Effect, Rerouted};
use pilotage_server::{Client, DownBody, DownDone, Health, StatusReport, Stopped, UpBody, UpDone};
use rustix::process::{Pid, WaitOptions, test_kill_process, waitpid};
use serde::Serialize;

use super::edge::renew;
use super::{Session, status, typed};
use crate::connect::{connect, connect_only};
use crate::failure::{DONE, FAILED, Failure};
use crate::printer::Printer;

/// How long a server may take to end after it has stopped everything.
const END_LIMIT: Duration = Duration::from_secs(10);

pub async fn up(session: &Session) -> Result<u8, Failure> {
    session.place.expect_here("up")?;
    session.place.project()?;
    let (place, printer) = (&session.place, &session.printer);
    if connect_only(place).await?.is_some() {
        printer.say("the server is running already");
        // One that is just being started does so itself.
        renew(&place.edge_socket(), printer).await;
    }
    let client = connect(place, printer).await?;
    let done: UpDone = client.post("/v1/up", &UpBody { command: typed() }).await?;
    let refused = done.rerouted.iter().any(|rerouted| matches!(rerouted.effect, Effect::Refused { .. }));
    if printer.json() {
        let health: Health = client.get("/v1/health").await?;
        printer.object(&Up { health, rerouted: done.rerouted });
    } else {
        done.rerouted.iter().for_each(|rerouted| show_rerouted(rerouted, printer));
        status::show(&client.get::<StatusReport>("/v1/status").await?, printer);
    }
    Ok(if refused { FAILED } else { DONE })
}

/// What is said in JSON.
#[derive(Serialize)]
struct Up {
    #[serde(flatten)]
    health: Health,
    rerouted: Vec<Rerouted>,
}

fn show_rerouted(rerouted: &Rerouted, printer: &Printer) {
    let Rerouted { what, changes, effect } = rerouted;
    match effect {
        Effect::Now => changes.iter().for_each(|change| printer.line(format!("✓ {what}  {change}"))),
        Effect::Later { why } => printer.line(format!("· {what}  route not changed yet: {why}")),
        Effect::Refused { why } => printer.line(format!("✗ {what}  route not changed: {why}")),
    }
}

/// Starts a server if none is there: instances and edge go on without one, and have to be stopped all the same.
pub async fn down(session: &Session) -> Result<u8, Failure> {
    session.place.expect_here("down")?;
    let (place, printer) = (&session.place, &session.printer);
    if !place.state.journal().exists() {
        printer.say("nothing was ever started here");
        return Ok(DONE);
    }
    if let Some(already) = stopped(session).await? {
        show(&DownDone { stopped: Vec::new(), already: Some(already) }, printer);
        return Ok(DONE);
    }
    let client = connect(place, printer).await?;
    let done = stop_all(&client, &DownBody { command: typed(), force: false }).await?;
    show(&done, printer);
    Ok(DONE)
}

/// Set if everything was stopped and nothing is left: neither a server, nor the socket of a shim or of the edge.
async fn stopped(session: &Session) -> Result<Option<Stopped>, Failure> {
    let place = &session.place;
    if connect_only(place).await?.is_some() || place.state.run().exists() {
        return Ok(None);
    }
    Stopped::read(&session.journal()?).map_err(|error| Failure::failed(error.to_string()))
}

fn show(done: &DownDone, printer: &Printer) {
    if printer.json() {
        printer.object(done);
        return;
    }
    match &done.already {
        Some(Stopped { since, by }) => printer.line(format!("✓ down already: stopped since {since} by {by}")),
        None => printer.line("✓ stopped: instances, edge and server"),
    }
    printer.hint("`pilotage up` brings back what was deployed");
}

/// Stops everything, and waits until the server's process has ended too.
pub async fn stop_all(client: &Client, body: &DownBody) -> Result<DownDone, Failure> {
    let server: Health = client.get("/v1/health").await?;
    let done = client.post("/v1/down", body).await?;
    let pid = i32::try_from(server.pid).ok().and_then(Pid::from_raw);
    let until = Instant::now() + END_LIMIT;
    while pid.is_some_and(is_alive) && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(done)
}

fn is_alive(pid: Pid) -> bool {
    // One that we have started ourselves stays a zombie until its end is asked for; for all others this does nothing.
    let _ = waitpid(Some(pid), WaitOptions::NOHANG);
    test_kill_process(pid).is_ok() && !is_zombie(pid)
}

/// Whether only the process's parent still has to be told of its end. `false` where there is no `/proc`;
/// proc_pid_stat(5).
fn is_zombie(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'))
}
