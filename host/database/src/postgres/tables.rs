//! The tables of a database, and the SQL that makes each of them anew.

use std::collections::HashMap;

use serde::Deserialize;

use crate::contents::Form;
use crate::contents::Reference;
use crate::contents::Table;
use crate::contents::TableColumn;
use crate::contents::TableName;
use crate::outbox::name_beside;
use crate::reading::ReadError;
use crate::reading::Result;

use super::books::Books;
use super::books::quoted;
use super::link::Link;
use super::link::required;
use super::literal::identifier;
use super::literal::literal;

/// One text a table, in JSON. It runs with an empty `search_path`, so that all names in definitions are qualified.
const TABLES: &str = "SELECT pg_catalog.json_build_object( \
   'schema', n.nspname, 'name', c.relname, 'kind', c.relkind, 'persistence', c.relpersistence, 'options', c.reloptions, \
   'rows', CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END, \
   'partition_key', CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END, \
   'partition_bound', CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END, \
   'parents', (SELECT pg_catalog.json_agg(i.inhparent::regclass::text ORDER BY i.inhseqno) FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = c.oid), \
   'children', (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(cn.nspname, cc.relname) ORDER BY cn.nspname, cc.relname) \
     FROM pg_catalog.pg_inherits AS i JOIN pg_catalog.pg_class AS cc ON cc.oid = i.inhrelid AND cc.relkind IN ('r', 'p') \
     JOIN pg_catalog.pg_namespace AS cn ON cn.oid = cc.relnamespace WHERE i.inhparent = c.oid), \
   'columns', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod), \
       'not_null', a.attnotnull, 'identity', a.attidentity, 'generated', a.attgenerated, 'default', pg_catalog.pg_get_expr(d.adbin, d.adrelid), \
       'collation', CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END, 'type_oid', \
         CASE WHEN t.typelem <> 0 AND t.typcategory = 'A' THEN t.typelem ELSE t.oid END::text) ORDER BY a.attnum) \
     FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid \
     LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), \
   'constraints', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', k.conname, 'type', k.contype, \
       'definition', pg_catalog.pg_get_constraintdef(k.oid)) ORDER BY k.contype, k.conname) \
     FROM pg_catalog.pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'c', 'x', 'f') \
       AND k.conislocal AND k.conparentid = 0), \
   'indexes', (SELECT pg_catalog.json_agg(pg_catalog.pg_get_indexdef(i.indexrelid) ORDER BY i.indexrelid) \
     FROM pg_catalog.pg_index AS i WHERE i.indrelid = c.oid AND i.indisvalid \
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')) \
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid = i.indexrelid)), \
   'keys', (SELECT pg_catalog.json_agg(q.columns ORDER BY q.is_primary DESC, q.number) FROM ( \
     SELECT i.indisprimary AS is_primary, i.indexrelid AS number, pg_catalog.json_agg(a.attname ORDER BY u.place) AS columns \
     FROM pg_catalog.pg_index AS i CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY AS u(number, place) \
     JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = u.number \
     WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL \
       AND u.place <= i.indnkeyatts \
     GROUP BY i.indexrelid, i.indisprimary HAVING pg_catalog.bool_and(a.attnotnull)) AS q), \
   'references', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('schema', rn.nspname, 'table', r.relname, \
       'columns', (SELECT pg_catalog.json_agg(a.attname ORDER BY u.place) FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u(number, place) \
         JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.number), \
       'on_delete', CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END) ORDER BY k.oid) \
     FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_class AS r ON r.oid = k.confrelid JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace \
     WHERE k.conrelid = c.oid AND k.contype = 'f'), \
   'has_rules', EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class = c.oid), \
   'triggers', (SELECT pg_catalog.json_agg(pg_catalog.pg_get_triggerdef(g.oid) ORDER BY g.tgname) \
     FROM pg_catalog.pg_trigger AS g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal), \
   'sequences', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', s.seqrelid::regclass::text, 'column', u.column_name, \
       'bond', u.bond, 'type', pg_catalog.format_type(s.seqtypid, NULL), 'start', s.seqstart, 'increment', s.seqincrement, \
       'min', s.seqmin, 'max', s.seqmax, 'cache', s.seqcache, 'cycle', s.seqcycle, \
       'value', pg_catalog.pg_sequence_last_value(s.seqrelid)) ORDER BY s.seqrelid) \
     FROM (SELECT DISTINCT ON (x.sequence) x.sequence, x.bond, x.column_name FROM ( \
         SELECT d.objid AS sequence, d.deptype::text AS bond, a.attname AS column_name FROM pg_catalog.pg_depend AS d \
         JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
         WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass \
           AND d.refobjid = c.oid AND d.deptype IN ('a', 'i') \
         UNION ALL SELECT d.refobjid, 'used', a.attname FROM pg_catalog.pg_attrdef AS f \
         JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = f.oid \
           AND d.refclassid = 'pg_catalog.pg_class'::regclass \
         JOIN pg_catalog.pg_attribute AS a ON a.attrelid = f.adrelid AND a.attnum = f.adnum WHERE f.adrelid = c.oid) AS x \
       ORDER BY x.sequence, x.bond) AS u JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = u.sequence))::text \
 FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
   AND c.oid <> ALL (ARRAY[{runners}]::oid[]) \
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e') \
 ORDER BY n.nspname, c.relname";

