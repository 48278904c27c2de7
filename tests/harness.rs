//! A project in a hermetic folder, and what the binary says of it.

use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use sqlx::AssertSqlSafe;
use sqlx::Connection as _;
use sqlx::Row as _;
use sqlx::SqliteConnection;
use tempfile::TempDir;

/// A folder with `runner.toml`, `migrations/` and nothing of the outer environment but the cache of native code, which all
/// tests share because compiling takes long.
pub(crate) struct Project {
    folder: TempDir,
}

const CONFIGURATION: &str = "\
[database]
url = \"sqlite://app.db\"
";

impl Project {
    /// A project without revisions.
    pub(crate) fn empty() -> Self {
        let project = Project { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(project.path("migrations")).unwrap();
        project.write("runner.toml", CONFIGURATION);
        project
    }

    /// A project with a linear chain `r0001 -> r0002 -> …` of one-table revisions.
    pub(crate) fn linear(count: usize) -> Self {
        let project = Project::empty();
        for number in 1..=count {
            project.table_revision(number);
        }
        project
    }

    /// A project with a root and two branches: `root -> bill1 (billing) -> bill2` and `root -> sched1 (scheduling) -> sched2`.
    pub(crate) fn branched() -> Self {
        let project = Project::empty();
        for (id, parent, header) in [
            ("root", "base", ""),
            ("bill1", "root", "Branch Labels: billing"),
            ("bill2", "bill1", ""),
            ("sched1", "root", "Branch Labels: scheduling"),
            ("sched2", "sched1", ""),
        ] {
            project.revision(
                id,
                parent,
                header,
                &format!("CREATE TABLE t_{id} (id INTEGER);"),
                &format!("DROP TABLE t_{id};"),
            );
        }
        project
    }

    /// A project with the demo chain of this repository.
    pub(crate) fn demo() -> Self {
        let project = Project::empty();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            project.write(&format!("migrations/{name}"), std::fs::read(entry.path()).unwrap());
        }
        project
    }

    /// Writes `runner.toml` with the usual database and something more.
    pub(crate) fn configure(&self, more: &str) {
        self.write("runner.toml", format!("{CONFIGURATION}{more}"));
    }

    /// Adds `r0001`, `r0002`, … to a linear chain.
    pub(crate) fn table_revision(&self, number: usize) {
        let id = format!("r{number:04}");
        let parent = if number == 1 { "base".to_owned() } else { format!("r{:04}", number - 1) };
        self.revision(
            &id,
            &parent,
            "",
            &format!("CREATE TABLE t{number:04} (id INTEGER PRIMARY KEY, name TEXT);"),
            &format!("DROP TABLE t{number:04};"),
        );
    }

    /// Writes a revision file. `header` holds further header lines without the `-- `.
    pub(crate) fn revision(&self, id: &str, parents: &str, header: &str, up: &str, down: &str) {
        let header: String = header.lines().map(|line| format!("-- {line}\n")).collect();
        let text = format!(
            "-- Revision {id}\n--\n-- Revision ID: {id}\n-- Revises: {parents}\n{header}\n-- migrate:up\n{up}\n\n-- migrate:down\n{down}\n"
        );
        self.write(&format!("migrations/{id}.sql"), &text);
    }

