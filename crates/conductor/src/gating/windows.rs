//! Whether the windows are open that a policy names.

use std::path::Path;

use pilotage_change::calendar::{self, read_calendar};
use pilotage_engine::Plan;
use pilotage_engine::gate::WindowFact;
use pilotage_spec::{Project, Timestamp, WindowName, Windows};

use crate::conductor::Inner;

/// What the calendars say. A window that the file does not have is left out, which the gate takes for what it is.
pub(super) async fn facts(inner: &Inner, plan: &Plan, project: &Project, now: Timestamp) -> Vec<WindowFact> {
    let names = &plan.request.policy.windows;
    let written: Vec<(WindowName, Windows)> =
        names.iter().filter_map(|name| Some((name.clone(), project.windows.get(name)?.clone()))).collect();
    if written.is_empty() {
        return Vec::new();
    }
    let folder = inner.folder.clone();
    // Calendars are files, and may be long.
    let read =
        move || written.into_iter().map(|(name, windows)| fact(name, &windows, &folder, now)).collect();
    tokio::task::spawn_blocking(read).await.unwrap_or_default()
}

fn fact(name: WindowName, windows: &Windows, folder: &Path, now: Timestamp) -> WindowFact {
    match calendar::state(windows, &|path| read_calendar(folder, path), now) {
        Ok(state) => WindowFact { name, open: Ok(state.open), why: state.why, until: state.until },
        Err(error) => WindowFact { name, open: Err(error.to_string()), why: String::new(), until: None },
    }
}
