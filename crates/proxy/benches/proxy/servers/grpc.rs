//! A service that answers unary gRPC calls over HTTP/2 without TLS.

use std::net::TcpListener;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, server};
use http::{HeaderMap, HeaderValue, Request, Response};
use pilotage_proxy::Address;
use tokio::task::{LocalSet, spawn_local};

use crate::fault::{During, Fault};

/// A message as it is in a body: not compressed, 12 bytes long. Calls carry it, and so do their answers.
pub const MESSAGE: &[u8] = b"\0\0\0\0\x0cHello world!";

/// More than the load ever has open on one connection.
const STREAMS: u32 = 1_024;

/// The service, on a thread of this process, and so on the processor of the load generator. It ends with the process.
#[derive(Debug)]
pub struct GrpcService {
    pub address: Address,
}

impl GrpcService {
    pub fn start() -> Result<Self, Fault> {
        let listener = TcpListener::bind("127.0.0.1:0").during("listening for gRPC")?;
        listener.set_nonblocking(true).during("listening for gRPC")?;
        let address = listener.local_addr().during("listening for gRPC")?.into();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.during("starting a runtime")?;
        std::thread::spawn(move || LocalSet::new().block_on(&runtime, accept(listener)));
        Ok(Self { address })
    }
}

async fn accept(listener: TcpListener) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        spawn_local(converse(stream));
    }
}

/// A client that breaks off is the load generator's affair; it counts what failed.
async fn converse(stream: tokio::net::TcpStream) {
    let handshake = server::Builder::new().max_concurrent_streams(STREAMS).handshake(stream).await;
    let Ok(mut connection) = handshake else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        spawn_local(async move {
            let _ = answer(request, respond).await;
        });
    }
}

async fn answer(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
    let mut body = request.into_body();
    while let Some(chunk) = body.data().await {
        body.flow_control().release_capacity(chunk?.len())?;
    }
    let mut response = Response::new(());
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(http::header::CONTENT_TYPE, grpc);
    let mut stream = respond.send_response(response, false)?;
    stream.send_data(Bytes::from_static(MESSAGE), false)?;
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    stream.send_trailers(trailers)
}
