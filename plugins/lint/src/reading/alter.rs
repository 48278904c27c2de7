//! `ALTER TABLE` with its changes, and `ALTER` of anything else.

use super::Grammar;
use super::index::online_option;
use crate::cursor::Cursor;
use crate::cursor::Read;
use crate::deed::Change;
use crate::deed::ChangeKind;
use crate::deed::Column;
use crate::deed::Deed;

impl Grammar {
    /// What follows `ALTER`.
    pub(super) fn alter(self, cursor: &mut Cursor<'_>) -> Read<Deed> {
        cursor.take_any(&["ONLINE", "OFFLINE"]);
        cursor.take("IGNORE");
        if cursor.take("TABLE") {
            let if_exists = cursor.take_all(&["IF", "EXISTS"]);
            cursor.take("ONLY");
            let table = cursor.name()?;
            cursor.take_symbol(b'*');
            if cursor.take("WAIT") {
                cursor.advance();
            }
            cursor.take("NOWAIT");
            let changes = self.changes(cursor)?;
            return Ok(Deed::AlterTable { table, changes, if_exists });
        }
        if cursor.is_any(&["USER", "ROLE"]) {
            let account = format!("ALTER {}", cursor.ahead(0).to_ascii_uppercase());
            cursor.skip_all();
            return Ok(Deed::Account(account));
        }
        let deed = if cursor.take_any(&["DATABASE", "SCHEMA"]) { Deed::AlterDatabase } else { Deed::Alter };
        let is_known = deed == Deed::AlterDatabase || self.dialect == runner_policy_sdk::Dialect::Postgres || {
            // `ALTER ALGORITHM = MERGE DEFINER = a@b VIEW v AS …`
            let words = [
                "VIEW",
                "EVENT",
                "PROCEDURE",
                "FUNCTION",
                "SEQUENCE",
                "SERVER",
                "TABLESPACE",
                "INSTANCE",
                "DEFINER",
                "ALGORITHM",
                "SQL",
            ];
            cursor.is_any(&words)
        };
        if !is_known {
            return Err(cursor.unread("what can be altered, such as `TABLE`"));
        }
        cursor.skip_all();
        Ok(deed)
    }

    fn changes(self, cursor: &mut Cursor<'_>) -> Read<Vec<Change>> {
        let mut changes = Vec::new();
        if cursor.is_at_end() {
            return Err(cursor.unread("a change of the table"));
        }
        loop {
            let before = cursor.clone();
            let start = cursor.start();
            match self.change(cursor, &mut changes) {
                Ok(what) if is_between(cursor) => changes.push(Change { what, span: cursor.since(start) }),
                // The changes around it may be understood.
                read => {
                    let expected = match read {
                        Ok(_) => cursor.unread("`,` or the end of the statement"),
                        Err(unread) => unread,
                    };
                    *cursor = before;
                    cursor.skip_item();
                    changes.push(Change { what: ChangeKind::Unknown(expected.expected), span: expected.span });
                    if cursor.is_symbol(b')') {
                        cursor.skip_all();
                    }
                }
            }
            if !cursor.take_symbol(b',') {
                return Ok(changes);
            }
            // MariaDB and MySQL let options of the table follow without a comma, so one may be left over.
            if cursor.is_at_end() {
                return Err(cursor.unread("a change of the table"));
            }
        }
    }

    /// One change; those that it holds beside the last one go to `changes`.
    fn change(self, cursor: &mut Cursor<'_>, changes: &mut Vec<Change>) -> Read<ChangeKind> {
        if let Some(option) = online_option(cursor)? {
            return Ok(option.what);
        }
        if cursor.take("ADD") {
            return self.add(cursor, changes);
        }
        if cursor.take("DROP") {
            return self.drop_part(cursor);
        }
        if cursor.take("RENAME") {
            return rename(cursor);
        }
        if cursor.take("MODIFY") {
            cursor.take("COLUMN");
            let if_exists = cursor.take_all(&["IF", "EXISTS"]);
            let column = self.column(cursor)?;
            let old = crate::deed::Name { schema: None, name: column.name.clone(), span: column.span.clone() };
            return Ok(ChangeKind::Redefine { old, column, if_exists });
        }
        if cursor.take("CHANGE") {
            cursor.take("COLUMN");
            let if_exists = cursor.take_all(&["IF", "EXISTS"]);
            let old = cursor.name()?;
            return Ok(ChangeKind::Redefine { old, column: self.column(cursor)?, if_exists });
        }
        if cursor.take("ALTER") {
            return self.alter_part(cursor);
        }
        self.option(cursor)
    }

