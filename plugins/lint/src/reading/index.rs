//! Indexes and constraints.

use super::Grammar;
use super::column::columns;
use super::column::reference;
use crate::cursor::Cursor;
use crate::cursor::Read;
use crate::deed::Change;
use crate::deed::ChangeKind;
use crate::deed::Constraint;
use crate::deed::ConstraintKind;
use crate::deed::Deed;
use crate::deed::Index;
use crate::deed::IndexKind;
use crate::deed::Name;

impl Grammar {
    /// What follows `CREATE` where an index is created, `CREATE` included in what was read.
    pub(super) fn create_index(self, cursor: &mut Cursor<'_>) -> Read<Deed> {
        cursor.take_any(&["ONLINE", "OFFLINE"]);
        let kind = kind(cursor);
        let start = cursor.start();
        cursor.must("INDEX")?;
        let concurrently = cursor.take("CONCURRENTLY");
        let name_start = cursor.start();
        let if_not_exists = cursor.take_all(&["IF", "NOT", "EXISTS"]);
        let name = if cursor.is("ON") { None } else { Some(cursor.name()?) };
        using(cursor)?;
        cursor.must("ON")?;
        cursor.take("ONLY");
        let table = cursor.name()?;
        using(cursor)?;
        let mut index = Index { name, kind, columns: columns(cursor)?, partial: false, span: cursor.since(start) };
        let mut options = Vec::new();
        while !cursor.is_at_end() {
            if cursor.take("WHERE") {
                index.partial = true;
                cursor.skip_all();
            } else if let Some(option) = online_option(cursor)? {
                options.push(option);
            } else if !index_option(cursor)? {
                return Err(cursor.unread("an option of the index"));
            }
        }
        Ok(Deed::CreateIndex { table, index, if_not_exists, concurrently, options, name_start })
    }

    /// What follows `DROP INDEX`.
    pub(super) fn drop_index(self, cursor: &mut Cursor<'_>) -> Read<Deed> {
        cursor.take("CONCURRENTLY");
        let name_start = cursor.start();
        let if_exists = cursor.take_all(&["IF", "EXISTS"]);
        let names = cursor.names()?;
        let table = if cursor.take("ON") { Some(cursor.name()?) } else { None };
        let mut options = Vec::new();
        while let Some(option) = online_option(cursor)? {
            options.push(option);
        }
        cursor.take_any(&["CASCADE", "RESTRICT"]);
        cursor.must_end()?;
        Ok(Deed::DropIndex { names, table, if_exists, options, name_start })
    }

    /// `INDEX …`, `UNIQUE KEY …` and the like in a table, if that is what comes.
    pub(super) fn table_index(self, cursor: &mut Cursor<'_>) -> Read<Option<Index>> {
        let start = cursor.start();
        let is_index = |cursor: &Cursor<'_>, at: usize| cursor.ahead_is(at, "INDEX") || cursor.ahead_is(at, "KEY");
        let special = cursor.is_any(&["FULLTEXT", "SPATIAL"]);
        if !self.is_mysql() || !(is_index(cursor, 0) || special || cursor.is("UNIQUE") && is_index(cursor, 1)) {
            return Ok(None);
        }
        let kind = kind(cursor);
        cursor.take_any(&["INDEX", "KEY"]);
        cursor.take_all(&["IF", "NOT", "EXISTS"]);
        let name = if cursor.is_symbol(b'(') || cursor.is("USING") { None } else { Some(cursor.name()?) };
        using(cursor)?;
        let columns = columns(cursor)?;
        while index_option(cursor)? {}
        Ok(Some(Index { name, kind, columns, partial: false, span: cursor.since(start) }))
    }

