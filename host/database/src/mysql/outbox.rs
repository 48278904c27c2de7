//! The outbox in MySQL and MariaDB.

use runner_chain::Dialect;
use sqlx::Row as _;

use crate::options::TableName;
use crate::outbox::Speech;
use crate::outbox::Texts;
use crate::outbox::name_beside;

use super::books::name;
use super::link::Link;
use super::link::text;
use super::literal::literal;

/// Begins a transaction that waits for others only shortly: a message is no reason to keep a migration, or whoever waits for it.
pub(super) const BEGIN: &str = "SET @runner_lock_wait = @@SESSION.lock_wait_timeout, \
    @runner_row_wait = @@SESSION.innodb_lock_wait_timeout;\n\
    SET SESSION lock_wait_timeout = 1, SESSION innodb_lock_wait_timeout = 1;\nSTART TRANSACTION;";
/// Lets the session wait as long as before [`BEGIN`].
pub(super) const AS_BEFORE: &str = "SET SESSION lock_wait_timeout = @runner_lock_wait, \
    SESSION innodb_lock_wait_timeout = @runner_row_wait";

pub(super) fn speech(ledger: &TableName) -> Speech {
    Speech { dialect: Dialect::Mysql, table: name(&name_beside(ledger)), literal: |text| Ok(literal(text)) }
}

pub(super) async fn read(link: &mut Link, sql: String) -> Result<Vec<Texts>, sqlx::Error> {
    let answer = link.ask(sql).await.complete()?;
    let rows = answer.sets.iter().flatten();
    rows.map(|row| (0..row.len()).map(|column| text(row, column)).collect()).collect()
}
