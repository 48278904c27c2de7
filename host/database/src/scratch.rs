//! Scratch databases: made for a trial, and removed after it.

use std::path::Path;

use runner_chain::Dialect;

use crate::error::Error;
use crate::error::Result;
use crate::mysql;
use crate::options::Options;
use crate::postgres;
use crate::script::ScriptStatement;
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
                match keeper.others().await {
                    Ok(found) => others = found,
                    Err(error) => {
                        keeper.remove().await?;
                        return Err(error);
                    }
                }
                (url.with_database(name), Keeper::Mysql(keeper))
            }
        };
        Ok(Self { url, keeper, others })
    }

    /// Whether two URLs lead into one server, whatever it is called in them; `None` if they can't both be asked.
    pub async fn is_same_server(one: &DatabaseUrl, other: &DatabaseUrl, options: &Options) -> Option<bool> {
        let (one, other) = match one.dialect() {
            Dialect::Sqlite => return Some(true),
            Dialect::Postgres => (postgres::who(one, options).await, postgres::who(other, options).await),
            Dialect::Mysql => (mysql::who(one, options).await, mysql::who(other, options).await),
        };
        Some(one.ok()? == other.ok()?)
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

    /// What is wrong with statements that would change more than the database they run in: accounts, other databases, settings
    /// of the whole server, other files; each with its place, counted from 0. On a server that holds anything else they have no
    /// place in a trial. `is_alone`: it holds nothing else, so that only statements are refused that lead the session away.
    #[must_use]
    pub fn outside_of(&self, statements: &[ScriptStatement], is_alone: bool) -> Vec<Outside> {
        let found = statements.iter().enumerate().filter_map(|(statement, one)| {
            let what = outside(&one.text, one.dialect, &self.others)?;
            (!is_alone || what == ANOTHER_DATABASE_IN_USE).then_some(Outside { statement, dialect: one.dialect, what })
        });
        found.collect()
    }
}

/// A statement that reaches outside of the database it runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// Which, counted from 0.
    pub statement: usize,
    dialect: Dialect,
    what: &'static str,
}

impl Outside {
    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> String {
        format!("the statement may change {}, not only the database it runs in", self.what)
    }

    /// What to do instead.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => "a trial touches nothing but its own database, so this can't be tried",
            Dialect::Postgres | Dialect::Mysql if self.what == ANOTHER_DATABASE_IN_USE => {
                "leave it out: revisions run in the database of the URL"
            }
            Dialect::Postgres | Dialect::Mysql => {
                "a trial beside the target would change that, too: name a server that holds nothing else with `--server`"
            }
        }
    }
}

const ACCOUNTS: &str = "accounts";
const ANOTHER_DATABASE: &str = "another database";
const ANOTHER_DATABASE_IN_USE: &str = "the database that is in use";
const FILES: &str = "other files";
const SERVER: &str = "the whole server";
/// Texts in texts in texts are looked into, and no further.
const DEEPEST: usize = 4;

/// Words after which a statement begins, inside of a routine or after what wraps it.
const BEFORE_STATEMENTS: [&str; 9] = ["BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT", "ATOMIC", "FOR", "AS"];
/// Words that SQL in a text begins with.
const VERBS: [&str; 21] = [
    "ALTER", "BEGIN", "CALL", "COPY", "CREATE", "DECLARE", "DELETE", "DO", "DROP", "FLUSH", "GRANT", "INSERT", "KILL",
    "RENAME", "REVOKE", "SELECT", "SET", "TRUNCATE", "UPDATE", "USE", "WITH",
];
/// Functions of PostgreSQL that reach further than a database.
const FAR_FUNCTIONS: [&str; 14] = [
    "pg_terminate_backend",
    "pg_cancel_backend",
    "pg_reload_conf",
    "pg_rotate_logfile",
    "pg_create_physical_replication_slot",
    "pg_create_logical_replication_slot",
    "pg_drop_replication_slot",
    "pg_switch_wal",
    "pg_promote",
    "lo_export",
    "lo_import",
    "pg_file_write",
    "pg_file_unlink",
    "pg_file_rename",
];

fn outside(sql: &str, dialect: Dialect, others: &[String]) -> Option<&'static str> {
    within(sql, dialect, others, 0)
}