/// Types of columns that come with an extension, and which one that is.
const EXTENSIONS: &str = "SELECT d.objid::text, e.extname::text, n.nspname::text FROM pg_catalog.pg_depend AS d \
   JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace \
 WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'";

/// Types of columns that belong to the database itself, a text in JSON each, in the order in which they were made.
const TYPES: &str = "SELECT pg_catalog.json_build_object('oid', t.oid::text, 'name', t.oid::regtype::text, 'schema', n.nspname, 'kind', t.typtype, \
   'labels', (SELECT pg_catalog.json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid), \
   'base', CASE t.typtype WHEN 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) \
     WHEN 'r' THEN (SELECT pg_catalog.format_type(r.rngsubtype, NULL) FROM pg_catalog.pg_range AS r WHERE r.rngtypid = t.oid) END, \
   'not_null', t.typnotnull, 'default', t.typdefault, \
   'checks', (SELECT pg_catalog.json_agg(pg_catalog.pg_get_constraintdef(k.oid) ORDER BY k.conname) FROM pg_catalog.pg_constraint AS k WHERE k.contypid = t.oid AND k.contype = 'c'), \
   'attributes', (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.atttypid::text) ORDER BY a.attnum) \
     FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), \
   'needs', CASE WHEN t.typbasetype <> 0 THEN t.typbasetype::text END)::text \
 FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace \
 LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid \
 WHERE (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c')) AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e WHERE e.classid = 'pg_catalog.pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e') \
 ORDER BY t.oid";

#[derive(Deserialize)]
struct Described {
    schema: String,
    name: String,
    kind: String,
    persistence: String,
    options: Option<Vec<String>>,
    rows: Option<u64>,
    partition_key: Option<String>,
    partition_bound: Option<String>,
    parents: Option<Vec<String>>,
    children: Option<Vec<(String, String)>>,
    columns: Option<Vec<Column>>,
    constraints: Option<Vec<Constraint>>,
    indexes: Option<Vec<String>>,
    keys: Option<Vec<Vec<String>>>,
    references: Option<Vec<Referred>>,
    has_rules: bool,
    triggers: Option<Vec<String>>,
    sequences: Option<Vec<Sequence>>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    not_null: bool,
    identity: String,
    generated: String,
    default: Option<String>,
    collation: Option<String>,
    type_oid: String,
}

#[derive(Deserialize)]
struct Constraint {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    definition: String,
}

#[derive(Deserialize)]
struct Referred {
    schema: String,
    table: String,
    columns: Vec<String>,
    on_delete: String,
}

#[derive(Deserialize)]
struct Sequence {
    name: String,
    column: String,
    /// `i` for an identity, `a` if the column owns it, `used` if its default uses it.
    bond: String,
    #[serde(rename = "type")]
    kind: String,
    start: i64,
    increment: i64,
    min: i64,
    max: i64,
    cache: i64,
    cycle: bool,
    value: Option<i64>,
}

#[derive(Deserialize)]
struct OwnType {
    oid: String,
    name: String,
    schema: String,
    kind: String,
    labels: Option<Vec<String>>,
    base: Option<String>,
    not_null: bool,
    default: Option<String>,
    checks: Option<Vec<String>>,
    attributes: Option<Vec<(String, String, String)>>,
    needs: Option<String>,
}

