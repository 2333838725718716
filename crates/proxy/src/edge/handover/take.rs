//! The new edge's side of a hand-over.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use tokio::net::UnixStream;

use super::message::{Answer, FORMAT, OTHER_DESCRIPTORS, Question};
use super::{Inherited, descriptors, secret};
use crate::control::Request;
use crate::edge::admin_socket::AdminSocket;
use crate::edge::beginning::Beginning;
use crate::edge::connection::Connection;
use crate::edge::listeners::Listeners;
use crate::edge::socket::ControlSocket;
use crate::edge::state::StateFolder;
use crate::edge::{EdgeConfig, EdgeError, cookie_key};
use crate::{CertificateStatus, Identity, RoutingTable};

/// How long the old edge may take for each answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// The connection to an old edge whose place has not been taken yet. It serves on until [`Place::take`] has returned.
#[derive(Debug)]
pub(in crate::edge) struct Place {
    connection: Connection,
    pid: u32,
}

/// Asks the edge at the control socket to hand everything over.
pub(in crate::edge) async fn take(config: &EdgeConfig) -> Result<(Beginning, Place), EdgeError> {
    let failed = failure(config);
    let stream = UnixStream::connect(&config.socket).await.map_err(failed)?;
    let mut connection = Connection::new(stream);
    let request = Request::TakeOver { format: FORMAT };
    let offer = ask(&mut connection, &request).await.map_err(failed)?;
    let Answer::Offer { identity, table, addresses, admin, certificates } = offer else {
        return Err(failed(refusal(offer)));
    };
    let mut place = Place { connection, pid: identity.pid };
    let offered = Offered { identity, table, addresses, admin, certificates };
    match offered.receive(&mut place.connection, config).await {
        Ok(beginning) => Ok((beginning, place)),
        Err(error) => Err(place.give_up(error).await),
    }
}

/// What the old edge has said that it hands over.
struct Offered {
    identity: Identity,
    table: RoutingTable,
    addresses: Vec<SocketAddr>,
    admin: Option<SocketAddr>,
    certificates: Vec<CertificateStatus>,
}

impl Offered {
    /// Takes the descriptors that belong to it.
    async fn receive(self, connection: &mut Connection, config: &EdgeConfig) -> Result<Beginning, EdgeError> {
        let failed = failure(config);
        let count = OTHER_DESCRIPTORS + self.addresses.len() + usize::from(self.admin.is_some());
        let mut received = receive(connection, count).await.map_err(failed)?.into_iter();
        let mut next = || received.next().ok_or_else(|| failed(io::ErrorKind::UnexpectedEof.into()));
        let state = StateFolder::taken_over(&config.state_folder, next()?)?;
        let socket = ControlSocket::taken_over(&config.socket, next()?)?;
        let key = secret::opened(next()?).map_err(failed)?;
        let mut listeners = Listeners::default();
        for address in self.addresses {
            listeners.adopt(address, next()?);
        }
        let admin = self.admin.map(|address| Ok((address, next()?))).transpose()?;
        Ok(Beginning {
            state,
            socket,
            cookie_key: cookie_key::kept(&config.state_folder, key)?,
            table: self.table,
            listeners,
            admin: AdminSocket::new(config.admin, admin),
            certificates: self.certificates,
            started_micros: Some(self.identity.started_micros),
        })
    }
}

fn failure(config: &EdgeConfig) -> impl Fn(io::Error) -> EdgeError + Copy {
    move |error| EdgeError::TakeOver { socket: config.socket.clone(), reason: error.to_string() }
}

impl Place {
    /// Leaves the place to the old edge, and tells it why.
    pub(in crate::edge) async fn give_up(mut self, error: EdgeError) -> EdgeError {
        let give_up = Question::GiveUp { reason: error.to_string() };
        // If that is not heard, the end of the connection is.
        let _ = tokio::time::timeout(ANSWER_LIMIT, self.connection.say(&give_up)).await;
        error
    }

    /// Says that this edge accepts connections. When it returns, the old edge does not any more, and everything is ours.
    pub(in crate::edge) async fn take(
        mut self,
        own: &Identity,
        config: &EdgeConfig,
    ) -> Result<Inherited, EdgeError> {
        let serving = Question::Serving { identity: own.clone() };
        let error = match ask(&mut self.connection, &serving).await {
            Ok(Answer::Yours { stats }) => return Ok(Inherited::from(self.pid, self.connection, stats)),
            Ok(other) => refusal(other),
            Err(error) => error,
        };
        Err(EdgeError::TakeOver { socket: config.socket.clone(), reason: error.to_string() })
    }
}

async fn receive(connection: &mut Connection, count: usize) -> io::Result<Vec<OwnedFd>> {
    let mut received = Vec::with_capacity(count);
    while received.len() < count {
        connection.say(&Question::Descriptors { from: received.len() }).await?;
        let message = descriptors::receive(connection.stream());
        let message = tokio::time::timeout(ANSWER_LIMIT, message).await??;
        if message.is_empty() {
            return Err(io::Error::other("a message came without descriptors"));
        }
        received.extend(message);
    }
    Ok(received)
}

async fn ask(connection: &mut Connection, question: &impl serde::Serialize) -> io::Result<Answer> {
    tokio::time::timeout(ANSWER_LIMIT, connection.ask(question)).await?
}

fn refusal(answer: Answer) -> io::Error {
    match answer {
        Answer::Refused { reason } => io::Error::other(format!("it refused: {reason}")),
        other => io::Error::other(format!("it gave an answer to another question: {other:?}")),
    }
}