fn within(sql: &str, dialect: Dialect, others: &[String], depth: usize) -> Option<&'static str> {
    let open = if dialect == Dialect::Mysql { mysql::laid_open(sql) } else { sql.into() };
    let words: Vec<Token<'_>> = tokens(&open, dialect).collect();
    let mut starts = true;
    for (index, token) in words.iter().enumerate() {
        let rest = &words[index..];
        let found = match dialect {
            Dialect::Sqlite if index == 0 => sqlite(rest),
            Dialect::Sqlite => None,
            Dialect::Postgres => postgres(rest, starts),
            Dialect::Mysql => mysql(rest, starts, others),
        };
        if found.is_some() {
            return found;
        }
        // Bodies of routines and statements that are put together are texts.
        if token.kind == Kind::Literal && dialect != Dialect::Sqlite && depth < DEEPEST {
            let raw = open.get(token.start..token.end).unwrap_or_default();
            let first = tokens(token.text, dialect).next();
            let is_sql = raw.starts_with('$') || first.is_some_and(|first| VERBS.iter().any(|verb| first.is(verb)));
            let text = token.text.replace("''", "'");
            let found = if is_sql { within(undollared(&text), dialect, others, depth + 1) } else { None };
            if found.is_some() {
                return found;
            }
        }
        starts = token.is_symbol(";") || BEFORE_STATEMENTS.iter().any(|word| token.is(word));
    }
    None
}

/// The body between dollar quotes.
fn undollared(text: &str) -> &str {
    let Some(rest) = text.strip_prefix('$') else { return text };
    let Some((tag, body)) = rest.split_once('$') else { return text };
    body.strip_suffix('$')
        .and_then(|body| body.strip_suffix(tag))
        .and_then(|body| body.strip_suffix('$'))
        .unwrap_or(body)
}

