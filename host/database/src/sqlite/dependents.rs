//! What depends on what, read from the texts of views and triggers.

use std::collections::BTreeMap;
use std::time::Duration;

use runner_chain::Dialect;
use runner_chain::sql::lexemes;
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

const OBJECTS: &str =
    "SELECT type, name, tbl_name, sql FROM main.sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
const FOREIGN_KEYS: &str = "SELECT m.name, CAST(k.id AS TEXT), k.\"table\", k.\"from\", coalesce(k.\"to\", '') \
     FROM main.sqlite_schema AS m, pragma_foreign_key_list(m.name, 'main') AS k WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL %' ORDER BY m.name, k.id, k.seq";
const INDEXED: &str = "SELECT i.name, coalesce(c.name, '') FROM main.sqlite_schema AS i, pragma_index_info(i.name, 'main') AS c WHERE i.type = 'index'";
const GENERATED: &str = "SELECT m.name, c.name FROM main.sqlite_schema AS m, pragma_table_xinfo(m.name, 'main') AS c \
     WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL %' AND c.hidden IN (2, 3)";

/// A foreign key: the table that it refers to, its own columns, and those referred to.
type Key = (String, Vec<String>, Vec<String>);

/// Something with a definition.
struct Defined {
    kind: EntityKind,
    name: String,
    table: String,
    sql: String,
}

impl Defined {
    fn entity(&self) -> Entity {
        let is_part = matches!(self.kind, EntityKind::Trigger | EntityKind::Index);
        Entity {
            kind: self.kind.clone(),
            schema: None,
            table: is_part.then(|| self.table.clone()),
            name: self.name.clone(),
        }
    }
}

/// What depends on what in the database; what is in attached files is not seen from it.
pub(crate) async fn dependencies(reading: &mut Reading<'_>, limit: Duration) -> Result<Dependencies> {
    let mut assembly = Assembly::default();
    let objects = assembly.ask(reading, OBJECTS.to_owned(), limit, "the definitions of views and triggers").await?;
    let objects: Vec<Defined> = objects
        .iter()
        .filter_map(|row| {
            let kind = match cell(row, 0)? {
                "table" => EntityKind::Table,
                "view" => EntityKind::View,
                "index" => EntityKind::Index,
                "trigger" => EntityKind::Trigger,
                _ => return None,
            };
            Some(Defined { kind, name: required(row, 1), table: required(row, 2), sql: required(row, 3) })
        })
        .collect();
    // Names are the same whatever their case.
    let mut relations = BTreeMap::new();
    for object in objects.iter().filter(|object| matches!(object.kind, EntityKind::Table | EntityKind::View)) {
        relations.insert(object.name.to_lowercase(), assembly.add(object.entity()));
    }
    let indexed = assembly.ask(reading, INDEXED.to_owned(), limit, "the columns of indexes").await?;
    for object in objects.iter().filter(|object| object.kind != EntityKind::Table) {
        texts(&mut assembly, object, &relations, &indexed);
    }
    let keys = assembly.ask(reading, FOREIGN_KEYS.to_owned(), limit, "foreign keys").await?;
    foreign_keys(&mut assembly, &keys, &relations);
    for row in assembly.ask(reading, GENERATED.to_owned(), limit, "generated columns").await? {
        let (table, column) = (required(&row, 0), required(&row, 1));
        let Some(defined) = objects.iter().find(|object| object.name == table) else { continue };
        let (Some(&on), Some(found)) =
            (relations.get(&table.to_lowercase()), mentions(&expression(&defined.sql, &column), Dialect::Sqlite))
        else {
            continue;
        };
        let entity = Entity { kind: EntityKind::Column, schema: None, table: Some(table), name: column.clone() };
        let dependent = assembly.add(entity);
        let columns = found.names.into_iter().filter(|name| *name != column.to_lowercase()).collect();
        assembly.depends(Dependency {
            dependent,
            dependent_column: None,
            on,
            columns: Some(columns),
            takes_all: false,
            bond: Bond::GoesAlong,
            column_bond: Bond::Refuses,
        });
    }
    Ok(assembly.found)
}

