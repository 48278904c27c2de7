//! Statements that administer: privileges, variables, transactions, upkeep.

use super::Grammar;
use crate::cursor::Cursor;
use crate::cursor::Read;
use crate::deed::Deed;
use crate::deed::Setting;

impl Grammar {
    /// Reads what begins with any other word.
    pub(super) fn other(self, cursor: &mut Cursor<'_>) -> Read<Deed> {
        /// Known, and of no interest.
        const QUIET: [&str; 33] = [
            "EXPLAIN",
            "DESCRIBE",
            "DESC",
            "ANALYZE",
            "ATTACH",
            "CALL",
            "CHECK",
            "CHECKSUM",
            "CLOSE",
            "COMMENT",
            "DECLARE",
            "DETACH",
            "DO",
            "EXECUTE",
            "FLUSH",
            "HANDLER",
            "HELP",
            "INSTALL",
            "KILL",
            "LOAD",
            "PREPARE",
            "DEALLOCATE",
            "REFRESH",
            "REINDEX",
            "RESET",
            "SHOW",
            "SIGNAL",
            "UNINSTALL",
            "USE",
            "COPY",
            "NOTIFY",
            "LISTEN",
            "SECURITY",
        ];
        if cursor.is_at_end() {
            return Ok(Deed::Other);
        }
        let is_block = cursor.is("BEGIN") && cursor.ahead_is(1, "NOT");
        if self.is_mysql() && (is_block || cursor.is_any(&["EXECUTE", "PREPARE"])) {
            return finished(cursor, Deed::RunsOthers);
        }
        if cursor.take("RENAME") {
            return self.rename(cursor);
        }
        if cursor.take("TRUNCATE") {
            cursor.take("TABLE");
            cursor.take("ONLY");
            let tables = cursor.names()?;
            cursor.take_any(&["WAIT", "NOWAIT"]);
            cursor.take_all(&["RESTART", "IDENTITY"]);
            let start = cursor.start();
            let cascade = cursor.take("CASCADE").then(|| cursor.since(start));
            return finished(cursor, Deed::Truncate { tables, cascade });
        }
        if cursor.take("GRANT") {
            return Ok(grant(cursor));
        }
        if cursor.take("REVOKE") {
            return finished(cursor, Deed::Revoke);
        }
        if cursor.take("PRAGMA") {
            return pragma(cursor);
        }
        if cursor.take("SET") {
            return set(cursor);
        }
        if let Some(deed) = transaction(cursor) {
            return finished(cursor, deed);
        }
        if cursor.is_any(&["LOCK", "UNLOCK"]) {
            return finished(cursor, Deed::LockTables);
        }
        if cursor.is_any(&["OPTIMIZE", "VACUUM", "REPAIR", "CLUSTER"]) {
            let verb = cursor.ahead(0).to_ascii_uppercase();
            return finished(cursor, Deed::Maintain(verb));
        }
        if cursor.is_any(&QUIET) || self.dialect == runner_policy_sdk::Dialect::Postgres {
            return finished(cursor, Deed::Other);
        }
        Err(cursor.unread("a statement"))
    }

    fn rename(self, cursor: &mut Cursor<'_>) -> Read<Deed> {
        if cursor.is("USER") {
            return finished(cursor, Deed::Account("RENAME USER".to_owned()));
        }
        if !cursor.take_any(&["TABLE", "TABLES"]) {
            return Err(cursor.unread("`TABLE`"));
        }
        cursor.take_all(&["IF", "EXISTS"]);
        let mut pairs = Vec::new();
        loop {
            let old = cursor.name()?;
            cursor.take_any(&["WAIT", "NOWAIT"]);
            cursor.must("TO")?;
            pairs.push((old, cursor.name()?));
            if !cursor.take_symbol(b',') {
                break;
            }
        }
        cursor.must_end()?;
        Ok(Deed::RenameTables(pairs))
    }
}

fn finished(cursor: &mut Cursor<'_>, deed: Deed) -> Read<Deed> {
    cursor.skip_all();
    Ok(deed)
}

