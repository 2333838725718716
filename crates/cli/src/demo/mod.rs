//! `pilotage demo`: a release that goes out, a bad one that comes back by itself, and the log that proves it.
//!
//! Everything happens in a folder of its own, through the same server and the same requests as anywhere else.

mod play;
mod show;
mod stage;
mod summary;

use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::Demo;
use crate::failure::{DONE, FAILED, Failure};
use crate::printer::Printer;
use show::Show;
use stage::Stage;

pub async fn run(asked: &Demo, printer: &Printer) -> Result<u8, Failure> {
    let mut interrupted = Interrupted::new()?;
    let stage = Stage::build()?;
    let show = Show::new(printer, asked.plain);
    let played = tokio::select! {
        played = play::all(&stage, &show) => played,
        () = interrupted.wait() => Err(Failure::failed("interrupted; everything is being stopped and removed")),
    };
    show.clear();
    let summary = match played {
        Ok(summary) => summary,
        Err(failure) => {
            stage.strike(printer).await?;
            return Err(failure);
        }
    };
    if asked.keep {
        stage.keep(printer);
    } else {
        stage.strike(printer).await?;
    }
    show.summary(&summary);
    Ok(if summary.is_as_promised() { DONE } else { FAILED })
}

/// What asks a program to end.
struct Interrupted {
    signals: [tokio::signal::unix::Signal; 3],
}

impl Interrupted {
    fn new() -> Result<Self, Failure> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Self { signals: [interrupt?, terminate?, hangup?] })
    }

    async fn wait(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
