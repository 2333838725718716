//! `pilotage schema`.

use crate::failure::{DONE, Failure};
use crate::printer::Printer;

pub fn run(printer: &Printer) -> Result<u8, Failure> {
    printer.line(format!("{:#}", pilotage_spec::json_schema()));
    Ok(DONE)
}
