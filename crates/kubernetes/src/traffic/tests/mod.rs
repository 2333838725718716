//! The objects of every way on a real API server, and by the definitions that their projects publish. No controller runs here:
//! what one would write into a status is written by the test.

mod borrowed;
mod conflicts;
mod orders;
mod routes;
mod samples;
mod schema;
mod server;
mod validity;
