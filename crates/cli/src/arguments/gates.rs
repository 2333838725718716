//! What the commands around gates are given.

use clap::Args;

use super::{Plan, Wait};

#[derive(Debug, Args)]
pub struct Gates {
    /// The service, as in the file; or a deployment that waits, such as d12
    pub what: String,
    /// The version, such as 1.4.0
    pub version: Option<String>,
    #[command(flatten)]
    pub given: Given,
}

/// What gates look at, beside the plan.
#[derive(Debug, Clone, Args)]
pub struct Given {
    /// The environment [default: dev, or the only one]
    #[arg(long, short, value_name = "NAME")]
    pub env: Option<String>,
    /// Another strategy than the environment's
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<String>,
    /// Another artifact than the file's
    #[arg(long, value_name = "PATH")]
    pub artifact: Option<std::path::PathBuf>,
    /// Another image than the file's
    #[arg(long, value_name = "IMAGE", conflicts_with = "artifact")]
    pub image: Option<pilotage_spec::ImageReference>,
    /// The environment's name once more, where its policy asks for it
    #[arg(long, value_name = "ENVIRONMENT")]
    pub confirm: Option<String>,
    /// The change ticket, where the environment's policy asks for one
    #[arg(long, value_name = "KEY")]
    pub ticket: Option<String>,
    /// Go past gates in an emergency, where the policy lets you; recorded loudly, with this reason
    #[arg(long, value_name = "REASON")]
    pub break_glass: Option<String>,
}

#[derive(Debug, Args)]
pub struct Opinion {
    /// The deployment that waits, such as d12 [default: the only one that waits]
    pub deployment: Option<String>,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

#[derive(Debug, Args)]
pub struct Rehearse {
    #[command(flatten)]
    pub plan: Plan,
    #[command(flatten)]
    pub wait: Wait,
}
