//! The arguments of `pilotage simulate`.

use std::path::PathBuf;

use clap::Args;
use pilotage_engine::rehearse::{Fault, UNDERSTOOD};

use super::{failing, rate};

/// What is played, and against what.
#[derive(Debug, Args)]
#[command(after_help = format!("Faults: {UNDERSTOOD}"))]
pub struct Simulate {
    /// The service, as in the file
    pub service: String,
    /// The version, such as 1.4.0
    pub version: String,
    /// The environment [default: dev, or the only one]
    #[arg(long, short, value_name = "NAME")]
    pub env: Option<String>,
    /// Another strategy than the environment's
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<String>,
    /// The version that serves before [default: the one that a running server serves, or 0.0.0-stable]
    #[arg(long, value_name = "VERSION")]
    pub stable: Option<String>,
    /// What goes wrong; may be given several times [default: nothing]
    #[arg(long = "fault", value_name = "FAULT", value_parser = fault)]
    pub faults: Vec<Fault>,
    /// Requests a second, all versions together
    #[arg(long, value_name = "NUMBER", default_value = "100", value_parser = rate, allow_negative_numbers = true)]
    pub rps: f64,
    /// The share of the stable version's requests that fail, such as 0.1%
    #[arg(long, value_name = "SHARE", default_value = "0.1%", value_parser = failing, allow_negative_numbers = true)]
    pub errors: f64,
    /// How many rollouts are played, and as many with nothing wrong
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub runs: u64,
    /// The same seed gives the same rollouts
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// Draw a picture: the split, and the share of the rollouts taken back, over time
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

fn fault(text: &str) -> Result<Fault, String> {
    text.parse().map_err(|error| format!("{error}\n\nunderstood are: {UNDERSTOOD}"))
}
