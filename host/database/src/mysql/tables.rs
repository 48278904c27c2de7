//! The tables of a database, and the SQL that makes each of them anew, as the server itself writes it.

use std::collections::HashMap;

use crate::contents::Form;
use crate::contents::Reference;
use crate::contents::Table;
use crate::contents::TableColumn;
use crate::contents::TableName;

use super::books::Books;
use super::link::Link;
use super::link::number;
use super::link::text;
use super::literal::quoted;

const TABLES: &str = "SELECT table_name, CAST(table_rows AS CHAR) FROM information_schema.tables \
     WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY table_name";
const COLUMNS: &str = "SELECT table_name, column_name, column_type, data_type, generation_expression, extra, column_default \
     FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position";
/// Of a text only the beginning may be in an index, which then tells nothing about the rest.
const KEYS: &str = "SELECT table_name, index_name, column_name FROM information_schema.statistics AS s \
     WHERE table_schema = DATABASE() AND non_unique = 0 AND NOT EXISTS (SELECT 1 FROM information_schema.statistics AS o \
       WHERE o.table_schema = DATABASE() AND o.table_name = s.table_name AND o.index_name = s.index_name \
         AND (o.nullable = 'YES' OR o.sub_part IS NOT NULL OR o.column_name IS NULL)) \
     ORDER BY table_name, index_name <> 'PRIMARY', index_name, seq_in_index";
const TRIGGERS: &str = "SELECT event_object_table, trigger_name FROM information_schema.triggers \
     WHERE trigger_schema = DATABASE() ORDER BY event_object_table, action_timing, event_manipulation, action_order";
const REFERENCES: &str = "SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_table_name, r.delete_rule \
     FROM information_schema.key_column_usage AS k JOIN information_schema.referential_constraints AS r \
       ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name \
     WHERE k.table_schema = DATABASE() AND k.referenced_table_name IS NOT NULL \
     ORDER BY k.table_name, k.constraint_name, k.ordinal_position";
/// Types whose values are bytes rather than text.
const BYTES: [&str; 17] = [
    "binary",
    "varbinary",
    "tinyblob",
    "blob",
    "mediumblob",
    "longblob",
    "bit",
    "geometry",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
    "geometrycollection",
    "geomcollection",
    "vector",
];
/// So many definitions are asked for in one text.
const TOGETHER: usize = 200;

impl Books {
    /// The tables, inside of the transaction of whoever asks.
    pub(super) async fn contents(&self, link: &mut Link) -> Result<Vec<Table>, sqlx::Error> {
        let found = link.ask([TABLES, COLUMNS, KEYS, TRIGGERS, REFERENCES].join(";\n")).await.complete()?;
        let set = |index: usize| found.sets.get(index).map_or(&[][..], Vec::as_slice);
        let mut tables: Vec<Table> = Vec::new();
        for row in set(0) {
            let name = text(row, 0)?.unwrap_or_default();
            if self.is_runners(&name) {
                continue;
            }
            tables.push(Table {
                schema: None,
                name,
                columns: Vec::new(),
                key: Vec::new(),
                children: Vec::new(),
                rows_estimate: number(row, 1)?,
                references: Vec::new(),
                has_triggers: false,
                holds_rows: true,
                create: Vec::new(),
                complete: Vec::new(),
                connect: Vec::new(),
                counters: Vec::new(),
            });
        }
        let places: HashMap<String, usize> =
            tables.iter().enumerate().map(|(index, table)| (table.name.clone(), index)).collect();
        let place = |name: &Option<String>| places.get(name.as_deref().unwrap_or_default()).copied();
        for row in set(1) {
            let Some(table) = place(&text(row, 0)?).and_then(|place| tables.get_mut(place)) else { continue };
            let (data_type, extra) = (text(row, 3)?.unwrap_or_default(), text(row, 5)?.unwrap_or_default());
            let is_bytes = BYTES.iter().any(|bytes| data_type.eq_ignore_ascii_case(bytes));
            table.columns.push(TableColumn {
                name: text(row, 1)?.unwrap_or_default(),
                kind: text(row, 2)?.unwrap_or_default(),
                is_generated: text(row, 4)?.is_some_and(|expression| !expression.is_empty())
                    || extra.to_ascii_uppercase().contains(" GENERATED"),
                form: if is_bytes { Form::Hex } else { Form::Text },
                default: text(row, 6)?,
            });
        }
        let mut chosen: HashMap<usize, String> = HashMap::new();
        for row in set(2) {
            let Some(place) = place(&text(row, 0)?) else { continue };
            let index = text(row, 1)?.unwrap_or_default();
            // The first one counts.
            if *chosen.entry(place).or_insert_with(|| index.clone()) == index {
                tables[place].key.extend(text(row, 2)?);
            }
        }
        definitions(link, &mut tables).await?;
        for row in set(3) {
            let Some(place) = place(&text(row, 0)?) else { continue };
            let name = text(row, 1)?.unwrap_or_default();
            let shown = link.ask(format!("SHOW CREATE TRIGGER {}", quoted(&name))).await.complete()?;
            tables[place].has_triggers = true;
            tables[place].connect.extend(text(shown.row(0)?, 2)?);
        }
        let mut last = None;
        for row in set(4) {
            let Some(place) = place(&text(row, 0)?) else { continue };
            let key = (place, text(row, 1)?);
            if last.as_ref() != Some(&key) {
                tables[place].references.push(Reference {
                    table: TableName { schema: None, name: text(row, 3)?.unwrap_or_default() },
                    columns: Vec::new(),
                    on_delete: text(row, 4)?.unwrap_or_default(),
                });
                last = Some(key);
            }
            if let Some(reference) = tables[place].references.last_mut() {
                reference.columns.extend(text(row, 2)?);
            }
        }
        Ok(tables)
    }
}

async fn definitions(link: &mut Link, tables: &mut [Table]) -> Result<(), sqlx::Error> {
    for together in tables.chunks_mut(TOGETHER) {
        let questions: Vec<String> =
            together.iter().map(|table| format!("SHOW CREATE TABLE {}", quoted(&table.name))).collect();
        let answers = link.ask(questions.join(";\n")).await.complete()?;
        for (index, table) in together.iter_mut().enumerate() {
            let sql = text(answers.row(index)?, 1)?.unwrap_or_default();
            let options = sql.lines().next_back().unwrap_or_default();
            let next = options.split(' ').find_map(|option| option.strip_prefix("AUTO_INCREMENT="));
            if let Some(next) = next.and_then(|next| next.parse::<u64>().ok()) {
                table.counters.push(format!("ALTER TABLE {} AUTO_INCREMENT = {next}", quoted(&table.name)));
            }
            table.create.push(sql);
        }
    }
    Ok(())
}
