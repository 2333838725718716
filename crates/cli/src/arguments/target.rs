//! `pilotage target` and `pilotage clusters`: what runs the instances.

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub struct Target {
    #[command(subcommand)]
    pub verb: TargetVerb,
}

#[derive(Debug, Subcommand)]
pub enum TargetVerb {
    /// Look whether what runs an environment's instances can be reached and used, and say what is missing
    Check(TargetCheck),
}

#[derive(Debug, Args)]
pub struct TargetCheck {
    /// The environment [default: all of them]
    pub environment: Option<String>,
}

#[derive(Debug, Args)]
pub struct Clusters {
    #[command(subcommand)]
    pub verb: Option<ClustersVerb>,
}

#[derive(Debug, Subcommand)]
pub enum ClustersVerb {
    /// List the clusters of the file: whether they answer, and whether they are those that were used first
    List,
    /// Forget which cluster a name led to, so that the next use records it anew
    Forget(ClustersForget),
}

#[derive(Debug, Args)]
pub struct ClustersForget {
    /// The name, as the message of the mismatch says it
    pub name: String,
}
