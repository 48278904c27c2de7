//! The database servers that all test binaries of one run share.

use std::process::Command;

use anyhow::Result;
use anyhow::anyhow;
use test_servers::Kind;
use test_servers::SharedServer;

/// One server of each kind. Those that were started for this run end when this is dropped, or with this process.
#[derive(Debug)]
pub(crate) struct Servers(Vec<SharedServer>);

impl Servers {
    /// Starts them side by side, but for those that variables name, and says where they are.
    pub(crate) fn start() -> Result<Self> {
        let servers = std::thread::scope(|scope| {
            let starting = Kind::ALL.map(|kind| scope.spawn(move || SharedServer::get(kind)));
            let ended = starting.map(|thread| thread.join().map_err(|_| anyhow!("a server could not be started")));
            ended.into_iter().map(|server| Ok(server??)).collect::<Result<Vec<_>>>()
        })?;
        for server in &servers {
            eprintln!("{}", **server);
        }
        Ok(Servers(servers))
    }

    /// Tells a command where the servers are.
    pub(crate) fn export<'command>(&self, command: &'command mut Command) -> &'command mut Command {
        command.envs(self.0.iter().map(|server| (server.kind().variable(), server.admin_url())))
    }
}
