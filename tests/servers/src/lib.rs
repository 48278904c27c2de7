//! Private PostgreSQL and MariaDB servers for tests.
//!
//! [`postgres`] and [`mysql`] give a server that all tests share; [`Server::database`] makes a database in it that belongs
//! to one test. [`Server::start`] gives a test a server of its own, to be killed and started again.
//!
//! Servers run in a temporary folder, listen on a socket in it and on a free port of 127.0.0.1, and end with the process
//! that started them, however that ends.
//!
//! Servers that run already are used instead if `RUNNER_TEST_POSTGRES_URL` or `RUNNER_TEST_MYSQL_URL` name an account that
//! may create databases. `cargo xtask test` sets both, so that all test binaries share what it starts.
#![cfg(unix)]

mod account;
mod connection;
mod database;
mod error;
mod install;
mod kind;
mod launch;
mod owned;
mod programs;
mod server;
mod supervisor;
mod url;

use std::sync::OnceLock;

pub use database::TestDatabase;
pub use error::Error;
pub use install::install_missing;
pub use kind::Kind;
pub use owned::OwnedServer;
pub use owned::ServerOptions;
pub use server::Server;

/// A PostgreSQL server that all tests share. It does not wait for data on disk: to be killed, take one of
/// [`Server::start`].
///
/// # Panics
///
/// If PostgreSQL is not installed or does not start. A test never passes because its server is missing.
#[track_caller]
pub fn postgres() -> &'static Server {
    static SHARED: OnceLock<Result<Shared, Error>> = OnceLock::new();
    shared(SHARED.get_or_init(|| Shared::get(Kind::Postgres)))
}

/// A MariaDB or MySQL server that all tests share. It does not wait for data on disk: to be killed, take one of
/// [`Server::start`].
///
/// # Panics
///
/// If neither MariaDB nor MySQL is installed, or the server does not start. A test never passes because its server is
/// missing.
#[track_caller]
pub fn mysql() -> &'static Server {
    static SHARED: OnceLock<Result<Shared, Error>> = OnceLock::new();
    shared(SHARED.get_or_init(|| Shared::get(Kind::Mysql)))
}

/// The server of [`postgres`] or [`mysql`].
#[derive(Debug)]
enum Shared {
    Existing(Server),
    Private(Box<OwnedServer>),
}

impl Shared {
    fn get(kind: Kind) -> Result<Self, Error> {
        if let Some(server) = Server::existing(kind)? {
            return Ok(Shared::Existing(server));
        }
        let owned = OwnedServer::start(ServerOptions { kind, durable: false })?;
        Ok(Shared::Private(Box::new(owned)))
    }
}

#[track_caller]
fn shared(result: &'static Result<Shared, Error>) -> &'static Server {
    match result {
        Ok(Shared::Existing(server)) => server,
        Ok(Shared::Private(owned)) => owned,
        Err(error) => panic!("{error}"),
    }
}
