//! The ledger's chain notices every edit by hand.

use runner_database::*;

use crate::support::*;

#[tokio::test]
async fn edits_are_found_at_their_row() {
    for (sql, expected) in [
        ("UPDATE runner_ledger SET actor = 'mallory' WHERE id = 2", 2),
        ("UPDATE runner_ledger SET error = '' WHERE id = 1", 1),
        ("UPDATE runner_ledger SET statements_done = 7 WHERE id = 3", 3),
        ("UPDATE runner_ledger SET hash = previous_hash WHERE id = 2", 2),
        ("DELETE FROM runner_ledger WHERE id = 2", 2),
        ("DELETE FROM runner_ledger WHERE id = 1", 1),
        ("UPDATE runner_ledger SET id = -1 WHERE id = 3", -1),
        ("UPDATE runner_ledger SET id = 9 WHERE id = 3", 3),
    ] {
        let target = Target::new();
        target.apply(&[up("a1", None, &[]), up("b2", Some("a1"), &[])]).await.unwrap();
        target.assert_intact().await;
        target.sql(sql);
        let check = target.read().await.verify_ledger().await.unwrap();
        assert!(matches!(check, LedgerCheck::Damaged { id, .. } if id == expected), "{sql}: {check:?}");
    }
}

#[tokio::test]
async fn an_intact_ledger_gives_its_last_hash() {
    let target = Target::new();
    target.apply(&[up("a1", None, &[]), up("b2", Some("a1"), &[])]).await.unwrap();
    let tail = target.state().await.tail.unwrap();
    let check = target.read().await.verify_ledger().await.unwrap();
    assert_eq!(check, LedgerCheck::Intact { rows: 3, last_hash: Some(tail.hash) });
    let rows = target.read().await.ledger(Some(2)).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(rows[1].computed_hash(), rows[1].hash);
}

#[tokio::test]
async fn an_unknown_status_is_damage() {
    let target = Target::new();
    target.apply(&[up("a1", None, &[])]).await.unwrap();
    target.sql("UPDATE runner_ledger SET status = 'fine' WHERE id = 2");
    let error = target.read().await.state().await.unwrap_err();
    assert!(matches!(error, Error::LedgerDamaged { id: 2, .. }), "{error:?}");
}
