//! Statements of each dialect with what they do, in a short notation.

mod every;
mod mysql;
mod postgres;
mod sqlite;

use super::{Effect, effects};
use crate::dialect::Dialect;

/// One effect in few words; `?` for a doubt.
fn shown(effect: &Effect) -> String {
    let also = |word: &'static str, is_so: &bool| if *is_so { word } else { "" };
    match effect {
        Effect::DropTable { table, cascade } => format!("drop {table}{}", also(" cascade", cascade)),
        Effect::DropSchema { schema, cascade } => format!("drop schema {schema}{}", also(" cascade", cascade)),
        Effect::DropColumn { table, column, cascade } => format!("drop {table}/{column}{}", also(" cascade", cascade)),
        Effect::ChangeType { table, column, to, using } => {
            format!("type {table}/{column} {to}{}", also(" using", using))
        }
        Effect::Truncate { table, cascade } => format!("truncate {table}{}", also(" cascade", cascade)),
        Effect::DeleteRows { table } => format!("delete {table}"),
        Effect::UpdateRows { table, columns } => format!("update {table}/{}", columns.join(",")),
        Effect::RenameTable { from, to } => format!("rename {from} {to}"),
        Effect::RenameColumn { table, from, to } => format!("rename {table}/{from} {to}"),
        Effect::RenameSchema { from, to } => format!("rename schema {from} {to}"),
        Effect::DropSequence { sequence } => format!("drop sequence {sequence}"),
        Effect::ChangeSequence { sequence } => format!("sequence {sequence}"),
        Effect::ChangeIdentity { table, column } => format!("identity {table}/{column}"),
        Effect::CreateTable { table, if_missing, temporary } => {
            format!("create {table}{}{}", also(" if missing", if_missing), also(" temporary", temporary))
        }
        Effect::Opaque { .. } => "?".to_owned(),
    }
}

/// Compares statements with their effects, which are separated by `; `.
fn check(dialect: Dialect, cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(sql, expected)| {
            let found = effects(sql, dialect);
            let shown: Vec<String> = found.iter().map(shown).collect();
            let shown = shown.join("; ");
            (shown != *expected).then(|| format!("{sql}\n  expected {expected:?}\n  found    {shown:?}: {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
