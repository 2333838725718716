#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pilotage_proxy::fuzzing::compared_bodies(bytes));
