//! A server that replays a documented exchange, and nothing else.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

/// A question as it must be asked, and its answer.
pub struct Exchange {
    /// Method and path, headers in alphabetic order (without `host` and `content-length`), an empty line, and the body.
    pub question: String,
    pub status: u16,
    pub answer: String,
}

pub fn exchange(question: &str, status: u16, answer: &str) -> Exchange {
    Exchange { question: question.to_owned(), status, answer: answer.to_owned() }
}

/// A server on loopback that expects these questions in this order.
pub struct Replay {
    pub url: String,
    thread: JoinHandle<Vec<(String, String)>>,
}

impl Replay {
    pub fn start(exchanges: Vec<Exchange>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let asked = |exchange: Exchange| {
                let (mut connection, _) = listener.accept().unwrap();
                let question = question(&connection);
                let Exchange { question: expected, status, answer } = exchange;
                let head = format!(
                    "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                    answer.len()
                );
                connection.write_all(format!("{head}{answer}").as_bytes()).unwrap();
                (question, expected)
            };
            exchanges.into_iter().map(asked).collect()
        });
        Self { url, thread }
    }

    /// Every question was asked, exactly so.
    pub fn finish(self) {
        for (question, expected) in self.thread.join().unwrap() {
            assert_eq!(question, expected);
        }
    }
}

fn question(connection: &TcpStream) -> String {
    let mut reader = BufReader::new(connection);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let first = line();
    let first = first.strip_suffix(" HTTP/1.1").unwrap_or(&first).to_owned();
    let mut headers: Vec<String> =
        std::iter::repeat_with(&mut line).take_while(|line| !line.is_empty()).collect();
    let length = headers.iter().find_map(|header| header.strip_prefix("content-length: ")?.parse().ok());
    headers.retain(|header| !header.starts_with("host: ") && !header.starts_with("content-length: "));
    headers.sort();
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    format!("{first}\n{}\n\n{}", headers.join("\n"), String::from_utf8(body).unwrap())
}
