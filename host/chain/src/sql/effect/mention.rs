//! Which tables a definition reads or changes, and which names stand in it: for those databases that keep views and triggers
//! as texts and know no more of them.

use std::collections::BTreeSet;
use std::collections::HashSet;

use crate::dialect::Dialect;

use super::ObjectName;
use super::words::{Kind, Words};

/// After these a table is named.
const BEFORE_TABLES: [&str; 7] = ["FROM", "INTO", "JOIN", "REFERENCES", "STRAIGHT_JOIN", "TABLE", "UPDATE"];
/// What may stand between them and the table.
const IN_BETWEEN: [&str; 11] =
    ["ABORT", "EXISTS", "FAIL", "IF", "IGNORE", "LATERAL", "LOW_PRIORITY", "ONLY", "OR", "REPLACE", "ROLLBACK"];
/// What no table is called without quotes: something else begins.
const NO_TABLES: [&str; 12] =
    ["BEGIN", "CASCADE", "NO", "OF", "ON", "RESTRICT", "SELECT", "SET", "USING", "VALUES", "WHERE", "WITH"];
/// What ends a list of tables.
const ENDS: [&str; 15] = [
    "EXCEPT",
    "FOR",
    "GROUP",
    "HAVING",
    "INTERSECT",
    "LIMIT",
    "ORDER",
    "PROCEDURE",
    "RETURNING",
    "SELECT",
    "SET",
    "UNION",
    "VALUES",
    "WHERE",
    "WINDOW",
];
/// Functions that have a `FROM` among their arguments.
const WITH_FROM: [&str; 6] = ["EXTRACT", "OVERLAY", "POSITION", "SUBSTR", "SUBSTRING", "TRIM"];

/// What a definition mentions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentions {
    /// Tables and views, each once.
    pub relations: Vec<ObjectName>,
    /// All names in it that are no aliases, in lower case; columns are among them.
    pub names: BTreeSet<String>,
    /// Whether it takes all columns of something (`*`).
    pub takes_all: bool,
}

/// What a definition mentions: a view, a trigger, the body of a routine. `None` if it can't be read.
pub fn mentions(definition: &str, dialect: Dialect) -> Option<Mentions> {
    let words = Words::of(definition, dialect)?;
    let mut reader = Reader { words: &words, found: Mentions::default(), levels: vec![Level::default()] };
    let mut place = 0;
    while words.get(place).is_some() {
        place = reader.read(place);
    }
    let Reader { mut found, .. } = reader;
    // What `WITH` calls by a name is no table.
    let own = common(&words);
    found.relations.retain(|relation| relation.schema.is_some() || !own.contains(&relation.name.to_lowercase()));
    Some(found)
}

/// What is known about one pair of parentheses.
#[derive(Debug, Default, Clone, Copy)]
struct Level {
    /// Within a list of tables, where a comma goes before another one.
    lists: bool,
    /// A table is to follow.
    expects: bool,
    /// Within a function that uses `FROM` for something else.
    is_call: bool,
}

struct Reader<'w, 'a> {
    words: &'w Words<'a>,
    found: Mentions,
    levels: Vec<Level>,
}

impl Reader<'_, '_> {
    fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::default());
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    /// Reads what is at a place; gives the next one.
    fn read(&mut self, place: usize) -> usize {
        let words = self.words;
        let Some(word) = words.get(place) else { return place + 1 };
        match word.kind {
            Kind::Symbol => self.symbol(place, word.text),
            Kind::Bare if word.is_any(&BEFORE_TABLES) && !self.level().is_call => {
                self.level().lists = word.is_any(&["FROM", "JOIN", "STRAIGHT_JOIN", "UPDATE"]) || self.level().lists;
                self.level().expects = true;
            }
            // `x IN t` of SQLite.
            Kind::Bare if word.is("IN") => {
                let is_name = words.get(place + 1).is_some_and(|next| matches!(next.kind, Kind::Bare | Kind::Quoted));
                self.level().expects = is_name && words.dialect == Dialect::Sqlite;
            }
            Kind::Bare if word.is_any(&ENDS) => {
                *self.level() = Level { is_call: self.level().is_call, ..Level::default() }
            }
            Kind::Bare if self.level().expects && word.is_any(&IN_BETWEEN) => {}
            Kind::Bare if self.level().expects && word.is_any(&NO_TABLES) => self.level().expects = false,
            _ if self.level().expects => return self.relation(place),
            _ => self.name(place),
        }
        place + 1
    }

    fn symbol(&mut self, place: usize, symbol: &str) {
        match symbol {
            "(" | "[" => {
                let is_call = self.words.before(place).is_some_and(|word| word.is_any(&WITH_FROM));
                let expects = self.level().expects;
                self.level().expects = false;
                self.levels.push(Level { lists: expects, expects, is_call });
            }
            ")" | "]" => {
                self.levels.pop();
                self.level().expects = false;
            }
            "," => {
                let lists = self.level().lists;
                self.level().expects = lists;
            }
            ";" => self.levels = vec![Level::default()],
            "*" => {
                let before = self.words.before(place);
                self.found.takes_all |= before.is_some_and(|word| {
                    word.is_symbol(".") || word.is_symbol(",") || word.is_any(&["SELECT", "ALL", "DISTINCT"])
                });
            }
            _ => {}
        }
    }

    /// Takes the name of a table.
    fn relation(&mut self, mut place: usize) -> usize {
        self.level().expects = false;
        let Some(mut name) = self.words.name(place) else { return place + 1 };
        let mut schema = None;
        while self.words.get(place + 1).is_some_and(|word| word.is_symbol(".")) {
            let Some(next) = self.words.name(place + 2) else { break };
            schema = Some(std::mem::replace(&mut name, next));
            place += 2;
        }
        let relation = ObjectName { schema, name };
        if !self.found.relations.contains(&relation) {
            self.found.relations.push(relation);
        }
        place + 1
    }

    fn name(&mut self, place: usize) {
        if self.words.before(place).is_some_and(|before| before.is("AS")) {
            return;
        }
        if matches!(self.words.get(place).map(|word| word.kind), Some(Kind::Bare | Kind::Quoted))
            && let Some(name) = self.words.name(place)
        {
            self.found.names.insert(name.to_lowercase());
        }
    }
}

