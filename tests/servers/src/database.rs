//! A database that belongs to one test.

use crate::connection;
use crate::kind::Kind;
use crate::owned::random;
use crate::server::Server;

/// A database that belongs to one test. It is removed when this is dropped, even if somebody is connected to it.
#[derive(Debug)]
pub struct TestDatabase {
    server: Server,
    name: String,
}

impl TestDatabase {
    pub(crate) fn create(server: &Server) -> Result<Self, sqlx::Error> {
        let name = format!("runner_test_{:016x}", random());
        let sql = match server.kind() {
            // Nobody can be connected to this template, which would be in the way.
            Kind::Postgres => format!("CREATE DATABASE {name} TEMPLATE template0"),
            Kind::Mysql => format!("CREATE DATABASE {name}"),
        };
        connection::execute(server.kind(), server.admin_url(), &sql)?;
        Ok(TestDatabase { server: server.clone(), name })
    }

    /// The name of the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server that it is in.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// How it is reached: `postgres://user:password@127.0.0.1:port/name`, `mysql://…`.
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// How it is reached through the server's socket: `postgres://…?host=/folder`, `mysql://…?socket=/folder/file`.
    ///
    /// # Panics
    ///
    /// If the server is on another machine.
    #[track_caller]
    pub fn socket_url(&self) -> String {
        self.server.socket_url(&self.name)
    }

    /// Runs statements on a new connection.
    ///
    /// # Panics
    ///
    /// If one fails.
    #[track_caller]
    pub fn execute(&self, sql: &str) {
        self.try_execute(sql).unwrap_or_else(|error| panic!("`{sql}` fails: {error}"));
    }

    /// Runs statements on a new connection.
    ///
    /// # Errors
    ///
    /// What the server says of the first that fails.
    pub fn try_execute(&self, sql: &str) -> Result<(), sqlx::Error> {
        connection::execute(self.server.kind(), &self.url(), sql)
    }

    /// Rows, their columns as the server writes them and joined by ` | `.
    ///
    /// # Panics
    ///
    /// If a statement fails.
    #[track_caller]
    pub fn query(&self, sql: &str) -> Vec<String> {
        self.try_query(sql).unwrap_or_else(|error| panic!("`{sql}` fails: {error}"))
    }

    /// Rows, their columns as the server writes them and joined by ` | `.
    ///
    /// # Errors
    ///
    /// What the server says of the first statement that fails.
    pub fn try_query(&self, sql: &str) -> Result<Vec<String>, sqlx::Error> {
        let rows = connection::query(self.server.kind(), &self.url(), sql)?;
        Ok(rows.iter().map(|columns| columns.join(" | ")).collect())
    }

    fn remove(&self) -> Result<(), sqlx::Error> {
        let (kind, url, name) = (self.server.kind(), self.server.admin_url(), &self.name);
        if kind == Kind::Postgres {
            return connection::execute(kind, url, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
        // An open transaction would be waited for. Those who are gone by now can't be killed, which is just as well.
        let sql = format!("SELECT id FROM information_schema.processlist WHERE db = '{name}'");
        for id in connection::query(kind, url, &sql)?.iter().flatten() {
            drop(connection::execute(kind, url, &format!("KILL {id}")));
        }
        connection::execute(kind, url, &format!("SET lock_wait_timeout = 10; DROP DATABASE IF EXISTS {name}"))
    }
}

impl Drop for TestDatabase {
    /// A server that was killed has no database to remove, and what is left of a shared one goes with the server.
    fn drop(&mut self) {
        drop(self.remove());
    }
}
