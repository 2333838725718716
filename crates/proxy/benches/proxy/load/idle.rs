//! Kept-alive connections on which nothing happens.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::fault::{During, Fault};
use crate::servers::SMALL_BODY;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n";

/// Connections that are opened at a time.
const AT_A_TIME: usize = 50;

/// How long one may take to be answered; a server that cannot bear so many lets them wait for ever.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections that have each had one answer, and stay open as long as this lives.
#[derive(Debug)]
pub struct IdleConnections {
    _streams: Vec<TcpStream>,
    _runtime: Runtime,
}

impl IdleConnections {
    pub fn open(address: SocketAddr, wanted: usize) -> Result<Self, Fault> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.during("starting a runtime")?;
        let streams = runtime.block_on(async {
            let (mut opening, mut streams) = (JoinSet::new(), Vec::with_capacity(wanted));
            for begun in 0..wanted {
                opening.spawn(open(address));
                if opening.len() == AT_A_TIME || begun + 1 == wanted {
                    while let Some(opened) = opening.join_next().await {
                        streams.push(opened.during("opening idle connections")??);
                    }
                }
            }
            Ok::<_, Fault>(streams)
        })?;
        Ok(Self { _streams: streams, _runtime: runtime })
    }
}

async fn open(address: SocketAddr) -> Result<TcpStream, Fault> {
    let answered = tokio::time::timeout(PATIENCE, answered_once(address)).await;
    answered.during("waiting for an answer")?.during("opening an idle connection")
}

async fn answered_once(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(REQUEST).await?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 1_024]);
    while !answer.ends_with(SMALL_BODY.as_bytes()) {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        answer.extend_from_slice(&buffer[..length]);
    }
    Ok(stream)
}
