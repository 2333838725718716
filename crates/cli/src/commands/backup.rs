//! `pilotage backup`.

use pilotage_server::{BackupBody, BackupDone};

use super::Session;
use crate::arguments::Backup;
use crate::connect::connect_only;
use crate::failure::{DONE, Failure};

/// Needs no server, and asks the one that is there.
pub async fn run(asked: &Backup, session: &Session) -> Result<u8, Failure> {
    session.place.expect_here("backup")?;
    let path = std::path::absolute(&asked.path)?;
    let done = match connect_only(&session.place).await? {
        Some(client) => client.post("/v1/backup", &BackupBody { path }).await?,
        None => {
            let report =
                session.journal()?.backup(&path).map_err(|error| Failure::failed(error.to_string()))?;
            BackupDone { path: report.path, bytes: report.bytes, entries: report.verified.size }
        }
    };
    if session.printer.json() {
        session.printer.object(&done);
    } else {
        let (path, entries, bytes) = (done.path.display(), done.entries, done.bytes);
        session.printer.line(format!("✓ {path}: {entries} entries, {bytes} bytes, verified"));
    }
    Ok(DONE)
}