    /// Writes a file, with the folders it needs.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Changes a file: every `from` becomes `to`. There must be one.
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "`{name}` holds no `{from}`");
        self.write(name, text.replace(from, to));
    }

    /// Removes a file.
    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.path(name)).unwrap();
    }

    /// All files of the project but those that configure it, sorted.
    pub(crate) fn leavings(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !matches!(name.as_str(), "runner.toml" | "migrations"))
            .collect();
        names.sort();
        names
    }

    /// Rows of the database, their columns joined by ` | `.
    pub(crate) fn query(&self, sql: &str) -> Vec<String> {
        let rows = block_on(async {
            let mut connection = self.connect().await;
            let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            rows
        });
        rows.iter()
            .map(|row| {
                let columns = (0..row.len()).map(|column| match row.try_get_unchecked::<Option<String>, _>(column) {
                    Ok(value) => value.unwrap_or_else(|| "NULL".to_owned()),
                    Err(error) => panic!("column {column} of `{sql}`: {error}"),
                });
                columns.collect::<Vec<_>>().join(" | ")
            })
            .collect()
    }

    /// Changes the database behind the runner's back.
    pub(crate) fn execute(&self, sql: &str) {
        block_on(async {
            let mut connection = self.connect().await;
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    }

    /// A connection to the database, which must be there.
    pub(crate) async fn connect(&self) -> SqliteConnection {
        SqliteConnection::connect(&format!("sqlite://{}", self.path("app.db").display())).await.unwrap()
    }

    /// Names of the tables, the runner's own left out.
    pub(crate) fn tables(&self) -> Vec<String> {
        self.query(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'runner\\_%' ESCAPE '\\' \
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
        )
    }

    /// Everything that the schema holds, with its SQL.
    pub(crate) fn schema(&self) -> Vec<String> {
        self.query("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name")
    }

    /// The rows of the version table.
    pub(crate) fn versions(&self) -> Vec<String> {
        self.query("SELECT version_num FROM runner_version ORDER BY version_num")
    }

    /// `revision | direction | status` of the ledger's steps, oldest first.
    pub(crate) fn ledger(&self) -> Vec<String> {
        self.query("SELECT revision, direction, status FROM runner_ledger WHERE revision IS NOT NULL ORDER BY id")
    }

    /// Where something in the project is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The binary in the project's folder, with an environment that holds nothing else.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("USER", "tester")
            .env("RUNNER_CACHE_DIR", cache());
        command
    }

    /// Runs the binary.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().unwrap(), self.folder.path())
    }

    /// Starts the binary and does not wait for it.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// What a started process has said and done when it has ended.
    pub(crate) fn ended(&self, child: Child) -> Run {
        Run::of(child.wait_with_output().unwrap(), self.folder.path())
    }

    /// Runs the binary with variables set.
    pub(crate) fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Run {
        let output = self.command(arguments).envs(variables.iter().copied()).output().unwrap();
        Run::of(output, self.folder.path())
    }
}

/// Native code of components, shared by all tests and kept between runs of the suite.
pub(crate) fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// Runs something asynchronous to its end.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// What the binary did.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    fn of(output: Output, folder: &Path) -> Self {
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes)
                .unwrap()
                .replace(&folder.canonicalize().unwrap().display().to_string(), "[PROJECT]")
        };
        // A process that was killed has no code; -1 makes that visible.
        Run { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The one JSON document on stdout.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is not one JSON document: {error}\n{self}"))
    }

    /// Fails the test with everything the binary said, unless it ended with this code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }
}

/// The form of snapshots: exit code, stdout, stderr.
impl std::fmt::Display for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "exit: {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

/// Compares with an inline snapshot, with times, hashes and versions replaced.
#[macro_export]
macro_rules! snapshot {
    ($run:expr, @$expected:literal) => {{
        let mut settings = insta::Settings::clone_current();
        settings.add_filter(r"\d+(\.\d+)? (ms|s|µs)\b", "[TIME]");
        settings.add_filter(r"\d[\d ]* fuel\b", "[FUEL] fuel");
        settings.add_filter(r"(fuel  +)\d+ KiB", "$1[SIZE]");
        settings.add_filter(r"\b\d{8}T\d{9}Z-[0-9a-f]{8}\b", "[RUN]");
        settings.add_filter(r#""duration_ms": [0-9][0-9.e-]*"#, r#""duration_ms": "[TIME]""#);
        settings.add_filter(r"(runner|environment-hierarchy|production-override|change-window|lint-postgres|lint|notify|words) \d+\.\d+\.\d+", "$1 [VERSION]");
        settings.add_filter(r#""(seconds|nanoseconds)": \d+"#, r#""$1": "[TIME]""#);
        settings.add_filter(r#""host": "[^"]+""#, r#""host": "[HOST]""#);
        settings.add_filter(r#""server_version": "[^"]+""#, r#""server_version": "[VERSION]""#);
        settings.add_filter(r#""version": "\d+\.\d+\.\d+""#, r#""version": "[VERSION]""#);
        settings.add_filter(r"\b(tester|pipeline)@\S+", "$1@[HOST]");
        settings.add_filter(r"process \d+ on \S+, since", "process [PID] on [HOST], since");
        settings.add_filter(r"sha256:[0-9a-f]{64}", "sha256:[DIGEST]");
        settings.add_filter(r"\b[0-9a-f]{64}\b", "[HASH]");
        settings.add_filter(r"(steps?, )[0-9a-f]{12}\b", "$1[HASH]");
        settings.add_filter(r"SQLite \d+\.\d+\.\d+", "SQLite [VERSION]");
        settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[WHEN]");
        settings.bind(|| insta::assert_snapshot!($run.to_string(), @$expected));
    }};
}
