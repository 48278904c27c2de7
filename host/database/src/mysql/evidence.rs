//! What the server shows of a statement of which nobody knows whether it ran: whether the one object that it makes or removes
//! is there. An object that is there may have been there before, so this never says that a statement ran.

use crate::backend::Evidence;

use super::literal::literal;
use super::statements::Words;

/// What to ask the server, and what its answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    /// A query for one number: how many such objects there are.
    pub(super) query: String,
    /// The object in words.
    object: String,
    /// Whether the statement makes it, rather than removing it.
    makes: bool,
}

impl Trace {
    /// What it says that there are this many.
    pub(super) fn read(&self, count: u64) -> Evidence {
        let object = &self.object;
        match (self.makes, count > 0) {
            (true, false) | (false, true) => Evidence::NotRun,
            (true, true) => Evidence::Unknown(format!(
                "{object} exists: compare it with the statement; if it may be made anew, drop it and run the command again"
            )),
            (false, false) => {
                Evidence::Unknown(format!("{object} does not exist: if the statement was to remove it, it is done"))
            }
        }
    }
}

/// A name, perhaps with a database in front.
struct Name {
    schema: String,
    name: String,
    shown: String,
    /// The place of the token after it.
    next: usize,
}

impl Name {
    fn read(words: &Words<'_>, at: usize) -> Option<Self> {
        let text = |index: usize| {
            let token = words.0.get(index).filter(|token| token.kind == crate::words::Kind::Word)?;
            Some(token.text.replace("``", "`"))
        };
        let first = text(at)?;
        if words.is_symbol(at + 1, ".") {
            let second = text(at + 2)?;
            let shown = format!("`{first}.{second}`");
            return Some(Self { schema: literal(&first), name: second, shown, next: at + 3 });
        }
        Some(Self { schema: "DATABASE()".to_owned(), shown: format!("`{first}`"), name: first, next: at + 1 })
    }
}

fn count(view: &str, schema_column: &str, name_column: &str, object: &Name, rest: &str) -> String {
    format!(
        "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.{view} WHERE {schema_column} = {} AND {name_column} = {}{rest}",
        object.schema,
        literal(&object.name)
    )
}

/// What to look for; `None` where one question cannot tell.
pub(super) fn trace(words: &Words<'_>) -> Option<Trace> {
    if words.is(0, "ALTER") {
        return altered(words);
    }
    if words.is(0, "RENAME") && words.is_any(1, &["TABLE", "TABLES"]) {
        return renamed(words);
    }
    let makes = words.is(0, "CREATE");
    if !makes && !words.is(0, "DROP") {
        return None;
    }
    const KINDS: [&str; 9] =
        ["TABLE", "VIEW", "INDEX", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "DATABASE", "SCHEMA"];
    let kind = (1..words.0.len().min(24)).find(|index| words.is_any(*index, &KINDS))?;
    let mut at = kind + 1;
    while words.is_any(at, &["IF", "NOT", "EXISTS"]) {
        at += 1;
    }
    let object = Name::read(words, at)?;
    let is_list = !makes && words.is_symbol(object.next, ",");
    if is_list {
        return None;
    }
    let shown = object.shown.clone();
    let trace = |query: String, object: String| Some(Trace { query, object, makes });
    match words.0.get(kind)?.text.to_ascii_uppercase().as_str() {
        "TABLE" | "VIEW" => trace(count("tables", "table_schema", "table_name", &object, ""), shown),
        "INDEX" => {
            let on = (object.next..words.0.len()).find(|index| words.is(*index, "ON"))?;
            let table = Name::read(words, on + 1)?;
            trace(index_query(&table, &object.name), format!("the index {shown} of {}", table.shown))
        }
        "TRIGGER" => {
            trace(count("triggers", "trigger_schema", "trigger_name", &object, ""), format!("the trigger {shown}"))
        }
        kind @ ("PROCEDURE" | "FUNCTION") => {
            let rest = format!(" AND routine_type = '{kind}'");
            let query = count("routines", "routine_schema", "routine_name", &object, &rest);
            trace(query, format!("the {} {shown}", kind.to_ascii_lowercase()))
        }
        "EVENT" => trace(count("events", "event_schema", "event_name", &object, ""), format!("the event {shown}")),
        _ => {
            let query = format!(
                "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.schemata WHERE schema_name = {}",
                literal(&object.name)
            );
            trace(query, format!("the database {shown}"))
        }
    }
}

fn index_query(table: &Name, index: &str) -> String {
    count("statistics", "table_schema", "table_name", table, &format!(" AND index_name = {}", literal(index)))
}

/// `RENAME TABLE a TO b`: not run if `a` is there and `b` is not.
fn renamed(words: &Words<'_>) -> Option<Trace> {
    let old = Name::read(words, 2)?;
    let new = words.is(old.next, "TO").then(|| Name::read(words, old.next + 1)).flatten()?;
    (new.next == words.0.len()).then(|| rename(&old, &new))
}

fn rename(old: &Name, new: &Name) -> Trace {
    let there = |name: &Name| count("tables", "table_schema", "table_name", name, "");
    Trace {
        query: format!("SELECT CAST(1 - (({}) = 1 AND ({}) = 0) AS CHAR)", there(old), there(new)),
        object: format!("{} instead of {}", new.shown, old.shown),
        makes: true,
    }
}

