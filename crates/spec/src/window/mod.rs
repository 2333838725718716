//! When deployments are allowed, and when they are frozen: what the file says. Which moments that means is found out by the
//! crate that knows time zones.

mod clock;
mod range;
mod weekly;

pub use clock::{ClockTime, LocalTime, LocalTimeError, Weekday};
pub use range::{CronText, Range, Windows, ZoneName};
pub use weekly::{WEEKLY_PATTERN, WeeklyError};
