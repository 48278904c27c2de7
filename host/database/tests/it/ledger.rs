//! The ledger's chain notices every edit by hand.

use runner_database::*;

use crate::support::*;

async fn three_rows() -> Target {
    let target = Target::new();
    target.apply(&[up("a1", None, &[]), up("b2", Some("a1"), &[])]).await.unwrap();
    target
}

async fn damage(sql: &'static str) -> LedgerCheck {
    let target = three_rows().await;
    target.assert_intact().await;
    target.sql(sql).await;
    target.read().await.verify_ledger().await.unwrap()
}

#[tokio::test]
async fn edits_are_found_at_their_row() {
    for (sql, expected) in [
        ("UPDATE runner_ledger SET actor = 'mallory' WHERE id = 2", 2),
        ("UPDATE runner_ledger SET error = '' WHERE id = 1", 1),
        ("UPDATE runner_ledger SET statements_done = 'many' WHERE id = 3", 3),
        ("UPDATE runner_ledger SET verdicts = x'ff' WHERE id = 3", 3),
        ("UPDATE runner_ledger SET hash = previous_hash WHERE id = 2", 2),
        ("DELETE FROM runner_ledger WHERE id = 2", 2),
        ("DELETE FROM runner_ledger WHERE id = 1", 1),
        ("UPDATE runner_ledger SET id = -1 WHERE id = 3", -1),
        ("UPDATE runner_ledger SET id = 9 WHERE id = 3", 3),
    ] {
        let check = damage(sql).await;
        assert!(matches!(check, LedgerCheck::Damaged { id, .. } if id == expected), "{sql}: {check:?}");
    }
}

#[tokio::test]
async fn an_intact_ledger_gives_its_last_hash() {
    let target = three_rows().await;
    let tail = target.state().await.tail.unwrap();
    let check = target.read().await.verify_ledger().await.unwrap();
    assert_eq!(check, LedgerCheck::Intact { rows: 3, last_hash: Some(tail.hash) });
}

#[tokio::test]
async fn rows_say_who_when_and_why() {
    let target = three_rows().await;
    let rows = target.read().await.ledger(None).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [3, 2, 1]);
    let (run, step) = (&rows[2], &rows[1]);
    assert_eq!((run.status.as_str(), run.revision.as_deref()), ("run", None));
    assert_eq!(run.verdicts.as_deref(), Some(r#"{"plan_hash":"abc"}"#));
    assert_eq!(run.previous_hash, FIRST_PREVIOUS_HASH);
    assert_eq!((step.actor.as_str(), step.direction.as_deref()), ("alice", Some("up")));
    assert!(step.plugins.as_deref().unwrap().contains("digest"));
    assert!(step.finished_at.as_deref().unwrap() >= step.started_at.as_str());
    assert_eq!((step.started_at.len(), step.started_at.ends_with('Z')), (24, true));
    assert_eq!(step.known_status(), Some(LedgerStatus::Applied));
}

#[tokio::test]
async fn an_unknown_status_is_damage() {
    let target = three_rows().await;
    target.sql("UPDATE runner_ledger SET status = 'fine' WHERE id = 3").await;
    let error = target.read().await.state().await.unwrap_err();
    assert!(matches!(error, Error::LedgerDamaged { id: 3, .. }), "{error:?}");
}
