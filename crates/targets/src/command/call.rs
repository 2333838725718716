//! Asks the program, as often as it makes sense.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pilotage_secrets::Secret;
use pilotage_spec::Workload;
use serde::Deserialize;

use super::contract::{Answer, Pending, Request, VERSION, Verb, WorkloadName};
use super::convert::target_error;
use super::fault::CommandFault;
use super::shared::Shared;
use crate::process::now;
use crate::{Fence, TargetError};

/// A request is asked so often at most while the errors are transient.
const ATTEMPTS: u32 = 4;
/// The pause after the first transient error; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Work that is under way is waited for at most so long.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// When work that is under way is asked for again, in milliseconds: the least, what is meant if nothing is said, and the most.
const AGAIN_MS: (u64, u64, u64) = (100, 2_000, 30_000);

/// Tells the keys of requests in the same microsecond apart.
static ASKED: AtomicU64 = AtomicU64::new(0);

impl Verb {
    /// As it is written.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Describe => "describe",
            Self::Stage { .. } => "stage",
            Self::Observe => "observe",
            Self::Ensure { .. } => "ensure",
            Self::CheckRoute { .. } => "check_route",
            Self::Route { .. } => "route",
            Self::Retire { .. } => "retire",
            Self::Remove => "remove",
            Self::Logs { .. } => "logs",
        }
    }
}

/// Only the version of an answer, which has to be known before the rest can be read.
#[derive(Deserialize)]
struct Spoken {
    contract: u32,
}

impl Shared {
    /// Asks for something that changes nothing.
    pub async fn ask(&self, workload: Option<&Workload>, verb: Verb) -> Result<Answer, TargetError> {
        let request = self.request(workload, None, verb);
        self.until_answered(&request, workload, None).await
    }

    /// Asks for an effect, by the right of a token. The workload is claimed for each attempt and free between them, so that who
    /// takes over need not wait.
    pub async fn act(&self, workload: &Workload, fence: Fence, verb: Verb) -> Result<Answer, TargetError> {
        let request = self.request(Some(workload), Some(fence), verb);
        let _disturbance = Disturbance::begin(self, workload);
        self.until_answered(&request, Some(workload), Some(fence)).await
    }

    fn request(&self, workload: Option<&Workload>, fence: Option<Fence>, verb: Verb) -> Request {
        let count = ASKED.fetch_add(1, Ordering::Relaxed);
        Request {
            contract: VERSION,
            key: format!("{:x}-{:x}-{count:x}", now().as_micros(), std::process::id()),
            project: self.config.project.to_string(),
            workload: workload.map(|workload| WorkloadName {
                environment: workload.environment.to_string(),
                service: workload.service.to_string(),
            }),
            fence: fence.map(|fence| fence.0),
            verb,
        }
    }

    async fn until_answered(
        &self,
        request: &Request,
        workload: Option<&Workload>,
        fence: Option<Fence>,
    ) -> Result<Answer, TargetError> {
        let ours = fence.map_or(0, |fence| fence.0);
        let error = |fault| target_error(self.config.program(), workload, ours, fault);
        let begin = Instant::now();
        let (mut since, mut attempt, mut pause) = (begin, 1, FIRST_PAUSE);
        loop {
            let claim = match (workload, fence) {
                (Some(workload), Some(fence)) => Some(self.config.claims.claim(workload, fence).await?),
                _ => None,
            };
            let answer = self.once(request).await?;
            drop(claim);
            match answer {
                Ok(Answer { pending: Some(pending), .. }) => {
                    self.wait_for(request, &pending, begin).await.map_err(error)?;
                    (since, attempt, pause) = (Instant::now(), 1, FIRST_PAUSE);
                }
                Ok(answer) => return Ok(answer),
                // One that has used up its time once is not given it again and again.
                Err(fault)
                    if fault.is_transient()
                        && attempt < ATTEMPTS
                        && since.elapsed() < self.config.timeout =>
                {
                    tracing::debug!(verb = request.verb.word(), %fault, "asked again in a moment");
                    tokio::time::sleep(pause).await;
                    (attempt, pause) = (attempt + 1, pause * 2);
                }
                Err(fault) => return Err(error(fault)),
            }
        }
    }

    /// Waits until it is time to ask again.
    async fn wait_for(
        &self,
        request: &Request,
        pending: &Pending,
        begin: Instant,
    ) -> Result<(), CommandFault> {
        let verb = request.verb.word();
        let message = self.config.secrets.known().text(&pending.message).into_owned();
        if begin.elapsed() > LONGEST_WAIT {
            return Err(CommandFault::StillPending { verb, waited: begin.elapsed(), message });
        }
        tracing::info!(verb, "under way: {message}");
        let (least, usual, most) = AGAIN_MS;
        let again = pending.again_ms.unwrap_or(usual).clamp(least, most);
        tokio::time::sleep(Duration::from_millis(again)).await;
        Ok(())
    }

    /// Runs the program once, and reads its answer.
    async fn once(&self, request: &Request) -> Result<Result<Answer, CommandFault>, TargetError> {
        let environment = self.environment.get().await?;
        let input = serde_json::to_vec(request).map_err(|error| TargetError::Failed {
            doing: format!("write the request `{}`", request.verb.word()),
            reason: error.to_string(),
        })?;
        let verb = request.verb.word();
        let output = match self.program.run(verb, &Secret::new(input), &environment).await {
            Ok(output) => output,
            Err(fault) => return Ok(Err(fault)),
        };
        Ok(self.read(verb, output))
    }

    fn read(&self, verb: &'static str, output: super::program::Output) -> Result<Answer, CommandFault> {
        let answer = parse(output.answer.expose());
        match answer {
            Ok(Answer { error: Some(mut fault), .. }) => {
                let known = self.config.secrets.known();
                fault.message = known.text(&fault.message).into_owned();
                fault.mend = fault.mend.map(|mend| known.text(&mend).into_owned());
                Err(CommandFault::Refused(fault))
            }
            _ if !output.status.success() => Err(output.ended(verb)),
            Ok(answer) => Ok(answer),
            Err(Unread::Version(found)) => Err(CommandFault::Version { found }),
            Err(Unread::Json(error)) => {
                let text = String::from_utf8_lossy(output.answer.expose());
                let text = self.config.secrets.known().text(&text).into_owned();
                Err(CommandFault::malformed(verb, &error, &text, output.said))
            }
        }
    }
}

/// Why an answer cannot be read.
enum Unread {
    Version(u32),
    Json(serde_json::Error),
}

fn parse(output: &[u8]) -> Result<Answer, Unread> {
    let spoken: Spoken = serde_json::from_slice(output).map_err(Unread::Json)?;
    match spoken.contract {
        VERSION => serde_json::from_slice(output).map_err(Unread::Json),
        found => Err(Unread::Version(found)),
    }
}

/// What was seen of a workload counts no longer from the beginning of an effect, nor after its end.
struct Disturbance<'a>(&'a Shared, &'a Workload);

impl<'a> Disturbance<'a> {
    fn begin(shared: &'a Shared, workload: &'a Workload) -> Self {
        shared.observations.disturbed(workload);
        Self(shared, workload)
    }
}

impl Drop for Disturbance<'_> {
    fn drop(&mut self) {
        self.0.observations.disturbed(self.1);
    }
}
