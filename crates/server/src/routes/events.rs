//! The journal as it grows.

use axum::extract::State;
use axum::response::Response;
use pilotage_journal::{Event, ReadError, StreamId};
use serde::Deserialize;
use tokio::sync::watch;
use tracing::warn;

use super::extract::Asked;
use super::ndjson::{self, Gone, Writer};
use crate::context::Context;

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

pub(crate) async fn events(State(context): State<Context>, Asked(wanted): Asked<Wanted>) -> Response {
    ndjson::answer(|writer| send(context, wanted, writer))
}

async fn send(context: Context, wanted: Wanted, writer: Writer) -> Result<(), Gone> {
    let mut head = context.journal.head();
    let mut closing = context.closing.subscribe();
    let mut seq = wanted.after;
    loop {
        // Seen before reading, so that an event that comes meanwhile is not waited for.
        head.mark_unchanged();
        loop {
            let page = match next_page(&context, &wanted, seq) {
                Ok(page) => page,
                Err(error) => {
                    warn!(%error, "events could not be read");
                    return Ok(());
                }
            };
            let Some(last) = page.last() else { break };
            seq = last.seq;
            writer.write(&page).await?;
        }
        if !wanted.follow || !more(&mut head, &mut closing, &writer).await {
            return Ok(());
        }
    }
}

/// The events that come next. A stream is read by itself: it is short, and the journal may be long.
fn next_page(context: &Context, wanted: &Wanted, seq: u64) -> Result<Vec<Event>, ReadError> {
    match &wanted.stream {
        None => context.journal.after(seq, PAGE),
        Some(stream) => {
            let mut events = context.journal.stream(stream, 0)?;
            events.retain(|event| event.seq > seq);
            Ok(events)
        }
    }
}

/// Waits for the next event; false if nobody needs it any more.
async fn more(head: &mut watch::Receiver<u64>, closing: &mut watch::Receiver<bool>, writer: &Writer) -> bool {
    tokio::select! {
        changed = head.changed() => changed.is_ok(),
        _ = closing.wait_for(|closing| *closing) => false,
        () = writer.gone() => false,
    }
}
