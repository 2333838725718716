//! How a pod reaches the API server, and how it says that it is about to end.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use kube::{Client, Config};
use tokio::net::TcpStream;

use super::follow::WATCH_SECONDS;
use super::run::FeederError;

/// How long the API server may take to be connected to.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Longer than a watch lasts: whatever is silent for so long is not there any more.
const SILENT_FOR: Duration = Duration::from_secs(WATCH_SECONDS as u64 + 15);
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

/// What a pod is told of its place.
#[derive(Clone)]
pub struct InCluster {
    /// Speaks to the API server in the name of the pod's service account.
    pub client: Client,
    /// The pod's namespace.
    pub namespace: String,
}

/// A client for whoever runs in a pod, by the files of its service account. The token is read again as it is renewed.
///
/// # Errors
/// Fails outside of a pod.
pub fn in_cluster_client() -> Result<InCluster, FeederError> {
    let failed = |reason: String| FeederError::Place { reason };
    let mut config = Config::incluster().map_err(|error| failed(error.to_string()))?;
    config.connect_timeout = Some(CONNECT_WITHIN);
    config.read_timeout = Some(SILENT_FOR);
    let namespace = config.default_namespace.clone();
    let client = Client::try_from(config).map_err(|error| failed(error.to_string()))?;
    Ok(InCluster { client, namespace })
}

/// Tells the feeder of this pod that no new connections should come here.
///
/// # Errors
/// Says in words why nobody has heard it.
pub async fn leave(status: SocketAddr) -> Result<(), String> {
    let asked = async {
        let stream = TcpStream::connect(status).await.map_err(|error| error.to_string())?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        let request = Request::post("/leave").header(header::HOST, status.to_string());
        let request = request.body(Empty::<Bytes>::new()).map_err(|error| error.to_string())?;
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("it answered {}", answer.status())) }
    };
    match tokio::time::timeout(LEAVE_WITHIN, asked).await {
        Ok(said) => said,
        Err(_) => Err("it did not answer".to_owned()),
    }
}
