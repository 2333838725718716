//! What an edge begins with: what is on disk, or what the edge before it hands over.

use super::admin_socket::AdminSocket;
use super::cookie_key::cookie_key;
use super::listeners::Listeners;
use super::socket::ControlSocket;
use super::state::StateFolder;
use super::{EdgeConfig, EdgeError};
use crate::routing::CookieKey;
use crate::{CertificateStatus, RoutingTable};

/// What an edge begins with.
pub(super) struct Beginning {
    pub(super) state: StateFolder,
    pub(super) socket: ControlSocket,
    pub(super) cookie_key: CookieKey,
    /// The table in use before.
    pub(super) table: RoutingTable,
    /// What is listened on already.
    pub(super) listeners: Listeners,
    pub(super) admin: AdminSocket,
    /// Certificates that must not be lost.
    pub(super) certificates: Vec<CertificateStatus>,
    /// When counting began, if it has.
    pub(super) started_micros: Option<i64>,
}

impl Beginning {
    /// Of an edge that takes over from nobody.
    pub(super) async fn from_disk(config: &EdgeConfig) -> Result<Self, EdgeError> {
        let state = StateFolder::open(&config.state_folder)?;
        let socket = ControlSocket::bind(&config.socket).await?;
        Ok(Self {
            cookie_key: cookie_key(&config.state_folder)?,
            table: state.load(),
            state,
            socket,
            listeners: Listeners::default(),
            admin: AdminSocket::new(config.admin, None),
            certificates: Vec::new(),
            started_micros: None,
        })
    }
}
