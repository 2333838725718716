//! What pods wrote last; of one that was started again also what it wrote before.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::LogParams;
use pilotage_spec::{Timestamp, Version, Workload};
use pilotage_targets::{LogLine, LogQuery, TargetError};

use crate::cluster::Cluster;
use crate::observe::Look;
use crate::rollout::service;

use super::Actor;

/// Bytes that are read of one run of a container.
const BYTES: i64 = 1024 * 1024;

impl Actor {
    /// See [`pilotage_targets::Target::logs`].
    pub async fn logs(&self, workload: &Workload, query: &LogQuery) -> Result<Vec<LogLine>, TargetError> {
        let cluster = self.cluster().await?;
        let look = Look::take(&cluster).await?;
        let mut lines = Vec::new();
        for kept in look.of_workload(&cluster.names(workload)) {
            let Some(version) = kept.version() else { continue };
            if query.version.as_ref().is_some_and(|wanted| *wanted != version) {
                continue;
            }
            for pod in &kept.pods {
                lines.extend(of_pod(&cluster, pod, &version, query).await);
            }
        }
        lines.sort_by_key(|line| line.at);
        let surplus = lines.len().saturating_sub(query.lines);
        lines.drain(..surplus);
        Ok(lines)
    }
}

/// The lines of a pod. One that has written nothing yet, or is gone meanwhile, has none.
async fn of_pod(cluster: &Cluster, pod: &Pod, version: &Version, query: &LogQuery) -> Vec<LogLine> {
    let container = pod.status.as_ref().and_then(service);
    let restarted = container.is_some_and(|container| container.restart_count > 0);
    let mut lines = Vec::new();
    for previous in [true, false] {
        if previous && !restarted {
            continue;
        }
        let asked = LogParams {
            container: container.map(|container| container.name.clone()),
            previous,
            timestamps: true,
            tail_lines: Some(i64::try_from(query.lines).unwrap_or(i64::MAX)),
            limit_bytes: Some(BYTES),
            ..LogParams::default()
        };
        let (api, name) = (cluster.api::<Pod>(), pod.name_any());
        match cluster.ask("read a log", || api.logs(&name, &asked)).await {
            Ok(text) => lines.extend(text.lines().filter_map(|line| read(line, &name, version))),
            Err(refusal) => tracing::debug!(pod = name, error = %TargetError::from(refusal), "no log"),
        }
    }
    lines.retain(|line| query.after.is_none_or(|after| line.at > after));
    lines
}

/// A line as the server writes it when it is asked for times: RFC 3339, a space, the text. Which stream it came from is not said.
fn read(line: &str, instance: &str, version: &Version) -> Option<LogLine> {
    let (time, text) = line.split_once(' ').unwrap_or((line, ""));
    let time: k8s_openapi::jiff::Timestamp = time.parse().ok()?;
    Some(LogLine {
        at: Timestamp::from_micros(time.as_microsecond()),
        instance: instance.to_owned(),
        version: version.clone(),
        stderr: false,
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_with_its_time() {
        let version: Version = "1.0.0".parse().unwrap();
        let line = read("2026-01-01T00:00:01.5Z hello  world", "api-1", &version).unwrap();
        assert_eq!(
            (line.at.to_string().as_str(), line.text.as_str()),
            ("2026-01-01T00:00:01Z", "hello  world")
        );
        assert_eq!(read("2026-01-01T00:00:01.5Z", "api-1", &version).unwrap().text, "");
        assert_eq!(read("no time at all", "api-1", &version), None);
    }
}
