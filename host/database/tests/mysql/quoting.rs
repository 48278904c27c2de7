//! Texts reach the ledger as they are, whatever the session's settings.

use proptest::strategy::Strategy as _;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use runner_database::*;

use crate::support::*;

#[tokio::test]
async fn every_text_arrives_as_it_is() {
    let target = Target::new();
    let mut texts: Vec<String> = [
        "it's",
        "a\\'b\\",
        "\"`;--#/*",
        "\0\u{1a}\n\r\t%_",
        "é 漢 🦀 \u{fffd}",
        "'); DROP TABLE runner_version; --",
        "",
    ]
    .map(str::to_owned)
    .to_vec();
    let mut random = TestRunner::deterministic();
    texts.extend((0..60).map(|_| proptest::prelude::any::<String>().new_tree(&mut random).unwrap().current()));
    texts.extend((0..60).map(|_| "['\"\\\\`a\0é]{0,12}".new_tree(&mut random).unwrap().current()));
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    for (index, text) in texts.iter().enumerate() {
        let skip = Action::Skip { reason: text.clone() };
        let change = VersionChange::default();
        run.step(&StepScript { action: skip, change, ..up(&format!("r{index}"), None, &[]) }, &mut |_| {})
            .await
            .unwrap();
    }
    run.finish().await.unwrap();
    let rows = session.ledger(None).await.unwrap();
    let stored: Vec<_> = rows.iter().rev().skip(1).map(|row| row.error.clone().unwrap()).collect();
    assert_eq!(stored, texts);
    target.assert_intact().await;
}

#[tokio::test]
async fn the_settings_of_a_script_do_not_reach_the_books() {
    let target = Target::new();
    let script = up(
        "a1",
        None,
        &[
            "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'",
            "SET NAMES latin1",
            "CREATE TABLE \"t\" (a VARCHAR(9))",
            "INSERT INTO t VALUES ('a\\')",
        ],
    );
    let verdicts = serde_json::json!({"é": "\\'\"`"});
    target.apply(&[StepScript { verdicts: verdicts.clone(), ..script }]).await.unwrap();
    let rows = target.read().await.ledger(Some(1)).await.unwrap();
    assert_eq!(rows[0].verdicts.as_deref(), Some(verdicts.to_string().as_str()));
    target.assert_intact().await;
}

#[tokio::test]
async fn the_guard_holds_in_a_lenient_session() {
    let target = Target::new();
    target.apply(&[up("a1", None, &[])]).await.unwrap();
    let script = up("c3", Some("other"), &["SET sql_mode = ''", "SET @runner_guard = 1"]);
    let error = target.apply(&[script]).await.unwrap_err();
    assert!(matches!(error, Error::Concurrent { .. }), "{error:?}");
    assert_eq!(target.state().await.versions, ["a1"]);
}
