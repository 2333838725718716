//! The few steps that every strategy is made of.

use std::fmt;
use std::time::Duration;

use pilotage_spec::{Version, duration_ms};
use serde::{Deserialize, Serialize};

use crate::Split;

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum Step {
    /// Bring up, and keep up, so many instances.
    Ensure {
        /// The version.
        version: Version,
        /// How many.
        replicas: u32,
    },
    /// Look at the version before it takes (more) traffic.
    Check {
        /// The version.
        version: Version,
        /// What is looked at.
        check: Check,
    },
    /// Switch the traffic, at once and for everybody.
    Route(Split),
    /// Let it take traffic while the judge looks.
    Watch {
        /// The version.
        version: Version,
        /// For how long.
        #[serde(with = "duration_ms", rename = "for_ms")]
        duration: Duration,
        /// Whether this is the soak: the last watch, with the old version kept warm.
        soak: bool,
    },
    /// Wait until a person lets it go on; the judge looks meanwhile.
    Hold,
    /// The end of a trial: the stable version goes on serving, as planned.
    Conclude,
    /// Drain, then stop.
    Retire {
        /// The version.
        version: Version,
        /// How many instances stay.
        keep: u32,
    },
}

/// What a `Check` looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// So many instances are ready.
    Ready {
        /// How many.
        replicas: u32,
    },
    /// The smoke suite passes.
    Smoke,
}

impl fmt::Display for Step {
    /// One line for people, such as `route 5 % to 1.1.0, 95 % to 1.0.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ensure { version, replicas } => write!(f, "ensure {} of {version}", instances(*replicas)),
            Self::Check { version, check: Check::Ready { replicas } } => {
                write!(f, "check {} of {version} ready", instances(*replicas))
            }
            Self::Check { version, check: Check::Smoke } => write!(f, "check smoke suite against {version}"),
            Self::Route(split) => write!(f, "route {split}"),
            Self::Watch { version, duration, soak: false } => {
                write!(f, "watch {version} for {}", span(*duration))
            }
            Self::Watch { version, duration, soak: true } => {
                write!(f, "soak {version} for {}", span(*duration))
            }
            Self::Hold => f.write_str("hold until a person says `pilotage promote`"),
            Self::Conclude => f.write_str("conclude the trial"),
            Self::Retire { version, keep: 0 } => write!(f, "retire {version}"),
            Self::Retire { version, keep } => write!(f, "retire {version}, keep {}", instances(*keep)),
        }
    }
}

fn instances(count: u32) -> String {
    if count == 1 { "1 instance".to_owned() } else { format!("{count} instances") }
}

/// A share in hundredths of a percent as `12.5 %`.
pub(crate) fn percent(share: u32) -> String {
    let (whole, rest) = (share / 100, share % 100);
    match rest {
        0 => format!("{whole} %"),
        rest if rest % 10 == 0 => format!("{whole}.{} %", rest / 10),
        rest => format!("{whole}.{rest:02} %"),
    }
}

fn span(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        ms if ms % 1_000 != 0 => format!("{ms} ms"),
        ms if ms % 60_000 != 0 => format!("{} s", ms / 1_000),
        ms if ms % 3_600_000 != 0 => format!("{} min", ms / 60_000),
        ms => format!("{} h", ms / 3_600_000),
    }
}
