//! Reads the logs of instances, those that have ended included.

use std::fs;
use std::path::Path;

use pilotage_spec::Workload;

use super::config::ProcessConfig;
use super::files::{file_error, read_json};
use super::instance::{InstanceRecord, RECORD_FILE};
use super::shim::parse_line;
use crate::{LogLine, LogQuery, TargetError};

/// See [`crate::Target::logs`]. Blocks.
pub fn read_logs(
    config: &ProcessConfig,
    workload: &Workload,
    query: &LogQuery,
) -> Result<Vec<LogLine>, TargetError> {
    let folder = config.instances_folder();
    let failed = |error: std::io::Error| file_error("read", &folder, &error);
    let mut lines = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        // One that is being removed just now has nothing to say any more.
        let Ok(Some(record)) = read_json::<InstanceRecord>(&path.join(RECORD_FILE)) else { continue };
        let wanted = record.workload == *workload
            && query.version.as_ref().is_none_or(|version| *version == record.release.id.version);
        if wanted {
            lines.extend(instance_lines(&path, &record, query, config.log.files));
        }
    }
    lines.sort_by(|a, b| (a.at, &a.instance).cmp(&(b.at, &b.instance)));
    let surplus = lines.len().saturating_sub(query.lines);
    lines.drain(..surplus);
    Ok(lines)
}

/// The last lines of one instance, oldest first, from as few files as will do.
fn instance_lines(folder: &Path, record: &InstanceRecord, query: &LogQuery, files: u32) -> Vec<LogLine> {
    let mut found: Vec<LogLine> = Vec::new();
    for number in 0..files.max(1) {
        let name = if number == 0 { "log".to_owned() } else { format!("log.{number}") };
        let Ok(bytes) = fs::read(folder.join(name)) else { break };
        let text = String::from_utf8_lossy(&bytes);
        let wanted = text.lines().rev().filter_map(|line| log_line(line, record));
        let newer = |line: &LogLine| query.after.is_none_or(|after| line.at > after);
        let missing = query.lines - found.len();
        let before = found.len();
        found.extend(wanted.take_while(newer).take(missing));
        // No line at all was newer, or all are there: older files add nothing.
        if found.len() == query.lines || (query.after.is_some() && found.len() == before) {
            break;
        }
    }
    found.reverse();
    found
}

fn log_line(line: &str, record: &InstanceRecord) -> Option<LogLine> {
    let (at, stderr, text) = parse_line(line)?;
    Some(LogLine {
        at,
        instance: record.name.clone(),
        version: record.release.id.version.clone(),
        stderr,
        text: text.to_owned(),
    })
}