    fn add(self, cursor: &mut Cursor<'_>, changes: &mut Vec<Change>) -> Read<ChangeKind> {
        if !cursor.is("COLUMN") {
            if let Some(index) = self.table_index(cursor)? {
                return Ok(ChangeKind::AddIndex(index));
            }
            if let Some(constraint) = self.constraint(cursor)? {
                return Ok(ChangeKind::AddConstraint(constraint));
            }
            if cursor.take("PARTITION")
                || cursor.is("SYSTEM") && cursor.ahead_is(1, "VERSIONING")
                || cursor.is("PERIOD")
            {
                cursor.skip_item();
                return Ok(ChangeKind::Partition);
            }
        }
        cursor.take("COLUMN");
        let if_not_exists = cursor.take_all(&["IF", "NOT", "EXISTS"]);
        if !cursor.take_symbol(b'(') {
            return Ok(ChangeKind::AddColumn { column: self.column(cursor)?, if_not_exists });
        }
        let mut last: Column = self.column(cursor)?;
        while cursor.take_symbol(b',') {
            let column = std::mem::replace(&mut last, self.column(cursor)?);
            let span = column.span.clone();
            changes.push(Change { what: ChangeKind::AddColumn { column, if_not_exists }, span });
        }
        cursor.must_symbol(b')')?;
        Ok(ChangeKind::AddColumn { column: last, if_not_exists })
    }

    fn drop_part(self, cursor: &mut Cursor<'_>) -> Read<ChangeKind> {
        if cursor.take_all(&["PRIMARY", "KEY"]) {
            return Ok(ChangeKind::DropPrimaryKey);
        }
        if cursor.take_all(&["FOREIGN", "KEY"]) {
            cursor.take_all(&["IF", "EXISTS"]);
            return Ok(ChangeKind::DropForeignKey(cursor.name()?));
        }
        if self.is_mysql() && cursor.take_any(&["INDEX", "KEY"]) {
            cursor.take_all(&["IF", "EXISTS"]);
            return Ok(ChangeKind::DropIndex(cursor.name()?));
        }
        if cursor.take("CONSTRAINT") || self.is_mysql() && cursor.take("CHECK") {
            cursor.take_all(&["IF", "EXISTS"]);
            let name = cursor.name()?;
            cursor.take_any(&["CASCADE", "RESTRICT"]);
            return Ok(ChangeKind::DropConstraint(name));
        }
        if self.is_mysql() && cursor.take("PARTITION") {
            cursor.take_all(&["IF", "EXISTS"]);
            let names: Vec<String> = cursor.names()?.into_iter().map(|name| name.name).collect();
            return Ok(ChangeKind::DropPartition(names.join("`, `")));
        }
        if cursor.take_all(&["SYSTEM", "VERSIONING"]) || cursor.take_all(&["PERIOD", "FOR"]) {
            cursor.skip_item();
            return Ok(ChangeKind::Rebuild("DROP SYSTEM VERSIONING".to_owned()));
        }
        cursor.take("COLUMN");
        let if_exists = cursor.take_all(&["IF", "EXISTS"]);
        let column = cursor.name()?;
        cursor.take_any(&["CASCADE", "RESTRICT"]);
        Ok(ChangeKind::DropColumn { column, if_exists })
    }

    /// What follows `ALTER` within `ALTER TABLE`.
    fn alter_part(self, cursor: &mut Cursor<'_>) -> Read<ChangeKind> {
        if self.is_mysql() && cursor.take_any(&["INDEX", "KEY", "CHECK", "CONSTRAINT"]) {
            cursor.name()?;
            cursor.skip_item();
            return Ok(ChangeKind::Metadata);
        }
        cursor.take("COLUMN");
        let column = cursor.name()?;
        if cursor.take_all(&["SET", "NOT", "NULL"]) {
            return Ok(ChangeKind::SetNotNull(column));
        }
        if cursor.take_all(&["DROP", "NOT", "NULL"]) {
            return Ok(ChangeKind::DropNotNull(column));
        }
        if cursor.take("TYPE") || cursor.take_all(&["SET", "DATA", "TYPE"]) {
            let data_type = self.data_type(cursor)?;
            cursor.skip_item();
            return Ok(ChangeKind::ChangeType { column, data_type });
        }
        if cursor.is_any(&["SET", "DROP", "ADD", "RESTART"]) {
            cursor.skip_item();
            return Ok(ChangeKind::Metadata);
        }
        Err(cursor.unread("`SET` or `DROP`"))
    }

