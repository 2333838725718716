//! `pilotage edge top`: what the edge carries, by route and version, again and again.
//!
//! `source` reads the edge, `window` makes differences of readings, `report` makes figures of differences, and `table`
//! makes lines of figures. `run` does it all again; `screen` and `keyboard` are the terminal's.

mod change;
mod columns;
mod keyboard;
mod report;
mod run;
mod screen;
mod source;
mod table;
mod window;

pub use run::run;
