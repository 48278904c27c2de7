//! Statements about the session, the server or accounts, which leave data alone, and those that run what can't be seen.

use crate::dialect::Dialect;

use super::Effect;
use super::query::scan;
use super::words::{Cursor, Kind};

/// Begin and end transactions.
const TRANSACTIONS: [&str; 8] = ["ABORT", "BEGIN", "COMMIT", "END", "RELEASE", "ROLLBACK", "SAVEPOINT", "START"];
const HARMLESS_IN_SQLITE: [&str; 5] = ["ANALYZE", "ATTACH", "DETACH", "REINDEX", "VACUUM"];
const HARMLESS_IN_POSTGRES: [&str; 26] = [
    "ANALYSE",
    "ANALYZE",
    "CHECKPOINT",
    "CLOSE",
    "CLUSTER",
    "COMMENT",
    "DEALLOCATE",
    "DISCARD",
    "FETCH",
    "GRANT",
    "IMPORT",
    "LISTEN",
    "LOCK",
    "MOVE",
    "NOTIFY",
    "REASSIGN",
    "REFRESH",
    "REINDEX",
    "REPACK",
    "RESET",
    "REVOKE",
    "SECURITY",
    "SHOW",
    "UNLISTEN",
    "VACUUM",
    "WAIT",
];
const HARMLESS_IN_MYSQL: [&str; 17] = [
    "ANALYZE",
    "CACHE",
    "CHECK",
    "CHECKSUM",
    "DEALLOCATE",
    "FLUSH",
    "GET",
    "GRANT",
    "HANDLER",
    "HELP",
    "KILL",
    "LOCK",
    "OPTIMIZE",
    "REVOKE",
    "SHOW",
    "SIGNAL",
    "UNLOCK",
];
/// Statements that run other code.
const RUNNING: [&str; 4] = ["CALL", "DO", "EXECUTE", "PREPARE"];

/// Pragmas that leave what is stored as it is, with a value or without.
const HARMLESS_PRAGMAS: [&str; 61] = [
    "analysis_limit",
    "auto_vacuum",
    "automatic_index",
    "busy_timeout",
    "cache_size",
    "cache_spill",
    "case_sensitive_like",
    "cell_size_check",
    "checkpoint_fullfsync",
    "collation_list",
    "compile_options",
    "count_changes",
    "data_version",
    "database_list",
    "defer_foreign_keys",
    "empty_result_callbacks",
    "encoding",
    "foreign_key_check",
    "foreign_key_list",
    "foreign_keys",
    "freelist_count",
    "full_column_names",
    "fullfsync",
    "function_list",
    "hard_heap_limit",
    "ignore_check_constraints",
    "incremental_vacuum",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "journal_mode",
    "journal_size_limit",
    "legacy_alter_table",
    "legacy_file_format",
    "locking_mode",
    "max_page_count",
    "mmap_size",
    "module_list",
    "optimize",
    "page_count",
    "page_size",
    "parser_trace",
    "pragma_list",
    "query_only",
    "quick_check",
    "read_uncommitted",
    "recursive_triggers",
    "reverse_unordered_selects",
    "secure_delete",
    "short_column_names",
    "shrink_memory",
    "soft_heap_limit",
    "synchronous",
    "table_info",
    "table_list",
    "table_xinfo",
    "temp_store",
    "threads",
    "wal_autocheckpoint",
    "wal_checkpoint",
];
/// Pragmas that only read if they are given no value.
const READING_PRAGMAS: [&str; 4] = ["application_id", "schema_version", "trusted_schema", "user_version"];
/// Modes of SQL in which MySQL reads quotes and backslashes differently.
const MODES_OF_READING: [&str; 7] = ["ansi", "no_backslash_escapes", "oracle", "mssql", "db2", "postgresql", "maxdb"];

