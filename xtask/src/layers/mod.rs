//! `cargo xtask layers`: who may know whom, read off the crate graph.

mod graph;
mod rules;

use crate::process::{TaskError, root};

/// Prints each fault, and fails if there is one.
pub fn run() -> Result<(), TaskError> {
    let graph = graph::Graph::of_workspace(&root())?;
    let faults = rules::faults(&graph);
    for fault in &faults {
        println!("{fault}");
    }
    match faults.len() {
        0 => {
            println!("layers: {} crates, all arrows as designed", graph.members().count());
            Ok(())
        }
        count => Err(TaskError::Failed(format!("layers: {count} faults"))),
    }
}
