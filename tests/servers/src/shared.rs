//! The server that many tests share.

use std::ops::Deref;

use crate::error::Error;
use crate::kind::Kind;
use crate::owned::OwnedServer;
use crate::owned::ServerOptions;
use crate::server::Server;

/// The server that many tests share: one that a variable names, or else one started for them, which ends when this is
/// dropped.
#[derive(Debug)]
pub struct SharedServer {
    server: Server,
    /// Kept for its end.
    _owned: Option<OwnedServer>,
}

impl SharedServer {
    /// The server that the variable of this kind names, or else a new one that does not wait for data on disk.
    ///
    /// # Errors
    ///
    /// If the variable names a server that can't be used; if there is no variable and the server is not installed or does
    /// not start.
    pub fn get(kind: Kind) -> Result<Self, Error> {
        if let Some(server) = Server::existing(kind)? {
            return Ok(SharedServer { server, _owned: None });
        }
        let owned = OwnedServer::start(ServerOptions { kind, durable: false })?;
        Ok(SharedServer { server: owned.clone(), _owned: Some(owned) })
    }
}

impl Deref for SharedServer {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}
