#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pilotage_proxy::fuzzing::http2_client(bytes));
