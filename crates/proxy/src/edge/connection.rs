//! A conversation on the control socket: one JSON object a line in each direction.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// Longest line that is read: a table with tens of thousands of routes.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;

/// Bytes that are read at a time: a table is some hundred thousand.
const READ_AT_A_TIME: usize = 64 * 1024;

/// One end of a conversation.
#[derive(Debug)]
pub(super) struct Connection {
    stream: BufReader<UnixStream>,
    /// What has come of the next line.
    begun: Vec<u8>,
}

impl Connection {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self { stream: BufReader::with_capacity(READ_AT_A_TIME, stream), begun: Vec::new() }
    }

    /// The socket, for descriptors. They must travel while no line does: a line that is read swallows those beside it.
    pub(super) fn stream(&self) -> &UnixStream {
        self.stream.get_ref()
    }

    /// The next line; `None` when the other end has closed the connection. A call that is given up half way loses
    /// nothing. Fails with `InvalidData` if the line is too long, after which nothing more can be read.
    pub(super) async fn hear_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let room = (LONGEST_LINE + 1).saturating_sub(self.begun.len() as u64);
        (&mut self.stream).take(room).read_until(b'\n', &mut self.begun).await?;
        if self.begun.len() as u64 > LONGEST_LINE {
            let reason = format!("the request is longer than {LONGEST_LINE} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        if self.begun.last() != Some(&b'\n') {
            return Ok(None);
        }
        Ok(Some(std::mem::take(&mut self.begun)))
    }

    /// The next line as what it must be. Safe to give up, as [`Connection::hear_line`] is.
    pub(super) async fn hear<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        let line = self.hear_line().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        serde_json::from_slice(&line).map_err(io::Error::from)
    }

    /// Says one thing.
    pub(super) async fn say(&mut self, message: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line).await
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask<T: DeserializeOwned>(&mut self, question: &impl Serialize) -> io::Result<T> {
        self.say(question).await?;
        self.hear().await
    }
}
