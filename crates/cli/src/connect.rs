//! Reaching the server, and starting it if it is not there.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pilotage_server::{Client, ClientError, Health};

use crate::failure::Failure;
use crate::place::Place;
use crate::printer::Printer;
use crate::reach::{ID_TOKEN_VARIABLE, TOKEN_VARIABLE};

/// How long a server may take to answer. It may have a long journal to read, and an edge to start.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long another server is given to answer, or to end.
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// How often a server that starts is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The server's client, after starting the server if it was not there.
pub async fn connect(place: &Place, printer: &Printer) -> Result<Client, Failure> {
    let client = place.client()?;
    if place.reach.is_remote() || is_there(&client).await? {
        return Ok(client);
    }
    let pid = start(place, &client).await?;
    printer.say(format!(
        "started the server in the background (process {pid}, log in {})",
        place.state.log().display()
    ));
    Ok(client)
}

/// The server's client, or `None` if no server is there.
pub async fn connect_only(place: &Place) -> Result<Option<Client>, Failure> {
    let client = place.client()?;
    Ok((place.reach.is_remote() || is_there(&client).await?).then_some(client))
}

async fn is_there(client: &Client) -> Result<bool, Failure> {
    match client.get::<Health>("/v1/health").await {
        // Whoever is refused has been answered.
        Ok(_) | Err(ClientError::Refused(_)) => Ok(true),
        // A server that is being stopped may break off; the next attempt finds it gone.
        Err(ClientError::Unreachable { .. } | ClientError::Broken(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Starts a server in the background, and waits until it answers; says its process.
async fn start(place: &Place, client: &Client) -> Result<u32, Failure> {
    place.state.create()?;
    let log = place.state.log();
    let before = std::fs::metadata(&log).map_or(0, |metadata| metadata.len());
    let spawn =
        || spawn(place, &log).map_err(|error| Failure::failed(format!("cannot start the server: {error}")));
    let mut child = spawn()?;
    let until = Instant::now() + START_LIMIT;
    while Instant::now() < until {
        match client.get::<Health>("/v1/health").await {
            Ok(health) => return Ok(health.pid),
            Err(ClientError::Refused(_)) => return Ok(child.id()),
            Err(_) => {}
        }
        if child.try_wait()?.is_some() {
            // The journal was another server's: one that just starts and answers soon, or one that ends and never does.
            if !is_taken(&log, before) {
                return Err(did_not_start(&log, before));
            }
            tokio::time::sleep(AGAIN_AFTER).await;
            child = spawn()?;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    // It is of no use to anybody.
    let _ = child.kill();
    let _ = child.wait();
    Err(did_not_start(&log, before))
}

/// Runs `pilotage serve` with nothing of this process but its environment and user.
fn spawn(place: &Place, log: &Path) -> io::Result<Child> {
    let output = OpenOptions::new().create(true).append(true).mode(0o600).open(log)?;
    let errors: File = output.try_clone()?;
    Command::new(std::env::current_exe()?)
        .args(["serve", "--background", "--file"])
        .arg(&place.file)
        .arg("--state")
        .arg(place.state.root())
        .current_dir("/")
        // Credentials are for this command, and nothing that a server has a use for.
        .env_remove(TOKEN_VARIABLE)
        .env_remove(ID_TOKEN_VARIABLE)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn()
}

/// Whether the server that ended has met another one.
fn is_taken(log: &Path, before: u64) -> bool {
    said(log, before).lines().last().is_some_and(|line| line.starts_with("error: a server already runs"))
}

fn did_not_start(log: &Path, before: u64) -> Failure {
    let said = said(log, before);
    let errors: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("error: ")).collect();
    let hints = said.lines().filter_map(|line| line.strip_prefix("hint: "));
    let reason = errors.last().map_or_else(|| "it did not say why".to_owned(), |error| (*error).to_owned());
    let failure = Failure::failed(format!("the server does not start: {reason}"));
    hints.fold(failure, Failure::hint).hint(format!("its log is {}", log.display()))
}

/// What was written to the log since it had so many bytes.
fn said(log: &Path, before: u64) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let from = usize::try_from(before).unwrap_or(0).min(bytes.len());
    String::from_utf8_lossy(bytes.get(from..).unwrap_or_default()).into_owned()
}
