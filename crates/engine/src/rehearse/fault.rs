//! What goes wrong in a rehearsal, and when.

use std::fmt;
use std::time::Duration;

use pilotage_spec::format_duration;

use crate::plan::percent;

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// What.
    pub effect: Effect,
    /// From when on.
    pub beginning: Beginning,
    /// For how long; without it until the end.
    pub lasting: Option<Duration>,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// This share of the candidate's requests fails, from 0 to 1.
    Errors(f64),
    /// So many times the stable version's share of the candidate's requests fails.
    ErrorsTimes(f64),
    /// The candidate's requests take so many times as long.
    Slow(f64),
    /// The candidate's instances end by themselves again and again.
    CrashLoop,
    /// So many requests a second come, all versions together.
    Traffic(f64),
    /// This share of the requests of both versions fails, from 0 to 1.
    SharedOutage(f64),
}

/// From when on something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// From the candidate's first request on.
    FirstRequest,
    /// From the switch of this number on, of those that give the candidate requests, from 1: of a canary its steps.
    Step(usize),
    /// As soon as the candidate has this share of the traffic, in hundredths of a percent.
    Share(u32),
    /// So long after the candidate's first request.
    After(Duration),
}

impl fmt::Display for Fault {
    /// As it is written: `errors 3 % from step 2 for 5m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.effect)?;
        match self.beginning {
            Beginning::FirstRequest => {}
            Beginning::Step(number) => write!(f, " from step {number}")?,
            Beginning::Share(share) => write!(f, " at {}", percent(share))?,
            Beginning::After(time) => write!(f, " after {}", format_duration(time))?,
        }
        self.lasting.map_or(Ok(()), |time| write!(f, " for {}", format_duration(time)))
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Errors(share) => write!(f, "errors {} %", rounded(share * 100.0)),
            Self::ErrorsTimes(times) => write!(f, "errors {}x", rounded(*times)),
            Self::Slow(times) => write!(f, "latency {}x", rounded(*times)),
            Self::CrashLoop => f.write_str("crash loop"),
            Self::Traffic(rate) => write!(f, "traffic {} rps", rounded(*rate)),
            Self::SharedOutage(share) => write!(f, "shared outage {} %", rounded(share * 100.0)),
        }
    }
}

/// Without the last digits that binary fractions bring along.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}
