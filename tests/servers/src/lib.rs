//! Private PostgreSQL and MariaDB servers, and OCI registries, for tests.
//!
//! [`postgres`] and [`mysql`] give a server that all tests share; [`Server::database`] makes a database in it that belongs
//! to one test. [`Server::start`] gives a test a server of its own, to be killed and started again.
//!
//! [`Registry::start`] gives a test an OCI registry of its own.
//!
//! Servers run in a temporary folder, listen on a socket in it and on a free port of 127.0.0.1, and end with the process
//! that started them, however that ends.
//!
//! Servers that run already are used instead if `RUNNER_TEST_POSTGRES_URL` or `RUNNER_TEST_MYSQL_URL` name an account that
//! may create databases. `cargo xtask test` sets both, so that all test binaries share what it starts.
#![cfg(unix)]

mod account;
mod client;
mod connection;
mod database;
mod error;
mod install;
mod kind;
mod launch;
mod owned;
mod programs;
mod registry;
mod server;
mod shared;
mod supervisor;
mod url;

use std::sync::OnceLock;

pub use client::sqlite_script;
pub use database::TestDatabase;
pub use error::Error;
pub use install::install_missing;
pub use kind::Kind;
pub use owned::OwnedServer;
pub use owned::ServerOptions;
pub use registry::REGISTRY_ACCOUNT;
pub use registry::Registry;
pub use server::Server;
pub use shared::SharedServer;

/// A PostgreSQL server that all tests share. It does not wait for data on disk: to be killed, take one of
/// [`Server::start`].
///
/// # Panics
///
/// If PostgreSQL is not installed or does not start. A test never passes because its server is missing.
#[track_caller]
pub fn postgres() -> &'static Server {
    static SHARED: OnceLock<Result<SharedServer, Error>> = OnceLock::new();
    or_panic(SHARED.get_or_init(|| SharedServer::get(Kind::Postgres)))
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
    static SHARED: OnceLock<Result<SharedServer, Error>> = OnceLock::new();
    or_panic(SHARED.get_or_init(|| SharedServer::get(Kind::Mysql)))
}

#[track_caller]
fn or_panic(shared: &'static Result<SharedServer, Error>) -> &'static Server {
    match shared {
        Ok(server) => server,
        Err(error) => panic!("{error}"),
    }
}
