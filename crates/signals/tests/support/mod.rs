//! Servers that answer whatever a test wants.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// Answers every connection by this, after its request has come. The thread ends with the test's process.
pub fn server(answer: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            if stream.read(&mut [0; 8192]).is_ok_and(|read| read > 0) {
                answer(stream);
            }
        }
    });
    address
}

/// Answers with this status line and body.
pub fn saying(status: &'static str, body: &'static str) -> SocketAddr {
    server(move |mut stream| {
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    })
}
