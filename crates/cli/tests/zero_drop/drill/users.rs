//! Everybody who uses the services meanwhile.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use pilotage_load::{Load, LoadHandle, LoadPlan, LoadReport, Session, Traffic};

/// Users of every kind, those of one service together.
pub struct Users(Vec<Kind>);

struct Kind {
    name: &'static str,
    load: LoadHandle,
}

/// A quick conversation between people or programs, longer than WebSockets are given to drain.
const SESSION: Session = Session { messages: 40, pause: Duration::from_millis(20) };

impl Users {
    /// Those who send requests, uploads and messages over WebSockets.
    pub fn of_web(address: SocketAddr) -> Self {
        let plan = |connections| LoadPlan::closed(address, connections);
        let http1 = LoadPlan { post_share: 0.1, new_connection_share: 0.02, ..plan(12) };
        let slow_upload = LoadPlan {
            post_share: 1.0,
            post_bytes: 64 * 1024,
            slow_upload_share: 1.0,
            slow_upload: Duration::from_millis(300),
            ..plan(8)
        };
        let http2 = LoadPlan { post_share: 0.1, traffic: Traffic::Http2 { streams: 4 }, ..plan(2) };
        let websocket = LoadPlan { traffic: Traffic::WebSocket { session: SESSION }, ..plan(16) };
        Self::start([
            ("http1", http1),
            ("slow_upload", slow_upload),
            ("http2", http2),
            ("websocket", websocket),
        ])
    }

    /// Those who call by gRPC.
    pub fn of_rpc(address: SocketAddr) -> Self {
        let plan = |traffic| LoadPlan { traffic, ..LoadPlan::closed(address, 2) };
        Self::start([
            ("grpc", plan(Traffic::GrpcUnary { streams: 4 })),
            ("grpc_stream", plan(Traffic::GrpcStream { streams: 8, session: SESSION })),
        ])
    }

    fn start<const N: usize>(kinds: [(&'static str, LoadPlan); N]) -> Self {
        let start = |(name, plan)| {
            // Not even what a client may send again over HTTP/1.1 is sent again: it counts as dropped.
            let load = Load::start(LoadPlan { resend: false, ..plan }).expect("load");
            Kind { name, load }
        };
        Self(kinds.into_iter().map(start).collect())
    }

    /// Requests and messages that have ended so far.
    pub fn requests(&self) -> u64 {
        self.0.iter().map(|kind| kind.load.snapshot().requests).sum()
    }

    /// Sends nothing more, and says what was counted.
    pub async fn stop(self) -> BTreeMap<&'static str, LoadReport> {
        let mut reports = BTreeMap::new();
        for kind in self.0 {
            reports.insert(kind.name, kind.load.stop().await.expect("the load's report"));
        }
        reports
    }
}

/// Whatever was not answered well: the services here fail nothing, and nobody asks for what is not there.
pub fn dropped(report: &LoadReport) -> u64 {
    report.requests - report.outcomes.ok
}
