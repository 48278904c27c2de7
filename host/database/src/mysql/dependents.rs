//! What depends on what, in all databases of the server that the account may see: foreign keys from the catalogue; views,
//! triggers and routines by their texts.

use std::collections::BTreeMap;
use std::time::Duration;

use runner_chain::Dialect;
use runner_chain::sql::mentions;

use crate::contents::Reading;
use crate::dependents::Assembly;
use crate::dependents::Bond;
use crate::dependents::Dependencies;
use crate::dependents::Dependency;
use crate::dependents::Entity;
use crate::dependents::EntityKind;
use crate::dependents::cell;
use crate::dependents::required;
use crate::error::Result;

use super::literal::literal;

/// Databases of the server itself.
const SYSTEM: &str = "('information_schema', 'mysql', 'performance_schema', 'sys')";
/// Each row: kind, database, name, table, definition.
const TEXTS: [(&str, &str); 3] = [
    (
        "views",
        "SELECT 'view', table_schema, table_name, NULL, view_definition FROM information_schema.views WHERE table_schema NOT IN {system}",
    ),
    (
        "triggers",
        "SELECT 'trigger', event_object_schema, trigger_name, event_object_table, action_statement FROM information_schema.triggers \
         WHERE trigger_schema NOT IN {system}",
    ),
    (
        "routines",
        "SELECT 'routine', routine_schema, routine_name, NULL, routine_definition FROM information_schema.routines \
         WHERE routine_schema NOT IN {system} AND routine_type IN ('PROCEDURE', 'FUNCTION')",
    ),
];
const FOREIGN_KEYS: &str = "SELECT table_schema, table_name, constraint_name, column_name, referenced_table_schema, referenced_table_name, \
     referenced_column_name FROM information_schema.key_column_usage \
     WHERE referenced_table_name IS NOT NULL AND (referenced_table_name IN ({names}) OR table_schema = {own} AND table_name IN ({names})) \
     ORDER BY table_schema, table_name, constraint_name, ordinal_position";
const INDEXES: &str = "SELECT table_name, index_name, column_name FROM information_schema.statistics \
     WHERE table_schema = {own} AND table_name IN ({names}) AND column_name IS NOT NULL ORDER BY table_name, index_name, seq_in_index";
const GENERATED: &str = "SELECT table_name, column_name, generation_expression FROM information_schema.columns \
     WHERE table_schema = {own} AND table_name IN ({names}) AND generation_expression <> ''";

/// A row of an answer.
type Row<'r> = &'r Vec<Option<String>>;

/// What is asked about.
struct Subject<'a> {
    /// The database of names without one.
    own: &'a str,
    /// Names of tables and views with their place, by database and name in lower case.
    relations: BTreeMap<(String, String), usize>,
}

impl Subject<'_> {
    /// The place of a table or view, which need not be known yet.
    fn relation(&mut self, assembly: &mut Assembly, schema: &str, name: &str) -> usize {
        *self.relations.entry((schema.to_lowercase(), name.to_lowercase())).or_insert_with(|| {
            let entity =
                Entity { kind: EntityKind::Table, schema: Some(schema.to_owned()), table: None, name: name.to_owned() };
            assembly.add(entity)
        })
    }
}

/// What depends on tables and views of these names.
pub(crate) async fn dependencies(
    reading: &mut Reading<'_>,
    own: &str,
    names: &[String],
    limit: Duration,
) -> Result<Dependencies> {
    let mut assembly = Assembly::default();
    let mut subject = Subject { own, relations: BTreeMap::new() };
    let list = names.iter().map(|name| literal(name)).collect::<Vec<_>>().join(", ");
    let own = literal(own);
    let filled = |sql: &str| sql.replace("{system}", SYSTEM).replace("{own}", &own).replace("{names}", &list);
    let mut texts = Vec::new();
    for (what, sql) in TEXTS {
        texts.extend(assembly.ask(reading, filled(sql), limit, &format!("the definitions of {what}")).await?);
    }
    // First all views, so that they are known as such when others use them.
    for row in texts.iter().filter(|row| cell(row, 0) == Some("view")) {
        let (schema, name) = (required(row, 1), required(row, 2));
        let key = (schema.to_lowercase(), name.to_lowercase());
        let place = assembly.add(Entity { kind: EntityKind::View, schema: Some(schema), table: None, name });
        subject.relations.insert(key, place);
    }
    for row in &texts {
        text(&mut assembly, &mut subject, row);
    }
    let keys = assembly.ask(reading, filled(FOREIGN_KEYS), limit, "foreign keys").await?;
    foreign_keys(&mut assembly, &mut subject, &keys);
    parts(&mut assembly, &mut subject, &assembly_rows(reading, filled(INDEXES), limit).await?, &EntityKind::Index);
    let generated = assembly.ask(reading, filled(GENERATED), limit, "generated columns").await?;
    let generated: Vec<Vec<Option<String>>> = generated
        .iter()
        .flat_map(|row| {
            let found = mentions(cell(row, 2).unwrap_or_default(), Dialect::Mysql).unwrap_or_default();
            found
                .names
                .into_iter()
                .map(|name| vec![row.first().cloned().flatten(), row.get(1).cloned().flatten(), Some(name)])
        })
        .collect();
    parts(&mut assembly, &mut subject, &generated, &EntityKind::Column);
    Ok(assembly.found)
}

