//! The server: a thread a connection, one request a connection.

mod balancer;
mod containers;
mod fields;
mod http;
mod operations;
mod signature;
mod state;

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;

pub use containers::digest_of;
pub use signature::{KEY_ID, SECRET_KEY, SESSION_TOKEN};
pub use state::{RULE, SLOT_A, SLOT_B, State};

/// What is answered to one request.
pub struct Answer {
    pub status: u16,
    pub kind: &'static str,
    pub body: String,
}

/// The account of a test.
pub struct Aws {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Aws {
    /// An account in which the rule forwards to both target groups, and no service was created yet.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::new()));
        let served = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = Arc::clone(&served);
                std::thread::spawn(move || http::converse(stream, |request| respond(&served, request)));
            }
        });
        Self { address, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The bodies of all requests for an operation, in order; a form as an object.
    pub fn asked(&self, operation: &str) -> Vec<Value> {
        let state = self.state();
        let of_it = state.exchanges.iter().filter(|(asked, _)| asked == operation);
        of_it.map(|(_, body)| body.clone()).collect()
    }

    /// Fails if anything was asked that AWS does not document.
    pub fn expect_documented_requests(&self) {
        let state = self.state();
        assert!(state.faults.is_empty(), "{:#?}", state.faults);
        assert!(!state.exchanges.is_empty(), "nothing was asked at all");
    }
}

fn respond(state: &Mutex<State>, request: &http::Request) -> Answer {
    let mut state = state.lock().unwrap();
    let asked = match operations::read(request) {
        Ok(asked) => asked,
        Err(fault) => return state.fault(&fault),
    };
    if let Err(fault) = signature::check(request, asked.service) {
        return state.fault(&fault);
    }
    if let Err(fault) = fields::check(asked.operation, &asked.body) {
        return state.fault(&format!("{}: {fault}", asked.operation));
    }
    state.exchanges.push((asked.operation.to_owned(), asked.body.clone()));
    operations::answer(&mut state, &asked)
}
