//! Text reaches the ledger as it is, whatever the session's settings are.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use runner_database::*;

use crate::support::*;

#[test]
fn any_text_comes_back_from_the_ledger() {
    let target = Target::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let session = std::cell::RefCell::new(runtime.block_on(target.locked()));
    let texts = proptest::collection::vec("[^\\x00]{0,40}|[\\\\'\"$;\\-]{0,12}|.*\\\\", 0..2);
    let settings =
        prop_oneof![Just("SET standard_conforming_strings = off"), Just("SET backslash_quote = off"), Just("SELECT 1")];
    let mut runner = TestRunner::new(ProptestConfig { cases: 150, ..ProptestConfig::default() });
    runner
        .run(&(texts, settings), |(texts, setting)| {
            let text: String = texts.concat().replace('\0', "");
            let script = StepScript {
                change: VersionChange::default(),
                verdicts: serde_json::Value::String(text.clone()),
                ..up("a1", None, &[setting])
            };
            let mut session = session.borrow_mut();
            runtime.block_on(async {
                let mut info = info("r");
                info.actor.clone_from(&text);
                let mut run = session.start_run(info, TransactionMode::PerRevision).await.unwrap();
                run.step(&script, &mut |_| {}).await.unwrap();
                run.finish().await.unwrap();
                let rows = session.ledger(Some(1)).await.unwrap();
                prop_assert_eq!(&rows[0].actor, &text);
                prop_assert_eq!(&rows[0].hash, &rows[0].computed_hash());
                Ok(())
            })
        })
        .unwrap();
    runtime.block_on(target.assert_intact());
}

#[tokio::test]
async fn a_text_with_nul_is_refused() {
    let target = Target::new();
    let mut session = target.locked().await;
    let mut info = info("r");
    info.actor = "a\0b".to_owned();
    let mut run = session.start_run(info, TransactionMode::PerRevision).await.unwrap();
    let error = run.step(&up("a1", None, &["CREATE TABLE t (id INTEGER)"]), &mut |_| {}).await.unwrap_err();
    assert!(error.to_string().contains("NUL"), "{error}");
    drop(run);
    assert!(!session.state().await.unwrap().exists);
    assert_eq!(target.one("SELECT to_regclass('t') IS NULL"), "t");
}

#[tokio::test]
async fn version_ids_are_not_sql() {
    let target = Target::new();
    let id = "a'); DROP TABLE t; --\\";
    target
        .apply(&[up(id, None, &["CREATE TABLE t (id INTEGER)"]), up("b", Some(id), &["SELECT 1 FROM t"])])
        .await
        .unwrap();
    assert_eq!(target.state().await.versions, ["b"]);
}
