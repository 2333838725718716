//! Connections that are kept open between requests.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::generator::body::RequestBody;
use crate::generator::outcome::Dropped;

/// The sending end of one connection.
pub(super) type Sender = SendRequest<RequestBody>;

/// Opens a connection; a task of its own moves its bytes until either side closes it.
pub(super) async fn open(address: SocketAddr) -> Result<Sender, Dropped> {
    let stream = TcpStream::connect(address).await.map_err(|error| Dropped::from_io(&error))?;
    stream.set_nodelay(true).map_err(|error| Dropped::from_io(&error))?;
    let (sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| Dropped::from_hyper(&error))?;
    // How the connection ends is told to the request that used it.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

/// A number of connections that are used in turn.
#[derive(Debug)]
pub(in crate::generator) struct Pool {
    limit: usize,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    idle: VecDeque<Sender>,
    busy: usize,
}

/// The use of one connection by one request. Given up, the connection is closed.
#[derive(Debug)]
pub(super) struct Lease {
    pool: Arc<Pool>,
    /// An open connection that has been used before, if there is one; else the holder opens one.
    pub(super) kept: Option<Sender>,
}

impl Pool {
    pub(in crate::generator) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, places: Mutex::default() })
    }

    /// The use of a kept connection, once as many as wanted are open.
    pub(super) fn lease(self: &Arc<Self>) -> Lease {
        let mut places = self.places();
        places.idle.retain(|sender| !sender.is_closed());
        let enough = places.idle.len() + places.busy >= self.limit;
        let kept = if enough { places.idle.pop_front() } else { None };
        places.busy += 1;
        drop(places);
        Lease { pool: self.clone(), kept }
    }

    /// The use of a connection that the holder opens.
    pub(super) fn lease_new(self: &Arc<Self>) -> Lease {
        self.places().busy += 1;
        Lease { pool: self.clone(), kept: None }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Keeps the connection for the next request, unless there are enough.
    pub(super) fn keep(self, sender: Sender) {
        let mut places = self.pool.places();
        // The place of this lease itself is still counted as busy.
        if places.idle.len() + places.busy <= self.pool.limit {
            places.idle.push_back(sender);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.places().busy -= 1;
    }
}
