//! `DROP` of anything.

use super::Grammar;
use crate::cursor::Cursor;
use crate::cursor::Read;
use crate::deed::Deed;
use crate::deed::Object;

impl Grammar {
    /// What follows `DROP`.
    pub(super) fn drop(self, cursor: &mut Cursor<'_>) -> Read<Deed> {
        let temporary = cursor.take("TEMPORARY");
        cursor.take("FOREIGN");
        if cursor.take_any(&["TABLE", "TABLES"]) {
            let name_start = cursor.start();
            let if_exists = cursor.take_all(&["IF", "EXISTS"]);
            let names = cursor.names()?;
            if cursor.take("WAIT") {
                cursor.advance();
            }
            cursor.take("NOWAIT");
            let start = cursor.start();
            let cascade = cursor.take("CASCADE").then(|| cursor.since(start));
            cursor.take("RESTRICT");
            cursor.must_end()?;
            return Ok(Deed::DropTable { names, if_exists, temporary, cascade, name_start });
        }
        if cursor.take("INDEX") {
            return self.drop_index(cursor);
        }
        if cursor.take("DATABASE") || self.is_mysql() && cursor.take("SCHEMA") {
            cursor.take_all(&["IF", "EXISTS"]);
            let name = cursor.name()?;
            cursor.skip_all();
            return Ok(Deed::DropDatabase(name));
        }
        if cursor.is_any(&["USER", "ROLE"]) {
            let account = format!("DROP {}", cursor.ahead(0).to_ascii_uppercase());
            cursor.skip_all();
            return Ok(Deed::Account(account));
        }
        cursor.take("MATERIALIZED");
        let object = match () {
            () if cursor.take("VIEW") => Object::View,
            () if cursor.take("TRIGGER") => Object::Trigger,
            () if cursor.take_any(&["PROCEDURE", "FUNCTION", "EVENT", "SEQUENCE", "SERVER", "PACKAGE"]) => {
                Object::Other
            }
            () if self.dialect == runner_policy_sdk::Dialect::Postgres => {
                cursor.skip_all();
                return Ok(Deed::Drop { object: Object::Other, names: Vec::new(), if_exists: false, name_start: 0 });
            }
            () => return Err(cursor.unread("what can be dropped, such as `TABLE`")),
        };
        let name_start = cursor.start();
        let if_exists = cursor.take_all(&["IF", "EXISTS"]);
        let names = cursor.names()?;
        cursor.skip_all();
        Ok(Deed::Drop { object, names, if_exists, name_start })
    }
}
