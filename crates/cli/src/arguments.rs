//! The command line.

mod access;
mod edge;
mod gates;
mod judge;
mod kubernetes;
mod policy;
mod rollout;
mod simulate;
mod target;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub use access::{Login, Serve, Token, TokenCreate, TokenVerb};
pub use edge::{Edge, EdgeReload, EdgeRun, EdgeVerb, Top};
pub use gates::{Gates, Given, Opinion, Rehearse};
pub use judge::{Compare, Judge};
pub use kubernetes::{EdgeKubernetes, EdgeLeave, Kubernetes, KubernetesVerb, Manifests, RolloutObjects};
pub use policy::{Policy, PolicyTest, PolicyVerb};
pub use rollout::{Rollout, RolloutOrder, RolloutShow, RolloutVerb};
pub use simulate::Simulate;
pub use target::{Clusters, ClustersVerb, Target, TargetCheck, TargetVerb};

/// Takes a release to production, watches it there, and takes it back when production disagrees.
#[derive(Debug, Parser)]
#[command(
    name = "pilotage",
    version,
    propagate_version = false,
    disable_help_subcommand = true,
    max_term_width = 100
)]
#[command(after_help = EXIT_CODES)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Verb,
}

const EXIT_CODES: &str =
    "Exit codes: 0 done, 1 failed, 2 rolled back, 3 waits for an approval, 4 timed out, 64 usage";

#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The project's file [default: $PILOTAGE_FILE, or pilotage.yaml here or in a folder above]
    #[arg(long, global = true, value_name = "PATH", help_heading = "Everywhere")]
    pub file: Option<PathBuf>,
    /// Where everything is kept [default: $PILOTAGE_STATE, or .pilotage beside the project's file]
    #[arg(long, global = true, value_name = "FOLDER", help_heading = "Everywhere")]
    pub state: Option<PathBuf>,
    /// A server elsewhere, such as https://deploy.shop.example:7443 [default: $PILOTAGE_SERVER, or the one on this machine]
    #[arg(long, global = true, value_name = "URL", help_heading = "Everywhere")]
    pub server: Option<String>,
    /// A file with a token [default: $PILOTAGE_TOKEN, $PILOTAGE_ID_TOKEN, or the session of `login`]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub token_file: Option<PathBuf>,
    /// How results are written: text, or json with one object a line where there are several
    #[arg(long, global = true, value_enum, default_value_t = Output::Text, hide_possible_values = true, value_name = "FORM", help_heading = "Everywhere")]
    pub output: Output,
    /// No colour, as with the variable NO_COLOR
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub no_color: bool,
    /// Only results and errors
    #[arg(long, short, global = true, help_heading = "Everywhere")]
    pub quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a pilotage.yaml for the project in this folder
    Init(Init),
    /// Check pilotage.yaml, and say what is wrong and how to mend it
    Check,
    /// Print the JSON Schema of pilotage.yaml, for editors
    Schema,
    /// Start the server in the background, and all that was deployed with it
    Up,
    /// Stop everything: instances, edge and server; `up` brings it back
    Down,
    /// Run the server in the foreground
    Serve(Serve),
    /// Show what a deployment would do, and what it would be able to see; and do nothing
    Plan(PlanShown),
    /// Play a deployment against a fault, thousands of times, and do nothing
    Simulate(Simulate),
    /// Bring out a version, and watch over it until it is done or taken back
    Deploy(Deploy),
    /// Show every gate between a release and an environment, what is missing, and who can give it
    Gates(Gates),
    /// Show what waits for somebody's approval, a window or a ticket
    Approvals,
    /// Approve the plan of a deployment that waits
    Approve(Opinion),
    /// Reject the plan of a deployment that waits: one such word is enough
    Reject(Opinion),
    /// Take back what you have said of a plan that waits
    Withdraw(Opinion),
    /// Bring a version out and take it back as planned, to know that there is a way back
    Rehearse(Rehearse),
    /// End the watch that runs now, and take the next step
    Promote(Promote),
    /// Go back to the version before, or to any that has served
    Rollback(Rollback),
    /// Take back a deployment that is under way
    Abort(Asked),
    /// Take no further step until `resume`; the judge goes on looking
    Pause(Asked),
    /// Go on after a pause
    Resume(Asked),
    /// Show and order the rollout of a controller that the team stays on: Argo Rollouts or Flagger
    Rollout(Rollout),
    /// Show what serves, what is moving, what broke, and what to do next
    Status(Status),
    /// List deployments
    History(History),
    /// Show what instances wrote
    Logs(Logs),
    /// Run the proxy between users and instances, watch it, or replace it
    Edge(Edge),
    /// Print objects for a cluster: what Pilotage needs there, or what a strategy is for a controller
    Kubernetes(Kubernetes),
    /// Tell the story of a deployment, or what a gate is for
    Explain(Explain),
    /// Judge the counts of a past release: would it have been rolled back, and when?
    Judge(Judge),
    /// Try a team's own conditions
    Policy(Policy),
    /// Show the audit log, or prove that nobody has changed it
    Audit(Audit),
    /// Copy the journal to a new file
    Backup(Backup),
    /// Look at what runs the instances
    Target(Target),
    /// Look at the clusters of the file, and forget which one a name led to
    Clusters(Clusters),
    /// Show who you are to the server, and what you may do
    Whoami,
    /// Sign in where the project's people do
    Login(Login),
    /// End the session of `login`
    Logout,
    /// Issue, list and revoke tokens for programs
    Token(Token),
    /// See a canary go out, a bad release come back by itself, and the log that proves it
    Demo(Demo),
    /// Print completions for a shell
    Completions(Completions),
    /// Hold one instance (started by the server)
    #[command(hide = true)]
    Shim,
    /// Become a service that is handed its socket (started by the shim)
    #[command(hide = true, disable_help_flag = true)]
    PassListener(PassListener),
    /// A service that fails as told, for trying things out
    #[command(hide = true, disable_help_flag = true)]
    SampleService(SampleService),
}

