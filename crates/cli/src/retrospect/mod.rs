//! Past counts out of a file, for the judge: `pilotage judge --from FILE`.
//!
//! The file is read twice, never held in memory: the first reading, the [`Survey`], finds every fault and every version, the second one
//! feeds the [`Replay`](pilotage_engine::retrospect::Replay). Start reading at [`Survey`].

mod amounts;
mod column;
mod csv_records;
mod fault;
mod json_records;
mod record;
mod report;
mod rows;
mod source;
mod survey;
#[cfg(test)]
mod tests;

pub use report::{Told, object, show};
pub use source::Source;
pub use survey::Survey;
