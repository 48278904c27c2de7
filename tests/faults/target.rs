//! What is broken: a database of each kind, a chain for it, and how it looks when nothing went wrong.

use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use tempfile::TempDir;
use test_servers::OwnedServer;
use test_servers::Server;
use test_servers::ServerOptions;
use test_servers::TestDatabase;

/// Revisions of the chain.
pub(crate) const REVISIONS: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    Mysql,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::Mysql];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
        }
    }
}

/// A kind of database, with a server of its own where there is one: it will be killed.
pub(crate) struct Target {
    pub(crate) kind: Kind,
    pub(crate) server: Option<OwnedServer>,
}

/// How a database looks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Looks {
    schema: Vec<String>,
    rows: Vec<String>,
    versions: Vec<String>,
    applied: Vec<String>,
}

impl Target {
    pub(crate) fn new(kind: Kind) -> Self {
        let server = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some(test_servers::Kind::Postgres),
            Kind::Mysql => Some(test_servers::Kind::Mysql),
        };
        let server = server.map(|kind| Server::start(ServerOptions { kind, durable: true }));
        Self { kind, server }
    }

    /// How a database looks after an undisturbed run, and how long that takes.
    pub(crate) fn reference(&self) -> Reference {
        let project = Project::new(self);
        let begun = Instant::now();
        let output = project.runner(&["upgrade"]).output().unwrap();
        let time = begun.elapsed();
        assert!(output.status.success(), "an undisturbed run fails: {}", said(&output));
        Reference { looks: project.looks(), time }
    }
}

pub(crate) struct Reference {
    pub(crate) looks: Looks,
    pub(crate) time: Duration,
}

/// One database with its chain.
pub(crate) struct Project {
    kind: Kind,
    folder: TempDir,
    database: Option<TestDatabase>,
}

