//! The journal as its users see it: real files, real processes.

mod append;
mod backup;
mod crash;
mod golden;
mod leases;
mod model;
mod open;
mod support;
mod tamper;
mod tamper_file;
