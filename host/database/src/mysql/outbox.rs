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

pub(super) fn speech(ledger: &TableName) -> Speech {
    Speech { dialect: Dialect::Mysql, table: name(&name_beside(ledger)), literal: |text| Ok(literal(text)) }
}

pub(super) async fn read(link: &mut Link, sql: String) -> Result<Vec<Texts>, sqlx::Error> {
    let answer = link.ask(sql).await.complete()?;
    let rows = answer.sets.iter().flatten();
    rows.map(|row| (0..row.len()).map(|column| text(row, column)).collect()).collect()
}
