//! The smoke suite: commands that must succeed against one instance before its version takes traffic.

use std::borrow::Cow;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use pilotage_engine::ActionFailure;
use pilotage_secrets::SecretReader;
use pilotage_spec::{Release, Value};
use pilotage_targets::Address;
use tokio::process::Command;

use crate::relay::Reached;

/// How long one command may take.
const LIMIT: Duration = Duration::from_secs(60);
/// What of a command's output goes into the reason of a failure.
const TAIL: usize = 600;

/// Runs every command of the suite in turn, in the project's folder, with nothing of our own environment but what
/// programs need to be found and to speak.
///
/// What they write may hold what the service has told them, its secrets too: these are read once more, to be masked.
pub(crate) async fn run(
    folder: &Path,
    secrets: &SecretReader,
    release: &Release,
    address: &Address,
) -> Result<(), ActionFailure> {
    let reached = Reached::open(address).await.map_err(|error| ActionFailure {
        reason: format!("the smoke suite cannot reach {address}: {error}"),
        transient: true,
    })?;
    let url = format!("http://{}", reached.address());
    let version = release.id.version.to_string();
    let masking = if release.instance.smoke.is_empty() { Ok(()) } else { know(secrets, release).await };
    let said = |output: &Output| match &masking {
        Ok(()) => tail(&secrets.known().text(&written(output))),
        Err(reason) => format!(
            "what it wrote is not shown, because a secret of the service could not be masked: {reason}"
        ),
    };
    for command in &release.instance.smoke {
        run_one(folder, command, &url, &version, said).await?;
    }
    Ok(())
}

/// Reads the service's secrets, so that they are masked; also after a restart, when nobody has read them yet.
async fn know(secrets: &SecretReader, release: &Release) -> Result<(), String> {
    for value in release.instance.env.values() {
        if let Value::Secret(source) | Value::SecretFile(source) = value {
            secrets.read(source).await.map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// What a command says of its failure.
fn written(output: &Output) -> Cow<'_, str> {
    String::from_utf8_lossy(if output.stderr.is_empty() { &output.stdout } else { &output.stderr })
}

async fn run_one(
    folder: &Path,
    command: &[String],
    url: &str,
    version: &str,
    said: impl Fn(&Output) -> String,
) -> Result<(), ActionFailure> {
    let shown = command.join(" ");
    let failed =
        |reason: String| ActionFailure { reason: format!("smoke `{shown}`: {reason}"), transient: false };
    let value = |name: &str| match name {
        "URL" => Some(url.to_owned()),
        "VERSION" => Some(version.to_owned()),
        _ => None,
    };
    let words: Vec<String> = command
        .iter()
        .map(|word| pilotage_spec::substitute(word, value))
        .collect::<Result<_, _>>()
        .map_err(|error| failed(error.to_string()))?;
    let Some((program, arguments)) = words.split_first() else {
        return Err(failed("it is empty".to_owned()));
    };
    let kept = ["PATH", "HOME", "LANG"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    let child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(kept)
        .env("URL", url)
        .env("VERSION", version)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(format!("it cannot be started: {error}")))?;
    let output = tokio::time::timeout(LIMIT, child.wait_with_output())
        .await
        .map_err(|_| failed(format!("it did not end within {} s", LIMIT.as_secs())))?
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(format!("{}: {}", output.status, said(&output))))
}

fn tail(text: &str) -> String {
    let text = text.trim();
    let skipped = text.chars().count().saturating_sub(TAIL);
    text.chars().skip(skipped).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
