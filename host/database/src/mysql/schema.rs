//! The schema of a MySQL or MariaDB database, as the server itself would write it down.

use sqlx::mysql::MySqlRow;

use crate::outbox::name_beside;
use crate::reading::Result;
use crate::schema::Schema;

use super::books::Books;
use super::link::Link;
use super::link::text;
use super::literal::quoted;

/// Kind and name of each object.
const OBJECTS: &str = "SELECT IF(table_type = 'VIEW', 'view', IF(table_type = 'SEQUENCE', 'sequence', 'table')), table_name \
       FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type <> 'TEMPORARY' \
     UNION ALL SELECT LOWER(routine_type), routine_name FROM information_schema.routines \
       WHERE routine_schema = DATABASE() AND routine_type IN ('PROCEDURE', 'FUNCTION') \
     UNION ALL SELECT 'trigger', trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE() \
     UNION ALL SELECT 'event', event_name FROM information_schema.events WHERE event_schema = DATABASE()";
/// So many are asked for in one text.
const TOGETHER: usize = 200;

impl Books {
    pub(super) async fn schema(&self, link: &mut Link) -> Result<Schema> {
        let found = link.ask(format!("{OBJECTS};\nSELECT DATABASE()")).await.complete()?;
        let mut objects = Vec::new();
        for row in found.sets.first().into_iter().flatten() {
            let (kind, name) = (text(row, 0)?.unwrap_or_default(), text(row, 1)?.unwrap_or_default());
            if !self.is_runners(&name) {
                objects.push((kind, name));
            }
        }
        let mut schema = Schema::default();
        let database = text(found.row(1)?, 0)?.unwrap_or_default();
        let options = link.ask(format!("SHOW CREATE DATABASE {}", quoted(&database))).await.complete()?;
        schema.add("database", "", text(options.row(0)?, 1)?.unwrap_or_default());
        for together in objects.chunks(TOGETHER) {
            let questions: Vec<String> = together
                .iter()
                .map(|(kind, name)| {
                    let kind = if kind == "sequence" { "TABLE".to_owned() } else { kind.to_ascii_uppercase() };
                    format!("SHOW CREATE {kind} {}", quoted(name))
                })
                .collect();
            let answers = link.ask(questions.join(";\n")).await.complete()?;
            for ((kind, name), rows) in together.iter().zip(&answers.sets) {
                let definition = rows.first().map_or(Ok(String::new()), |row| definition(kind, row))?;
                schema.add(kind.clone(), name.clone(), definition);
            }
        }
        Ok(schema)
    }

    pub(super) fn is_runners(&self, table: &str) -> bool {
        [&self.version, &self.ledger, &name_beside(&self.ledger)].iter().any(|own| own.name.eq_ignore_ascii_case(table))
    }
}

fn definition(kind: &str, row: &MySqlRow) -> std::result::Result<String, sqlx::Error> {
    let column = match kind {
        "table" | "sequence" | "view" => 1,
        "event" => 3,
        _ => 2,
    };
    let sql = text(row, column)?.unwrap_or_default();
    Ok(if kind == "table" { settled(&sql) } else { sql })
}

/// The definition of a table without what changes by itself: the next value of its counter, and the order of its keys.
fn settled(sql: &str) -> String {
    let mut columns = Vec::new();
    let mut keys = Vec::new();
    for line in sql.lines() {
        let plain = line.trim().trim_end_matches(',');
        let is_column = plain.starts_with('`');
        let is_option = plain.starts_with(')');
        if is_option {
            keys.sort_unstable();
            columns.append(&mut keys);
            columns.push(without_counter(plain));
        } else if is_column || columns.is_empty() || columns.iter().any(|line: &String| line.starts_with(')')) {
            columns.push(plain.to_owned());
        } else {
            keys.push(plain.to_owned());
        }
    }
    columns.join("\n")
}

fn without_counter(options: &str) -> String {
    options.split(' ').filter(|option| !option.starts_with("AUTO_INCREMENT=")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_and_the_order_of_keys_do_not_count() {
        let one = "CREATE TABLE `t` (\n  `b` int,\n  `a` int,\n  PRIMARY KEY (`a`),\n  KEY `x` (`b`)\n) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4";
        let other = "CREATE TABLE `t` (\n  `b` int,\n  `a` int,\n  KEY `x` (`b`),\n  PRIMARY KEY (`a`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4";
        assert_eq!(settled(one), settled(other));
        let swapped = one.replace("`b` int,\n  `a` int", "`a` int,\n  `b` int");
        assert_ne!(settled(one), settled(&swapped));
    }
}
