//! `pilotage completions`.

use clap::CommandFactory;

use crate::arguments::{Arguments, Completions};
use crate::failure::{DONE, Failure};
use crate::printer::Printer;

pub fn run(asked: &Completions, printer: &Printer) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(asked.shell, &mut Arguments::command(), "pilotage", &mut script);
    printer.raw(&String::from_utf8_lossy(&script));
    Ok(DONE)
}
