//! What `hyper` makes of the same bytes.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::service::service_fn;

/// A message with its body: the three parts of its first line that mean something, fields in lower case and sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// Method, target and host of a request; the status of an answer.
    pub(super) line: Vec<String>,
    pub(super) fields: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    pub(super) trailers: Vec<(String, Vec<u8>)>,
}

/// What was read of a connection.
#[derive(Debug)]
pub(super) struct Heard {
    /// Messages that were whole.
    pub(super) messages: Vec<Message>,
    /// The reader has refused to go on.
    pub(super) refused: bool,
}

/// Reads requests as a server, one after the other.
pub(super) fn requests(bytes: &[u8]) -> Heard {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let hearing = Rc::clone(&heard);
    let service = service_fn(move |request: Request<Incoming>| {
        let heard = Rc::clone(&hearing);
        async move {
            let (head, body) = request.into_parts();
            if let Ok(body) = body.collect().await {
                let trailers = body.trailers().cloned().unwrap_or_default();
                heard.borrow_mut().push(Message {
                    line: request_line(&head),
                    fields: sorted(&head.headers),
                    body: body.to_bytes().to_vec(),
                    trailers: sorted(&trailers),
                });
            }
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
        }
    });
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(Recorded::of_client(bytes), service);
    let refused = matches!(run(connection), Some(Err(_)));
    Heard { messages: heard.take(), refused }
}

/// Reads one answer as a client that has asked with this method.
pub(super) fn response(bytes: &[u8], method: &Method) -> Heard {
    let heard = Rc::new(RefCell::new(Heard { messages: Vec::new(), refused: false }));
    let hearing = Rc::clone(&heard);
    let asking = async move {
        let handshake = hyper::client::conn::http1::handshake(Recorded::of_server(bytes));
        let (mut sender, mut connection) = handshake.await.expect("nothing is said yet");
        let request = Request::builder().method(method).uri("/").header("host", "a");
        let request = request.body(Empty::<Bytes>::new()).expect("it is a request");
        let mut answering = pin!(async {
            match sender.send_request(request).await {
                Err(_) => hearing.borrow_mut().refused = true,
                Ok(response) => {
                    let (head, body) = response.into_parts();
                    match body.collect().await {
                        Err(_) => hearing.borrow_mut().refused = true,
                        Ok(body) => {
                            let trailers = body.trailers().cloned().unwrap_or_default();
                            hearing.borrow_mut().messages.push(Message {
                                line: vec![head.status.as_str().to_owned()],
                                fields: sorted(&head.headers),
                                body: body.to_bytes().to_vec(),
                                trailers: sorted(&trailers),
                            });
                        }
                    }
                }
            }
        });
        std::future::poll_fn(|cx| {
            // Its end is told to the exchange.
            let _ = Pin::new(&mut connection).poll(cx);
            answering.as_mut().poll(cx)
        })
        .await;
    };
    run(asking);
    heard.replace(Heard { messages: Vec::new(), refused: false })
}

fn request_line(head: &http::request::Parts) -> Vec<String> {
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let host = head.uri.authority().map(|authority| authority.as_str().as_bytes());
    let host = host.or_else(|| head.headers.get("host").map(|host| host.as_bytes())).unwrap_or_default();
    vec![head.method.to_string(), target.to_owned(), String::from_utf8_lossy(host).into_owned()]
}

fn sorted(map: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let mut fields: Vec<_> =
        map.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    fields.sort();
    fields
}

/// Runs until it ends, or waits for bytes that do not come.
fn run<F: Future>(future: F) -> Option<F::Output> {
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    while woken.0.swap(false, Ordering::Relaxed) {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
    }
    None
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A connection on which all of its bytes have come, and nothing follows. What is written is lost.
struct Recorded<'b> {
    bytes: &'b [u8],
    /// A server says nothing before it is asked.
    speaks: bool,
}

impl<'b> Recorded<'b> {
    fn of_client(bytes: &'b [u8]) -> Self {
        Self { bytes, speaks: true }
    }

    fn of_server(bytes: &'b [u8]) -> Self {
        Self { bytes, speaks: false }
    }
}

impl Read for Recorded<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let length = self.bytes.len().min(buffer.remaining());
        if length == 0 || !self.speaks {
            return Poll::Pending;
        }
        buffer.put_slice(&self.bytes[..length]);
        self.bytes = &self.bytes[length..];
        Poll::Ready(Ok(()))
    }
}

impl Write for Recorded<'_> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.speaks = true;
        cx.waker().wake_by_ref();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sound_is_read() {
        let heard = requests(
            b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\nok\
              GET /3 HTTP/1.1\r\nHost: c\r\n",
        );
        let lines: Vec<_> = heard.messages.iter().map(|message| message.line.join(" ")).collect();
        assert_eq!(lines, ["GET /1 a", "POST /2 b"]);
        assert!(!heard.refused && heard.messages[1].body == b"ok");
        assert!(requests(b"nonsense\r\n\r\n").refused);

        let text = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 X\r\nContent-Length: 2\r\n\r\nno";
        let heard = response(text, &Method::GET);
        assert_eq!((&heard.messages[0].line[0][..], &heard.messages[0].body[..]), ("404", &b"no"[..]));
        assert!(response(text, &Method::HEAD).messages[0].body.is_empty());
        assert!(response(b"nonsense\r\n\r\n", &Method::GET).refused);
    }
}