/// Rows whose absence changes nothing that could be refused.
async fn assembly_rows(reading: &mut Reading<'_>, sql: String, limit: Duration) -> Result<Vec<Vec<Option<String>>>> {
    Ok(reading.ask(sql, limit).await?.unwrap_or_default())
}

/// What the text of a view, a trigger or a routine mentions.
fn text(assembly: &mut Assembly, subject: &mut Subject<'_>, row: &[Option<String>]) {
    let (schema, name) = (required(row, 1), required(row, 2));
    let table = cell(row, 3).map(str::to_owned);
    let kind = match cell(row, 0) {
        Some("view") => EntityKind::View,
        Some("trigger") => EntityKind::Trigger,
        _ => EntityKind::Routine,
    };
    let entity = Entity { kind, schema: Some(schema.clone()), table: table.clone(), name };
    let found = cell(row, 4).filter(|text| !text.is_empty()).and_then(|text| mentions(text, Dialect::Mysql));
    let own = table.map(|table| subject.relation(assembly, &schema, &table));
    let (word, shown) = (entity.kind.word().to_owned(), entity.full_name());
    let dependent = assembly.add(entity);
    let edge = |on, columns: Vec<String>, takes_all, bond| Dependency {
        dependent,
        dependent_column: None,
        on,
        columns: Some(columns),
        takes_all,
        bond,
        column_bond: Bond::Breaks,
    };
    let Some(found) = found else {
        // Without the right to see it, the server shows an empty text.
        if schema.eq_ignore_ascii_case(subject.own) {
            assembly
                .found
                .unknown
                .push(format!("the definition of the {word} `{shown}` can't be seen by this account"));
        }
        if let Some(on) = own {
            assembly.depends(edge(on, Vec::new(), false, Bond::GoesAlong));
        }
        return;
    };
    let names: Vec<String> = found.names.iter().cloned().collect();
    if let Some(on) = own {
        assembly.depends(edge(on, names.clone(), found.takes_all, Bond::GoesAlong));
    }
    for relation in &found.relations {
        let on = subject.relation(assembly, relation.schema.as_deref().unwrap_or(&schema), &relation.name);
        if Some(on) != own {
            assembly.depends(edge(on, names.clone(), found.takes_all, Bond::Breaks));
        }
    }
}

fn foreign_keys(assembly: &mut Assembly, subject: &mut Subject<'_>, keys: &[Vec<Option<String>>]) {
    let mut by_key: BTreeMap<(String, String, String), Vec<Row<'_>>> = BTreeMap::new();
    for row in keys {
        by_key.entry((required(row, 0), required(row, 1), required(row, 2))).or_default().push(row);
    }
    for ((schema, table, name), rows) in by_key {
        let Some(first) = rows.first() else { continue };
        let (to_schema, to) = (required(first, 4), required(first, 5));
        let child = subject.relation(assembly, &schema, &table);
        let parent = subject.relation(assembly, &to_schema, &to);
        let columns = |index: usize| Some(rows.iter().map(|row| required(row, index).to_lowercase()).collect());
        let entity = Entity { kind: EntityKind::ForeignKey, schema: Some(schema), table: Some(table), name };
        let dependent = assembly.add(entity);
        for (on, columns, bond) in [(child, columns(3), Bond::GoesAlong), (parent, columns(6), Bond::Refuses)] {
            let bond = if child == parent { Bond::GoesAlong } else { bond };
            assembly.depends(Dependency {
                dependent,
                dependent_column: None,
                on,
                columns,
                takes_all: false,
                bond,
                column_bond: Bond::Refuses,
            });
        }
    }
}

/// Parts of the own tables that use columns: table, part and column a row.
fn parts(assembly: &mut Assembly, subject: &mut Subject<'_>, rows: &[Vec<Option<String>>], kind: &EntityKind) {
    let mut by_part: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for row in rows {
        by_part.entry((required(row, 0), required(row, 1))).or_default().push(required(row, 2).to_lowercase());
    }
    let column_bond = if *kind == EntityKind::Index { Bond::GoesAlong } else { Bond::Refuses };
    for ((table, name), columns) in by_part {
        let schema = subject.own.to_owned();
        let on = subject.relation(assembly, &schema, &table);
        let dependent = assembly.add(Entity { kind: kind.clone(), schema: Some(schema), table: Some(table), name });
        assembly.depends(Dependency {
            dependent,
            dependent_column: None,
            on,
            columns: Some(columns),
            takes_all: false,
            bond: Bond::GoesAlong,
            column_bond,
        });
    }
}
