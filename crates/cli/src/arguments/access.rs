//! Who asks, and tokens.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use pilotage_spec::Verb;

use super::duration;

#[derive(Debug, Args)]
pub struct Serve {
    /// In a session of its own, as `up` starts it
    #[arg(long, hide = true)]
    pub background: bool,
    /// Listen on this address too, such as 127.0.0.1:7443; every request there needs a token
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// The certificate, in PEM; needed for every address that other machines reach
    #[arg(long, value_name = "FILE", requires = "tls_key", requires = "listen")]
    pub tls_cert: Option<PathBuf>,
    /// Its key, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// A name under which clients reach the server, beside its addresses; may be given several times
    #[arg(long, value_name = "NAME")]
    pub host: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Token {
    #[command(subcommand)]
    pub verb: TokenVerb,
}

#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// Issue a token, and show it this once
    Create(TokenCreate),
    /// List the tokens that count now
    List,
    /// Revoke a token, at once
    Revoke(TokenRevoke),
}

#[derive(Debug, Args)]
pub struct TokenCreate {
    /// In whose name it acts: a person, machine or agent of the file [default: you]
    #[arg(long = "for", value_name = "PRINCIPAL")]
    pub principal: Option<String>,
    /// What it is for, in a few words
    #[arg(long, value_name = "TEXT")]
    pub purpose: Option<String>,
    /// Only for this verb, such as deploy; may be given several times [default: all that its principal may do]
    #[arg(long, value_name = "VERB")]
    pub verb: Vec<Verb>,
    /// Only in this environment; may be given several times
    #[arg(long, short, value_name = "NAME")]
    pub env: Vec<String>,
    /// Only for this service; may be given several times
    #[arg(long, short, value_name = "NAME")]
    pub service: Vec<String>,
    /// How long it is good for, such as 12h or 30d; 366d at most [default: 90d]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub expires: Option<Duration>,
}

#[derive(Debug, Args)]
pub struct TokenRevoke {
    /// The token, by the part behind `plt_`
    pub id: String,
}

#[derive(Debug, Args)]
pub struct Login {
    /// Where, if the file names several places to sign in
    #[arg(long, value_name = "NAME")]
    pub at: Option<String>,
}
