//! How requests and answers are read: a line is first read for all that can be in one, and then found to be this or that.
//!
//! What serde derives for enums with a tag inside reads a line into a tree of values before it looks for the tag, which
//! for a table with a thousand routes takes longer than everything else that is done with it.

use std::path::PathBuf;

use serde::Deserialize;
use thiserror::Error;

use super::{EdgeStats, Identity, Replacement, Request, Response};
use crate::RoutingTable;

/// Why a line is not what its name says.
#[derive(Debug, Error)]
#[error("missing field `{0}`")]
pub(super) struct Missing(&'static str);

/// Everything that can be in a request.
#[derive(Debug, Deserialize)]
pub(super) struct RequestLine {
    request: RequestName,
    table: Option<RoutingTable>,
    executable: Option<PathBuf>,
    format: Option<u32>,
    grace_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RequestName {
    Apply,
    Table,
    Stats,
    Identify,
    Reload,
    TakeOver,
    Shutdown,
}

impl TryFrom<RequestLine> for Request {
    type Error = Missing;

    fn try_from(line: RequestLine) -> Result<Self, Missing> {
        Ok(match line.request {
            RequestName::Apply => Self::Apply { table: line.table.ok_or(Missing("table"))? },
            RequestName::Table => Self::Table,
            RequestName::Stats => Self::Stats,
            RequestName::Identify => Self::Identify,
            RequestName::Reload => Self::Reload { executable: line.executable },
            RequestName::TakeOver => Self::TakeOver { format: line.format.ok_or(Missing("format"))? },
            RequestName::Shutdown => Self::Shutdown { grace_ms: line.grace_ms.ok_or(Missing("grace_ms"))? },
        })
    }
}

/// Everything that can be in an answer.
#[derive(Debug, Deserialize)]
pub(super) struct ResponseLine {
    response: ResponseName,
    epoch: Option<u64>,
    table: Option<RoutingTable>,
    stats: Option<EdgeStats>,
    pid: Option<u32>,
    version: Option<String>,
    started_micros: Option<i64>,
    from: Option<Identity>,
    to: Option<Identity>,
    addresses: Option<usize>,
    connections: Option<u64>,
    grace_ms: Option<u64>,
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ResponseName {
    Applied,
    Table,
    Stats,
    Identity,
    Reloaded,
    ShuttingDown,
    Refused,
}

impl TryFrom<ResponseLine> for Response {
    type Error = Missing;

    fn try_from(line: ResponseLine) -> Result<Self, Missing> {
        Ok(match line.response {
            ResponseName::Applied => Self::Applied { epoch: line.epoch.ok_or(Missing("epoch"))? },
            ResponseName::Table => Self::Table { table: line.table.ok_or(Missing("table"))? },
            ResponseName::Stats => Self::Stats { stats: line.stats.ok_or(Missing("stats"))? },
            ResponseName::Identity => Self::Identity { identity: line.identity()? },
            ResponseName::Reloaded => Self::Reloaded { replacement: line.replacement()? },
            ResponseName::ShuttingDown => Self::ShuttingDown,
            ResponseName::Refused => Self::Refused { reason: line.reason.ok_or(Missing("reason"))? },
        })
    }
}

impl ResponseLine {
    fn identity(self) -> Result<Identity, Missing> {
        Ok(Identity {
            pid: self.pid.ok_or(Missing("pid"))?,
            version: self.version.ok_or(Missing("version"))?,
            started_micros: self.started_micros.ok_or(Missing("started_micros"))?,
        })
    }

    fn replacement(self) -> Result<Replacement, Missing> {
        Ok(Replacement {
            from: self.from.ok_or(Missing("from"))?,
            to: self.to.ok_or(Missing("to"))?,
            addresses: self.addresses.ok_or(Missing("addresses"))?,
            connections: self.connections.ok_or(Missing("connections"))?,
            grace_ms: self.grace_ms.ok_or(Missing("grace_ms"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(pid: u32) -> Identity {
        Identity { pid, version: "0.1.0".to_owned(), started_micros: 7 }
    }

    #[test]
    fn every_request_reads_as_it_was_written() {
        let requests = [
            Request::Apply { table: RoutingTable { epoch: 3, ..RoutingTable::empty() } },
            Request::Table,
            Request::Stats,
            Request::Identify,
            Request::Reload { executable: None },
            Request::Reload { executable: Some("/opt/pilotage".into()) },
            Request::TakeOver { format: 1 },
            Request::Shutdown { grace_ms: 30_000 },
        ];
        for request in requests {
            let line = serde_json::to_string(&request).unwrap();
            assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), request, "{line}");
        }
    }

    #[test]
    fn every_answer_reads_as_it_was_written() {
        let replacement =
            Replacement { from: identity(1), to: identity(2), addresses: 3, connections: 4, grace_ms: 5 };
        let answers = [
            Response::Applied { epoch: 3 },
            Response::Table { table: RoutingTable::empty() },
            Response::Stats { stats: EdgeStats { epoch: 9, ..EdgeStats::default() } },
            Response::Identity { identity: identity(1) },
            Response::Reloaded { replacement },
            Response::ShuttingDown,
            Response::Refused { reason: "the disk is full".to_owned() },
        ];
        for answer in answers {
            let line = serde_json::to_string(&answer).unwrap();
            assert_eq!(serde_json::from_str::<Response>(&line).unwrap(), answer, "{line}");
        }
    }

    #[test]
    fn the_name_may_come_last_and_more_may_be_said_than_is_known() {
        let line = r#"{"table":{"format":2,"epoch":3,"routes":[]},"later":{"x":[1]},"request":"apply"}"#;
        let Ok(Request::Apply { table }) = serde_json::from_str(line) else { panic!("not read as a table") };
        assert_eq!(table.epoch, 3);
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        let fault = |line| serde_json::from_str::<Request>(line).unwrap_err().to_string();
        assert!(fault(r#"{"request":"apply"}"#).contains("missing field `table`"));
        assert!(fault(r#"{"request":"shutdown"}"#).contains("missing field `grace_ms`"));
        assert!(fault(r#"{"table":null}"#).contains("missing field `request`"));
        assert!(fault(r#"{"request":"dance"}"#).contains("unknown variant `dance`"));
        let fault = serde_json::from_str::<Response>(r#"{"response":"identity","pid":1}"#).unwrap_err();
        assert!(fault.to_string().contains("missing field `version`"));
    }
}