/// Reads the statement; None if it is not understood.
pub(super) fn read(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    match () {
        () if cursor.has(&["PREPARED"]) && cursor.is_any(&["COMMIT", "ROLLBACK"]) && cursor.is_postgres() => {
            found.push(Effect::opaque("it ends a transaction of another time"));
            return Some(());
        }
        () if cursor.is("PREPARE") && cursor.is_ahead(1, "TRANSACTION") && cursor.is_postgres() => return Some(()),
        () if cursor.is_any(&TRANSACTIONS) => return transaction(cursor),
        () => {}
    }
    match cursor.dialect() {
        Dialect::Sqlite if cursor.is("PRAGMA") => pragma(cursor, found),
        Dialect::Sqlite => cursor.is_any(&HARMLESS_IN_SQLITE).then_some(()),
        Dialect::Postgres | Dialect::Mysql if cursor.is_any(&RUNNING) => {
            let verb = cursor.peek(0)?.text.to_ascii_uppercase();
            found.push(Effect::opaque(format!("`{verb}` runs code that is not looked into")));
            Some(())
        }
        Dialect::Postgres if cursor.take(&["SET"]) => {
            found.extend(postgres_setting(cursor));
            Some(())
        }
        Dialect::Postgres => cursor.is_any(&HARMLESS_IN_POSTGRES).then_some(()),
        Dialect::Mysql if cursor.take(&["SET"]) => {
            if changes_reading(cursor) {
                found.push(Effect::opaque("it changes how the statements after it are read"));
            }
            scan(*cursor, found);
            Some(())
        }
        Dialect::Mysql if cursor.is("USE") => {
            found.push(Effect::opaque("it changes which database a name without one belongs to"));
            Some(())
        }
        Dialect::Mysql => cursor.is_any(&HARMLESS_IN_MYSQL).then_some(()),
    }
}

/// MySQL and MariaDB have blocks that begin like a transaction.
fn transaction(cursor: &mut Cursor<'_, '_>) -> Option<()> {
    if cursor.is_mysql() && cursor.take(&["BEGIN"]) {
        cursor.take(&["WORK"]);
        return cursor.is_done().then_some(());
    }
    if cursor.is_mysql() && (cursor.is("END") || cursor.is("ABORT")) {
        return None;
    }
    // `START SLAVE` and `START REPLICA`.
    (!cursor.is("START") || cursor.is_ahead(1, "TRANSACTION")).then_some(())
}

/// What is doubtful about a setting.
fn postgres_setting(cursor: &mut Cursor<'_, '_>) -> Option<Effect> {
    cursor.take_any(&["LOCAL", "SESSION"]);
    let is_path =
        cursor.peek(0).is_some_and(|word| word.kind != Kind::Text && word.text.eq_ignore_ascii_case("search_path"));
    // `SET SCHEMA 'a'` is the same by another name.
    let is_schema = cursor.is("SCHEMA") && cursor.peek(1).is_some_and(|word| word.kind == Kind::Text);
    if !is_path && !is_schema {
        return None;
    }
    let is_empty = cursor.peek(2).is_some_and(|word| word.kind == Kind::Text && word.text.is_empty());
    let is_usual = cursor.is_ahead(2, "DEFAULT");
    let is_certain = is_path && (is_empty || is_usual) && cursor.peek(3).is_none();
    (!is_certain).then(|| Effect::opaque("it changes which schema a name without one belongs to"))
}

/// Whether quotes or backslashes may mean something else afterwards.
fn changes_reading(cursor: &Cursor<'_, '_>) -> bool {
    let mut words = (cursor.at..cursor.end).filter_map(|place| cursor.words.get(place));
    let sets_mode = words.clone().any(|word| word.text.eq_ignore_ascii_case("sql_mode"));
    sets_mode
        && words.any(|word| {
            let text = word.text.to_ascii_lowercase();
            MODES_OF_READING.iter().any(|mode| text.contains(mode))
        })
}

fn pragma(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    cursor.advance();
    let name = cursor.object()?.name.to_ascii_lowercase();
    let only_reads = cursor.is_done() && READING_PRAGMAS.contains(&name.as_str());
    if !only_reads && !HARMLESS_PRAGMAS.contains(&name.as_str()) {
        found.push(Effect::opaque("the pragma may change what is stored"));
    }
    Some(())
}