/// What `WITH` gives a name: `name AS (…)` and `name (columns) AS (…)`.
fn common(words: &Words<'_>) -> HashSet<String> {
    let mut names = HashSet::new();
    let mut place = 0;
    let mut follows_with = false;
    while let Some(word) = words.get(place) {
        follows_with |= word.is("WITH");
        if follows_with && word.is("AS") {
            let mut name = place.checked_sub(1);
            if let Some(end) = name.filter(|&end| words.get(end).is_some_and(|word| word.is_symbol(")"))) {
                name = words.partner(end).checked_sub(1);
            }
            let opens =
                words.get(place + 1).is_some_and(|next| next.is_symbol("(") || next.is_any(&["NOT", "MATERIALIZED"]));
            if let Some(name) = name.filter(|_| opens).and_then(|name| words.name(name)) {
                names.insert(name.to_lowercase());
            }
        }
        place += 1;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relations(sql: &str, dialect: Dialect) -> String {
        let found = mentions(sql, dialect).unwrap();
        found.relations.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn tables_are_found_where_tables_are_named() {
        use Dialect::{Mysql, Sqlite};
        for (dialect, sql, expected) in [
            (
                Sqlite,
                "CREATE VIEW v AS SELECT t, a.u FROM x AS t, main.y z JOIN \"My \"\"T\" ON t = z WHERE w IN q",
                "x main.y My \"T q",
            ),
            (
                Sqlite,
                "CREATE VIEW v AS WITH t(a) AS (SELECT 1 FROM [b c]), u AS MATERIALIZED (SELECT 2) SELECT * FROM t, u, d",
                "b c d",
            ),
            (Sqlite, "CREATE VIEW v AS SELECT 'FROM t' /* FROM u */ FROM (SELECT a, b FROM (w, x)), y -- z", "w x y"),
            (
                Sqlite,
                "CREATE TRIGGER a AFTER UPDATE OF b ON c BEGIN UPDATE OR IGNORE d SET x = 1, y = e; INSERT INTO f (g, h) SELECT i, j FROM k; \
                 DELETE FROM l WHERE m IN (n, o); END",
                "d f k l",
            ),
            (
                Mysql,
                "select `a`.`b` AS `c`, extract(year from `t`) from ((`db`.`x` `a` join `db`.`y` on(`a`.`i` = `y`.`i`)) left join `z` on(1)) order by `q`, `r`",
                "db.x db.y z",
            ),
            (Mysql, "BEGIN INSERT INTO a VALUES (NEW.b, 'x'); REPLACE INTO c SELECT * FROM d FOR UPDATE; END", "a c d"),
        ] {
            assert_eq!(relations(sql, dialect), expected, "{sql}");
        }
    }

    #[test]
    fn aliases_are_no_columns() {
        let found = mentions("CREATE VIEW v AS SELECT p.Name AS email, 2 * age, p.* FROM p", Dialect::Sqlite).unwrap();
        assert!(found.names.contains("name") && found.names.contains("age") && found.takes_all);
        assert!(!found.names.contains("email"));
        assert!(!mentions("SELECT a * b, count(*) FROM t", Dialect::Sqlite).unwrap().takes_all);
    }
}
