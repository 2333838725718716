//! The journal as it grows.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use pilotage_access::Caller;
use pilotage_journal::{Event, StreamId};
use serde::Deserialize;
use tokio::sync::watch;
use tracing::warn;

use super::extract::Asked;
use super::ndjson::{self, Gone, Writer};
use super::visible::Visible;
use crate::context::{Context, blocking};
use crate::error::ErrorBody;

/// So many events are read at once.
const PAGE: usize = 500;

/// Which events are wanted.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    /// Those after this one.
    #[serde(default)]
    after: u64,
    /// Only those of this stream.
    stream: Option<StreamId>,
    /// Whether to wait for more.
    #[serde(default)]
    follow: bool,
}

/// How far has been read.
#[derive(Clone, Copy)]
struct Read {
    /// The last event's place in the journal.
    seq: u64,
    /// Its place in its stream; 0 before the first.
    version: u64,
}

pub(crate) async fn events(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
    Asked(wanted): Asked<Wanted>,
) -> Response {
    ndjson::answer(|writer| send(context, caller, wanted, writer))
}

async fn send(context: Context, caller: Caller, wanted: Wanted, writer: Writer) -> Result<(), Gone> {
    let mut visible = Visible::to(caller.clone());
    let mut head = context.journal.head();
    let mut closing = context.closing.subscribe();
    let mut read = Read { seq: wanted.after, version: 0 };
    loop {
        // Seen before reading, so that an event that comes meanwhile is not waited for.
        head.mark_unchanged();
        loop {
            let page = match next_page(&context, wanted.stream.clone(), read).await {
                Ok(page) => page,
                Err(error) => {
                    warn!(error = error.message, "events could not be read");
                    return Ok(());
                }
            };
            let Some(last) = page.last() else { break };
            read = Read { seq: last.seq, version: last.version };
            if !context.guard.still_counts(&caller) {
                return Ok(());
            }
            let (seen, shown) = shown(&context, visible, page).await?;
            visible = seen;
            writer.write(&shown).await?;
        }
        if !wanted.follow || !more(&mut head, &mut closing, &writer).await {
            return Ok(());
        }
    }
}

/// The events that come next. A stream is read by itself: it is short, and the journal may be long.
async fn next_page(context: &Context, stream: Option<StreamId>, read: Read) -> Result<Vec<Event>, ErrorBody> {
    let reader = context.reader();
    blocking(move || {
        let Some(stream) = stream else { return Ok(reader.after(read.seq, PAGE)?) };
        let mut events = reader.stream(&stream, read.version)?;
        events.retain(|event| event.seq > read.seq);
        Ok(events)
    })
    .await
}

/// Leaves out what is not to be seen.
async fn shown(
    context: &Context,
    mut visible: Visible,
    mut page: Vec<Event>,
) -> Result<(Visible, Vec<Event>), Gone> {
    let reader = context.reader();
    let shown = blocking(move || {
        page.retain(|event| visible.shows(event, &reader));
        Ok((visible, page))
    });
    shown.await.map_err(|_| Gone)
}

/// Waits for the next event; false if nobody needs it any more.
async fn more(head: &mut watch::Receiver<u64>, closing: &mut watch::Receiver<bool>, writer: &Writer) -> bool {
    tokio::select! {
        changed = head.changed() => changed.is_ok(),
        _ = closing.wait_for(|closing| *closing) => false,
        () = writer.gone() => false,
    }
}
