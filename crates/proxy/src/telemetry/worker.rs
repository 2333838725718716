//! Where a worker counts what belongs to no version, and writes what it has answered.

use std::io;
use std::sync::Arc;

use super::{AccessLog, AccessLogTarget, AccessLogWriter};
use crate::routing::{ConnectionCounters, ConnectionShard, Registry};

/// Opens the access log, if one is wanted, and prepares what each worker is handed.
pub(crate) fn start(
    access_log: Option<&AccessLogTarget>,
    workers: usize,
    registry: &Registry,
) -> io::Result<(Option<AccessLogWriter>, Vec<WorkerTelemetry>)> {
    let (writer, logs) = match access_log {
        Some(target) => {
            let (writer, logs) = AccessLogWriter::start(target, workers, &registry.access_log())?;
            (Some(writer), logs)
        }
        None => (None, (0..workers).map(|_| AccessLog::off()).collect()),
    };
    let worker =
        |(index, access_log)| WorkerTelemetry { index, connections: registry.connections(), access_log };
    Ok((writer, logs.into_iter().enumerate().map(worker).collect()))
}

/// Handed to a worker's thread when it is started; only that thread may use it.
#[derive(Debug)]
pub(crate) struct WorkerTelemetry {
    index: usize,
    connections: Arc<ConnectionCounters>,
    access_log: AccessLog,
}

impl WorkerTelemetry {
    /// Where the worker counts client connections.
    pub(crate) fn connections(&self) -> &ConnectionShard {
        self.connections.shard(self.index)
    }

    /// Where the worker notes each request that has come to its end.
    pub(crate) fn access_log(&self) -> &AccessLog {
        &self.access_log
    }
}
