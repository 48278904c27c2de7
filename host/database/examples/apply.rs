//! Applies N generated revisions, each in a transaction of its own, and prints the time.
//!
//! `cargo run --release -p runner-database --example apply -- [N] [FOLDER OR URL]` (defaults: 1000, the system's folder for
//! temporary files). In a folder, revisions of one statement go to fresh SQLite files; at a `postgres://` URL, revisions of
//! two go to the schema `runner_bench`, which is dropped first. Where the shell `sqlite3` or `psql` is installed, the same SQL
//! is fed to it for comparison, in turns.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use runner_database::Access;
use runner_database::Action;
use runner_database::DatabaseUrl;
use runner_database::Dialect;
use runner_database::Holder;
use runner_database::Options;
use runner_database::RunInfo;
use runner_database::ScriptStatement;
use runner_database::Session;
use runner_database::StepDirection;
use runner_database::StepScript;
use runner_database::TransactionMode;
use runner_database::VersionChange;
use sqlx::Connection as _;
use sqlx::PgConnection;

const ROUNDS: usize = 5;
const SCHEMA: &str = "runner_bench";

/// Where revisions are applied.
enum Place {
    Folder(std::path::PathBuf),
    Postgres(String),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments.next().map_or(Ok(1000), |text| text.parse())?;
    let place = match arguments.next() {
        Some(url) if url.starts_with("postgres") => Place::Postgres(url),
        folder => {
            let folder = folder.map_or_else(std::env::temp_dir, Into::into);
            let folder = folder.join(format!("runner-apply-{}", std::process::id()));
            std::fs::create_dir_all(&folder)?;
            Place::Folder(folder)
        }
    };
    let mut out = std::io::stdout();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (taken, state) = apply(&place.fresh(&format!("runner-{round}.db")).await?, count).await?;
        ours.push(taken);
        let url = place.fresh(&format!("shell-{round}.db")).await?;
        if let Some(taken) = place.shell(&url, count)? {
            theirs.push(taken);
        }
        writeln!(out, "round {round}: runner {taken:?}, shell {:?}, reading the state {state:?}", theirs.last())?;
    }
    ours.sort_unstable();
    theirs.sort_unstable();
    if let (Some(ours), Some(theirs)) = (ours.get(ROUNDS / 2), theirs.get(ROUNDS / 2)) {
        let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
        writeln!(out, "median of {count} revisions: runner {ours:?}, shell {theirs:?}, ratio {ratio:.3}")?;
    }
    if let Place::Folder(folder) = &place {
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}

impl Place {
    /// The URL of an empty place.
    async fn fresh(&self, name: &str) -> Result<String, Box<dyn Error>> {
        match self {
            Self::Folder(folder) => Ok(format!("sqlite://{}", folder.join(name).display())),
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await?;
                let sql = format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}; CHECKPOINT");
                sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await?;
                Ok(format!("{url}{}schema={SCHEMA}", if url.contains('?') { '&' } else { '?' }))
            }
        }
    }

    /// The time of the database's own shell, if there is one.
    fn shell(&self, url: &str, count: usize) -> Result<Option<Duration>, Box<dyn Error>> {
        let dialect = DatabaseUrl::parse(url, Path::new("/"))?.dialect();
        let revisions = (0..count).map(|index| format!("BEGIN;\n{};\nCOMMIT;\n", sql(index, dialect).join(";\n")));
        let mut script = String::new();
        let mut command = match self {
            Self::Folder(_) => {
                let mut command = Command::new("sqlite3");
                command.arg(url.trim_start_matches("sqlite://"));
                command
            }
            Self::Postgres(url) => {
                script.push_str(&format!("SET search_path = {SCHEMA};\n"));
                let mut command = Command::new("psql");
                command.args(["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--file=-", url]);
                command
            }
        };
        script.extend(revisions);
        let begun = Instant::now();
        let Ok(mut child) = command.stdin(Stdio::piped()).spawn() else { return Ok(None) };
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(script.as_bytes())?;
        }
        Ok(child.wait()?.success().then(|| begun.elapsed()))
    }
}

/// The statements of one revision.
fn sql(index: usize, dialect: Dialect) -> Vec<String> {
    let table = format!("CREATE TABLE table_{index} (id INTEGER PRIMARY KEY, name TEXT NOT NULL)");
    match dialect {
        Dialect::Sqlite => vec![table],
        _ => vec![table, format!("CREATE INDEX table_{index}_name ON table_{index} (name)")],
    }
}

async fn apply(url: &str, count: usize) -> Result<(Duration, Duration), Box<dyn Error>> {
    let url = DatabaseUrl::parse(url, Path::new("/"))?;
    let dialect = url.dialect();
    let begun = Instant::now();
    let mut session = Session::open(&url, &Options::default(), Access::Write).await?;
    let me = Holder {
        pid: std::process::id(),
        host: "bench".to_owned(),
        actor: "bench".to_owned(),
        command: "upgrade".to_owned(),
        since: String::new(),
        note: None,
    };
    session.lock(Duration::ZERO, &me, &mut |_, _| {}).await?;
    session.state().await?;
    let info = RunInfo {
        run_id: "0123456789abcdef0123456789abcdef".to_owned(),
        command: "upgrade".to_owned(),
        environment: "development".to_owned(),
        actor: "bench".to_owned(),
        host: "bench".to_owned(),
        tool_version: "0.1.0".to_owned(),
        plugins: serde_json::json!([{"name": "lint", "version": "0.1.0", "digest": "ab".repeat(32)}]),
        evidence: serde_json::json!({"plan_hash": "cd".repeat(32)}),
    };
    let mut run = session.start_run(info, TransactionMode::PerRevision).await?;
    for index in 0..count {
        let statements = sql(index, dialect);
        let script = StepScript {
            revision: format!("{index:012x}"),
            direction: StepDirection::Up,
            action: Action::Run,
            statements: statements.into_iter().map(|text| ScriptStatement::new(text, dialect)).collect(),
            transactional: true,
            change: VersionChange {
                delete: index.checked_sub(1).map(|parent| format!("{parent:012x}")).into_iter().collect(),
                insert: vec![format!("{index:012x}")],
            },
            checksum: "ef".repeat(32),
            sql_checksum: "01".repeat(32),
            verdicts: serde_json::Value::Null,
        };
        run.step(&script, &mut |_| {}).await?;
    }
    run.finish().await?;
    session.close().await?;
    let taken = begun.elapsed();
    let begun = Instant::now();
    let mut session = Session::open(&url, &Options::default(), Access::Read).await?;
    let opened = begun.elapsed();
    let state = session.state().await?;
    debug_assert_eq!(state.records.len(), count);
    Ok((taken, begun.elapsed() - opened))
}
