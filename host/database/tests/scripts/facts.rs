//! Facts, written down in few words so that a test can show all of them.

use std::fmt::Write as _;

use runner_database::*;

/// One relation, a line for everything it has.
pub(crate) fn described(relation: &Relation) -> String {
    let Relation { name, kind, columns, indexes, foreign_keys, triggers, definition, .. } = relation;
    let mut text = format!("{kind:?} {name}\n");
    for column in columns {
        let Column { name, data_type, nullable, default, generated, primary_key, .. } = column;
        let null = if *nullable { "" } else { " not null" };
        let generated = if *generated { " generated" } else { "" };
        let default = default.as_ref().map(|default| format!(" default {default}")).unwrap_or_default();
        let key = primary_key.map(|place| format!(" key {place}")).unwrap_or_default();
        writeln!(text, "  {name} {data_type}{null}{generated}{default}{key}").unwrap();
    }
    for index in indexes {
        let Index { name, columns, unique, primary, predicate, valid, .. } = index;
        let kind = match (primary, unique) {
            (true, _) => "primary",
            (false, true) => "unique",
            (false, false) => "index",
        };
        let predicate = predicate.as_ref().map(|predicate| format!(" where {predicate}")).unwrap_or_default();
        let valid = if *valid { "" } else { " INVALID" };
        writeln!(text, "  {kind} {name} on {}{predicate}{valid}", columns.join(" | ")).unwrap();
    }
    for key in foreign_keys {
        let ForeignKey { name, columns, referenced_schema, referenced_table, referenced_columns, on_delete } = key;
        let schema = referenced_schema.as_ref().map(|schema| format!("{schema}.")).unwrap_or_default();
        let name = name.as_deref().unwrap_or("-");
        writeln!(
            text,
            "  key {name} on {} to {schema}{referenced_table} {} {on_delete}",
            columns.join(" | "),
            referenced_columns.join(" | ")
        )
        .unwrap();
    }
    for Trigger { name, definition } in triggers {
        writeln!(text, "  trigger {name}: {definition}").unwrap();
    }
    if let Some(definition) = definition {
        let words: Vec<&str> = definition.split_whitespace().collect();
        writeln!(text, "  as {}", words.join(" ")).unwrap();
    }
    text
}

/// All of them.
pub(crate) fn all_described(facts: &Facts) -> String {
    facts.relations.iter().map(described).collect()
}

pub(crate) fn relation<'a>(facts: &'a Facts, name: &str) -> &'a Relation {
    facts.relations.iter().find(|relation| relation.name == name).unwrap_or_else(|| panic!("no {name}: {facts:#?}"))
}

pub(crate) fn column<'a>(facts: &'a Facts, table: &str, name: &str) -> &'a Column {
    relation(facts, table).columns.iter().find(|column| column.name == name).unwrap()
}

/// The steps, newest first.
pub(crate) fn steps(facts: &Facts) -> Vec<String> {
    facts.steps.iter().map(|step| format!("{} {} {}", step.revision, step.direction, step.status.as_str())).collect()
}
