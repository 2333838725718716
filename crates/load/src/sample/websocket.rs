//! WebSockets (RFC 6455) that echo.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role};

use super::body::{self, Answer};
use super::tasks::Tasks;

/// How long a client may take to answer the service's own close.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// Changes to the WebSocket protocol if the request asks for it.
pub(super) fn answer(tasks: &Tasks, mut request: Request<Incoming>) -> Answer {
    let Some(accept) = accept(request.headers()) else {
        let error = "this is a WebSocket, version 13; ask for it with Upgrade and Connection";
        let mut answer = body::json(StatusCode::UPGRADE_REQUIRED, &json!({"error": error}));
        answer.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
        return answer;
    };
    tasks.spawn(converse(hyper::upgrade::on(&mut request), tasks.closing()));
    let mut answer = body::whole(bytes::Bytes::new());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    answer
}

/// What to answer to a handshake (section 4.2.2), if it is one.
fn accept(headers: &HeaderMap) -> Option<HeaderValue> {
    let says = |name: HeaderName, word: &str| {
        let words = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        words.flat_map(|value| value.split(',')).any(|found| found.trim().eq_ignore_ascii_case(word))
    };
    let asked =
        says(UPGRADE, "websocket") && says(CONNECTION, "upgrade") && says(SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| asked)?;
    HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok()
}

/// Echoes until the client closes, or until the service stops, which it says with 1001 (going away).
async fn converse(upgrade: OnUpgrade, closing: impl Future<Output = ()>) {
    let Ok(upgraded) = upgrade.await else { return };
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    // An error in here is a client that went away, which is its right.
    tokio::select! {
        () = echo(&mut socket) => {}
        () = closing => {
            let reason = CloseFrame { code: CloseCode::Away, reason: "the service stops".into() };
            if socket.close(Some(reason)).await.is_ok() {
                let _ = tokio::time::timeout(CLOSE_LIMIT, echo(&mut socket)).await;
            }
        }
    }
}

async fn echo(socket: &mut WebSocketStream<TokioIo<Upgraded>>) {
    // Pings and closes are answered by the library while it reads.
    while let Some(Ok(message)) = socket.next().await {
        if matches!(message, Message::Text(_) | Message::Binary(_)) && socket.send(message).await.is_err() {
            return;
        }
    }
}
