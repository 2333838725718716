//! The judge: how often it is wrong, how soon it is right, beside two rules that others go by, and how fast it is.
//!
//! Everything is drawn from seeds, so that all figures but the speed are the same on every machine.

mod detection;
mod false_alarms;
mod figure;
mod predicted;
mod speed;
mod traffic;

#[expect(clippy::disallowed_methods, reason = "a bench reads its arguments; the crate it measures does not")]
fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    false_alarms::run(quick);
    predicted::run(quick);
    detection::run(quick);
    speed::run(quick);
}
