//! The shim's end of its control socket.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::{Duration, Instant};

use super::protocol::{ShimRequest, ShimStatus};
use super::refresh::Refresher;

/// When the service has to be gone at the latest; `None` as long as nobody wants it stopped.
pub type StopDeadline = Option<Instant>;

/// Listens at the path; a socket that a dead shim left behind is replaced.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers requests until the shim ends.
pub async fn serve(
    listener: UnixListener,
    status: watch::Receiver<ShimStatus>,
    stop: watch::Sender<StopDeadline>,
    refresher: Refresher,
) {
    let refresher = Arc::new(refresher);
    let own_user = rustix::process::geteuid().as_raw();
    loop {
        let Ok((connection, _)) = listener.accept().await else {
            // Out of descriptors, most likely: wait for some to come free.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let peer = connection.peer_cred().map(|credentials| credentials.uid());
        if peer.is_ok_and(|user| user == own_user || user == 0) {
            let refresher = Arc::clone(&refresher);
            tokio::spawn(converse(connection, status.clone(), stop.clone(), refresher));
        }
    }
}

/// One connection. An error on it concerns nobody else: the connection is just closed.
async fn converse(
    connection: UnixStream,
    mut status: watch::Receiver<ShimStatus>,
    stop: watch::Sender<StopDeadline>,
    refresher: Arc<Refresher>,
) -> io::Result<()> {
    let (input, mut output) = connection.into_split();
    let mut lines = BufReader::new(input).lines();
    while let Some(line) = lines.next_line().await? {
        let first = status.borrow_and_update().clone();
        match serde_json::from_str(&line)? {
            ShimRequest::Status => send(&mut output, &first).await?,
            ShimRequest::Refresh => {
                refresher.refresh(first.process.as_ref())?;
                send(&mut output, &first).await?;
            }
            ShimRequest::Stop { grace_ms } => {
                let deadline = Instant::now() + Duration::from_millis(grace_ms);
                stop.send_modify(|current| {
                    *current = Some(current.map_or(deadline, |old| old.min(deadline)))
                });
                send(&mut output, &first).await?;
            }
            ShimRequest::Watch => {
                send(&mut output, &first).await?;
                loop {
                    tokio::select! {
                        changed = status.changed() => {
                            if changed.is_err() {
                                return Ok(());
                            }
                            let next = status.borrow_and_update().clone();
                            send(&mut output, &next).await?;
                        }
                        // Nothing more is asked on such a connection; this sees that the other end is gone.
                        _ = lines.next_line() => return Ok(()),
                    }
                }
            }
        }
    }
    Ok(())
}

async fn send(output: &mut (impl AsyncWriteExt + Unpin), status: &ShimStatus) -> io::Result<()> {
    let mut line = serde_json::to_vec(status)?;
    line.push(b'\n');
    output.write_all(&line).await
}
