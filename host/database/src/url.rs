//! The address of a target. It may hold a password, so it is shown only without.

mod client;
mod server;

use std::fmt;
use std::path::Path;
use std::path::PathBuf;

use runner_chain::Dialect;

pub use self::client::Client;
pub(crate) use self::server::Secret;
pub(crate) use self::server::ServerAddress;
use crate::mysql;
use crate::postgres;
use crate::sqlite::SqliteLocation;
use crate::sqlite::SqliteMode;
use crate::sqlite::SqlitePlace;

/// A parsed database URL. Neither `Debug` nor `Display` ever shows a password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    dialect: Dialect,
    shown: String,
    identity: String,
    sqlite: Option<SqliteLocation>,
    server: Option<ServerAddress>,
}

/// A URL that cannot be understood. It does not repeat the URL, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UrlError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl UrlError {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()) }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DatabaseUrl({})", self.shown)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

impl DatabaseUrl {
    /// Parses a URL. A relative SQLite file is taken relative to `base_dir`, which must be absolute.
    ///
    /// # Errors
    /// [`UrlError`] with a hint at what to write.
    pub fn parse(text: &str, base_dir: &Path) -> Result<Self, UrlError> {
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(UrlError::new(
                "a database URL begins with a scheme such as `sqlite:`",
                "for a SQLite file write `sqlite://path/to/file.db`",
            ));
        };
        let lower = scheme.to_ascii_lowercase();
        match lower.as_str() {
            "sqlite" => parse_sqlite(rest, base_dir),
            "postgres" | "postgresql" => server::parse(Dialect::Postgres, "postgres", rest, 5432),
            "mysql" | "mariadb" => server::parse(Dialect::Mysql, &lower, rest, 3306),
            _ => Err(unknown_scheme(&lower)),
        }
    }

    /// The dialect of the scheme.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What a plan's hash and the ledger call this target: absolute, stable and free of secrets. The same file by another
    /// path or through a symbolic link has the same identity.
    #[must_use]
    pub fn identity(&self) -> String {
        self.identity.clone()
    }

    /// The same server with another database; a SQLite database has no server.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        let Some(address) = &self.server else { return self.clone() };
        server::with_database(self, address, name)
    }

    /// The name of the database in a server.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.server.as_ref().and_then(ServerAddress::database)
    }

    /// The file of a SQLite database.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.sqlite.as_ref()?.place {
            SqlitePlace::File(path) => Some(path),
            SqlitePlace::Memory => None,
        }
    }

    /// How the server's own client programs reach the database; `None` where there is no server.
    #[must_use]
    pub fn client(&self) -> Option<Client> {
        let address = self.server.as_ref()?;
        match self.dialect {
            Dialect::Postgres => Some(Client { environment: postgres::environment(address), options: None }),
            Dialect::Mysql => Some(Client { environment: Vec::new(), options: Some(mysql::option_file(address)) }),
            Dialect::Sqlite => None,
        }
    }

    /// Where the server is, for a dialect that has one.
    pub(crate) fn server(&self) -> Option<&ServerAddress> {
        self.server.as_ref()
    }

    pub(crate) fn sqlite(&self) -> Option<&SqliteLocation> {
        self.sqlite.as_ref()
    }
}

fn unknown_scheme(scheme: &str) -> UrlError {
    if let Some((dialect, driver)) = scheme.split_once('+') {
        let plain = match dialect {
            "postgresql" => "postgres",
            other => other,
        };
        return UrlError::new(
            format!("the scheme names a driver, `+{driver}`, which only SQLAlchemy knows"),
            format!("write `{plain}://…` without the driver"),
        );
    }
    let known = ["sqlite", "postgres", "postgresql", "mysql", "mariadb"];
    let nearest = known.iter().find(|name| strsim::damerau_levenshtein(name, scheme) <= 2);
    let hint = match nearest {
        Some(name) => format!("did you mean `{name}`?"),
        None if scheme == "file" => "write `sqlite:` instead of `file:`".to_owned(),
        None => "use one of `sqlite`, `postgres`, `mysql` and `mariadb`".to_owned(),
    };
    // A text without `://` may be a bare password or path; it is not repeated unless it looks like a scheme.
    let looks_like_scheme =
        scheme.len() <= 20 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    let message = if looks_like_scheme {
        format!("unknown database scheme `{scheme}`")
    } else {
        "the URL does not begin with a known scheme".to_owned()
    };
    UrlError::new(message, hint)
}

fn parse_sqlite(rest: &str, base_dir: &Path) -> Result<DatabaseUrl, UrlError> {
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    let mode = sqlite_mode(query)?;
    let is_memory = path == ":memory:" || mode == SqliteMode::Memory;
    if path.is_empty() && !is_memory {
        return Err(UrlError::new(
            "the SQLite URL names no file",
            "write `sqlite://runner.db` for a file, or `sqlite::memory:` for a database that is gone afterwards",
        ));
    }
    if is_memory {
        let shown = "sqlite::memory:".to_owned();
        let location = SqliteLocation { place: SqlitePlace::Memory, mode };
        return Ok(DatabaseUrl {
            dialect: Dialect::Sqlite,
            identity: shown.clone(),
            shown,
            sqlite: Some(location),
            server: None,
        });
    }
    let decoded = percent_decode(path)?;
    let file = SqliteLocation::resolve(&base_dir.join(PathBuf::from(decoded)));
    let identity = format!("sqlite://{}", file.display());
    let shown = format!("sqlite://{rest}");
    let location = SqliteLocation { place: SqlitePlace::File(file), mode };
    Ok(DatabaseUrl { dialect: Dialect::Sqlite, shown, identity, sqlite: Some(location), server: None })
}

