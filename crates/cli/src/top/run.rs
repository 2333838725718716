//! Looking again and again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pilotage_proxy::EdgeClientError;
use pilotage_spec::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use super::report::report;
use super::screen::Screen;
use super::source::Source;
use super::table::lines;
use super::window::Window;
use crate::arguments::{Global, Top};
use crate::failure::{DONE, Failure};
use crate::place::Place;
use crate::printer::{Printer, Tone};
use crate::terminal;

/// The shortest interval: below it the figures say nothing.
const SHORTEST: Duration = Duration::from_millis(100);
/// On a terminal, rates and latencies are those of so long: those of one second jump.
const LIVE_SPAN: Duration = Duration::from_secs(5);
/// A table that nobody sees on a terminal may be so wide.
const FREE_WIDTH: usize = 200;

pub async fn run(asked: &Top, global: &Global, printer: &Printer) -> Result<u8, Failure> {
    if asked.interval < SHORTEST {
        return Err(Failure::usage("an interval has 100 ms at least"));
    }
    let socket = match &asked.socket {
        Some(socket) => socket.clone(),
        None => Place::find(global)?.edge_socket(),
    };
    let source = Source::connect(socket, &asked.selection).await?;
    let first = source.read().await.map_err(failed)?;
    let mut again = interval_at(tokio::time::Instant::now() + asked.interval, asked.interval);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    if printer.live() && !asked.once {
        let window = Window::new(first, LIVE_SPAN.max(asked.interval));
        return live(&source, window, again, printer).await;
    }
    let mut window = Window::new(first, asked.interval);
    loop {
        tokio::select! {
            _ = again.tick() => {}
            _ = tokio::signal::ctrl_c() => return Ok(DONE),
        }
        match source.read().await {
            Ok(reading) => window.push(reading),
            Err(error) if asked.once => return Err(failed(error)),
            Err(error) => {
                printer.say(format!("! {error}"));
                continue;
            }
        }
        print(&window, printer);
        if asked.once {
            return Ok(DONE);
        }
    }
}

fn print(window: &Window, printer: &Printer) {
    let report = report(window, now());
    if printer.json() {
        printer.object(&report);
        return;
    }
    let width = if terminal::shows_results() { terminal::size().0 } else { FREE_WIDTH };
    for (tone, line) in lines(&report, width) {
        printer.line(printer.paint(tone, &line));
    }
    printer.line("");
}

/// Draws until somebody leaves.
async fn live(
    source: &Source,
    mut window: Window,
    mut again: Interval,
    printer: &Printer,
) -> Result<u8, Failure> {
    let mut resized = signal(SignalKind::window_change())?;
    let mut ends = [signal(SignalKind::terminate())?, signal(SignalKind::hangup())?];
    let mut screen = Screen::take(printer);
    let mut trouble = None;
    screen.draw(&[(Tone::Quiet, "looking …".to_owned())]);
    loop {
        tokio::select! {
            _ = again.tick() => match source.read().await {
                Ok(reading) => {
                    window.push(reading);
                    trouble = None;
                }
                Err(error) => trouble = Some(error),
            },
            _ = resized.recv() => {}
            () = screen.keyboard.leave() => return Ok(DONE),
            _ = tokio::signal::ctrl_c() => return Ok(DONE),
            () = any(&mut ends) => return Ok(DONE),
        }
        screen.draw(&view(&window, trouble.as_ref()));
    }
}

fn view(window: &Window, trouble: Option<&EdgeClientError>) -> Vec<(Tone, String)> {
    let mut view = lines(&report(window, now()), terminal::size().0);
    if let Some(error) = trouble {
        view.insert(0, (Tone::Bad, format!("! {error}; what follows is what was seen last")));
    }
    view
}

/// Returns when any of the signals comes.
async fn any([one, other]: &mut [Signal; 2]) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}

fn failed(error: EdgeClientError) -> Failure {
    Failure::failed(error.to_string())
}

fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}
