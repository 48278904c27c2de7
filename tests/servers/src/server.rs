//! A server that answers.

use std::path::Path;
use std::path::PathBuf;

use crate::connection;
use crate::database::TestDatabase;
use crate::error::Error;
use crate::kind::Kind;
use crate::owned::OwnedServer;
use crate::owned::ServerOptions;
use crate::url;

/// A server that answers, and the URL of an account that may create databases.
#[derive(Debug, Clone)]
pub struct Server {
    kind: Kind,
    url: String,
    version: String,
    socket: Option<PathBuf>,
}

impl Server {
    /// Starts a server that belongs to one test. See [`OwnedServer::start`], which gives errors instead.
    ///
    /// # Panics
    ///
    /// If it is not installed or does not start.
    #[track_caller]
    pub fn start(options: ServerOptions) -> OwnedServer {
        OwnedServer::start(options).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The server that runs already, if the variable of this kind names one.
    ///
    /// # Errors
    ///
    /// If it names one that can't be used.
    pub fn existing(kind: Kind) -> Result<Option<Self>, Error> {
        let Some(url) = kind.existing() else { return Ok(None) };
        let failed = |reason| Error::Existing { kind, reason };
        let url = url.into_string().map_err(|_| failed("it is not Unicode".into()))?;
        Server::reached(kind, url).map(Some).map_err(|error| failed(error.to_string()))
    }

    /// Connects, and asks what is worth knowing.
    pub(crate) fn reached(kind: Kind, url: String) -> Result<Self, sqlx::Error> {
        let sql = match kind {
            Kind::Postgres => {
                "SELECT current_setting('server_version'), \
                 current_setting('unix_socket_directories', true), current_setting('port')"
            }
            Kind::Mysql => "SELECT version(), @@socket",
        };
        let rows = connection::query(kind, &url, sql)?;
        let facts: Vec<&str> = rows.iter().flatten().map(String::as_str).collect();
        let (version, socket) = match *facts.as_slice() {
            [version, folders, port] => {
                let socket = folders.split(',').map(str::trim).find(|folder| folder.starts_with('/'));
                let file = |folder| Path::new(folder).join(format!(".s.PGSQL.{port}"));
                let socket = socket.filter(|&folder| file(folder).exists());
                (format!("PostgreSQL {}", number(version, ' ')), socket)
            }
            [version, socket] => {
                let name = if version.contains("MariaDB") { "MariaDB" } else { "MySQL" };
                (format!("{name} {}", number(version, '-')), Some(socket).filter(|&socket| Path::new(socket).exists()))
            }
            _ => return Err(sqlx::Error::Protocol(format!("{} columns", facts.len()))),
        };
        let socket = socket.filter(|_| url::is_local(&url)).map(PathBuf::from);
        Ok(Server { kind, version, socket, url })
    }

    /// Makes an empty database for one test, removed when it is dropped.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    #[track_caller]
    pub fn database(&self) -> TestDatabase {
        TestDatabase::create(self).unwrap_or_else(|error| panic!("no database can be made in {self}: {error}"))
    }

    /// Which server it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The URL of an account that may create databases.
    pub fn admin_url(&self) -> &str {
        &self.url
    }

    /// The URL of a database of this name.
    pub fn url(&self, database: &str) -> String {
        url::with_database(&self.url, database)
    }

    /// The URL of a database of this name, through the server's socket.
    ///
    /// # Panics
    ///
    /// If the server is on another machine. It never is unless a variable says so.
    #[track_caller]
    pub fn socket_url(&self, database: &str) -> String {
        let Some(socket) = &self.socket else { panic!("{self} has no socket on this machine") };
        let parameter = match self.kind {
            Kind::Postgres => "host",
            Kind::Mysql => "socket",
        };
        url::with_parameter(&self.url(database), parameter, &socket.display().to_string())
    }

    /// What it is: `PostgreSQL 15.18`, `MariaDB 10.11.14`.
    pub fn version(&self) -> &str {
        &self.version
    }
}

/// As in `PostgreSQL 15.18 at 127.0.0.1:20815`.
impl std::fmt::Display for Server {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} at {}", self.version, url::address(&self.url))
    }
}

/// The number that a version begins with.
fn number(version: &str, end: char) -> &str {
    version.split_once(end).map_or(version, |(number, _)| number)
}
