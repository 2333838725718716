//! `pilotage rollout`: rollouts that a controller of the team's runs.

use clap::{Args, Subcommand};

const EXAMPLE: &str = "\
Example: pilotage rollout promote api --env production --reason \"orders are as they should be\"

For targets with `traffic: argo-rollouts` or `traffic: { flagger: … }`, whose controller takes the steps itself";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub struct Rollout {
    #[command(subcommand)]
    pub verb: RolloutVerb,
}

#[derive(Debug, Subcommand)]
pub enum RolloutVerb {
    /// Show how the rollout of a service is, and what it waits for
    Show(RolloutShow),
    /// Take the next step: end the pause, or go past the step that is being done
    Promote(RolloutOrder),
    /// Give the new version everything, without what is left of steps, pauses and analyses
    PromoteFully(RolloutOrder),
    /// Give the stable version everything back
    Abort(RolloutOrder),
    /// Begin again after an abort or a failure
    Retry(RolloutOrder),
}

#[derive(Debug, Args)]
pub struct RolloutShow {
    /// The service, as in the file
    pub service: String,
    /// The environment [default: dev, or the only one]
    #[arg(long, short, value_name = "NAME")]
    pub env: Option<String>,
}

#[derive(Debug, Args)]
pub struct RolloutOrder {
    #[command(flatten)]
    pub of: RolloutShow,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}
