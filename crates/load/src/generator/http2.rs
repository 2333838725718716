//! Connections over HTTP/2, each shared by several streams, and requests on them.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, MutexGuard};

use super::body::RequestBody;
use super::outcome::{Answer, Dropped, was_not_taken};
use super::request::Numbered;
use super::{http1, tally::Tally};

/// Nobody closes so many connections one after the other; a request that meets more is dropped.
const MOST_CONNECTIONS: usize = 5;

/// A number of connections. One on which the other side takes no new streams (GOAWAY) is left to those it has, and
/// another is opened in its place.
#[derive(Debug)]
pub(super) struct Connections<B> {
    address: SocketAddr,
    places: Vec<Mutex<Option<Connection<B>>>>,
}

#[derive(Debug)]
struct Connection<B> {
    sender: SendRequest<B>,
    /// How it ended, unless in order.
    fault: Arc<OnceLock<hyper::Error>>,
}

/// A body that requests may have.
pub(super) trait Sendable:
    Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + Unpin + 'static
{
}

impl<B> Sendable for B where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + Unpin + 'static
{
}

impl<B: Sendable> Connections<B> {
    pub(super) fn new(address: SocketAddr, count: usize) -> Self {
        Self { address, places: (0..count).map(|_| Mutex::default()).collect() }
    }

    /// Sends a request on the connection of a place, and on another one each time it is told that it was not taken.
    pub(super) async fn send(
        &self,
        place: usize,
        tally: &Tally,
        mut request: impl FnMut() -> Result<Request<B>, http::Error>,
    ) -> Result<Response<Incoming>, Dropped> {
        for _ in 0..MOST_CONNECTIONS {
            let Connection { mut sender, fault } = self.open(place).await?;
            let sent = request().map_err(|error| Dropped::new("malformed", error))?;
            let failed = match sender.try_send_request(sent).await {
                Ok(response) => return Ok(response),
                Err(failed) => failed,
            };
            let not_taken = failed.message().is_some() || was_not_taken(failed.error());
            if !not_taken || fault.get().is_some() {
                return Err(Dropped::from_hyper(fault.get().unwrap_or(failed.error())));
            }
            tally.moved();
            self.leave(place, &fault).await;
        }
        Err(Dropped::new("goaway", "one connection after the other took no requests"))
    }

    /// The connection of a place; a new one if that was closed or left.
    async fn open(&self, place: usize) -> Result<Connection<B>, Dropped> {
        let mut place = self.place(place).await;
        if let Some(connection) = place.as_ref().filter(|connection| !connection.sender.is_closed()) {
            return Ok(connection.clone());
        }
        let stream = TcpStream::connect(self.address).await.map_err(|error| Dropped::from_io(&error))?;
        stream.set_nodelay(true).map_err(|error| Dropped::from_io(&error))?;
        let (sender, driver) = handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .map_err(|error| Dropped::from_hyper(&error))?;
        let connection = Connection { sender, fault: Arc::default() };
        let fault = connection.fault.clone();
        tokio::spawn(async move {
            if let Err(error) = driver.await {
                let _ = fault.set(error);
            }
        });
        *place = Some(connection.clone());
        Ok(connection)
    }

    /// Takes a connection out of its place, unless somebody else already has.
    async fn leave(&self, place: usize, fault: &Arc<OnceLock<hyper::Error>>) {
        let mut place = self.place(place).await;
        if place.as_ref().is_some_and(|connection| Arc::ptr_eq(&connection.fault, fault)) {
            *place = None;
        }
    }

    async fn place(&self, place: usize) -> MutexGuard<'_, Option<Connection<B>>> {
        self.places[place % self.places.len()].lock().await
    }
}

impl<B> Clone for Connection<B> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), fault: self.fault.clone() }
    }
}

/// Sends one request and reads the whole answer, however long that takes.
pub(super) async fn exchange(
    request: &Numbered<'_>,
    connections: &Connections<RequestBody>,
    place: usize,
    body: &Bytes,
    tally: &Tally,
) -> Result<Answer, Dropped> {
    let response = connections.send(place, tally, || request.http2(body)).await?;
    request.remember(response.headers());
    http1::read(response, request.echo(body)).await
}
