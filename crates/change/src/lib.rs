//! What change management says: tickets, windows and freezes.
//!
//! [`calendar`] is pure: it is given the time and the text of the calendars. [`ticket`] asks the systems in which changes have
//! their tickets. Where anything cannot be read for certain, the answer is an error, never "allowed".

pub mod calendar;
pub mod ticket;