fn grant(cursor: &mut Cursor<'_>) -> Deed {
    let start = cursor.start();
    let all = cursor.take("ALL").then(|| {
        cursor.take("PRIVILEGES");
        cursor.since(start)
    });
    let (mut public, mut option) = (None, None);
    while !cursor.is_at_end() {
        let start = cursor.start();
        if cursor.take_all(&["TO", "PUBLIC"]) {
            public = Some(cursor.since(start));
        } else if cursor.take_all(&["WITH", "GRANT", "OPTION"]) || cursor.take_all(&["WITH", "ADMIN", "OPTION"]) {
            option = Some(cursor.since(start));
        } else {
            cursor.advance();
        }
    }
    Deed::Grant { all, public, option }
}

fn pragma(cursor: &mut Cursor<'_>) -> Read<Deed> {
    let name = cursor.name()?.name.to_ascii_lowercase();
    let mut value = None;
    if cursor.take_symbol(b'=') {
        let start = cursor.start();
        cursor.take_symbol(b'-');
        cursor.advance();
        value = Some(cursor.text[cursor.since(start)].to_owned());
    } else if cursor.is_symbol(b'(') {
        let group = cursor.group()?;
        value = group.first().map(|first| first.of(cursor.text).to_owned());
    }
    cursor.must_end()?;
    Ok(Deed::Pragma { name, value })
}

/// `SET a = 1, GLOBAL b = 2`, `SET NAMES utf8`, `SET PASSWORD …`
fn set(cursor: &mut Cursor<'_>) -> Read<Deed> {
    if cursor.is("PASSWORD") || cursor.is("ROLE") || cursor.is("DEFAULT") && cursor.ahead_is(1, "ROLE") {
        let account = format!("SET {}", cursor.ahead(0).to_ascii_uppercase());
        let is_password = cursor.is("PASSWORD");
        return finished(cursor, if is_password { Deed::Account(account) } else { Deed::Other });
    }
    let mut settings = Vec::new();
    while !cursor.is_at_end() {
        let start = cursor.start();
        while cursor.take_symbol(b'@') {}
        let global = cursor.take_any(&["GLOBAL", "PERSIST", "PERSIST_ONLY"]);
        cursor.take_any(&["SESSION", "LOCAL"]);
        cursor.take_symbol(b'.');
        let Ok(name) = cursor.name() else { break };
        cursor.take_symbol(b':');
        if !cursor.take_symbol(b'=') && !cursor.take("TO") {
            // `SET NAMES utf8mb4`, `SET TRANSACTION …`, `SET CONSTRAINTS …`
            break;
        }
        let value = cursor.start();
        cursor.skip_item();
        let value = cursor.text[cursor.since(value)].to_owned();
        settings.push(Setting { global, name: name.name.to_ascii_lowercase(), value, span: cursor.since(start) });
        if !cursor.take_symbol(b',') {
            break;
        }
    }
    finished(cursor, Deed::Set(settings))
}

fn transaction(cursor: &mut Cursor<'_>) -> Option<Deed> {
    if cursor.is("BEGIN") && cursor.ahead_is(1, "NOT") {
        // `BEGIN NOT ATOMIC`, a block of MariaDB.
        return Some(Deed::Other);
    }
    if cursor.is("BEGIN") || cursor.is("START") && cursor.ahead_is(1, "TRANSACTION") {
        return Some(Deed::Begin);
    }
    if cursor.is("XA") {
        return Some(Deed::Begin);
    }
    if cursor.is_any(&["COMMIT", "END"]) {
        return Some(Deed::Commit);
    }
    if cursor.is("ROLLBACK") {
        return Some(if cursor.rest().iter().any(|lexeme| lexeme.is_word(cursor.text, "TO")) {
            Deed::Savepoint
        } else {
            Deed::Rollback
        });
    }
    cursor.is_any(&["SAVEPOINT", "RELEASE", "ABORT"]).then_some(Deed::Savepoint)
}
