//! Scripts and runs, the same for every dialect. Who includes this says in `DIALECT` which one it tests.

mod facts;

use runner_chain::Checksum;
use runner_database::*;
use serde_json::json;

pub(crate) use self::facts::*;
use super::DIALECT;

pub(crate) async fn run_all(
    session: &mut Session,
    scripts: &[StepScript],
    mode: TransactionMode,
) -> Result<Vec<StepOutcome>> {
    let mut run = session.start_run(info("run"), mode).await?;
    let mut outcomes = Vec::new();
    for script in scripts {
        outcomes.push(run.step(script, &mut |_| {}).await?);
    }
    run.finish().await?;
    Ok(outcomes)
}

pub(crate) fn holder(command: &str) -> Holder {
    Holder {
        pid: std::process::id(),
        host: "here".to_owned(),
        actor: "alice".to_owned(),
        command: command.to_owned(),
        since: "2026-11-20T12:00:00.000Z".to_owned(),
        note: None,
    }
}

pub(crate) fn info(run_id: &str) -> RunInfo {
    RunInfo {
        run_id: run_id.to_owned(),
        command: "upgrade".to_owned(),
        environment: "development".to_owned(),
        actor: "alice".to_owned(),
        host: "here".to_owned(),
        tool_version: "0.1.0".to_owned(),
        plugins: json!([{"name": "lint", "version": "1.0.0", "digest": "00"}]),
        evidence: json!({"plan_hash": "abc"}),
    }
}

/// An up step, in a transaction where there are any: `revision` after `parent`.
pub(crate) fn up(revision: &str, parent: Option<&str>, statements: &[&str]) -> StepScript {
    StepScript {
        revision: revision.to_owned(),
        direction: StepDirection::Up,
        action: Action::Run,
        statements: statements.iter().map(|text| ScriptStatement::new(*text, DIALECT)).collect(),
        transactional: true,
        change: VersionChange {
            delete: parent.map(str::to_owned).into_iter().collect(),
            insert: vec![revision.to_owned()],
        },
        checksum: Checksum::of(format!("file-{revision}").as_bytes()).to_string(),
        sql_checksum: Checksum::of(format!("sql-{revision}").as_bytes()).to_string(),
        verdicts: json!(null),
    }
}

pub(crate) fn down(revision: &str, parent: Option<&str>, statements: &[&str]) -> StepScript {
    StepScript {
        direction: StepDirection::Down,
        change: VersionChange {
            delete: vec![revision.to_owned()],
            insert: parent.map(str::to_owned).into_iter().collect(),
        },
        ..up(revision, None, statements)
    }
}