fn is(words: &[Token<'_>], index: usize, any: &[&str]) -> bool {
    words.get(index).is_some_and(|token| any.iter().any(|word| token.is(word)))
}

/// Until the statement ends.
fn has(words: &[Token<'_>], any: &[&str]) -> bool {
    let statement = words.iter().take_while(|token| !token.is_symbol(";"));
    statement.into_iter().any(|token| any.iter().any(|word| token.is(word)))
}

fn sqlite(words: &[Token<'_>]) -> Option<&'static str> {
    let is_memory = words.iter().any(|token| token.kind == Kind::Literal && matches!(token.text, ":memory:" | ""));
    match () {
        () if is(words, 0, &["ATTACH"]) && !is_memory => Some(FILES),
        () if is(words, 0, &["VACUUM"]) && has(words, &["INTO"]) => Some(FILES),
        () => None,
    }
}

fn postgres(words: &[Token<'_>], starts: bool) -> Option<&'static str> {
    let defines = is(words, 0, &["CREATE", "ALTER", "DROP"]);
    let is_far = |token: &Token<'_>| {
        token.kind == Kind::Word
            && (FAR_FUNCTIONS.iter().any(|name| token.is(name))
                || token.text.to_ascii_lowercase().starts_with("dblink"))
    };
    let grants = starts && is(words, 0, &["GRANT", "REVOKE"]);
    let speaks = starts && is(words, 0, &["COMMENT", "SECURITY"]);
    let copies = starts && is(words, 0, &["COPY"]);
    let literal_after = |word: &str| {
        words.windows(2).any(|pair| pair[0].is(word) && pair[1].kind == Kind::Literal) || has(words, &["PROGRAM"])
    };
    match () {
        () if defines && is(words, 1, &["ROLE", "USER", "GROUP"]) && !is(words, 2, &["MAPPING"]) => Some(ACCOUNTS),
        () if defines && is(words, 1, &["DATABASE", "TABLESPACE", "SYSTEM", "SUBSCRIPTION"]) => Some(SERVER),
        () if is(words, 0, &["REASSIGN"]) && is(words, 1, &["OWNED"]) => Some(ACCOUNTS),
        () if is(words, 0, &["DROP"]) && is(words, 1, &["OWNED"]) => Some(ACCOUNTS),
        () if grants && !has(words, &["ON"]) => Some(ACCOUNTS),
        () if (grants || speaks) && is_on_more(words) => Some(SERVER),
        () if copies && (literal_after("TO") || literal_after("FROM")) => Some(FILES),
        () if words.first().is_some_and(is_far) => Some(SERVER),
        () => None,
    }
}

/// Whether a statement is about something that all databases share: `ON DATABASE …`.
fn is_on_more(words: &[Token<'_>]) -> bool {
    let more = ["DATABASE", "TABLESPACE", "ROLE", "PARAMETER", "SUBSCRIPTION"];
    let statement = words.iter().position(|token| token.is_symbol(";")).map_or(words, |end| &words[..end]);
    statement.windows(2).any(|pair| pair[0].is("ON") && more.iter().any(|word| pair[1].is(word)))
}

fn mysql(words: &[Token<'_>], starts: bool, others: &[String]) -> Option<&'static str> {
    let defines = is(words, 0, &["CREATE", "ALTER", "DROP", "RENAME"]);
    let defined = if is(words, 1, &["OR"]) { 3 } else { 1 };
    let whole = [
        "GRANT",
        "REVOKE",
        "FLUSH",
        "PURGE",
        "RESET",
        "SHUTDOWN",
        "RESTART",
        "INSTALL",
        "UNINSTALL",
        "KILL",
        "CHANGE",
        "CLONE",
        "STOP",
    ];
    let is_global = |token: &Token<'_>| {
        ["GLOBAL", "PERSIST", "PERSIST_ONLY", "PASSWORD", "@@GLOBAL", "@@PERSIST"].iter().any(|word| token.is(word))
    };
    let names_another = || {
        let [name, dot, ..] = words else { return false };
        let is_name = name.kind != Kind::Symbol && dot.is_symbol(".");
        is_name && others.iter().any(|other| other.eq_ignore_ascii_case(name.text))
    };
    match () {
        () if starts && is(words, 0, &["USE"]) => Some(ANOTHER_DATABASE_IN_USE),
        () if defines && is(words, defined, &["DATABASE", "SCHEMA", "SERVER", "TABLESPACE", "INSTANCE", "LOGFILE"]) => {
            Some(SERVER)
        }
        () if defines && is(words, defined, &["USER", "ROLE"]) => Some(ACCOUNTS),
        () if starts && is(words, 0, &whole) => Some(SERVER),
        () if starts && is(words, 0, &["START"]) && !is(words, 1, &["TRANSACTION"]) => Some(SERVER),
        () if starts && is(words, 0, &["SET"]) && is(words, 1, &["DEFAULT"]) => Some(ACCOUNTS),
        () if starts && is(words, 0, &["SET"]) => {
            let statement = words.iter().take_while(|token| !token.is_symbol(";"));
            statement.into_iter().any(is_global).then_some(SERVER)
        }
        () if is(words, 0, &["SONAME"]) => Some(SERVER),
        () if is(words, 0, &["INTO"]) && is(words, 1, &["OUTFILE", "DUMPFILE"]) => Some(FILES),
        () if names_another() => Some(ANOTHER_DATABASE),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sql: &str, dialect: Dialect) -> Option<&'static str> {
        outside(sql, dialect, &["app".to_owned(), "mysql".to_owned()])
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
            ("/*!40000 DROP DATABASE IF EXISTS app */", Dialect::Mysql),
            ("EXECUTE IMMEDIATE 'DROP TABLE app.x'", Dialect::Mysql),
            ("BEGIN NOT ATOMIC DROP DATABASE app; END", Dialect::Mysql),
            ("SET STATEMENT max_statement_time = 1 FOR DROP DATABASE app", Dialect::Mysql),
            ("CREATE PROCEDURE p() BEGIN SELECT 1; GRANT ALL ON *.* TO web; END", Dialect::Mysql),
            ("DROP TABLE \"app\".\"t\"", Dialect::Mysql),
            ("SELECT 1 INTO OUTFILE '/tmp/x'", Dialect::Mysql),
            ("DO $$ BEGIN IF true THEN CREATE ROLE app; END IF; END $$", Dialect::Postgres),
            (
                "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $f$ BEGIN EXECUTE 'DROP ROLE app'; END $f$",
                Dialect::Postgres,
            ),
            ("COPY t TO '/tmp/file'", Dialect::Postgres),
            ("COPY (SELECT 1) TO PROGRAM 'cat'", Dialect::Postgres),
            ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity", Dialect::Postgres),
            ("SELECT dblink_exec('dbname=app', 'DROP TABLE t')", Dialect::Postgres),
            ("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", Dialect::Postgres),
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
            ("INSERT INTO note VALUES ('please flush and reset the user')", Dialect::Mysql),
            ("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1", Dialect::Mysql),
            ("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()", Dialect::Postgres),
            ("DO $$ BEGIN EXECUTE format('ALTER TABLE %I ADD a int', 't'); END $$", Dialect::Postgres),
            ("COMMENT ON COLUMN t.role IS 'x'", Dialect::Postgres),
            ("ATTACH ':memory:' AS m", Dialect::Sqlite),
        ] {
            assert_eq!(found(sql, dialect), None, "{sql}");
        }
    }
}