/// `ALTER TABLE t` with a single change.
fn altered(words: &Words<'_>) -> Option<Trace> {
    let mut at = (1..4).find(|index| words.is(*index, "TABLE"))? + 1;
    if words.is(at, "IF") && words.is(at + 1, "EXISTS") {
        at += 2;
    }
    let table = Name::read(words, at)?;
    let at = table.next;
    let mut depth = 0_usize;
    for index in at..words.0.len() {
        if words.is_symbol(index, "(") {
            depth += 1;
        } else if words.is_symbol(index, ")") {
            depth = depth.saturating_sub(1);
        } else if words.is_symbol(index, ",") && depth == 0 {
            return None;
        }
    }
    if words.is(at, "RENAME") {
        let to = if words.is_any(at + 1, &["TO", "AS"]) { at + 2 } else { at + 1 };
        if words.is_any(at + 1, &["COLUMN", "INDEX", "KEY"]) {
            return None;
        }
        return Some(rename(&table, &Name::read(words, to)?));
    }
    let makes = words.is(at, "ADD");
    if !makes && !words.is(at, "DROP") {
        return None;
    }
    part(words, at + 1, &table, makes)
}

/// The column, index or constraint that is added or dropped.
fn part(words: &Words<'_>, at: usize, table: &Name, makes: bool) -> Option<Trace> {
    let mut at = at;
    let is_constraint = words.is(at, "CONSTRAINT");
    let is_foreign = words.is(at, "FOREIGN");
    let is_index = words.is_any(at, &["INDEX", "KEY", "UNIQUE", "FULLTEXT", "SPATIAL"]);
    if words.is_any(at, &["PRIMARY", "CHECK", "PARTITION", "PERIOD", "SYSTEM"]) || (makes && is_foreign) {
        return None;
    }
    while words.is_any(
        at,
        &["COLUMN", "CONSTRAINT", "FOREIGN", "INDEX", "KEY", "UNIQUE", "FULLTEXT", "SPATIAL", "IF", "NOT", "EXISTS"],
    ) {
        at += 1;
    }
    let name = Name::read(words, at)?.name;
    let shown = |what: &str| format!("the {what} `{name}` of {}", table.shown);
    let condition = |column: &str| format!(" AND {column} = {}", literal(&name));
    let (query, object) = if is_constraint || is_foreign {
        let query = count("table_constraints", "table_schema", "table_name", table, &condition("constraint_name"));
        (query, shown("constraint"))
    } else if is_index {
        (index_query(table, &name), shown("index"))
    } else {
        let query = count("columns", "table_schema", "table_name", table, &condition("column_name"));
        (query, shown("column"))
    };
    Some(Trace { query, object, makes })
}

/// What to look at where there is no trace to look for.
pub(super) fn advice(words: &Words<'_>) -> String {
    let table = (0..4)
        .find(|index| words.is(*index, "TABLE"))
        .and_then(|index| Name::read(words, index + 1))
        .filter(|_| words.is_any(0, &["ALTER", "TRUNCATE"]));
    match table {
        Some(table) => format!("compare the statement with `SHOW CREATE TABLE {}`", table.shown.trim_matches('`')),
        None if words.is_any(0, &["CALL", "EXECUTE", "BEGIN"]) => "look at what it should have changed".to_owned(),
        None => "look at what it should have made, changed or removed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(sql: &str) -> Option<(String, bool)> {
        let found = trace(&Words::of(sql));
        found.map(|trace| (trace.object, trace.makes))
    }

    #[test]
    fn the_one_object_is_found() {
        for (sql, shown, makes) in [
            ("CREATE TABLE `t` (a INT)", "`t`", true),
            ("create definer=a@b view app.v as select 1", "`app.v`", true),
            ("CREATE UNIQUE INDEX i USING BTREE ON t (a)", "the index `i` of `t`", true),
            ("DROP INDEX i ON app.t", "the index `i` of `app.t`", false),
            ("CREATE PROCEDURE p() BEGIN CREATE TABLE t (a INT); END", "the procedure `p`", true),
            ("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1", "the trigger `g`", true),
            ("DROP TABLE t", "`t`", false),
            ("ALTER TABLE t ADD COLUMN c DECIMAL(5, 2)", "the column `c` of `t`", true),
            ("alter table t add c int", "the column `c` of `t`", true),
            ("ALTER TABLE t ADD UNIQUE KEY k (a, b)", "the index `k` of `t`", true),
            ("ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u (a)", "the constraint `f` of `t`", true),
            ("ALTER TABLE t DROP FOREIGN KEY f", "the constraint `f` of `t`", false),
            ("ALTER TABLE t DROP c", "the column `c` of `t`", false),
            ("ALTER TABLE a RENAME TO b", "`b` instead of `a`", true),
            ("RENAME TABLE a TO b", "`b` instead of `a`", true),
        ] {
            assert_eq!(object(sql), Some((shown.to_owned(), makes)), "{sql}");
        }
        for sql in [
            "DROP TABLE a, b",
            "ALTER TABLE t ADD a INT, ADD b INT",
            "ALTER TABLE t MODIFY a BIGINT",
            "ALTER TABLE t ADD PRIMARY KEY (a)",
            "RENAME TABLE a TO b, c TO d",
            "CALL p()",
            "TRUNCATE t",
        ] {
            assert_eq!(object(sql), None, "{sql}");
        }
        assert_eq!(
            advice(&Words::of("ALTER TABLE t MODIFY a BIGINT")),
            "compare the statement with `SHOW CREATE TABLE t`"
        );
    }
}
