//! `CREATE` of anything.

use super::Grammar;
use crate::cursor::Cursor;
use crate::cursor::Read;
use crate::deed::Deed;
use crate::deed::Table;

impl Grammar {
    /// What follows `CREATE`.
    pub(super) fn create(self, cursor: &mut Cursor<'_>) -> Read<Deed> {
        let start = cursor.start();
        let replaces = cursor.take_all(&["OR", "REPLACE"]).then(|| cursor.since(start));
        if cursor.is_any(&["UNIQUE", "INDEX", "FULLTEXT", "ONLINE", "OFFLINE"])
            || cursor.is("SPATIAL") && cursor.ahead_is(1, "INDEX")
        {
            return self.create_index(cursor);
        }
        let mut table = Table { replaces, ..Table::default() };
        cursor.take_any(&["GLOBAL", "LOCAL", "UNLOGGED", "FOREIGN"]);
        table.temporary = cursor.take_any(&["TEMP", "TEMPORARY"]);
        if cursor.take("TABLE") {
            return self.create_table(cursor, table);
        }
        if cursor.take_all(&["VIRTUAL", "TABLE"]) {
            return virtual_table(cursor, table);
        }
        let definer = definer(cursor)?;
        cursor.take_any(&["MATERIALIZED", "RECURSIVE"]);
        if cursor.take("VIEW") {
            cursor.take_all(&["IF", "NOT", "EXISTS"]);
            let name = cursor.name()?;
            if cursor.is_symbol(b'(') {
                cursor.skip_group()?;
            }
            while !cursor.is_at_end() && !cursor.is("AS") {
                cursor.advance();
            }
            cursor.must("AS")?;
            let query = cursor.start()..cursor.text.len();
            cursor.skip_all();
            return Ok(Deed::CreateView { name, query, definer });
        }
        cursor.take("CONSTRAINT");
        if cursor.take("TRIGGER") {
            return trigger(cursor, definer);
        }
        if cursor.take_any(&["DATABASE", "SCHEMA"]) {
            cursor.take_all(&["IF", "NOT", "EXISTS"]);
            let name = cursor.name().ok();
            cursor.skip_all();
            return Ok(Deed::CreateDatabase(name));
        }
        if cursor.is_any(&["USER", "ROLE", "GROUP"]) {
            let account = format!("CREATE {}", cursor.ahead(0).to_ascii_uppercase());
            cursor.skip_all();
            return Ok(Deed::Account(account));
        }
        if cursor.take_any(&["PROCEDURE", "FUNCTION", "EVENT", "AGGREGATE", "PACKAGE"]) {
            cursor.skip_all();
            return Ok(Deed::CreateRoutine { definer });
        }
        if cursor.take_any(&["SEQUENCE", "SERVER", "TABLESPACE", "UNDO", "LOGFILE", "RESOURCE", "SPATIAL"])
            || !self.is_closed()
        {
            cursor.skip_all();
            return Ok(Deed::CreateOther);
        }
        Err(cursor.unread("what can be created, such as `TABLE`"))
    }

    /// Whether all that exists is known. PostgreSQL has much that is not looked at here.
    fn is_closed(self) -> bool {
        self.dialect != runner_policy_sdk::Dialect::Postgres
    }
}

/// `ALGORITHM = MERGE DEFINER = root@localhost SQL SECURITY INVOKER`
fn definer(cursor: &mut Cursor<'_>) -> Read<Option<std::ops::Range<usize>>> {
    let mut definer = None;
    loop {
        let start = cursor.start();
        if cursor.take("ALGORITHM") {
            cursor.must_symbol(b'=')?;
            cursor.word()?;
        } else if cursor.take_all(&["SQL", "SECURITY"]) {
            cursor.word()?;
        } else if cursor.take("DEFINER") {
            cursor.must_symbol(b'=')?;
            let names_account = !cursor.is("CURRENT_USER") && !cursor.is("CURRENT_ROLE");
            cursor.word()?;
            if cursor.take_symbol(b'@') {
                cursor.word()?;
            } else if cursor.is_symbol(b'(') {
                cursor.skip_group()?;
            }
            definer = names_account.then(|| cursor.since(start));
        } else {
            return Ok(definer);
        }
    }
}

/// SQLite: the columns are the module's business.
fn virtual_table(cursor: &mut Cursor<'_>, mut table: Table) -> Read<Deed> {
    table.name_start = cursor.start();
    table.if_not_exists = cursor.take_all(&["IF", "NOT", "EXISTS"]);
    table.derived = true;
    let name = cursor.name()?;
    cursor.must("USING")?;
    cursor.word()?;
    if cursor.is_symbol(b'(') {
        cursor.skip_group()?;
    }
    cursor.must_end()?;
    Ok(Deed::CreateTable { name, table })
}

/// Its body is not looked into: it runs later, row by row.
fn trigger(cursor: &mut Cursor<'_>, definer: Option<std::ops::Range<usize>>) -> Read<Deed> {
    cursor.take_all(&["IF", "NOT", "EXISTS"]);
    let name = cursor.name()?;
    while !cursor.is_at_end() && !cursor.is_any(&["ON", "BEGIN"]) {
        cursor.advance();
    }
    cursor.must("ON")?;
    let table = Some(cursor.name()?);
    cursor.skip_all();
    Ok(Deed::CreateTrigger { name, table, definer })
}