#[derive(Debug, Args)]
pub struct Init {
    /// Replace a pilotage.yaml that is there
    #[arg(long)]
    pub force: bool,
    /// Begin with a Compose file: this one, or the one in the folder
    #[arg(long, value_name = "FILE")]
    pub compose: Option<Option<PathBuf>>,
}

#[derive(Debug, Args)]
pub struct PassListener {
    /// The program, its name and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<std::ffi::OsString>,
}

/// What is deployed where, and how.
#[derive(Debug, Clone, Args)]
pub struct Plan {
    /// The service, as in the file
    pub service: String,
    /// The version, such as 1.4.0
    pub version: String,
    #[command(flatten)]
    pub given: Given,
}

#[derive(Debug, Args)]
pub struct PlanShown {
    #[command(flatten)]
    pub plan: Plan,
    #[command(flatten)]
    pub expected: Expected,
}

/// The traffic to reckon with.
#[derive(Debug, Clone, Args)]
pub struct Expected {
    /// Reckon with so many requests a second [default: those that the edge sees now]
    #[arg(long, value_name = "NUMBER", value_parser = rate)]
    pub rps: Option<f64>,
    /// Reckon with this share of failed requests without the release, such as 0.1% [default: those that the edge has seen]
    #[arg(long, value_name = "SHARE", value_parser = failing)]
    pub errors: Option<f64>,
}

#[derive(Debug, Args)]
pub struct Deploy {
    #[command(flatten)]
    pub plan: Plan,
    /// Every environment of these waves, one wave after the other
    #[arg(long, value_name = "NAME", conflicts_with = "env")]
    pub waves: Option<String>,
    #[command(flatten)]
    pub wait: Wait,
}

/// How long a command stays with what it has begun.
#[derive(Debug, Clone, Args)]
pub struct Wait {
    /// Begin it, and do not wait for its end
    #[arg(long)]
    pub detach: bool,
    /// Wait no longer than this, such as 90s, 10m or 1h30m; it goes on all the same
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
}

#[derive(Debug, Args)]
pub struct Promote {
    /// The deployment, such as d12 [default: the only one under way]
    pub deployment: Option<String>,
    /// Skip every watch but the soak
    #[arg(long)]
    pub full: bool,
}

