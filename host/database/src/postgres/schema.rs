//! The schema of a PostgreSQL database: all of its schemas, without what belongs to extensions or to the system.

use crate::outbox::name_beside;
use crate::reading::ReadError;
use crate::reading::Result;
use crate::schema::Schema;

use super::books::Books;
use super::books::quoted;
use super::link::Link;
use super::link::text;
use super::literal::literal;

/// Relations that count, as a part of `WITH`; `{runners}` are the identifiers of the runner's own tables.
const RELATIONS: &str = "WITH ours AS (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'), \
     foreign_to_us AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'), \
     rel AS (SELECT c.* FROM pg_class c WHERE c.relnamespace IN (SELECT oid FROM ours) AND c.oid <> ALL (ARRAY[{runners}]::oid[]) \
       AND NOT EXISTS (SELECT 1 FROM foreign_to_us e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)) ";

/// Each gives a kind, a name and a definition. They run with an empty `search_path`, so that all names are qualified.
const QUERIES: &[&str] = &[
    "SELECT 'schema', nspname::text, concat_ws(' ', 'OWNER', nspowner::regrole, 'ACL', \
       (SELECT string_agg(a::text, ', ' ORDER BY a::text) FROM unnest(coalesce(nspacl, acldefault('n', nspowner))) a)) FROM pg_namespace WHERE oid IN (SELECT oid FROM ours) \
       AND NOT EXISTS (SELECT 1 FROM foreign_to_us e WHERE e.classid = 'pg_namespace'::regclass AND e.objid = pg_namespace.oid)",
    "SELECT 'extension', extname::text, extversion FROM pg_extension",
    // Tables and what is stored of them.
    "SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view' \
       WHEN 'm' THEN 'materialized view' WHEN 'c' THEN 'type' END, c.oid::regclass::text, \
       concat_ws(E'\\n', nullif(c.relpersistence::text, 'p'), array_to_string(c.reloptions, ', '), \
       CASE WHEN c.relkind = 'p' THEN 'PARTITION BY ' || pg_get_partkeydef(c.oid) END, \
       CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END, \
       (SELECT string_agg('INHERITS ' || i.inhparent::regclass::text, E'\\n' ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid), \
       CASE WHEN c.relrowsecurity THEN 'ROW LEVEL SECURITY' END, CASE WHEN c.relforcerowsecurity THEN 'FORCED' END, \
       CASE WHEN c.relreplident <> 'd' AND c.relkind IN ('r', 'p') THEN 'REPLICA IDENTITY ' || c.relreplident::text END, \
       'OWNER ' || c.relowner::regrole::text, \
       'ACL ' || (SELECT string_agg(a::text, ', ' ORDER BY a::text) FROM unnest(coalesce(c.relacl, acldefault('r', c.relowner))) a), CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END) \
     FROM rel c WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c')",
    "SELECT 'column', c.oid::regclass::text || '.' || a.attname, concat_ws(' ', \
       (SELECT count(*) FROM pg_attribute o WHERE o.attrelid = a.attrelid AND o.attnum BETWEEN 1 AND a.attnum AND NOT o.attisdropped) || '.', \
       format_type(a.atttypid, a.atttypmod), \
       CASE WHEN a.attcollation <> t.typcollation THEN 'COLLATE ' || a.attcollation::regcollation::text END, \
       CASE WHEN a.attnotnull THEN 'NOT NULL' END, \
       CASE WHEN a.attidentity <> '' THEN 'IDENTITY ' || a.attidentity::text END, \
       CASE WHEN a.attgenerated <> '' THEN 'GENERATED' END, 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), \
       CASE WHEN a.attstorage <> t.typstorage THEN 'STORAGE ' || a.attstorage::text END, \
       'STATISTICS ' || nullif(a.attstattarget, -1), array_to_string(a.attoptions, ', '), 'COMPRESSION ' || nullif(to_jsonb(a) ->> 'attcompression', ''), 'ACL ' || a.attacl::text) \
     FROM rel c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
     JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
     WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c')",
    "SELECT 'constraint', c.oid::regclass::text || '.' || k.conname, pg_get_constraintdef(k.oid) \
     FROM pg_constraint k JOIN rel c ON c.oid = k.conrelid WHERE k.contype <> 't'",
    "SELECT 'index', i.indexrelid::regclass::text, concat_ws(E'\\n', pg_get_indexdef(i.indexrelid), \
       CASE WHEN NOT i.indisvalid THEN 'INVALID' END, CASE WHEN i.indisclustered THEN 'CLUSTERED' END, \
       CASE WHEN i.indisreplident THEN 'REPLICA IDENTITY' END) \
     FROM pg_index i JOIN rel c ON c.oid = i.indrelid",
    "SELECT 'trigger', c.oid::regclass::text || '.' || t.tgname, concat_ws(' ', pg_get_triggerdef(t.oid), nullif(t.tgenabled::text, 'O')) \
     FROM pg_trigger t JOIN rel c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal",
    "SELECT 'rule', c.oid::regclass::text || '.' || r.rulename, pg_get_ruledef(r.oid) \
     FROM pg_rewrite r JOIN rel c ON c.oid = r.ev_class WHERE r.rulename <> '_RETURN'",
    "SELECT 'policy', c.oid::regclass::text || '.' || p.polname, concat_ws(' ', p.polcmd::text, p.polpermissive::text, \
       (SELECT string_agg(r::regrole::text, ', ' ORDER BY r) FROM unnest(p.polroles) r), \
       'USING ' || pg_get_expr(p.polqual, p.polrelid), 'CHECK ' || pg_get_expr(p.polwithcheck, p.polrelid)) \
     FROM pg_policy p JOIN rel c ON c.oid = p.polrelid",
    "SELECT 'sequence', c.oid::regclass::text, concat_ws(' ', format_type(s.seqtypid, NULL), 'START', s.seqstart, 'INCREMENT', s.seqincrement, \
       'MIN', s.seqmin, 'MAX', s.seqmax, 'CACHE', s.seqcache, CASE WHEN s.seqcycle THEN 'CYCLE' END, 'OWNER', c.relowner::regrole, \
       (SELECT 'OWNED BY ' || d.refobjid::regclass::text || '.' || a.attname FROM pg_depend d \
         JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
         WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0), \
       'ACL', (SELECT string_agg(a::text, ', ' ORDER BY a::text) FROM unnest(coalesce(c.relacl, acldefault('s', c.relowner))) a)) \
     FROM pg_sequence s JOIN rel c ON c.oid = s.seqrelid",
    // Types, functions and the rest.
    "SELECT 'type', t.oid::regtype::text, concat_ws(E'\\n', 'OWNER ' || t.typowner::regrole::text, \
       'ACL ' || (SELECT string_agg(a::text, ', ' ORDER BY a::text) FROM unnest(coalesce(t.typacl, acldefault('T', t.typowner))) a), CASE t.typtype \
       WHEN 'e' THEN (SELECT 'ENUM ' || string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) \
       WHEN 'd' THEN concat_ws(' ', 'DOMAIN', format_type(t.typbasetype, t.typtypmod), CASE WHEN t.typnotnull THEN 'NOT NULL' END, 'DEFAULT ' || t.typdefault, \
         (SELECT string_agg(pg_get_constraintdef(k.oid), ' ' ORDER BY k.conname) FROM pg_constraint k WHERE k.contypid = t.oid)) \
       WHEN 'r' THEN (SELECT 'RANGE ' || format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = t.oid) END) \
     FROM pg_type t WHERE t.typtype IN ('e', 'd', 'r') AND t.typnamespace IN (SELECT oid FROM ours) \
       AND NOT EXISTS (SELECT 1 FROM foreign_to_us e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid)",
    "SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END, p.oid::regprocedure::text, \
       concat_ws(E'\\n', CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) ELSE \
         (SELECT concat_ws(' ', a.aggtransfn, a.aggfinalfn, a.aggtranstype::regtype, a.agginitval) FROM pg_aggregate a WHERE a.aggfnoid = p.oid) END, \
         'OWNER ' || p.proowner::regrole::text, \
         'ACL ' || (SELECT string_agg(a::text, ', ' ORDER BY a::text) FROM unnest(coalesce(p.proacl, acldefault('f', p.proowner))) a)) \
     FROM pg_proc p WHERE p.pronamespace IN (SELECT oid FROM ours) \
       AND NOT EXISTS (SELECT 1 FROM foreign_to_us e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid)",
    "SELECT 'comment', i.type || ' ' || i.identity, d.description FROM pg_description d \
     CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i \
     WHERE d.objoid >= 16384 AND d.objoid <> ALL (ARRAY[{runners}]::oid[]) \
       AND NOT EXISTS (SELECT 1 FROM foreign_to_us e WHERE e.classid = d.classoid AND e.objid = d.objoid) \
       AND d.classoid <> 'pg_extension'::regclass",
    "SELECT 'default privileges', concat_ws(' ', defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype), defaclacl::text FROM pg_default_acl",
    "SELECT i.type, i.identity, '' FROM ( \
       SELECT 'pg_operator'::regclass AS class, oid FROM pg_operator UNION ALL SELECT 'pg_cast'::regclass, oid FROM pg_cast \
       UNION ALL SELECT 'pg_collation'::regclass, oid FROM pg_collation UNION ALL SELECT 'pg_conversion'::regclass, oid FROM pg_conversion \
       UNION ALL SELECT 'pg_opclass'::regclass, oid FROM pg_opclass UNION ALL SELECT 'pg_opfamily'::regclass, oid FROM pg_opfamily \
       UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict \
       UNION ALL SELECT 'pg_ts_parser'::regclass, oid FROM pg_ts_parser UNION ALL SELECT 'pg_ts_template'::regclass, oid FROM pg_ts_template \
       UNION ALL SELECT 'pg_event_trigger'::regclass, oid FROM pg_event_trigger UNION ALL SELECT 'pg_publication'::regclass, oid FROM pg_publication \
       UNION ALL SELECT 'pg_foreign_server'::regclass, oid FROM pg_foreign_server \
       UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid FROM pg_foreign_data_wrapper \
       UNION ALL SELECT 'pg_statistic_ext'::regclass, oid FROM pg_statistic_ext UNION ALL SELECT 'pg_language'::regclass, oid FROM pg_language \
       UNION ALL SELECT 'pg_transform'::regclass, oid FROM pg_transform) o \
     CROSS JOIN LATERAL pg_identify_object(o.class, o.oid, 0) i WHERE o.oid >= 16384 \
       AND NOT EXISTS (SELECT 1 FROM foreign_to_us e WHERE e.classid = o.class AND e.objid = o.oid)",
];

impl Books {
    /// Reads the schema in one round trip and at one moment. Leaves a transaction open if it fails.
    pub(super) async fn schema(&self, link: &mut Link) -> Result<Schema> {
        let name = |table| literal(&quoted(table)).map_err(ReadError::Known);
        let runners = [name(&self.version)?, name(&self.ledger)?, name(&name_beside(&self.ledger))?]
            .map(|name| format!("coalesce(to_regclass({name})::oid, 0)"))
            .join(", ");
        let mut statements = vec![
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned(),
            "SET LOCAL search_path TO pg_catalog".to_owned(),
        ];
        let first = statements.len();
        statements.extend(QUERIES.iter().map(|query| format!("{RELATIONS}{query}").replace("{runners}", &runners)));
        statements.push("COMMIT".to_owned());
        let mut schema = Schema::default();
        for row in link.rows(statements.join(";\n")).await?.iter().skip(first).flatten() {
            let column = |index| Ok::<_, sqlx::Error>(text(row, index)?.unwrap_or_default().to_owned());
            schema.add(column(0)?, column(1)?, column(2)?);
        }
        Ok(schema)
    }
}
