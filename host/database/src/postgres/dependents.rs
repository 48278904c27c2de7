//! What depends on what, in all schemas, as `pg_depend` has it: the same that `DROP` looks at.

use std::collections::HashMap;
use std::time::Duration;

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

/// The things that can be reached from those of the names, and what depends on what among them. That of a view stands in its
/// rule; a view depends on itself through it. Rows of the first kind: `n`, key, kind, schema, table, name; of the second: `e`,
/// key and column of what depends, key and column of the other, the kind of dependency.
const GRAPH: &str = "WITH RECURSIVE names(name) AS (SELECT unnest(ARRAY[{names}]::text[])), \
     reach(class, id) AS ( \
       (SELECT 'pg_catalog.pg_class'::regclass::oid, oid FROM pg_catalog.pg_class WHERE relname IN (SELECT name FROM names) \
        UNION SELECT 'pg_catalog.pg_type'::regclass, oid FROM pg_catalog.pg_type WHERE typname IN (SELECT name FROM names) AND typrelid = 0 \
        UNION SELECT 'pg_catalog.pg_proc'::regclass, oid FROM pg_catalog.pg_proc WHERE proname IN (SELECT name FROM names) AND oid >= 16384 \
        UNION SELECT 'pg_catalog.pg_namespace'::regclass, oid FROM pg_catalog.pg_namespace WHERE nspname IN (SELECT name FROM names) \
        UNION SELECT 'pg_catalog.pg_constraint'::regclass, oid FROM pg_catalog.pg_constraint WHERE conname IN (SELECT name FROM names)) \
       UNION \
       SELECT CASE WHEN w.oid IS NULL THEN d.classid ELSE 'pg_catalog.pg_class'::regclass::oid END, coalesce(w.ev_class, d.objid) \
       FROM reach r JOIN pg_catalog.pg_depend d ON d.refclassid = r.class AND d.refobjid = r.id AND d.deptype IN ('n', 'a', 'i', 'P', 'S') \
       LEFT JOIN pg_catalog.pg_rewrite w ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = d.objid AND w.rulename = '_RETURN'), \
     edges AS ( \
       SELECT DISTINCT CASE WHEN w.oid IS NULL THEN d.classid ELSE 'pg_catalog.pg_class'::regclass::oid END AS class, coalesce(w.ev_class, d.objid) AS id, \
         CASE WHEN w.oid IS NULL THEN d.objsubid ELSE 0 END AS sub, d.refclassid, d.refobjid, d.refobjsubid, d.deptype \
       FROM reach r JOIN pg_catalog.pg_depend d ON d.refclassid = r.class AND d.refobjid = r.id AND d.deptype IN ('n', 'a', 'i', 'P', 'S') \
       LEFT JOIN pg_catalog.pg_rewrite w ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = d.objid AND w.rulename = '_RETURN') \
     SELECT 'n', concat(r.class, ':', r.id), coalesce(CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'f' THEN 'table' \
         WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 't' THEN 'internal' WHEN 'c' THEN 'type' END, \
         CASE WHEN k.contype = 'f' THEN 'foreign key' WHEN k.oid IS NOT NULL THEN 'constraint' WHEN g.oid IS NOT NULL THEN CASE WHEN g.tgisinternal THEN 'internal' ELSE 'trigger' END \
         WHEN l.oid IS NOT NULL THEN 'policy' WHEN u.oid IS NOT NULL THEN 'rule' WHEN f.oid IS NOT NULL THEN 'default' WHEN p.oid IS NOT NULL THEN 'function' \
         WHEN t.oid IS NOT NULL THEN CASE WHEN t.typrelid <> 0 OR t.typelem <> 0 AND t.typcategory = 'A' THEN 'internal' ELSE 'type' END WHEN s.oid IS NOT NULL THEN 'schema' END, i.type), \
       coalesce(n.nspname::text, i.schema), coalesce(b.relname::text, ''), \
       coalesce(c.relname::text, k.conname::text, g.tgname::text, l.polname::text, u.rulename::text, a.attname::text, \
         p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')', t.typname::text, s.nspname::text, i.identity), NULL \
     FROM (SELECT class, id FROM reach) r \
     LEFT JOIN pg_catalog.pg_class c ON r.class = 'pg_catalog.pg_class'::regclass AND c.oid = r.id \
     LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid \
     LEFT JOIN pg_catalog.pg_constraint k ON r.class = 'pg_catalog.pg_constraint'::regclass AND k.oid = r.id \
     LEFT JOIN pg_catalog.pg_trigger g ON r.class = 'pg_catalog.pg_trigger'::regclass AND g.oid = r.id \
     LEFT JOIN pg_catalog.pg_policy l ON r.class = 'pg_catalog.pg_policy'::regclass AND l.oid = r.id \
     LEFT JOIN pg_catalog.pg_rewrite u ON r.class = 'pg_catalog.pg_rewrite'::regclass AND u.oid = r.id \
     LEFT JOIN pg_catalog.pg_attrdef f ON r.class = 'pg_catalog.pg_attrdef'::regclass AND f.oid = r.id \
     LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum \
     LEFT JOIN pg_catalog.pg_proc p ON r.class = 'pg_catalog.pg_proc'::regclass AND p.oid = r.id \
     LEFT JOIN pg_catalog.pg_type t ON r.class = 'pg_catalog.pg_type'::regclass AND t.oid = r.id \
     LEFT JOIN pg_catalog.pg_namespace s ON r.class = 'pg_catalog.pg_namespace'::regclass AND s.oid = r.id \
     LEFT JOIN pg_catalog.pg_class b ON b.oid = coalesce(x.indrelid, nullif(k.conrelid, 0), g.tgrelid, l.polrelid, u.ev_class, f.adrelid) \
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = coalesce(c.relnamespace, k.connamespace, b.relnamespace, p.pronamespace, t.typnamespace) \
     LEFT JOIN LATERAL pg_catalog.pg_identify_object(r.class, r.id, 0) i ON true \
     UNION ALL \
     SELECT 'e', concat(e.class, ':', e.id), own.attname::text, concat(e.refclassid, ':', e.refobjid), other.attname::text, e.deptype::text, NULL \
     FROM edges e \
     LEFT JOIN pg_catalog.pg_attribute own ON e.class = 'pg_catalog.pg_class'::regclass AND own.attrelid = e.id AND own.attnum = e.sub AND e.sub > 0 \
     LEFT JOIN pg_catalog.pg_attribute other ON e.refclassid = 'pg_catalog.pg_class'::regclass AND other.attrelid = e.refobjid AND other.attnum = e.refobjsubid \
       AND e.refobjsubid > 0";