fn sqlite_mode(query: Option<&str>) -> Result<SqliteMode, UrlError> {
    let mut mode = SqliteMode::CreateIfMissing;
    for parameter in query.unwrap_or_default().split('&').filter(|parameter| !parameter.is_empty()) {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if key != "mode" {
            let hint = if strsim::damerau_levenshtein(key, "mode") <= 2 {
                "did you mean `mode`?"
            } else {
                "the only parameter is `mode`, one of `ro`, `rw`, `rwc` and `memory`"
            };
            return Err(UrlError::new(format!("unknown parameter `{key}` in the SQLite URL"), hint));
        }
        mode = match value {
            "ro" => SqliteMode::ReadOnly,
            "rw" => SqliteMode::ReadWrite,
            "rwc" => SqliteMode::CreateIfMissing,
            "memory" => SqliteMode::Memory,
            _ => {
                return Err(UrlError::new(
                    format!("unknown value `{value}` of `mode` in the SQLite URL"),
                    "use one of `ro`, `rw`, `rwc` and `memory`",
                ));
            }
        };
    }
    Ok(mode)
}

fn percent_decode(text: &str) -> Result<String, UrlError> {
    let wrong = || UrlError::new("the URL has a `%` that is not an escape", "write `%25` for a percent sign");
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit(bytes.next()), digit(bytes.next()));
        let value = high.zip(low).and_then(|(high, low)| u8::try_from(high * 16 + low).ok()).ok_or_else(wrong)?;
        decoded.push(value);
    }
    match String::from_utf8(decoded) {
        Ok(path) if !path.contains('\0') => Ok(path),
        _ => Err(UrlError::new("the URL is not UTF-8 text", "escape UTF-8 alone")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<DatabaseUrl, UrlError> {
        DatabaseUrl::parse(text, Path::new("/nowhere/base"))
    }

    #[test]
    fn sqlite_paths() {
        let identity = |text| parse(text).unwrap().identity();
        assert_eq!(identity("sqlite://app.db"), "sqlite:///nowhere/base/app.db");
        assert_eq!(identity("sqlite:app.db"), "sqlite:///nowhere/base/app.db");
        assert_eq!(identity("sqlite:///nowhere/abs.db?mode=rw"), "sqlite:///nowhere/abs.db");
        assert_eq!(identity("sqlite://a%20b%3F.db"), "sqlite:///nowhere/base/a b?.db");
        assert_eq!(identity("sqlite::memory:"), "sqlite::memory:");
        assert_eq!(identity("sqlite://:memory:"), "sqlite::memory:");
        assert_eq!(identity("sqlite://x?mode=memory"), "sqlite::memory:");
        assert_eq!(identity("sqlite://a/../b/./c.db"), "sqlite:///nowhere/base/b/c.db");
        assert_eq!(parse("sqlite://app.db?mode=ro").unwrap().to_string(), "sqlite://app.db?mode=ro");
    }

    #[test]
    fn passwords_are_never_shown() {
        for text in [
            "postgres://user:hunter2@host/db",
            "postgresql://user:hun@ter2/hunter2@host:5432/db",
            "mysql://user:hunter2?a=hunter2@host/db",
            "mariadb://user:hunter2@host/db?password=hunter2&x=1",
            "postgres://host/db?sslpassword=hunter2",
            "postgres://:hunter2@/db",
        ] {
            let url = parse(text).unwrap();
            for shown in [url.to_string(), format!("{url:?}"), format!("{url:#?}"), url.identity()] {
                assert!(!shown.contains("hunter2") && !shown.contains("ter2"), "{shown}");
            }
        }
        for text in ["postgres:user:hunter2@host", "hunter2", "hunter2:x y", "postgres://u:p@host:hunter2/db"] {
            let error = parse(text).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2@") && !shown.contains(":hunter2"), "{shown}");
        }
    }

    #[test]
    fn servers_are_recognised() {
        let url = parse("postgresql://me:pw@Host/db").unwrap();
        assert_eq!((url.dialect(), url.identity().as_str()), (Dialect::Postgres, "postgres://host:5432/db"));
        assert_eq!(url.to_string(), "postgres://me:***@Host/db");
        let tenant = parse("postgres://host/db?schema=acme").unwrap();
        assert_eq!(tenant.identity(), "postgres://host:5432/db?schema=acme");
        let url = parse("mariadb://db.example:3307/app?charset=utf8").unwrap();
        assert_eq!((url.dialect(), url.identity().as_str()), (Dialect::Mysql, "mariadb://db.example:3307/app"));
    }

    #[test]
    fn mistakes_say_what_to_write() {
        let hint = |text| parse(text).unwrap_err().hint.unwrap();
        assert_eq!(hint("postgresql+psycopg://u:p@h/d"), "write `postgres://…` without the driver");
        assert_eq!(hint("sqlite+pysqlite:///x.db"), "write `sqlite://…` without the driver");
        assert_eq!(hint("sqlit://x.db"), "did you mean `sqlite`?");
        assert_eq!(hint("sqlite://x.db?mod=ro"), "did you mean `mode`?");
        assert_eq!(hint("sqlite://x.db?mode=read"), "use one of `ro`, `rw`, `rwc` and `memory`");
        assert_eq!(hint("app.db"), "for a SQLite file write `sqlite://path/to/file.db`");
        assert_eq!(hint("file:app.db"), "write `sqlite:` instead of `file:`");
        assert!(hint("sqlite://").contains("sqlite::memory:"));
        assert_eq!(hint("sqlite://100%.db"), "write `%25` for a percent sign");
    }
}
