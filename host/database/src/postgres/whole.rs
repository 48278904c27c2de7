//! The database as a whole: what is in it, and how to be rid of it.

use crate::contents::TableName;

use super::link::Link;
use super::link::required;
use super::literal::identifier;
use super::literal::literal;

/// Each object that a database can hold besides those of the system, of extensions and of others of them: what it is, its name, and
/// whether it must be looked for again because another one may have taken it along.
const OBJECTS: &str = "\
 WITH own AS (SELECT o.oid FROM pg_catalog.unnest(ARRAY[{own}]::oid[]) AS o(oid) WHERE o.oid IS NOT NULL), \
 schemas AS (SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace AS n \
   WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
     AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e WHERE e.classid = 'pg_catalog.pg_namespace'::regclass AND e.objid = n.oid AND e.deptype = 'e')), \
 kept AS (SELECT s.oid FROM schemas AS s WHERE s.nspname = 'public' \
   OR EXISTS (SELECT 1 FROM pg_catalog.pg_class AS c WHERE c.relnamespace = s.oid AND c.oid IN (SELECT oid FROM own)) \
   OR EXISTS (SELECT 1 FROM pg_catalog.pg_extension AS x WHERE x.extnamespace = s.oid)), \
 found AS ( \
   SELECT 1 AS place, 'EVENT TRIGGER' AS kind, pg_catalog.quote_ident(evtname) AS name FROM pg_catalog.pg_event_trigger AS t \
     WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e WHERE e.objid = t.oid AND e.deptype = 'e') \
   UNION ALL SELECT 2, 'PUBLICATION', pg_catalog.quote_ident(pubname) FROM pg_catalog.pg_publication \
   UNION ALL SELECT 3, 'SERVER', pg_catalog.quote_ident(srvname) FROM pg_catalog.pg_foreign_server \
   UNION ALL SELECT 4, 'SCHEMA', pg_catalog.quote_ident(s.nspname) FROM schemas AS s WHERE s.oid NOT IN (SELECT oid FROM kept) \
   UNION ALL SELECT 5, pg_catalog.upper(CASE i.type WHEN 'composite type' THEN 'type' WHEN 'statistics object' THEN 'statistics' ELSE i.type END), i.identity \
     FROM pg_catalog.pg_depend AS d CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) AS i \
     WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass AND d.refobjid IN (SELECT oid FROM kept) AND d.deptype = 'n' \
       AND i.type NOT IN ('extension', 'default acl') AND NOT (d.classid = 'pg_catalog.pg_class'::regclass AND d.objid IN (SELECT oid FROM own)) \
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e') \
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS a WHERE a.classid = d.classid AND a.objid = d.objid AND a.deptype IN ('a', 'i') \
         AND a.refclassid = 'pg_catalog.pg_class'::regclass) \
   UNION ALL SELECT 6, 'LARGE OBJECT', oid::text FROM pg_catalog.pg_largeobject_metadata) \
 SELECT kind, name FROM found ORDER BY place, kind, name";

fn question(own: &[TableName]) -> Result<String, sqlx::Error> {
    let mut names = Vec::with_capacity(own.len());
    for table in own {
        let name = match &table.schema {
            Some(schema) => format!("{}.{}", identifier(schema), identifier(&table.name)),
            None => identifier(&table.name),
        };
        let text = literal(&name).map_err(|error| sqlx::Error::Protocol(error.to_string()))?;
        names.push(format!("pg_catalog.to_regclass({text})"));
    }
    Ok(OBJECTS.replace("{own}", &names.join(", ")))
}

/// Kinds and names of all objects, in an order in which they can be removed.
pub(super) async fn objects(link: &mut Link, own: &[TableName]) -> Result<Vec<(String, String)>, sqlx::Error> {
    let sets = link.rows(question(own)?).await?;
    let rows = sets.iter().flatten();
    rows.map(|row| Ok((required(row, 0)?.to_owned(), required(row, 1)?.to_owned()))).collect()
}

/// A statement that removes an object, and what depends on it.
pub(super) fn removal((kind, name): &(String, String)) -> String {
    match kind.as_str() {
        "LARGE OBJECT" => format!("SELECT pg_catalog.lo_unlink({name})"),
        kind => format!("DROP {kind} IF EXISTS {name} CASCADE"),
    }
}