/// What depends on things of these names.
pub(crate) async fn dependencies(reading: &mut Reading<'_>, names: &[String], limit: Duration) -> Result<Dependencies> {
    let mut assembly = Assembly::default();
    let names = names.iter().map(|name| literal(name)).collect::<Result<Vec<_>>>()?.join(", ");
    let rows = assembly.ask(reading, GRAPH.replace("{names}", &names), limit, "what depends on the objects").await?;
    let mut places = HashMap::new();
    for row in rows.iter().filter(|row| cell(row, 0) == Some("n")) {
        let kind = kind(cell(row, 2).unwrap_or("object"));
        let entity = Entity {
            kind,
            schema: cell(row, 3).map(str::to_owned),
            table: cell(row, 4).filter(|table| !table.is_empty()).map(str::to_owned),
            name: required(row, 5),
        };
        places.insert(required(row, 1), assembly.add(entity));
    }
    for row in rows.iter().filter(|row| cell(row, 0) == Some("e")) {
        let (Some(&dependent), Some(&on)) = (places.get(&required(row, 1)), places.get(&required(row, 3))) else {
            continue;
        };
        let bond = if cell(row, 5) == Some("n") { Bond::Refuses } else { Bond::GoesAlong };
        assembly.depends(Dependency {
            dependent,
            dependent_column: cell(row, 2).map(str::to_owned),
            on,
            columns: cell(row, 4).map(|column| vec![column.to_owned()]),
            takes_all: false,
            bond,
            column_bond: bond,
        });
    }
    Ok(assembly.found)
}

fn kind(word: &str) -> EntityKind {
    match word {
        "table" => EntityKind::Table,
        "view" => EntityKind::View,
        "materialized view" => EntityKind::MaterializedView,
        "index" => EntityKind::Index,
        "sequence" => EntityKind::Sequence,
        "default" => EntityKind::Default,
        "foreign key" => EntityKind::ForeignKey,
        "constraint" => EntityKind::Constraint,
        "trigger" => EntityKind::Trigger,
        "rule" => EntityKind::Rule,
        "policy" => EntityKind::Policy,
        "function" => EntityKind::Routine,
        "type" => EntityKind::Type,
        "schema" => EntityKind::Schema,
        other => EntityKind::Other(other.to_owned()),
    }
}
