//! The old edge's side of a hand-over.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use super::descriptors;
use super::message::{Answer, FORMAT, Question};
use super::secret;
use crate::control::Identity;
use crate::edge::connection::Connection;
use crate::edge::control::Control;
use crate::edge::notify;
use crate::edge::phase::{HandOver, Phase};

/// How long the other edge may take, from its request until it serves. Tables wait meanwhile, so this is below the time
/// that a client waits for an answer.
const LIMIT: Duration = Duration::from_secs(5);

/// How long it may take until no table is being applied. The other edge gives up after ten seconds: both limits and the
/// last look at the counters have to fit.
const LOCK_LIMIT: Duration = Duration::from_secs(1);

/// How long the last words may take.
const LAST_WORDS_LIMIT: Duration = Duration::from_secs(5);

/// All that there is to hand over.
struct Estate {
    offer: Answer,
    descriptors: Vec<OwnedFd>,
}

/// Hands everything over to the edge at the other end, which has asked for it, and stays with it until nothing is left
/// here. If nothing comes of it, this edge serves on.
pub(in crate::edge) async fn give(
    connection: &mut Connection,
    format: u32,
    control: &Control,
) -> io::Result<()> {
    if format != FORMAT {
        let reason = format!("this edge hands over by format {FORMAT}, and not by {format}");
        return connection.say(&Answer::Refused { reason }).await;
    }
    let begun = begin(control).await.inspect_err(|error| {
        tracing::error!(%error, "what another edge asked for cannot be handed over; this one serves on");
        control.note_failure(error.to_string());
    });
    let Some((hand_over, estate)) = begun? else {
        let reason = "this edge is being replaced or stopped already".to_owned();
        return connection.say(&Answer::Refused { reason }).await;
    };
    let served = tokio::time::timeout(LIMIT, hand_out(connection, estate)).await;
    let failure = match served {
        Ok(Ok(successor)) => return complete(connection, hand_over, successor, control).await,
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("it was not ready within {} s", LIMIT.as_secs()),
    };
    tracing::error!("another edge did not take over: {failure}; this one serves on");
    // Before the hand-over is given up: whoever has started that edge waits for that.
    control.note_failure(failure);
    drop(hand_over);
    Ok(())
}

/// Begins the hand-over, unless this edge is being replaced or stopped already.
async fn begin(control: &Control) -> io::Result<Option<(HandOver<'_>, Estate)>> {
    // Held while the phase changes: whoever applies a table has it too.
    let publisher = control.publisher.lock().await;
    let Some(hand_over) = control.phases.begin_hand_over() else { return Ok(None) };
    let (addresses, listeners): (Vec<_>, Vec<_>) = publisher.listeners()?.into_iter().unzip();
    let key = secret::sealed(&publisher.shared.cookie_key)?;
    let (admin, admin_socket) = control.admin.duplicate()?.unzip();
    let mut descriptors = vec![publisher.state.lock_duplicate()?, control.socket.duplicate()?, key];
    descriptors.extend(listeners);
    descriptors.extend(admin_socket);
    let offer = Answer::Offer {
        identity: control.identity.clone(),
        table: publisher.table(),
        addresses,
        admin,
        certificates: control.encryption.status(),
    };
    Ok(Some((hand_over, Estate { offer, descriptors })))
}

/// The other edge serves: lets go of everything, and tells it and our supervisor so.
async fn complete(
    connection: &mut Connection,
    hand_over: HandOver<'_>,
    successor: Identity,
    control: &Control,
) -> io::Result<()> {
    let Ok(mut publisher) = tokio::time::timeout(LOCK_LIMIT, control.publisher.lock()).await else {
        let reason = "this edge is busy with another table".to_owned();
        control.note_failure(reason.clone());
        return connection.say(&Answer::Refused { reason }).await;
    };
    control.note_replacement(&publisher, successor.clone());
    if !hand_over.complete() {
        let reason = "this edge was told to stop".to_owned();
        return connection.say(&Answer::Refused { reason }).await;
    }
    publisher.close_listeners();
    publisher.state.let_go();
    control.socket.close();
    control.admin.close();
    let stats = publisher.stats().await;
    drop(publisher);
    let pid = connection.stream().peer_cred().ok().and_then(|peer| peer.pid()?.try_into().ok());
    // Before this process can end, or its supervisor would take that for the end of the edge.
    notify::succeeded_by(pid.unwrap_or(successor.pid));
    tracing::info!(pid = successor.pid, version = successor.version, "another edge has taken over");
    connection.say(&Answer::Yours { stats }).await?;
    finish(connection, control).await
}

/// Answers until the other edge serves; says who it is.
async fn hand_out(connection: &mut Connection, estate: Estate) -> io::Result<Identity> {
    let Estate { offer, descriptors } = estate;
    connection.say(&offer).await?;
    loop {
        match connection.hear().await? {
            Question::Descriptors { from } => {
                let wanted = descriptors.get(from..).filter(|wanted| !wanted.is_empty());
                let wanted = wanted.ok_or(io::ErrorKind::InvalidInput)?;
                descriptors::send(connection.stream(), wanted).await?;
            }
            Question::Serving { identity } => return Ok(identity),
            Question::GiveUp { reason } => return Err(io::Error::other(reason)),
            Question::Stats | Question::Follow { .. } | Question::Stop { .. } => {
                return Err(io::ErrorKind::InvalidInput.into());
            }
        }
    }
}

/// Answers the other edge while this one finishes what it has.
async fn finish(connection: &mut Connection, control: &Control) -> io::Result<()> {
    loop {
        let question = tokio::select! {
            _ = control.phases.reached(&[Phase::Drained]) => break,
            question = connection.hear() => question?,
        };
        let answer = match question {
            Question::Stats => Answer::Stats { stats: control.publisher.lock().await.stats().await },
            Question::Follow { table } => {
                control.publisher.lock().await.follow(table).await;
                Answer::Followed
            }
            Question::Stop { grace_ms } => {
                // Finished already is as good.
                let _ = control.stop.send(Duration::from_millis(grace_ms));
                Answer::Stopping
            }
            Question::Descriptors { .. } | Question::Serving { .. } | Question::GiveUp { .. } => {
                return Err(io::ErrorKind::InvalidInput.into());
            }
        };
        connection.say(&answer).await?;
    }
    let stats = control.publisher.lock().await.stats().await;
    tokio::time::timeout(LAST_WORDS_LIMIT, connection.say(&Answer::Drained { stats })).await?
}
