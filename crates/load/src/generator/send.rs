//! Sends what the plan says, of whatever kind.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::time::timeout;

use super::body::RequestBody;
use super::clients::Clients;
use super::drive::Numbers;
use super::http1::{self, Pool};
use super::http2::{self, Connections};
use super::outcome::{Answer, Dropped};
use super::plan::{LoadPlan, Traffic};
use super::request::Numbered;
use super::tally::Tally;
use super::{grpc, websocket};

/// What all requests of one load share.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) plan: LoadPlan,
    pub(super) tally: Arc<Tally>,
    pub(super) clients: Clients,
    body: Bytes,
    http1: Arc<Pool>,
    http2: Connections<RequestBody>,
    pub(super) streams: Connections<grpc::MessageBody>,
}

impl Sending {
    pub(super) fn new(plan: LoadPlan, tally: Arc<Tally>) -> Self {
        Self {
            tally,
            clients: Clients::default(),
            body: Bytes::from(vec![b'x'; plan.post_bytes]),
            http1: Pool::new(plan.connections),
            http2: Connections::new(plan.address, plan.connections),
            streams: Connections::new(plan.address, plan.connections),
            plan,
        }
    }

    /// How many requests of a closed load are in flight at a time.
    pub(super) fn users(&self) -> usize {
        match self.plan.traffic {
            Traffic::Http1 | Traffic::WebSocket { .. } => self.plan.connections,
            Traffic::Http2 { streams }
            | Traffic::GrpcUnary { streams }
            | Traffic::GrpcStream { streams, .. } => self.plan.connections * streams,
        }
    }

    /// Sends one request after the other until there are no more numbers.
    pub(super) async fn one_after_the_other(&self, place: usize, numbers: &Numbers) {
        match self.plan.traffic {
            Traffic::GrpcStream { session, .. } => grpc::sessions(self, session, place, numbers).await,
            Traffic::WebSocket { session } => websocket::sessions(self, session, numbers).await,
            Traffic::Http1 | Traffic::Http2 { .. } | Traffic::GrpcUnary { .. } => {
                while let Some(number) = numbers.next() {
                    self.tally.sent();
                    self.request(number, place, Instant::now()).await;
                }
            }
        }
    }

    /// Sends one request and counts how it ends.
    pub(super) async fn request(&self, number: u64, place: usize, due: Instant) {
        let request = Numbered::new(&self.plan, &self.clients, number);
        let (label, end) = match self.plan.traffic {
            Traffic::Http2 { .. } => {
                let exchange = http2::exchange(&request, &self.http2, place, &self.body, &self.tally);
                (request.method.as_str(), timeout(self.plan.timeout, exchange).await)
            }
            Traffic::GrpcUnary { .. } => {
                let exchange = grpc::exchange(&request, &self.http2, place, &self.tally);
                (grpc::LABEL, timeout(self.plan.timeout, exchange).await)
            }
            // Sessions are not sent request by request.
            Traffic::Http1 | Traffic::GrpcStream { .. } | Traffic::WebSocket { .. } => {
                let exchange = http1::exchange(&self.plan, &request, &self.http1, &self.body);
                (request.method.as_str(), timeout(self.plan.timeout, exchange).await)
            }
        };
        self.finished(due, label, end.unwrap_or_else(|_elapsed| Err(self.late())));
    }

    pub(super) fn finished(&self, due: Instant, label: &str, end: Result<Answer, Dropped>) {
        self.tally.finished(due, label, end);
    }

    /// A request took too long.
    pub(super) fn late(&self) -> Dropped {
        Dropped::timeout(self.plan.timeout)
    }
}
