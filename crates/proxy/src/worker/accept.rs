//! Listeners and the connections of clients.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_local;

use super::guard::{Guarded, Watch};
use super::head::ClientConnection;
use super::serve::{Visitor, serve};
use super::thread::Worker;
use super::view::View;

/// Longest request head that is accepted; above it the answer is 431.
const LARGEST_HEAD: usize = 64 * 1024;

/// How long an idle connection may still send a request after its listener was closed: the request may be on its way
/// already, and is then answered with `Connection: close` instead of a reset.
const LINGER: Duration = Duration::from_millis(250);

/// The pause after a failed accept, which mostly means that there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The listeners of one worker.
pub(super) struct Doors {
    worker: Rc<Worker>,
    /// By address; `true` is sent to close listener and connections.
    open: HashMap<SocketAddr, watch::Sender<bool>>,
    connections: Connections,
}

/// Held by every connection; when all are gone, the receiver sees the end.
struct Connections {
    sender: mpsc::Sender<()>,
    receiver: mpsc::Receiver<()>,
}

impl Doors {
    pub(super) fn new(worker: Rc<Worker>) -> Self {
        let (sender, receiver) = mpsc::channel(1);
        Self { worker, open: HashMap::new(), connections: Connections { sender, receiver } }
    }

    /// Opens new listeners, and closes those of routes that are gone.
    pub(super) fn use_table(&mut self, view: &View, listeners: Vec<(SocketAddr, std::net::TcpListener)>) {
        for (address, listener) in listeners {
            match TcpListener::from_std(listener) {
                Ok(listener) => self.open(address, listener),
                Err(error) => tracing::error!(%address, %error, "a listener could not be taken up"),
            }
        }
        self.open.retain(|address, closing| {
            let wanted = view.route(*address).is_some();
            if !wanted {
                closing.send_replace(true);
            }
            wanted
        });
    }

    /// Closes all listeners and waits until the last connection has ended, for at most `grace`.
    pub(super) async fn close(self, grace: Duration) {
        self.open.values().for_each(|closing| {
            closing.send_replace(true);
        });
        let Connections { sender, mut receiver } = self.connections;
        drop(sender);
        if tokio::time::timeout(grace, receiver.recv()).await.is_err() {
            tracing::warn!("connections were cut: they had not ended within {} ms", grace.as_millis());
        }
    }

    fn open(&mut self, address: SocketAddr, listener: TcpListener) {
        let (sender, closing) = watch::channel(false);
        self.open.insert(address, sender);
        let worker = Rc::clone(&self.worker);
        let open = self.connections.sender.clone();
        spawn_local(accept(worker, address, listener, closing, open));
    }
}

async fn accept(
    worker: Rc<Worker>,
    address: SocketAddr,
    listener: TcpListener,
    mut closing: watch::Receiver<bool>,
    open: mpsc::Sender<()>,
) {
    loop {
        let accepted = tokio::select! {
            // In this order, so that connections which already wait are taken before the listener is closed.
            biased;
            accepted = listener.accept() => accepted,
            _ = closing.wait_for(|closing| *closing) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let visitor = Visitor {
                    worker: Rc::clone(&worker),
                    connection: ClientConnection::new(peer, address),
                    watch: Watch::new(),
                    closing: closing.clone(),
                    _open: open.clone(),
                };
                spawn_local(converse(Rc::new(visitor), stream));
            }
            Err(error) => {
                tracing::warn!(%address, %error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves one connection until it ends. Whatever goes wrong with it is the client's affair.
async fn converse(visitor: Rc<Visitor>, stream: TcpStream) {
    // Fails only on a connection that is gone already, which the first read notices.
    let _ = stream.set_nodelay(true);
    let limits = visitor.worker.limits;
    let mut closing = visitor.closing.clone();
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // From the answer before; a head that has begun is timed by `Guarded`.
        .header_read_timeout(limits.client_idle)
        .max_header_size(LARGEST_HEAD)
        .serve_connection(
            TokioIo::new(Guarded::new(stream, Arc::clone(&visitor.watch), limits.request_head)),
            service_fn(move |request| serve(Rc::clone(&visitor), request)),
        )
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = closing.wait_for(|closing| *closing) => {}
    }
    if tokio::time::timeout(LINGER, connection.as_mut()).await.is_ok() {
        return;
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
