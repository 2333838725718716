//! Says what is there, and what was written.

use std::sync::Arc;

use bollard::query_parameters::LogsOptions;
use futures_util::{StreamExt, TryStreamExt, stream};
use pilotage_spec::Workload;
use pilotage_targets::{LogLine, LogQuery, Observation, TargetError};

use crate::clock::now;
use crate::shared::Shared;
use crate::watch::{Held, lines};

/// So many containers are asked for their lines at once.
const AT_ONCE: usize = 8;

impl Shared {
    /// See [`pilotage_targets::Target::observe`].
    pub async fn observe(self: &Arc<Self>, workload: &Workload) -> Result<Observation, TargetError> {
        let found = self.look(Some(workload)).await?;
        let instances = found.iter().filter_map(|held| held.observed()).collect();
        Ok(Observation { at: now(), instances, traffic: self.config.edge.current(workload) })
    }

    /// See [`pilotage_targets::Target::logs`].
    pub async fn logs(
        self: &Arc<Self>,
        workload: &Workload,
        query: &LogQuery,
    ) -> Result<Vec<LogLine>, TargetError> {
        let mut found = self.look(Some(workload)).await?;
        found.retain(|held| {
            query.version.as_ref().is_none_or(|version| *version == held.container().marks.release.id.version)
        });
        let asked = stream::iter(found).map(|held| async move { self.lines_of(&held, query).await });
        let lines: Vec<Vec<LogLine>> = asked.buffer_unordered(AT_ONCE).try_collect().await?;
        let mut lines: Vec<LogLine> = lines.into_iter().flatten().collect();
        lines.sort_by(|a, b| (a.at, &a.instance).cmp(&(b.at, &b.instance)));
        let surplus = lines.len().saturating_sub(query.lines);
        lines.drain(..surplus);
        Ok(lines)
    }

    async fn lines_of(&self, held: &Held, query: &LogQuery) -> Result<Vec<LogLine>, TargetError> {
        let since = query.after.map_or(0, |after| after.as_micros().div_euclid(1_000_000));
        let options = LogsOptions {
            tail: query.lines.to_string(),
            // Whole seconds; what is too old of them is left out below.
            since: i32::try_from(since).unwrap_or(i32::MAX),
            ..LogsOptions::default()
        };
        let known = self.config.secrets.known();
        let read = lines(&self.engine, known, &held.id, options).await;
        let read = read.map_err(|fault| self.engine.refused("read the log of a container", fault))?;
        let marks = held.container().marks;
        let newer = read.into_iter().filter(|line| query.after.is_none_or(|after| line.at > after));
        Ok(newer
            .map(|line| LogLine {
                at: line.at,
                instance: marks.instance.clone(),
                version: marks.release.id.version.clone(),
                stderr: line.stderr,
                text: line.text,
            })
            .collect())
    }
}