impl Books {
    /// The tables, read inside of the transaction of whoever asks, with a `search_path` that holds `pg_catalog` alone.
    pub(super) async fn tables(&self, link: &mut Link) -> Result<Vec<Table>> {
        let name = |table| literal(&quoted(table)).map_err(ReadError::Known);
        let runners = [name(&self.version)?, name(&self.ledger)?, name(&name_beside(&self.ledger))?]
            .map(|name| format!("coalesce(to_regclass({name})::oid, 0)"))
            .join(", ");
        let sql = format!("{};\n{TYPES};\n{EXTENSIONS}", TABLES.replace("{runners}", &runners));
        let sets = link.rows(sql).await?;
        let set = |index: usize| sets.get(index).map_or(&[][..], Vec::as_slice);
        let mut types = Types::default();
        for row in set(1) {
            types.own.push(parsed::<OwnType>(required(row, 0)?)?);
        }
        for row in set(2) {
            let extension = (identifier(required(row, 1)?), identifier(required(row, 2)?));
            types.of_extensions.insert(required(row, 0)?.to_owned(), extension);
        }
        let mut tables = Vec::new();
        for row in set(0) {
            tables.push(table(parsed(required(row, 0)?)?, &types).map_err(ReadError::Known)?);
        }
        Ok(tables)
    }
}

/// What columns are made of that is not part of every database.
#[derive(Default)]
struct Types {
    own: Vec<OwnType>,
    /// Extension and its schema by the type's number.
    of_extensions: HashMap<String, (String, String)>,
}

fn parsed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| ReadError::Driver(sqlx::Error::Decode(error.into())))
}

fn table(described: Described, types: &Types) -> crate::error::Result<Table> {
    let full = format!("{}.{}", identifier(&described.schema), identifier(&described.name));
    let columns = described.columns.as_deref().unwrap_or_default();
    let mut create = vec![format!("CREATE SCHEMA IF NOT EXISTS {}", identifier(&described.schema))];
    let mut made = Vec::new();
    for column in columns {
        make_type(&column.type_oid, types, &mut made, &mut create)?;
    }
    let sequences = described.sequences.as_deref().unwrap_or_default();
    let (mut complete, mut counters) = (Vec::new(), Vec::new());
    for sequence in sequences {
        let Sequence { name, kind, start, increment, min, max, cache, cycle, .. } = sequence;
        let column = identifier(&sequence.column);
        if sequence.bond != "i" {
            let cycle = if *cycle { "CYCLE" } else { "NO CYCLE" };
            complete.push(format!(
                "CREATE SEQUENCE IF NOT EXISTS {name} AS {kind} START {start} INCREMENT {increment} MINVALUE {min} MAXVALUE {max} CACHE {cache} {cycle}"
            ));
        }
        if sequence.bond == "a" {
            complete.push(format!("ALTER SEQUENCE {name} OWNED BY {full}.{column}"));
        }
        if let Some(value) = sequence.value {
            // That of an identity may get another name when the table is made again.
            let which = match sequence.bond.as_str() {
                "i" => {
                    let (table, column) = (literal(&full)?, literal(&sequence.column)?);
                    format!("pg_catalog.pg_get_serial_sequence({table}, {column})")
                }
                _ => format!("{}::regclass", literal(name)?),
            };
            // Another table may use it as well, and be further on.
            counters.push(format!(
                "SELECT pg_catalog.setval({which}, greatest({value}, coalesce(pg_catalog.pg_sequence_last_value(({which})::regclass), {value})))"
            ));
        }
    }
    create.push(create_table(&described, &full));
    for column in columns.iter().filter(|column| column.generated.is_empty()) {
        if let Some(default) = &column.default {
            complete
                .push(format!("ALTER TABLE {full} ALTER COLUMN {} SET DEFAULT {default}", identifier(&column.name)));
        }
    }
    let mut connect = Vec::new();
    // Tables may be made in any order, so they are joined when all are there.
    for parent in described.parents.iter().flatten() {
        connect.push(match &described.partition_bound {
            Some(bound) => format!("ALTER TABLE {parent} ATTACH PARTITION {full} {bound}"),
            None => format!("ALTER TABLE {full} INHERIT {parent}"),
        });
    }
    for constraint in described.constraints.iter().flatten() {
        let sql =
            format!("ALTER TABLE {full} ADD CONSTRAINT {} {}", identifier(&constraint.name), constraint.definition);
        if constraint.kind == "f" { connect.push(sql) } else { complete.push(sql) }
    }
    complete.extend(described.indexes.iter().flatten().cloned());
    connect.extend(described.triggers.iter().flatten().cloned());
    let columns = columns
        .iter()
        .map(|column| TableColumn {
            name: column.name.clone(),
            kind: column.kind.clone(),
            is_generated: !column.generated.is_empty(),
            form: Form::Text,
            default: column.default.clone().filter(|_| column.generated.is_empty()),
        })
        .collect();
    Ok(Table {
        schema: Some(described.schema),
        name: described.name,
        columns,
        key: described.keys.into_iter().flatten().next().unwrap_or_default(),
        children: described
            .children
            .into_iter()
            .flatten()
            .map(|(schema, name)| TableName { schema: Some(schema), name })
            .collect(),
        rows_estimate: described.rows,
        references: described
            .references
            .into_iter()
            .flatten()
            .map(|key| Reference {
                table: TableName { schema: Some(key.schema), name: key.table },
                columns: key.columns,
                on_delete: key.on_delete,
            })
            .collect(),
        has_triggers: described.triggers.is_some() || described.has_rules,
        holds_rows: described.kind != "p",
        create,
        complete,
        connect,
        counters,
    })
}

