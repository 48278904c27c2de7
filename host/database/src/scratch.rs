//! Scratch databases: made for a trial, and removed after it.

use std::path::Path;

use runner_chain::Dialect;

use crate::error::Error;
use crate::error::Result;
use crate::mysql;
use crate::options::Options;
use crate::postgres;
use crate::preflight::PreflightProblem;
use crate::script::StepScript;
use crate::url::DatabaseUrl;
use crate::words::Kind;
use crate::words::Token;
use crate::words::tokens;

/// An empty database of the dialect of a target: for SQLite in memory, otherwise in a server.
pub struct Scratch {
    url: DatabaseUrl,
    keeper: Keeper,
    /// Other databases that a statement can name: those of a MySQL server.
    others: Vec<String>,
}

enum Keeper {
    Memory,
    Postgres(postgres::Keeper),
    Mysql(mysql::Keeper),
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Scratch").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Scratch {
    /// Makes one called `name` beside the database that `url` names, which is not touched.
    ///
    /// # Errors
    /// [`Error::Connect`], or [`Error::Database`] if the account may not create databases.
    pub async fn create(url: &DatabaseUrl, options: &Options, name: &str) -> Result<Self> {
        let mut others = Vec::new();
        let (url, keeper) = match url.dialect() {
            Dialect::Sqlite => {
                let memory = DatabaseUrl::parse("sqlite::memory:", Path::new("/"));
                let message =
                    |error: crate::url::UrlError| Error::InvalidOption { option: "url", message: error.message };
                (memory.map_err(message)?, Keeper::Memory)
            }
            Dialect::Postgres => {
                (url.with_database(name), Keeper::Postgres(postgres::Keeper::create(url, options, name).await?))
            }
            Dialect::Mysql => {
                let mut keeper = mysql::Keeper::create(url, options, name).await?;
                others = keeper.others().await?;
                (url.with_database(name), Keeper::Mysql(keeper))
            }
        };
        Ok(Self { url, keeper, others })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Removes it. Sessions on it should be closed before.
    ///
    /// # Errors
    /// A failure of the server, after which the database may still be there.
    pub async fn remove(self) -> Result<()> {
        match self.keeper {
            Keeper::Memory => Ok(()),
            Keeper::Postgres(keeper) => keeper.remove().await,
            Keeper::Mysql(keeper) => keeper.remove().await,
        }
    }

    /// Statements of a step that would change more than the database they run in: accounts, other databases, settings of the
    /// whole server, other files. On a server that holds anything else they have no place in a trial.
    #[must_use]
    pub fn outside_of(&self, script: &StepScript) -> Vec<PreflightProblem> {
        let mut problems = Vec::new();
        for (index, statement) in script.statements.iter().enumerate() {
            let words: Vec<Token<'_>> = tokens(&statement.text, statement.dialect).collect();
            let Some(what) = outside(&words, statement.dialect, &self.others) else { continue };
            let help = match statement.dialect {
                Dialect::Sqlite => "a trial touches nothing but its own database, so this can't be tried",
                Dialect::Postgres | Dialect::Mysql => {
                    "a trial beside the target would change that, too: name a server that holds nothing else with `--server`"
                }
            };
            problems.push(PreflightProblem {
                revision: script.revision.clone(),
                direction: script.direction,
                statement: Some(index),
                message: format!("the statement changes {what}, not only the database it runs in"),
                help: help.to_owned(),
            });
        }
        problems
    }
}

fn outside(words: &[Token<'_>], dialect: Dialect, others: &[String]) -> Option<&'static str> {
    let is = |index: usize, any: &[&str]| words.get(index).is_some_and(|token| any.iter().any(|word| token.is(word)));
    let defines = is(0, &["CREATE", "ALTER", "DROP", "RENAME"]);
    let defined = if is(1, &["OR"]) { 3 } else { 1 };
    match dialect {
        Dialect::Sqlite if is(0, &["ATTACH"]) => Some("another file"),
        Dialect::Sqlite if is(0, &["VACUUM"]) && words.iter().any(|token| token.is("INTO")) => Some("another file"),
        Dialect::Sqlite => None,
        Dialect::Postgres if defines && is(defined, &["ROLE", "USER", "GROUP"]) && !is(defined + 1, &["MAPPING"]) => {
            Some("accounts")
        }
        Dialect::Postgres if defines && is(defined, &["DATABASE", "TABLESPACE", "SYSTEM"]) => Some("the whole server"),
        Dialect::Postgres if is(0, &["REASSIGN"]) || (is(0, &["DROP"]) && is(1, &["OWNED"])) => Some("accounts"),
        Dialect::Postgres if is(0, &["GRANT", "REVOKE"]) && !words.iter().any(|token| token.is("ON")) => {
            Some("accounts")
        }
        Dialect::Postgres
            if is(0, &["GRANT", "REVOKE", "COMMENT"])
                && words.iter().any(|token| ["DATABASE", "TABLESPACE", "ROLE"].iter().any(|word| token.is(word))) =>
        {
            Some("the whole server")
        }
        Dialect::Postgres => None,
        Dialect::Mysql if is(0, &["USE"]) => Some("another database"),
        Dialect::Mysql if defines && is(defined, &["DATABASE", "SCHEMA", "SERVER", "TABLESPACE", "INSTANCE"]) => {
            Some("the whole server")
        }
        Dialect::Mysql if defines && is(defined, &["USER", "ROLE"]) => Some("accounts"),
        Dialect::Mysql
            if is(0, &["GRANT", "REVOKE", "FLUSH", "PURGE", "RESET", "SHUTDOWN", "INSTALL", "UNINSTALL"]) =>
        {
            Some("the whole server")
        }
        Dialect::Mysql if is(0, &["SET"]) && words.iter().any(|token| is_global(token)) => Some("the whole server"),
        Dialect::Mysql => {
            let named = |pair: &[Token<'_>]| {
                let is_database = |name: &str| others.iter().any(|other| other.eq_ignore_ascii_case(name));
                pair[0].kind == Kind::Word && is_database(pair[0].text) && pair[1].is_symbol(".")
            };
            words.windows(2).any(named).then_some("another database")
        }
    }
}

fn is_global(token: &Token<'_>) -> bool {
    ["GLOBAL", "PERSIST", "PERSIST_ONLY", "PASSWORD", "@@GLOBAL", "@@PERSIST"].iter().any(|word| token.is(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sql: &str, dialect: Dialect) -> Option<&'static str> {
        let words: Vec<Token<'_>> = tokens(sql, dialect).collect();
        outside(&words, dialect, &["app".to_owned(), "mysql".to_owned()])
    }

    #[test]
    fn what_reaches_outside_of_a_database() {
        for (sql, dialect) in [
            ("ATTACH 'app.db' AS other", Dialect::Sqlite),
            ("VACUUM INTO 'copy.db'", Dialect::Sqlite),
            ("create role app", Dialect::Postgres),
            ("ALTER USER app SET search_path = x", Dialect::Postgres),
            ("ALTER SYSTEM SET work_mem = '1GB'", Dialect::Postgres),
            ("ALTER DATABASE app SET timezone = 'UTC'", Dialect::Postgres),
            ("GRANT admin TO app", Dialect::Postgres),
            ("GRANT CONNECT ON DATABASE app TO web", Dialect::Postgres),
            ("USE app", Dialect::Mysql),
            ("DROP TABLE app.person", Dialect::Mysql),
            ("INSERT INTO `App`.`person` VALUES (1)", Dialect::Mysql),
            ("DELETE FROM mysql.user", Dialect::Mysql),
            ("CREATE OR REPLACE USER web", Dialect::Mysql),
            ("GRANT SELECT ON app.* TO web", Dialect::Mysql),
            ("SET GLOBAL event_scheduler = ON", Dialect::Mysql),
        ] {
            assert!(found(sql, dialect).is_some(), "{sql}");
        }
        for (sql, dialect) in [
            ("VACUUM", Dialect::Sqlite),
            ("CREATE TABLE role (id INT)", Dialect::Postgres),
            ("GRANT SELECT ON person TO web", Dialect::Postgres),
            ("CREATE USER MAPPING FOR web SERVER s", Dialect::Postgres),
            ("UPDATE person p SET p.name = 'app.x'", Dialect::Mysql),
            ("SET SESSION sql_mode = ''", Dialect::Mysql),
        ] {
            assert_eq!(found(sql, dialect), None, "{sql}");
        }
    }
}
