//! One question to a service, over a connection of its own.

use std::time::Duration;

use http::{Request, header};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use pilotage_proxy::Address;
use pilotage_spec::{HttpPath, Protocol};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::ProbeFailure;

const USER_AGENT: &str = "pilotage-probe";

/// Either kind of connection.
pub trait Connection: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Connection for T {}

/// Whom to ask.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Where it listens.
    pub address: Address,
    /// What it speaks.
    pub protocol: Protocol,
}

impl Asked {
    /// Connects.
    pub async fn connect(&self, limit: Duration) -> Result<Box<dyn Connection>, ProbeFailure> {
        let connected = async {
            Ok::<Box<dyn Connection>, std::io::Error>(match &self.address {
                Address::Tcp(address) => Box::new(TcpStream::connect(address).await?),
                Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
            })
        };
        match timeout(limit, connected).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(ProbeFailure {
                reason: format!("nothing answered on {}: {error}", self.place()),
                silent: false,
            }),
            Err(_) => Err(silence(&self.place(), limit)),
        }
    }

    /// One GET; a status from 200 to 399 passes.
    pub async fn get(&self, path: &HttpPath, limit: Duration) -> Result<(), ProbeFailure> {
        let name = format!("GET {path}");
        let stream = self.connect(limit).await?;
        let answer = async {
            match self.protocol {
                Protocol::Http1 => self.http1(stream, path).await,
                Protocol::Http2 => self.http2(stream, path).await,
            }
        };
        match timeout(limit, answer).await {
            Ok(Ok(status)) if (200..400).contains(&status) => Ok(()),
            Ok(Ok(status)) => {
                Err(ProbeFailure { reason: format!("{name} answered {status}"), silent: false })
            }
            Ok(Err(reason)) => {
                Err(ProbeFailure { reason: format!("{name} got no answer: {reason}"), silent: false })
            }
            Err(_) => Err(silence(&name, limit)),
        }
    }

    async fn http1(&self, stream: Box<dyn Connection>, path: &HttpPath) -> Result<u16, String> {
        let words = |error: hyper::Error| error.to_string();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(words)?;
        let request = Request::get(path.as_str())
            .header(header::HOST, self.host())
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::CONNECTION, "close")
            .body(Empty::<Bytes>::new())
            .map_err(|error| error.to_string())?;
        // The connection is driven only as long as the head is awaited; the body is of no interest.
        tokio::select! {
            response = sender.send_request(request) => Ok(response.map_err(words)?.status().as_u16()),
            Err(error) = connection => Err(error.to_string()),
        }
    }

    async fn http2(&self, stream: Box<dyn Connection>, path: &HttpPath) -> Result<u16, String> {
        let words = |error: h2::Error| error.to_string();
        let (sender, connection) = h2::client::handshake(stream).await.map_err(words)?;
        let request = Request::get(format!("http://{}{path}", self.host()))
            .header(header::USER_AGENT, USER_AGENT)
            .body(())
            .map_err(|error| error.to_string())?;
        let answer = async {
            let (response, _) = sender.ready().await?.send_request(request, true)?;
            response.await
        };
        tokio::select! {
            response = answer => Ok(response.map_err(words)?.status().as_u16()),
            ended = connection => Err(ended.err().map_or_else(|| "the connection was closed".to_owned(), words)),
        }
    }

    fn host(&self) -> String {
        match &self.address {
            Address::Tcp(address) => address.to_string(),
            Address::Unix(_) => "localhost".to_owned(),
        }
    }

    fn place(&self) -> String {
        match &self.address {
            Address::Tcp(address) => format!("port {}", address.port()),
            Address::Unix(path) => format!("the socket {}", path.display()),
        }
    }
}

fn silence(name: &str, limit: Duration) -> ProbeFailure {
    ProbeFailure { reason: format!("{name} did not answer within {} ms", limit.as_millis()), silent: true }
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixListener;

    use super::*;

    /// Answers one HTTP/2 request: 200 for `/ready`, 503 for all else.
    async fn serve(listener: UnixListener) {
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((request, mut answer))) = connection.accept().await {
            let status = if request.uri().path() == "/ready" { 200 } else { 503 };
            let response = http::Response::builder().status(status).body(()).unwrap();
            answer.send_response(response, true).unwrap();
        }
    }

    #[tokio::test]
    async fn a_service_that_speaks_http2_is_asked_in_http2() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("service.http");
        let asked = Asked { address: Address::Unix(path.clone()), protocol: Protocol::Http2 };
        let limit = Duration::from_secs(20);
        for (question, expected) in [("/ready", Ok(())), ("/live", Err("GET /live answered 503".to_owned()))]
        {
            let served = tokio::spawn(serve(UnixListener::bind(&path).unwrap()));
            let found = asked.get(&question.parse().unwrap(), limit).await;
            assert_eq!(found.map_err(|failure| failure.reason), expected);
            served.abort();
            std::fs::remove_file(&path).unwrap();
        }
        let nobody = asked.connect(limit).await.err().unwrap();
        assert!(nobody.reason.starts_with("nothing answered on the socket /"), "{}", nobody.reason);
    }
}