fn create_table(described: &Described, full: &str) -> String {
    let columns: Vec<String> = described.columns.iter().flatten().map(column_definition).collect();
    let unlogged = if described.persistence == "u" { "UNLOGGED " } else { "" };
    let mut sql = format!("CREATE {unlogged}TABLE {full} ({})", columns.join(", "));
    if let Some(key) = &described.partition_key {
        sql.push_str(&format!(" PARTITION BY {key}"));
    }
    if let Some(options) = described.options.as_ref().filter(|_| described.kind == "r") {
        sql.push_str(&format!(" WITH ({})", options.join(", ")));
    }
    sql
}

fn column_definition(column: &Column) -> String {
    let mut sql = format!("{} {}", identifier(&column.name), column.kind);
    if let Some(collation) = &column.collation {
        sql.push_str(&format!(" COLLATE {collation}"));
    }
    match (column.generated.as_str(), &column.default) {
        ("s", Some(expression)) => sql.push_str(&format!(" GENERATED ALWAYS AS ({expression}) STORED")),
        ("v", Some(expression)) => sql.push_str(&format!(" GENERATED ALWAYS AS ({expression}) VIRTUAL")),
        _ => {}
    }
    match column.identity.as_str() {
        "a" => sql.push_str(" GENERATED ALWAYS AS IDENTITY"),
        "d" => sql.push_str(" GENERATED BY DEFAULT AS IDENTITY"),
        _ => {}
    }
    if column.not_null {
        sql.push_str(" NOT NULL");
    }
    sql
}

/// The statements for a type and for what it is made of, unless it is one of the system's or there already. Types can't contain
/// themselves, so the recursion ends where the nesting does.
fn make_type(oid: &str, types: &Types, made: &mut Vec<String>, create: &mut Vec<String>) -> crate::error::Result<()> {
    if made.iter().any(|made| made == oid) {
        return Ok(());
    }
    made.push(oid.to_owned());
    if let Some((extension, schema)) = types.of_extensions.get(oid) {
        create.push(format!("CREATE SCHEMA IF NOT EXISTS {schema}"));
        create.push(format!("CREATE EXTENSION IF NOT EXISTS {extension} WITH SCHEMA {schema}"));
    }
    let Some(own) = types.own.iter().find(|own| own.oid == oid) else { return Ok(()) };
    if let Some(base) = &own.needs {
        make_type(base, types, made, create)?;
    }
    for (.., oid) in own.attributes.iter().flatten() {
        make_type(oid, types, made, create)?;
    }
    let base = own.base.as_deref().unwrap_or_default();
    let definition = match own.kind.as_str() {
        "e" => {
            let labels: crate::error::Result<Vec<String>> =
                own.labels.iter().flatten().map(|label| literal(label)).collect();
            format!("CREATE TYPE {} AS ENUM ({})", own.name, labels?.join(", "))
        }
        "d" => {
            let mut sql = format!("CREATE DOMAIN {} AS {base}", own.name);
            sql.extend(own.default.iter().map(|default| format!(" DEFAULT {default}")));
            sql.push_str(if own.not_null { " NOT NULL" } else { "" });
            sql.extend(own.checks.iter().flatten().map(|check| format!(" {check}")));
            sql
        }
        "r" => format!("CREATE TYPE {} AS RANGE (subtype = {base})", own.name),
        _ => {
            let attributes = own.attributes.iter().flatten();
            let attributes: Vec<String> =
                attributes.map(|(name, kind, _)| format!("{} {kind}", identifier(name))).collect();
            format!("CREATE TYPE {} AS ({})", own.name, attributes.join(", "))
        }
    };
    create.push(format!("CREATE SCHEMA IF NOT EXISTS {}", identifier(&own.schema)));
    // Tables that are made one after the other share their types.
    create.push(format!(
        "DO {} BEGIN IF pg_catalog.to_regtype({}) IS NULL THEN EXECUTE {}; END IF; END {}",
        DOLLARS,
        literal(&own.name)?,
        literal(&definition)?,
        DOLLARS
    ));
    Ok(())
}

/// Quotes the body of a block. No definition holds it, unless somebody means harm to their own backup.
const DOLLARS: &str = "$runner_block$";