/// The part of a table's definition that is about one column: from its name to the next comma outside of parentheses.
fn expression(sql: &str, column: &str) -> String {
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for lexeme in lexemes(sql, Dialect::Sqlite) {
        match lexeme.text {
            "(" if lexeme.is_symbol("(") => depth += 1,
            ")" if lexeme.is_symbol(")") => depth -= 1,
            _ => {}
        }
        if depth == 0 && parts.len() > 1 {
            break;
        }
        let opens = depth == 1 && (lexeme.is_symbol("(") || lexeme.is_symbol(","));
        if opens {
            parts.push(String::new());
            continue;
        }
        if let (Some(part), Some(text)) = (parts.last_mut(), sql.get(lexeme.start..lexeme.end)) {
            part.push_str(text);
            part.push(' ');
        }
    }
    let begins = |part: &&String| {
        let first = lexemes(part, Dialect::Sqlite).next().map(|lexeme| lexeme.text.to_lowercase());
        first == Some(column.to_lowercase())
    };
    parts.iter().skip(1).find(begins).cloned().unwrap_or_default()
}

/// What the definition of a view, a trigger or an index mentions.
fn texts(
    assembly: &mut Assembly,
    object: &Defined,
    relations: &BTreeMap<String, usize>,
    indexed: &[Vec<Option<String>>],
) {
    let dependent = assembly.add(object.entity());
    // A column may be called as the words in front of the query are.
    let query = match object.kind {
        EntityKind::View => lexemes(&object.sql, Dialect::Sqlite).find(|word| word.is("AS")).map(|word| word.end),
        _ => None,
    };
    let text = object.sql.get(query.unwrap_or_default()..).unwrap_or_default();
    let Some(found) = mentions(text, Dialect::Sqlite) else {
        let (kind, name) = (object.kind.word(), &object.name);
        assembly.found.unknown.push(format!("the definition of the {kind} `{name}` can't be read"));
        return;
    };
    let mut names: Vec<String> = found.names.iter().cloned().collect();
    let own = relations.get(&object.table.to_lowercase()).copied().filter(|_| object.kind != EntityKind::View);
    let edge = |on, columns: Vec<String>, bond, column_bond| Dependency {
        dependent,
        dependent_column: None,
        on,
        columns: Some(columns),
        takes_all: found.takes_all,
        bond,
        column_bond,
    };
    if let Some(on) = own {
        // SQLite looks at what a trigger reads, and not at all that it writes.
        let column_bond = if object.kind == EntityKind::Index { Bond::Refuses } else { Bond::MayRefuse };
        if object.kind == EntityKind::Index {
            let of_it = indexed.iter().filter(|row| cell(row, 0) == Some(object.name.as_str()));
            names.extend(of_it.filter_map(|row| cell(row, 1)).map(str::to_lowercase));
        }
        assembly.depends(edge(on, names.clone(), Bond::GoesAlong, column_bond));
    }
    if object.kind == EntityKind::Index {
        return;
    }
    let is_view = object.kind == EntityKind::View;
    for relation in &found.relations {
        let is_ours = relation.schema.as_deref().is_none_or(|schema| schema.eq_ignore_ascii_case("main"));
        let on = relations.get(&relation.name.to_lowercase()).copied().filter(|_| is_ours);
        if let Some(on) = on.filter(|on| Some(*on) != own) {
            let column_bond = if is_view { Bond::Refuses } else { Bond::MayRefuse };
            assembly.depends(edge(on, names.clone(), Bond::Breaks, column_bond));
        }
    }
}

fn foreign_keys(assembly: &mut Assembly, keys: &[Vec<Option<String>>], relations: &BTreeMap<String, usize>) {
    let mut by_key: BTreeMap<(String, String), Key> = BTreeMap::new();
    for row in keys {
        let entry = by_key.entry((required(row, 0), required(row, 1)));
        let (_, from, to) = entry.or_insert_with(|| (required(row, 2), Vec::new(), Vec::new()));
        from.push(required(row, 3));
        to.extend(cell(row, 4).filter(|to| !to.is_empty()).map(str::to_lowercase));
    }
    for ((table, _), (parent, from, to)) in by_key {
        let Some(&on) = relations.get(&parent.to_lowercase()) else { continue };
        if parent.eq_ignore_ascii_case(&table) {
            continue;
        }
        let name = format!("({}) REFERENCES {parent}", from.join(", "));
        let dependent = assembly.add(Entity { kind: EntityKind::ForeignKey, schema: None, table: Some(table), name });
        assembly.depends(Dependency {
            dependent,
            dependent_column: None,
            on,
            columns: Some(to),
            takes_all: false,
            bond: Bond::Breaks,
            column_bond: Bond::Breaks,
        });
    }
}
