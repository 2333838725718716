//! `pilotage policy`: a team's own conditions.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub struct Policy {
    #[command(subcommand)]
    pub verb: PolicyVerb,
}

#[derive(Debug, Subcommand)]
pub enum PolicyVerb {
    /// Put inputs to the project's conditions, and compare what they say with what they are to say
    Test(PolicyTest),
}

const ABOUT: &str = "\
The file is a list of cases in YAML or JSON, each with name, condition, input or input_file (or both: what is
different in input is laid over the file's), and expect: allow, deny or error. What is refused is asked again
without each field of the input in turn: none may make a pass of it.

Exit codes: 0 all are right, 1 one is wrong, 64 the file makes no sense";

#[derive(Debug, Args)]
#[command(after_help = ABOUT)]
pub struct PolicyTest {
    /// The table of cases
    #[arg(value_name = "TABLE")]
    pub table: PathBuf,
}
