//! Whether everything was stopped: the last word of the stream `project`. What was stopped stays so until somebody wants
//! it back, whatever else a server is asked meanwhile.

use pilotage_journal::{Append, Event, Expected, NewEvent, ReadError, Reader};
use pilotage_views::rfc3339;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::context::{Context, blocking};
use crate::error::{ErrorBody, ErrorKind};

/// The stream of what concerns everything at once.
const STREAM: &str = "project";
/// Everything is being stopped.
const STOPPED: &str = "project.stopped";
/// Not everything could be stopped.
const NOT_STOPPED: &str = "project.not_stopped";
/// What was stopped is brought back.
const STARTED: &str = "project.started";

/// Everything is stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Since when, in RFC 3339 form.
    pub since: String,
    /// Who has stopped it.
    pub by: String,
}

impl Stopped {
    /// Reads whether everything is stopped.
    ///
    /// # Errors
    /// Fails if the journal cannot be read.
    pub fn read(reader: &Reader) -> Result<Option<Self>, ReadError> {
        let Ok(stream) = STREAM.parse() else { return Ok(None) };
        let last: Option<Event> = reader.stream(&stream, 0)?.pop();
        let stop = last.filter(|event| event.kind.as_str() == STOPPED);
        Ok(stop.map(|event| Self { since: rfc3339(event.time), by: event.actor }))
    }
}

impl Context {
    /// Whether everything is stopped.
    pub(crate) async fn stopped(&self) -> Result<Option<Stopped>, ErrorBody> {
        let reader = self.reader();
        blocking(move || Ok(Stopped::read(&reader)?)).await
    }

    /// Records that everything is being stopped.
    pub(crate) async fn record_stop(
        &self,
        workloads: &[String],
        actor: &str,
        command: String,
    ) -> Result<(), ErrorBody> {
        append(self, STOPPED, actor, json!({ "stopped": workloads, "command": command })).await
    }

    /// Records that something may still run.
    pub(crate) async fn record_failed_stop(&self, actor: &str, reason: &str) -> Result<(), ErrorBody> {
        append(self, NOT_STOPPED, actor, json!({ "reason": reason })).await
    }

    /// Brings back what was stopped, and says whether it was; to be called by those who are admitted.
    pub(crate) async fn bring_back(&self, actor: &str, command: String) -> Result<bool, ErrorBody> {
        // One at a time, so that it is recorded once.
        let _held = self.bringing_back.lock().await;
        let was_stopped = self.stopped().await?.is_some();
        if was_stopped {
            append(self, STARTED, actor, json!({ "command": command })).await?;
        }
        self.conductor.keep();
        Ok(was_stopped)
    }
}

async fn append(context: &Context, kind: &str, actor: &str, payload: Value) -> Result<(), ErrorBody> {
    let event = NewEvent::new(kind.parse()?, payload);
    let append = Append::new(STREAM.parse()?, Expected::Any, actor, vec![event]);
    let appended = context.journal.append(append).await;
    appended.map(drop).map_err(|error| ErrorBody::new(ErrorKind::Internal, error.to_string()))
}
