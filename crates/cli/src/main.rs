//! The pilotage binary.
fn main() {}
