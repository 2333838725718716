//! How the server is reached, and as whom. A credential comes from the environment or a file, never from an argument: those
//! everybody on the machine can read.

use std::path::PathBuf;

use pilotage_server::{Client, StateFolder};

use crate::arguments::Global;
use crate::failure::Failure;
use crate::sessions;

/// The variable that names a server elsewhere.
const SERVER_VARIABLE: &str = "PILOTAGE_SERVER";
/// The variable that holds a token.
pub const TOKEN_VARIABLE: &str = "PILOTAGE_TOKEN";
/// The variable that holds the id token of a pipeline's job.
pub const ID_TOKEN_VARIABLE: &str = "PILOTAGE_ID_TOKEN";
/// A longer file is no token, in bytes.
const TOKEN_LIMIT_BYTES: u64 = 16 * 1024;

/// How the server is reached, and as whom.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// A server elsewhere.
    server: Option<String>,
    /// Where the token is read.
    token: TokenFrom,
}

/// Where a token is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum TokenFrom {
    /// Nowhere: the socket says who calls.
    #[default]
    Nowhere,
    File(PathBuf),
    Variable(&'static str),
    /// From the session of somebody who has signed in, if there is one.
    Session,
}

impl Reach {
    /// As the command line and the environment say.
    pub fn find(global: &Global) -> Self {
        let is_set = |variable: &str| std::env::var_os(variable).is_some();
        let token = match &global.token_file {
            Some(file) => TokenFrom::File(file.clone()),
            None if is_set(TOKEN_VARIABLE) => TokenFrom::Variable(TOKEN_VARIABLE),
            None if is_set(ID_TOKEN_VARIABLE) => TokenFrom::Variable(ID_TOKEN_VARIABLE),
            None => TokenFrom::Session,
        };
        let named = || std::env::var(SERVER_VARIABLE).ok().filter(|server| !server.is_empty());
        Self { server: global.server.clone().or_else(named), token }
    }

    /// Whether the server is reached over the network.
    pub fn is_remote(&self) -> bool {
        self.server.is_some()
    }

    /// What the server is called among the sessions.
    pub fn address(&self, state: &StateFolder) -> String {
        let socket = || state.socket().to_string_lossy().into_owned();
        self.server.as_ref().map_or_else(socket, |server| server.trim_end_matches('/').to_owned())
    }

    /// A client that says who asks.
    pub fn client(&self, state: &StateFolder) -> Result<Client, Failure> {
        let client = self.bare_client(state)?;
        match self.token(state)? {
            Some(token) => client.with_token(&token).map_err(|error| Failure::usage(error.to_string())),
            None => Ok(client),
        }
    }

    /// A client that does not say who asks.
    pub fn bare_client(&self, state: &StateFolder) -> Result<Client, Failure> {
        match &self.server {
            Some(server) => Client::remote(server).map_err(|error| Failure::usage(error.to_string())),
            None => Ok(Client::new(state.socket())),
        }
    }

    /// A credential that was given and is empty is an error: what it was to hold is missing.
    fn token(&self, state: &StateFolder) -> Result<Option<String>, Failure> {
        let (token, place) = match &self.token {
            TokenFrom::Nowhere => return Ok(None),
            TokenFrom::Session => return sessions::token(&self.address(state)),
            TokenFrom::Variable(name) => (std::env::var(name).unwrap_or_default(), (*name).to_owned()),
            TokenFrom::File(file) => (read(file)?, file.display().to_string()),
        };
        let token = token.trim_end_matches(['\r', '\n']);
        if token.is_empty() {
            return Err(Failure::usage(format!("there is no token in {place}")));
        }
        Ok(Some(token.to_owned()))
    }
}

fn read(file: &PathBuf) -> Result<String, Failure> {
    let failed =
        |reason: String| Failure::usage(format!("cannot read the token in {}: {reason}", file.display()));
    let size = std::fs::metadata(file).map_err(|error| failed(error.to_string()))?.len();
    if size > TOKEN_LIMIT_BYTES {
        return Err(failed("it is too long".to_owned()));
    }
    std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))
}
