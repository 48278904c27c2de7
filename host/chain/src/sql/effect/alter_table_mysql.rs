//! `ALTER TABLE` of MySQL and MariaDB.

use std::collections::HashSet;

use super::alter_table::added;
use super::rows::take_wait;
use super::words::Cursor;
use super::{Effect, ObjectName};

/// First words of actions and options that leave all values as they are.
const HARMLESS: [&str; 56] = [
    "ALGORITHM",
    "ANALYZE",
    "AUTOEXTEND_SIZE",
    "AUTO_INCREMENT",
    "AVG_ROW_LENGTH",
    "CHARACTER",
    "CHARSET",
    "CHECK",
    "CHECKSUM",
    "COALESCE",
    "COLLATE",
    "COMMENT",
    "COMPRESSION",
    "CONNECTION",
    "DATA",
    "DEFAULT",
    "DELAY_KEY_WRITE",
    "DISABLE",
    "ENABLE",
    "ENCRYPTED",
    "ENCRYPTION",
    "ENCRYPTION_KEY_ID",
    "ENGINE",
    "ENGINE_ATTRIBUTE",
    "FORCE",
    "INDEX",
    "INSERT_METHOD",
    "ITEF_QUOTES",
    "KEY_BLOCK_SIZE",
    "LOCK",
    "MAX_ROWS",
    "MIN_ROWS",
    "OPTIMIZE",
    "PACK_KEYS",
    "PAGE_CHECKSUM",
    "PAGE_COMPRESSED",
    "PAGE_COMPRESSION_LEVEL",
    "PARTITION",
    "PASSWORD",
    "REBUILD",
    "REMOVE",
    "REORGANIZE",
    "ROW_FORMAT",
    "SECONDARY_ENGINE",
    "SECONDARY_ENGINE_ATTRIBUTE",
    "SECONDARY_LOAD",
    "SECONDARY_UNLOAD",
    "SEQUENCE",
    "STATS_AUTO_RECALC",
    "STATS_PERSISTENT",
    "STATS_SAMPLE_PAGES",
    "TABLESPACE",
    "TRANSACTIONAL",
    "UNION",
    "UPGRADE",
    "WITHOUT",
];
/// Engines that keep the rows they are given.
const KEEPING_ENGINES: [&str; 12] = [
    "archive",
    "aria",
    "columnstore",
    "csv",
    "innodb",
    "maria",
    "mroonga",
    "myisam",
    "ndb",
    "ndbcluster",
    "rocksdb",
    "tokudb",
];
/// What of a definition belongs to the type.
const OF_TYPES: [&str; 11] = [
    "ASCII",
    "BINARY",
    "BYTE",
    "CHARACTER",
    "CHARSET",
    "PRECISION",
    "SIGNED",
    "UNICODE",
    "UNSIGNED",
    "VARYING",
    "ZEROFILL",
];

/// What is found in one statement. All actions go by the names from before, so renames come last.
#[derive(Default)]
struct Actions {
    changes: Vec<Effect>,
    columns: Vec<(String, String)>,
    table: Option<ObjectName>,
}

/// Reads the statement from after `TABLE` on; `ignores` is whether rows that break a key are deleted.
pub(super) fn read(cursor: &mut Cursor<'_, '_>, ignores: bool, found: &mut Vec<Effect>) -> Option<()> {
    cursor.take_if_exists();
    let table = cursor.object()?;
    take_wait(cursor);
    if ignores {
        found.push(Effect::DeleteRows { table: table.clone() });
    }
    let mut actions = Actions::default();
    let understood = read_actions(cursor, &table, &mut actions);
    found.append(&mut actions.changes);
    let before: HashSet<String> = actions.columns.iter().map(|(from, _)| from.to_lowercase()).collect();
    if actions.columns.iter().any(|(from, to)| !from.eq_ignore_ascii_case(to) && before.contains(&to.to_lowercase())) {
        found.push(Effect::opaque("columns change names with each other"));
    }
    let named = actions.columns.into_iter();
    found.extend(named.map(|(from, to)| Effect::RenameColumn { table: table.clone(), from, to }));
    found.extend(actions.table.map(|to| Effect::RenameTable { from: table, to }));
    understood
}

fn read_actions(cursor: &mut Cursor<'_, '_>, table: &ObjectName, actions: &mut Actions) -> Option<()> {
    // Not even an action has to be there.
    if cursor.is_done() || of_partitions(cursor, table, actions)? {
        return Some(());
    }
    let mut parts = cursor.parts().into_iter();
    while let Some(mut action) = parts.next() {
        if action.take(&["ORDER", "BY"]) {
            // Columns follow to the end.
            return parts.all(|column| column.words.name(column.at).is_some()).then_some(());
        }
        keeps_rows(&action, actions);
        read_action(&mut action, table, actions)?;
    }
    Some(())
}

/// Actions on partitions, which stand alone; whether it is one.
fn of_partitions(cursor: &mut Cursor<'_, '_>, table: &ObjectName, actions: &mut Actions) -> Option<bool> {
    let deletes = |table: ObjectName| Effect::DeleteRows { table };
    match () {
        () if cursor.take(&["DROP", "PARTITION"]) || cursor.take(&["TRUNCATE", "PARTITION"]) => {
            actions.changes.push(deletes(table.clone()));
        }
        // The rows of both change places.
        () if cursor.take(&["EXCHANGE", "PARTITION"]) => {
            cursor.name()?;
            cursor.take(&["WITH", "TABLE"]).then_some(())?;
            let other = cursor.object()?;
            actions.changes.extend([deletes(table.clone()), deletes(other)]);
        }
        () if cursor.take(&["DISCARD", "PARTITION"]) => actions.changes.push(deletes(table.clone())),
        () => {
            let is_one = cursor.is_ahead(1, "PARTITION")
                && cursor.is_any(&["ADD", "ANALYZE", "CHECK", "COALESCE", "OPTIMIZE", "REBUILD", "REORGANIZE"]);
            return Some(is_one);
        }
    }
    Some(true)
}