#[derive(Debug, Args)]
pub struct Asked {
    /// The deployment, such as d12 [default: the only one under way]
    pub deployment: Option<String>,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

#[derive(Debug, Args)]
pub struct Rollback {
    /// The service, as in the file
    pub service: String,
    /// The environment [default: dev, or the only one]
    #[arg(long, short, value_name = "NAME")]
    pub env: Option<String>,
    /// Every environment of these waves, all at once
    #[arg(long, value_name = "NAME", conflicts_with = "env")]
    pub waves: Option<String>,
    /// The version to go back to [default: the one before]
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    #[command(flatten)]
    pub wait: Wait,
}

/// Which workloads are meant.
#[derive(Debug, Clone, Default, Args)]
pub struct Selection {
    /// Only this environment
    #[arg(long, short, value_name = "NAME")]
    pub env: Option<String>,
    /// Only this service
    #[arg(long, short, value_name = "NAME")]
    pub service: Option<String>,
}

#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    pub selection: Selection,
    /// Show it again whenever it changes, until Ctrl-C
    #[arg(long, short)]
    pub watch: bool,
}

#[derive(Debug, Args)]
pub struct History {
    #[command(flatten)]
    pub selection: Selection,
    /// At most so many of the latest
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 20, value_parser = positive)]
    pub limit: usize,
}

#[derive(Debug, Args)]
pub struct Logs {
    /// The service, as in the file
    pub service: String,
    /// The environment [default: dev, or the only one]
    #[arg(long, short, value_name = "NAME")]
    pub env: Option<String>,
    /// Only instances of this version
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// So many of the last lines
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 100, value_parser = positive)]
    pub lines: usize,
    /// Go on with what is written from now on, until Ctrl-C
    #[arg(long, short)]
    pub follow: bool,
}

#[derive(Debug, Args)]
pub struct Explain {
    /// A deployment, such as d12, or the word `gate` [default: the latest deployment]
    #[arg(value_name = "DEPLOYMENT | gate")]
    pub what: Option<String>,
    /// The gate's name, after `gate`
    #[arg(value_name = "GATE")]
    pub gate: Option<String>,
}

#[derive(Debug, Args)]
pub struct Audit {
    #[command(flatten)]
    pub list: AuditList,
    #[command(subcommand)]
    pub part: Option<AuditPart>,
}

#[derive(Debug, Subcommand)]
pub enum AuditPart {
    /// Show the audit log, oldest first (what `audit` alone does)
    List(AuditList),
    /// Recompute every hash, and say whether anything was changed, moved or removed
    Verify,
}

#[derive(Debug, Args)]
pub struct AuditList {
    /// Only what was recorded since: a time such as 2026-07-01T09:30:00Z, or a span such as 24h
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only this environment
    #[arg(long, short, value_name = "NAME")]
    pub env: Option<String>,
}

#[derive(Debug, Args)]
pub struct Backup {
    /// The file to write; nothing may be there yet
    pub path: PathBuf,
}

#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// Leave everything running, to play with
    #[arg(long)]
    pub keep: bool,
    /// One line a transition, as without a terminal
    #[arg(long)]
    pub plain: bool,
}

#[derive(Debug, Args)]
pub struct Completions {
    /// Which shell
    pub shell: Shell,
}

#[derive(Debug, Args)]
pub struct SampleService {
    /// A JSON file of settings
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Settings as `--name value`, which win over the file's
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub settings: Vec<String>,
}

/// Whether a command line that makes no sense wants its errors as JSON.
pub fn asks_for_json(arguments: impl Iterator<Item = OsString>) -> bool {
    let mut named = false;
    for argument in arguments.take_while(|argument| argument != "--") {
        if argument == "--output=json" || (named && argument == "json") {
            return true;
        }
        named = argument == "--output";
    }
    false
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1 is needed".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}")),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "give requests a second above 0, such as 20 or 0.5".to_owned())
}

fn failing(text: &str) -> Result<f64, String> {
    let percent = text.strip_suffix('%').unwrap_or(text).trim_end().parse::<f64>().ok();
    let share = percent.map(|percent| percent / 100.0).filter(|share| (0.0..=0.5).contains(share));
    share.ok_or_else(|| "give a percentage from 0 to 50, such as 0.1%".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    pilotage_spec::parse_duration(text).map_err(|error| error.to_string())
}
