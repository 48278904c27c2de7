//! The outbox in PostgreSQL.

use runner_chain::Dialect;
use sqlx::Row as _;

use crate::options::TableName;
use crate::outbox::Speech;
use crate::outbox::Texts;
use crate::outbox::name_beside;

use super::books::quoted;
use super::failures;
use super::link::Link;
use super::link::text;
use super::literal::literal;

/// Begins a transaction that waits for others only shortly: a message is no reason to keep a migration, or whoever waits for it.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED;\n\
    SET LOCAL lock_timeout = '1s';\nSET LOCAL statement_timeout = '2s';";

pub(super) fn speech(ledger: &TableName) -> Speech {
    Speech { dialect: Dialect::Postgres, table: quoted(&name_beside(ledger)), literal }
}

pub(super) fn is_missing_table(error: &sqlx::Error) -> bool {
    failures::code(error) == Some(failures::UNDEFINED_TABLE)
}

pub(super) async fn read(link: &mut Link, sql: String) -> Result<Vec<Texts>, sqlx::Error> {
    let sets = link.rows(sql).await?;
    let texts = sets.iter().flatten().map(|row| (0..row.len()).map(|column| owned(text(row, column))).collect());
    texts.collect()
}

fn owned(text: Result<Option<&str>, sqlx::Error>) -> Result<Option<String>, sqlx::Error> {
    text.map(|text| text.map(str::to_owned))
}
