//! Whether deployments are allowed at a moment, and when that changes.

mod check;
mod cron;
mod error;
mod file;
mod ical;
mod moment;
mod source;
mod span;
mod state;
mod timeline;
mod zone;

pub use check::{check, check_calendars};
pub use error::CalendarError;
pub use file::{CALENDAR_LIMIT_BYTES, read_calendar};
pub use state::{SEARCH_DAYS, WindowState, state};
