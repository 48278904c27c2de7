//! Which server.

use std::ffi::OsString;

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PostgreSQL
    Postgres,
    /// MariaDB or MySQL
    Mysql,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 2] = [Kind::Postgres, Kind::Mysql];

    /// The variable that names a server which runs already.
    pub const fn variable(self) -> &'static str {
        match self {
            Kind::Postgres => "RUNNER_TEST_POSTGRES_URL",
            Kind::Mysql => "RUNNER_TEST_MYSQL_URL",
        }
    }

    /// The package of Debian and its relatives that holds the server.
    pub const fn package(self) -> &'static str {
        match self {
            Kind::Postgres => "postgresql",
            Kind::Mysql => "mariadb-server",
        }
    }

    /// The account that the packages make for the server.
    pub(crate) const fn account(self) -> &'static str {
        match self {
            Kind::Postgres => "postgres",
            Kind::Mysql => "mysql",
        }
    }

    /// The URL of a server that runs already, if one is named.
    pub(crate) fn existing(self) -> Option<OsString> {
        std::env::var_os(self.variable()).filter(|url| !url.is_empty())
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Kind::Postgres => "PostgreSQL",
            Kind::Mysql => "MariaDB",
        })
    }
}
