//! Listeners and the connections of clients.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_local;

use super::client::{Visitor, welcome};
use super::thread::Worker;
use super::view::View;

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
            let wanted = view.table.listener(*address).is_some();
            if !wanted {
                closing.send_replace(true);
            }
            wanted
        });
    }

    /// Closes all listeners and waits until the last connection has ended.
    pub(super) async fn close(self) {
        self.open.values().for_each(|closing| {
            closing.send_replace(true);
        });
        let Connections { sender, mut receiver } = self.connections;
        drop(sender);
        // Nobody says anything on this channel: it ends with the last connection.
        let _ = receiver.recv().await;
    }

    fn open(&mut self, address: SocketAddr, listener: TcpListener) {
        // There may be several listeners on one address, which are closed together.
        let closing = self.open.entry(address).or_insert_with(|| watch::Sender::new(false)).subscribe();
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
                // Fails only on a connection that is gone already, which the first read notices.
                let _ = stream.set_nodelay(true);
                let visitor = Visitor {
                    worker: Rc::clone(&worker),
                    peer,
                    listen: address,
                    negotiated: None,
                    closing: closing.clone(),
                    _open: open.clone(),
                };
                spawn_local(welcome(visitor, stream));
            }
            Err(error) => {
                tracing::warn!(%address, %error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