impl Project {
    pub(crate) fn new(target: &Target) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = target.server.as_ref().map(|server| server.database());
        let project = Self { kind: target.kind, folder, database };
        project.configure(&project.url());
        std::fs::create_dir(project.path("migrations")).unwrap();
        for number in 1..=REVISIONS {
            project.write_revision(number);
        }
        project
    }

    pub(crate) fn url(&self) -> String {
        self.database.as_ref().map_or_else(|| "sqlite://app.db".to_owned(), TestDatabase::url)
    }

    pub(crate) fn configure(&self, url: &str) {
        // A line that was cut must not be waited for too long.
        let text = format!("[database]\nurl = \"{url}\"\nlock-wait = \"30s\"\nlock-timeout = \"2s\"\nretries = 8\n");
        std::fs::write(self.path("runner.toml"), text).unwrap();
    }

    /// Tables with rows and an index. Every fourth revision runs outside of a transaction.
    fn write_revision(&self, number: usize) {
        let parent = if number == 1 { "base".to_owned() } else { format!("f{:04}", number - 1) };
        let (id, off) = (format!("f{number:04}"), number.is_multiple_of(4));
        let header = if off { "-- Transaction: off\n" } else { "" };
        let concurrently = if off && self.kind == Kind::Postgres { "CONCURRENTLY " } else { "" };
        let name = if self.kind == Kind::Mysql { "VARCHAR(40)" } else { "TEXT" };
        let up = format!(
            "CREATE TABLE {id} (id INTEGER PRIMARY KEY, name {name});\n\
             INSERT INTO {id} VALUES (1, 'a;b'), (2, 'c''d');\n\
             CREATE INDEX {concurrently}{id}_name ON {id} (name);\n\
             INSERT INTO {id} VALUES (3, 'e');"
        );
        self.write(&id, &parent, header, &up, &format!("DROP TABLE {id};"));
    }

    pub(crate) fn write(&self, id: &str, parent: &str, header: &str, up: &str, down: &str) {
        let text = format!(
            "-- Revision {id}\n--\n-- Revision ID: {id}\n-- Revises: {parent}\n{header}\n-- migrate:up\n{up}\n\n-- migrate:down\n{down}\n"
        );
        std::fs::write(self.path(&format!("migrations/{id}.sql")), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The runner, in the project's folder.
    pub(crate) fn runner(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        self.surround(&mut command).args(arguments);
        command
    }

    /// Gives a command the project's folder and an environment that holds nothing else.
    pub(crate) fn surround<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("USER", "tester")
            .env("RUNNER_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.query(sql);
    }

    pub(crate) fn database(&self) -> &TestDatabase {
        self.database.as_ref().unwrap()
    }

    fn query(&self, sql: &str) -> Vec<String> {
        match &self.database {
            Some(database) => database.query(sql),
            None => sqlite(&self.path("app.db"), sql),
        }
    }

    /// Upgrades until that succeeds, and does by hand what the runner says must be done by hand.
    pub(crate) fn recover(&self) {
        self.configure(&self.url());
        let mut last = String::new();
        for _ in 0..20 {
            let output = self.runner(&["upgrade"]).output().unwrap();
            if output.status.success() {
                return;
            }
            last = said(&output);
            self.settle(&last);
        }
        panic!("the database can't be brought to its end: {last}");
    }

    /// Follows the advice of an error about a statement of which nobody knows whether it ran.
    pub(crate) fn settle(&self, said: &str) {
        let between = |from: &str, to: &str| {
            let rest = &said[said.find(from)? + from.len()..];
            Some(rest[..rest.find(to)?].to_owned())
        };
        if let Some(index) = between("DROP INDEX CONCURRENTLY ", ";") {
            self.execute(&format!("DROP INDEX CONCURRENTLY {index}"));
        } else if let (Some(revision), Some(statement)) =
            (between("revision `", "` is half-way"), between("whether statement ", " ran"))
        {
            // The chain makes nothing that was there before, so what exists was made by the statement.
            let next = (statement.parse::<usize>().unwrap() + 1).to_string();
            let arguments = ["repair", &revision, "--resume-at", &next, "--reason", "what it makes is there"];
            let output = self.runner(&arguments).output().unwrap();
            assert!(output.status.success(), "{}", self::said(&output));
        } else {
            panic!("the next upgrade failed and says nothing that can be followed: {said}");
        }
    }

    /// Recovers, and compares with a run that was not disturbed.
    #[track_caller]
    pub(crate) fn is_as(&self, reference: &Reference) {
        self.ends_well();
        assert_eq!(self.looks(), reference.looks);
    }

    /// Recovers, and leaves no lock and no doubt behind.
    #[track_caller]
    pub(crate) fn ends_well(&self) {
        self.recover();
        let again = self.runner(&["upgrade", "--lock-wait=0s"]).output().unwrap();
        assert!(again.status.success(), "a lock was left: {}", said(&again));
        let check = self.runner(&["check"]).output().unwrap();
        assert!(check.status.success(), "{}", said(&check));
    }

    /// Schema and rows, whatever the ledger tells of how they came.
    pub(crate) fn content(&self) -> (Vec<String>, Vec<String>) {
        let Looks { schema, rows, .. } = self.looks();
        (schema, rows)
    }

    /// How many rows a table has; none if it is not there.
    pub(crate) fn rows_of(&self, table: &str) -> Option<String> {
        let exists = match self.kind {
            Kind::Sqlite => format!("SELECT name FROM sqlite_master WHERE name = '{table}'"),
            Kind::Postgres => format!("SELECT to_regclass('{table}')::text WHERE to_regclass('{table}') IS NOT NULL"),
            Kind::Mysql => format!(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = database() AND table_name = '{table}'"
            ),
        };
        if self.query(&exists).is_empty() {
            return None;
        }
        self.query(&format!("SELECT count(*) FROM {table}")).pop()
    }

    pub(crate) fn looks(&self) -> Looks {
        let schema = match self.kind {
            Kind::Sqlite => {
                self.query("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
            }
            Kind::Postgres => {
                let mut schema = self.query(
                    "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns \
                     WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
                );
                schema.extend(
                    self.query("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname"),
                );
                schema.extend(self.query("SELECT count(*) FROM pg_index WHERE NOT indisvalid"));
                schema
            }
            Kind::Mysql => {
                let mut schema = self.query(
                    "SELECT table_name, column_name, column_type, is_nullable FROM information_schema.columns \
                     WHERE table_schema = database() ORDER BY table_name, ordinal_position",
                );
                schema.extend(self.query(
                    "SELECT table_name, index_name, column_name FROM information_schema.statistics \
                     WHERE table_schema = database() ORDER BY table_name, index_name, seq_in_index",
                ));
                schema
            }
        };
        let tables: Vec<_> =
            (1..=REVISIONS).map(|number| format!("SELECT '{number:04}' AS t, id, name FROM f{number:04}")).collect();
        Looks {
            schema,
            rows: self.query(&format!("{} ORDER BY 1, 2", tables.join(" UNION ALL "))),
            versions: self.query("SELECT version_num FROM runner_version ORDER BY version_num"),
            applied: self.query(
                "SELECT revision FROM runner_ledger WHERE status = 'applied' AND direction = 'up' ORDER BY revision",
            ),
        }
    }
}

pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn sqlite(file: &std::path::Path, sql: &str) -> Vec<String> {
    use sqlx::Column as _;
    use sqlx::Connection as _;
    use sqlx::Row as _;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let value = |row: &sqlx::sqlite::SqliteRow, index| {
            row.try_get::<String, _>(index)
                .or_else(|_| row.try_get::<i64, _>(index).map(|number| number.to_string()))
                .unwrap_or_else(|_| "NULL".to_owned())
        };
        rows.iter()
            .map(|row| row.columns().iter().map(|column| value(row, column.ordinal())).collect::<Vec<_>>().join(" | "))
            .collect()
    })
}