    /// Options of the table and of its storage.
    fn option(self, cursor: &mut Cursor<'_>) -> Read<ChangeKind> {
        const REBUILD: [&str; 8] = [
            "ROW_FORMAT",
            "KEY_BLOCK_SIZE",
            "ENCRYPTION",
            "ENCRYPTED",
            "PAGE_COMPRESSED",
            "TABLESPACE",
            "COMPRESSION",
            "PAGE_COMPRESSION_LEVEL",
        ];
        const METADATA: [&str; 13] = [
            "AUTO_INCREMENT",
            "COMMENT",
            "DEFAULT",
            "CHARACTER",
            "CHARSET",
            "COLLATE",
            "STATS_PERSISTENT",
            "STATS_AUTO_RECALC",
            "STATS_SAMPLE_PAGES",
            "MAX_ROWS",
            "MIN_ROWS",
            "AVG_ROW_LENGTH",
            "CHECKSUM",
        ];
        if self.is_mysql() {
            if cursor.take("ENGINE") {
                cursor.take_symbol(b'=');
                return Ok(ChangeKind::Engine(cursor.word()?));
            }
            if cursor.take_all(&["CONVERT", "TO"]) {
                let charset = cursor.take("CHARSET") || cursor.take_all(&["CHARACTER", "SET"]);
                if !charset {
                    return Err(cursor.unread("`CHARACTER SET`"));
                }
                let charset = cursor.word()?;
                if cursor.take("COLLATE") {
                    cursor.take_symbol(b'=');
                    cursor.word()?;
                }
                return Ok(ChangeKind::Convert(charset));
            }
            if cursor.take("FORCE") || cursor.is_any(&REBUILD) || cursor.is("ORDER") {
                let name = if cursor.is_any(&REBUILD) || cursor.is("ORDER") { cursor.ahead(0) } else { "FORCE" };
                let name = name.to_ascii_uppercase();
                cursor.skip_item();
                return Ok(ChangeKind::Rebuild(name));
            }
            if let Some(change) = partitions(cursor) {
                return Ok(change);
            }
            if cursor.is_any(&METADATA) {
                cursor.skip_item();
                return Ok(ChangeKind::Metadata);
            }
            const QUIET: [&str; 6] = ["DISABLE", "ENABLE", "WITH", "WITHOUT", "UNION", "INSERT_METHOD"];
            if cursor.is_any(&QUIET) {
                cursor.skip_item();
                return Ok(ChangeKind::Metadata);
            }
        } else if self.dialect == runner_policy_sdk::Dialect::Postgres {
            cursor.skip_item();
            return Ok(ChangeKind::Metadata);
        }
        Err(cursor.unread("a change of the table"))
    }
}

/// Whether a change ends here.
fn is_between(cursor: &Cursor<'_>) -> bool {
    cursor.is_at_end() || cursor.is_symbol(b',')
}

fn rename(cursor: &mut Cursor<'_>) -> Read<ChangeKind> {
    if cursor.take_any(&["INDEX", "KEY", "CONSTRAINT"]) {
        cursor.name()?;
        cursor.must("TO")?;
        cursor.name()?;
        return Ok(ChangeKind::RenameIndex);
    }
    // `RENAME a TO b`, where `COLUMN` is left out, and `RENAME b` for the table.
    let is_column = cursor.take("COLUMN") || !cursor.is_any(&["TO", "AS"]) && cursor.ahead_is(1, "TO");
    if is_column {
        cursor.take_all(&["IF", "EXISTS"]);
        let old = cursor.name()?;
        cursor.must("TO")?;
        return Ok(ChangeKind::RenameColumn { old, new: cursor.name()? });
    }
    cursor.take_any(&["TO", "AS"]);
    cursor.take_symbol(b'=');
    Ok(ChangeKind::RenameTable(cursor.name()?))
}

fn partitions(cursor: &mut Cursor<'_>) -> Option<ChangeKind> {
    const VERBS: [&str; 11] = [
        "PARTITION",
        "REMOVE",
        "COALESCE",
        "REORGANIZE",
        "EXCHANGE",
        "ANALYZE",
        "CHECK",
        "OPTIMIZE",
        "REBUILD",
        "REPAIR",
        "CONVERT",
    ];
    let is_space = cursor.is_any(&["DISCARD", "IMPORT"]);
    let change = match () {
        () if cursor.is("TRUNCATE") && cursor.ahead_is(1, "PARTITION") => {
            ChangeKind::TruncatePartition(cursor.ahead(2).to_owned())
        }
        // They leave the rows where they are.
        () if cursor.is_any(&["EXCHANGE", "ANALYZE", "CHECK"]) => ChangeKind::Metadata,
        () if is_space || cursor.is_any(&VERBS) => ChangeKind::Partition,
        () => return None,
    };
    // A list of partitions has commas of its own.
    cursor.skip_all();
    Some(change)
}