/// Notes an engine that does not keep all rows.
fn keeps_rows(action: &Cursor<'_, '_>, actions: &mut Actions) {
    for place in action.level() {
        let mut option = action.words.cursor_at(place, action.end);
        if option.take(&["ENGINE"]) {
            option.take_symbol("=");
            let is_kept = option
                .peek(0)
                .is_some_and(|engine| KEEPING_ENGINES.contains(&engine.text.to_ascii_lowercase().as_str()));
            // A column may have the name, too.
            let is_column = action.words.before(place).is_some_and(|before| {
                before.is_any(&["ADD", "AFTER", "ALTER", "CHANGE", "COLUMN", "DROP", "MODIFY", "TO", "EXISTS"])
            });
            if !is_kept && !is_column {
                actions.changes.push(Effect::opaque("the engine may not keep the rows"));
            }
        }
    }
}

fn read_action(action: &mut Cursor<'_, '_>, table: &ObjectName, actions: &mut Actions) -> Option<()> {
    match () {
        () if action.take(&["ADD"]) => {
            added(*action, &mut actions.changes);
            Some(())
        }
        () if action.take(&["DROP"]) => dropped(action, table, actions),
        () if action.take(&["MODIFY"]) || action.take(&["CHANGE"]) => {
            let is_change = action.words.before(action.at).is_some_and(|verb| verb.is("CHANGE"));
            action.take(&["COLUMN"]);
            action.take_if_exists();
            let column = action.name()?;
            let to = if is_change { action.name()? } else { column.clone() };
            let of_type = type_text(action)?;
            actions.changes.push(Effect::ChangeType {
                table: table.clone(),
                column: column.clone(),
                to: of_type,
                using: false,
            });
            if column != to {
                actions.columns.push((column, to));
            }
            added(*action, &mut actions.changes);
            Some(())
        }
        () if action.take(&["RENAME"]) => renamed(action, actions),
        () if action.take(&["ALTER"]) => altered(action),
        () if action.take(&["CONVERT", "TO"]) => {
            let is_named = action.take(&["CHARACTER", "SET"]) || action.take(&["CHARSET"]);
            action.take_symbol("=");
            if !is_named || !action.peek(0)?.text.eq_ignore_ascii_case("utf8mb4") {
                actions.changes.push(Effect::opaque("characters may be lost in another character set"));
            }
            Some(())
        }
        () if action.take(&["DISCARD", "TABLESPACE"]) => {
            actions.changes.push(Effect::Truncate { table: table.clone(), cascade: false });
            Some(())
        }
        () if action.take(&["WITH", "VALIDATION"]) || action.take(&["WAIT"]) || action.take(&["NOWAIT"]) => Some(()),
        () => action.is_any(&HARMLESS).then_some(()),
    }
}

fn dropped(action: &mut Cursor<'_, '_>, table: &ObjectName, actions: &mut Actions) -> Option<()> {
    if action.take(&["SYSTEM", "VERSIONING"]) {
        actions.changes.push(Effect::opaque(format!("the history of `{table}` is lost")));
        return Some(());
    }
    let is_key = action.is_any(&["INDEX", "KEY", "CHECK", "CONSTRAINT"])
        || action.take(&["PRIMARY", "KEY"])
        || action.take(&["FOREIGN", "KEY"])
        || action.take(&["PERIOD", "FOR"]);
    if is_key {
        return Some(());
    }
    action.take(&["COLUMN"]);
    action.take_if_exists();
    let column = action.name()?;
    action.take_any(&["CASCADE", "RESTRICT"]);
    actions.changes.push(Effect::DropColumn { table: table.clone(), column, cascade: false });
    // What partitions the table may follow without a comma.
    (action.is_done() || action.is_any(&["PARTITION", "REMOVE"])).then_some(())
}

fn renamed(action: &mut Cursor<'_, '_>, actions: &mut Actions) -> Option<()> {
    if action.is_any(&["INDEX", "KEY"]) {
        return Some(());
    }
    if action.take(&["COLUMN"]) {
        action.take_if_exists();
        let from = action.name()?;
        action.take(&["TO"]).then_some(())?;
        actions.columns.push((from, action.name()?));
    } else {
        if !action.take_any(&["TO", "AS"]) {
            action.take_symbol("=");
        }
        actions.table = Some(action.object()?);
    }
    (action.is_done() || action.is_any(&["PARTITION", "REMOVE"])).then_some(())
}

/// `ALTER [COLUMN] c SET DEFAULT …` and the like, none of which touches a value.
fn altered(action: &mut Cursor<'_, '_>) -> Option<()> {
    action.take_any(&["COLUMN", "INDEX", "KEY", "CHECK", "CONSTRAINT"]);
    action.take_if_exists();
    action.name()?;
    let settings = ["SET", "DROP", "VISIBLE", "INVISIBLE", "IGNORED", "NOT", "ENFORCED"];
    action.take_any(&settings).then_some(())
}

/// Takes a type with what belongs to it.
fn type_text(action: &mut Cursor<'_, '_>) -> Option<String> {
    let start = action.at;
    action.name()?;
    action.take_group();
    while action.is_any(&OF_TYPES) {
        let names_set = action.is_any(&["CHARSET"]) || action.is("CHARACTER") && action.is_ahead(1, "SET");
        action.advance();
        if names_set {
            action.take(&["SET"]);
            action.advance();
        }
        action.take_group();
    }
    Some(action.words.text(start, action.at.min(action.end)))
}
