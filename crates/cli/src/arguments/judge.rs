//! `pilotage judge`: what would have been said of the past.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pilotage_spec::{parse_multiple, parse_percentage};

const ABOUT: &str = "\
Columns, or keys of JSON objects: time, version, requests, failed; and where they are known
failed_clients, p50_ms, p95_ms, p99_ms, share. One row a version and interval.

Exit codes: 0 it would have stayed, 2 it would have been rolled back, 64 the file makes no sense";

#[derive(Debug, Args)]
#[command(after_help = ABOUT)]
pub struct Judge {
    /// Counts per version over time as CSV or NDJSON; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub from: PathBuf,
    /// The version that was new [default: the highest in the file]
    #[arg(long, value_name = "VERSION")]
    pub candidate: Option<String>,
    /// The version to compare it with [default: the next below it]
    #[arg(long, value_name = "VERSION")]
    pub stable: Option<String>,
    /// The counts are counters that only grow
    #[arg(long)]
    pub cumulative: bool,
    /// Roll back when this strategy of the project's file would [default: when a strategy without settings would]
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<String>,
    /// How often a good release may be taken back, such as 1%
    #[arg(long, value_name = "SHARE", value_parser = alpha)]
    pub alpha: Option<u32>,
    /// So many times the stable version's failures are too many, such as 2x
    #[arg(long, value_name = "MULTIPLE", value_parser = parse_multiple)]
    pub errors_vs_stable: Option<u32>,
    /// So many failed requests are too many, such as 5%
    #[arg(long, value_name = "SHARE", value_parser = parse_percentage)]
    pub error_rate: Option<u32>,
    /// What other rules would have said: threshold, kayenta, or both with a comma between them
    #[arg(long, value_name = "RULES", value_enum, value_delimiter = ',', hide_possible_values = true)]
    pub compare: Vec<Compare>,
}

/// A rule to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Compare {
    /// The share of failures in one minute above a limit.
    Threshold,
    /// Kayenta's judge.
    Kayenta,
}

/// The bounds are those of the file.
fn alpha(text: &str) -> Result<u32, String> {
    match parse_percentage(text).map_err(|error| error.to_string())? {
        alpha @ 1..=1_000 => Ok(alpha),
        _ => Err("it must be from 0.01 % to 10 %; write, for example, 1%".to_owned()),
    }
}