    /// A constraint of a table, if that is what comes.
    pub(super) fn constraint(self, cursor: &mut Cursor<'_>) -> Read<Option<Constraint>> {
        const BEGINNINGS: [&str; 6] = ["CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "EXCLUDE"];
        if !cursor.is_any(&BEGINNINGS) {
            return Ok(None);
        }
        let start = cursor.start();
        let mut name: Option<Name> = None;
        if cursor.take("CONSTRAINT") && !(cursor.is_any(&BEGINNINGS[1..]) && is_kind(cursor)) {
            cursor.take_all(&["IF", "NOT", "EXISTS"]);
            name = Some(cursor.name()?);
        }
        let what = self.constraint_kind(cursor, &mut name)?;
        self.constraint_options(cursor)?;
        Ok(Some(Constraint { name, what, span: cursor.since(start) }))
    }

    fn constraint_kind(self, cursor: &mut Cursor<'_>, name: &mut Option<Name>) -> Read<ConstraintKind> {
        if cursor.take_all(&["PRIMARY", "KEY"]) {
            if self.is_mysql() && !cursor.is_symbol(b'(') && !cursor.is("USING") {
                cursor.name()?;
            }
            using(cursor)?;
            return Ok(ConstraintKind::PrimaryKey(columns(cursor)?));
        }
        if cursor.take("UNIQUE") {
            cursor.take_any(&["KEY", "INDEX"]);
            if self.is_mysql() && !cursor.is_symbol(b'(') && !cursor.is("USING") {
                *name = Some(cursor.name()?);
            }
            if cursor.take("USING") {
                // `UNIQUE USING INDEX i`, in PostgreSQL.
                cursor.word()?;
                if !cursor.is_symbol(b'(') {
                    cursor.name()?;
                    return Ok(ConstraintKind::Other);
                }
            }
            cursor.take_all(&["NULLS", "NOT", "DISTINCT"]);
            return Ok(ConstraintKind::Unique(columns(cursor)?));
        }
        if cursor.take_all(&["FOREIGN", "KEY"]) {
            cursor.take_all(&["IF", "NOT", "EXISTS"]);
            if !cursor.is_symbol(b'(') {
                *name = Some(cursor.name()?);
            }
            let columns = columns(cursor)?;
            let reference = reference(cursor)?;
            return Ok(ConstraintKind::ForeignKey { columns, reference });
        }
        if cursor.take("CHECK") {
            cursor.skip_group()?;
            let enforced = !cursor.take_all(&["NOT", "ENFORCED"]);
            return Ok(ConstraintKind::Check { enforced });
        }
        if cursor.take("EXCLUDE") {
            cursor.skip_item();
            return Ok(ConstraintKind::Other);
        }
        Err(cursor.unread("`PRIMARY KEY`, `UNIQUE`, `FOREIGN KEY` or `CHECK`"))
    }

    fn constraint_options(self, cursor: &mut Cursor<'_>) -> Read<()> {
        loop {
            if cursor.take_all(&["ON", "CONFLICT"]) || cursor.take("INITIALLY") {
                cursor.word()?;
                continue;
            }
            let is_state = cursor.take_all(&["NOT", "VALID"])
                || cursor.take_all(&["NOT", "DEFERRABLE"])
                || cursor.take_any(&["DEFERRABLE", "ENFORCED", "AUTOINCREMENT"]);
            if !is_state && !index_option(cursor)? {
                return Ok(());
            }
        }
    }
}

/// Whether a word that begins a constraint is not the name of one.
fn is_kind(cursor: &Cursor<'_>) -> bool {
    cursor.ahead(1) == "("
        || ["KEY", "INDEX", "USING"].iter().any(|word| cursor.ahead_is(1, word))
        || cursor.is("UNIQUE")
}

fn kind(cursor: &mut Cursor<'_>) -> IndexKind {
    match () {
        () if cursor.take("UNIQUE") => IndexKind::Unique,
        () if cursor.take("FULLTEXT") => IndexKind::Fulltext,
        () if cursor.take("SPATIAL") => IndexKind::Spatial,
        () => IndexKind::Plain,
    }
}

fn using(cursor: &mut Cursor<'_>) -> Read<()> {
    if cursor.take("USING") {
        cursor.word()?;
    }
    Ok(())
}

fn index_option(cursor: &mut Cursor<'_>) -> Read<bool> {
    if cursor.take_any(&["KEY_BLOCK_SIZE", "COMMENT", "ENGINE_ATTRIBUTE", "CLUSTERING", "TABLESPACE"]) {
        cursor.take_symbol(b'=');
        cursor.advance();
    } else if cursor.take("WAIT") {
        cursor.advance();
    } else if cursor.take_all(&["WITH", "PARSER"]) || cursor.take("USING") {
        cursor.word()?;
    } else if cursor.take_any(&["INCLUDE", "WITH"]) {
        cursor.skip_group()?;
    } else if cursor.take("NULLS") {
        cursor.take("NOT");
        cursor.must("DISTINCT")?;
    } else {
        return Ok(
            cursor.take_any(&["VISIBLE", "INVISIBLE", "IGNORED", "NOWAIT"]) || cursor.take_all(&["NOT", "IGNORED"])
        );
    }
    Ok(true)
}

/// `ALGORITHM = …` or `LOCK = …`
pub(super) fn online_option(cursor: &mut Cursor<'_>) -> Read<Option<Change>> {
    let start = cursor.start();
    let is_algorithm = cursor.take("ALGORITHM");
    if !is_algorithm && !cursor.take("LOCK") {
        return Ok(None);
    }
    cursor.take_symbol(b'=');
    let value = cursor.word()?.to_ascii_uppercase();
    let what = if is_algorithm { ChangeKind::Algorithm(value) } else { ChangeKind::Lock(value) };
    Ok(Some(Change { what, span: cursor.since(start) }))
}
