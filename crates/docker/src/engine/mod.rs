//! One engine: how it is reached, what it says it is, and what its refusals mean.

mod dial;
mod fault;
mod host;
mod reach;
mod ssh;
mod tls;
mod transport;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use pilotage_spec::EngineHost;
use pilotage_targets::TargetError;
use tokio::sync::OnceCell;

use dial::Dialer;
use transport::Transport;

pub(crate) use fault::Fault;
use host::Place;
pub(crate) use reach::Reach;
pub(crate) use tls::Certificates;

/// An engine has so long for the head of an answer, in seconds, unless a call is known to take longer.
const ANSWER_SECONDS: u64 = 30;
/// What a call that waits for a container may take beyond that.
const MARGIN: Duration = Duration::from_secs(ANSWER_SECONDS);

/// An engine. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Engine {
    docker: Docker,
    address: Arc<EngineHost>,
    place: Arc<Place>,
    dialer: Arc<Dialer>,
    transport: Transport,
    facts: Arc<OnceCell<Facts>>,
}

/// What an engine says of itself, asked once.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// How its containers are reached from here.
    pub reach: Reach,
    /// Its node in a swarm, if it is in one.
    pub node: Option<String>,
    /// Whether it can be asked about the swarm.
    pub is_manager: bool,
}

impl Engine {
    /// An engine that has not been asked for anything yet: it may be away for now.
    pub fn new(
        address: &EngineHost,
        certificates: Option<Certificates>,
        ssh_program: &Path,
    ) -> Result<Self, TargetError> {
        let failed = |reason: String| TargetError::Failed { doing: format!("use {address}"), reason };
        let place = Place::read(address).ok_or_else(|| {
            failed(
                "that is no address of an engine; write `ssh://user@host:port` or `tcp://host:port`"
                    .to_owned(),
            )
        })?;
        let dialer = Arc::new(Dialer::new(place.clone(), certificates, ssh_program));
        let transport = Transport::new(Arc::clone(&dialer));
        let way = transport.clone();
        let send = move |request: BollardRequest| {
            let way = way.clone();
            async move { way.send(request).await }
        };
        let docker = Docker::connect_with_custom_transport(
            send,
            Some("http://docker"),
            ANSWER_SECONDS,
            API_DEFAULT_VERSION,
        )
        .map_err(|error| failed(error.to_string()))?;
        let (address, place) = (Arc::new(address.clone()), Arc::new(place));
        Ok(Self { docker, address, place, dialer, transport, facts: Arc::default() })
    }

    /// The library's client.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// The same for a call that waits up to `limit` for something to happen.
    pub fn patient(&self, limit: Duration) -> Docker {
        self.docker.clone().with_timeout(limit.saturating_add(MARGIN))
    }

    /// What it is called in messages.
    pub fn name(&self) -> String {
        self.address.to_string()
    }

    /// What it says of itself. Agrees on a version of the API first.
    pub async fn facts(&self) -> Result<&Facts, TargetError> {
        self.facts.get_or_try_init(|| self.ask()).await
    }

    /// The same, if it has been asked already.
    pub fn known_facts(&self) -> Option<&Facts> {
        self.facts.get()
    }

    async fn ask(&self) -> Result<Facts, TargetError> {
        let failed = |error: Error| self.failed("ask the engine what it is", &error);
        // Both sides speak all versions from a lowest to a highest; the library lowers its own to the engine's.
        let agreed = self.docker.clone().negotiate_version().await.map_err(failed)?.client_version();
        self.transport.speak(&agreed.to_string());
        let info = self.docker.info().await.map_err(failed)?;
        let is_rootless = info.security_options.iter().flatten().any(|option| option.contains("rootless"));
        let reach = reach::of(&self.place, is_rootless).await.map_err(|error| TargetError::Unreachable {
            engine: self.name(),
            reason: format!("its host has no address: {error}"),
        })?;
        let swarm = info.swarm.unwrap_or_default();
        Ok(Facts {
            reach,
            node: swarm.node_id.filter(|node| !node.is_empty()),
            is_manager: swarm.control_available == Some(true),
        })
    }

    /// What an error of the library means here.
    pub fn fault(&self, error: &Error) -> Fault {
        Fault::of(error, self.dialer.last_words())
    }

    /// The target's error for one of the library.
    pub fn failed(&self, doing: &str, error: &Error) -> TargetError {
        self.refused(doing, self.fault(error))
    }

    /// The target's error for a fault.
    pub fn refused(&self, doing: &str, fault: Fault) -> TargetError {
        match fault {
            Fault::Unreachable { reason } => TargetError::Unreachable { engine: self.name(), reason },
            Fault::NoRoom => TargetError::DiskFull { path: format!("the data of {}", self.name()) },
            Fault::Forbidden { message } => TargetError::Forbidden {
                what: format!("{doing} on {}", self.name()),
                rule: format!("allow it there; the engine says: {message}"),
            },
            fault => {
                TargetError::Failed { doing: format!("{doing} on {}", self.name()), reason: fault.words() }
            }
        }
    }
}
