//! Applies N generated one-table revisions to a fresh file, each in a transaction of its own, and prints the time.
//!
//! `cargo run --release -p runner-database --example apply -- [N] [FOLDER]` (defaults: 1000, the system's folder for
//! temporary files). Where the `sqlite3` shell is installed, the same SQL is fed to it for comparison, in turns.

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
use runner_database::Holder;
use runner_database::Options;
use runner_database::RunInfo;
use runner_database::ScriptStatement;
use runner_database::Session;
use runner_database::StepDirection;
use runner_database::StepScript;
use runner_database::TransactionMode;
use runner_database::VersionChange;

const ROUNDS: usize = 5;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments.next().map_or(Ok(1000), |text| text.parse())?;
    let folder = arguments.next().map_or_else(std::env::temp_dir, Into::into);
    let folder = folder.join(format!("runner-apply-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let mut out = std::io::stdout();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (taken, state) = apply(&folder.join(format!("runner-{round}.db")), count).await?;
        ours.push(taken);
        if let Some(taken) = shell(&folder.join(format!("shell-{round}.db")), count)? {
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
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn sql(index: usize) -> String {
    format!("CREATE TABLE table_{index} (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
}

async fn apply(file: &Path, count: usize) -> Result<(Duration, Duration), Box<dyn Error>> {
    let url = DatabaseUrl::parse(&format!("sqlite://{}", file.display()), Path::new("/"))?;
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
        let script = StepScript {
            revision: format!("{index:012x}"),
            direction: StepDirection::Up,
            action: Action::Run,
            statements: vec![ScriptStatement::new(sql(index), runner_database::Dialect::Sqlite)],
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

/// The time of the `sqlite3` shell, if there is one.
fn shell(file: &Path, count: usize) -> Result<Option<Duration>, Box<dyn Error>> {
    let script: String = (0..count).map(|index| format!("BEGIN;\n{};\nCOMMIT;\n", sql(index))).collect();
    let begun = Instant::now();
    let Ok(mut child) = Command::new("sqlite3").arg(file).stdin(Stdio::piped()).spawn() else { return Ok(None) };
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(script.as_bytes())?;
    }
    Ok(child.wait()?.success().then(|| begun.elapsed()))
}
