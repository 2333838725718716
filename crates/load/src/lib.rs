//! Open-loop load and a sample service, for the demo, the tests and the benches.
