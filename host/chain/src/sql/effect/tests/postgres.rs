//! PostgreSQL.

use super::{check, effects};
use crate::dialect::Dialect;
use crate::sql::Effect;

#[test]
fn dropped() {
    check(
        Dialect::Postgres,
        &[
            (
                "DROP TABLE IF EXISTS A, \"B\", public.c CASCADE",
                "drop a cascade; drop B cascade; drop public.c cascade",
            ),
            ("DROP TABLE a RESTRICT", "drop a"),
            ("DROP TABLE db.public.a", "drop public.a"),
            ("DROP TABLE x.db.public.a", "?"),
            ("DROP TABLE \"a\"\"b\".\"select\"", "drop a\"b.select"),
            ("DROP TABLE U&\"\\0061\"", "?"),
            ("DROP /* a /* nested */ DROP TABLE b */ TABLE c", "drop c"),
            ("DROP TABLE select", "?"),
            ("DROP FOREIGN TABLE a", ""),
            ("DROP MATERIALIZED VIEW IF EXISTS a CASCADE", ""),
            ("DROP FUNCTION a(int, text)", ""),
            ("DROP FUNCTION a(int) CASCADE", "?"),
            ("DROP TYPE a", ""),
            ("DROP TYPE a CASCADE", "?"),
            ("DROP DOMAIN a CASCADE", "?"),
            ("DROP COLLATION a CASCADE", "?"),
            ("DROP POLICY a ON b", ""),
            ("DROP RULE a ON b CASCADE", ""),
            ("DROP EXTENSION IF EXISTS \"uuid-ossp\", citext", ""),
            ("DROP EXTENSION pgcrypto CASCADE", "?"),
            ("DROP EXTENSION postgis", "?"),
            ("DROP OWNED BY a", "?"),
            ("DROP DATABASE a", "?"),
            ("DROP SCHEMA IF EXISTS a, B CASCADE", "drop schema a cascade; drop schema b cascade"),
            ("DROP SCHEMA a", "drop schema a"),
            ("DROP SEQUENCE a.b, c CASCADE", "drop sequence a.b; drop sequence c"),
            ("DROP ROLE a", ""),
            ("TRUNCATE a", "truncate a"),
            ("TRUNCATE TABLE ONLY a, b * RESTART IDENTITY CASCADE", "truncate a cascade; truncate b cascade"),
            ("TRUNCATE a nonsense", "truncate a; ?"),
        ],
    );
}

#[test]
fn long_names_are_cut_as_the_server_cuts_them() {
    let long = "é".repeat(40);
    let found = effects(&format!("DROP TABLE {long}"), Dialect::Postgres);
    let [Effect::DropTable { table, .. }] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(table.name, "é".repeat(31));
}

#[test]
fn altered_tables() {
    check(
        Dialect::Postgres,
        &[
            (
                "ALTER TABLE IF EXISTS ONLY s.a DROP COLUMN IF EXISTS b CASCADE, ADD c int, DROP \"drop\"",
                "drop s.a/b cascade; drop s.a/drop",
            ),
            ("ALTER TABLE a * DROP index", "drop a/index"),
            ("ALTER TABLE a DROP CONSTRAINT b CASCADE", ""),
            ("ALTER TABLE a DROP b c", "drop a/b; ?"),
            ("ALTER TABLE a ALTER b TYPE varchar ( 20 )", "type a/b varchar ( 20 )"),
            (
                "ALTER TABLE a ALTER COLUMN b SET DATA TYPE numeric(10,2) COLLATE \"C\" USING b::numeric(10, 2), ALTER c TYPE int[]",
                "type a/b numeric(10,2) using; type a/c int[]",
            ),
            (
                "ALTER TABLE a ALTER b TYPE timestamp with time zone USING to_timestamp(b)",
                "type a/b timestamp with time zone using",
            ),
            ("ALTER TABLE a ALTER b TYPE int USING wipe(b)", "type a/b int using; ?"),
            ("ALTER TABLE a ALTER b TYPE", "?"),
            ("ALTER TABLE a ALTER type TYPE int -- x\n", "type a/type int"),
            ("ALTER TABLE a ALTER \"1\" SET GENERATED ALWAYS RESTART", "identity a/1"),
            ("ALTER TABLE a ALTER b SET DEFAULT f(1), ALTER b DROP DEFAULT, ALTER b SET NOT NULL", ""),
            ("ALTER TABLE a ALTER b DROP NOT NULL, ALTER b SET STATISTICS 10, ALTER b SET STORAGE plain", ""),
            ("ALTER TABLE a ALTER b ADD GENERATED ALWAYS AS IDENTITY", ""),
            ("ALTER TABLE a ALTER b DROP IDENTITY IF EXISTS", "identity a/b"),
            ("ALTER TABLE a ALTER b SET GENERATED ALWAYS SET INCREMENT 2 RESTART WITH 1", "identity a/b"),
            ("ALTER TABLE a ALTER b DROP EXPRESSION", ""),
            ("ALTER TABLE a ALTER b EXPLODE", "?"),
            ("ALTER TABLE a ADD b text DEFAULT wipe()", "?"),
            ("ALTER TABLE a ADD b geometry(Point, 4326) NOT NULL DEFAULT now()", ""),
            ("ALTER TABLE a ADD b int DEFAULT nextval('s.q'::regclass)", "sequence s.q"),
            ("ALTER TABLE a ADD CONSTRAINT b FOREIGN KEY (c) REFERENCES d (e) ON DELETE CASCADE", ""),
            ("ALTER TABLE a ADD CHECK (length(b) > 0 AND c IN (1))", ""),
            ("ALTER TABLE a RENAME b TO c", "rename a/b c"),
            ("ALTER TABLE a RENAME CONSTRAINT b TO c", ""),
            ("ALTER TABLE s.a RENAME TO B", "rename s.a s.b"),
            ("ALTER TABLE a SET SCHEMA s", "rename a s.a"),
            ("ALTER TABLE a OWNER TO b, ENABLE ROW LEVEL SECURITY, VALIDATE CONSTRAINT c", ""),
            ("ALTER TABLE a ATTACH PARTITION b FOR VALUES IN ('x')", ""),
            ("ALTER TABLE a DETACH PARTITION b CONCURRENTLY", ""),
            ("ALTER TABLE a SPLIT PARTITION b INTO (PARTITION c FOR VALUES IN (1))", "?"),
            ("ALTER TABLE a SET (fillfactor = 70), SET LOGGED, RESET (fillfactor), REPLICA IDENTITY FULL", ""),
            ("ALTER TABLE a SET WITHOUT OIDS", "drop a/oid"),
            ("ALTER TABLE a CLUSTER ON b, INHERIT c, NO INHERIT d, DISABLE TRIGGER ALL", ""),
            ("ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b", ""),
            ("ALTER FOREIGN TABLE a DROP COLUMN b", "drop a/b"),
        ],
    );
}

#[test]
fn altered_otherwise() {
    check(
        Dialect::Postgres,
        &[
            ("ALTER INDEX a RENAME TO b", ""),
            ("ALTER VIEW a RENAME TO b", "rename a b"),
            ("ALTER VIEW a ALTER b SET DEFAULT 1", ""),
            ("ALTER MATERIALIZED VIEW a SET SCHEMA b", "rename a b.a"),
            ("ALTER SEQUENCE a RESTART", "sequence a"),
            ("ALTER SEQUENCE a INCREMENT BY 2 RESTART WITH 5", "sequence a"),
            ("ALTER SEQUENCE a OWNED BY b.c", ""),
            ("ALTER SEQUENCE a RENAME TO b", "rename a b"),
            ("ALTER SCHEMA a RENAME TO b", "rename schema a b"),
            ("ALTER SCHEMA a OWNER TO b", ""),
            ("ALTER TYPE a ADD VALUE IF NOT EXISTS 'b' BEFORE 'c'", ""),
            ("ALTER TYPE a RENAME VALUE 'b' TO 'c'", ""),
            ("ALTER TYPE a DROP ATTRIBUTE b CASCADE", "?"),
            ("ALTER TYPE a ADD ATTRIBUTE b int, ALTER ATTRIBUTE c TYPE int", "?"),
            ("ALTER DOMAIN a DROP CONSTRAINT b", ""),
            ("ALTER FUNCTION a(int) RENAME TO b", ""),
            ("ALTER EXTENSION a UPDATE", "?"),
            ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO a", ""),
            ("ALTER DATABASE a SET work_mem = 1", ""),
            ("ALTER NONSENSE a", "?"),
        ],
    );
}

#[test]
fn rows() {
    check(
        Dialect::Postgres,
        &[
            ("DELETE FROM ONLY a USING b WHERE a.c = b.c RETURNING *", "delete a"),
            ("DELETE FROM ONLY (a)", "delete a"),
            ("UPDATE ONLY s.a * AS x SET b = 1, (c, \"D\") = (1, 2), e[1] = 3, f.g = 4 FROM h", "update s.a/b,c,D,e,f"),
            ("UPDATE a SET b = c IS DISTINCT FROM d, e = 1 RETURNING f", "update a/b,e"),
            ("UPDATE a SET b = CASE WHEN c THEN 1 ELSE 2 END, d = extract(year FROM e)", "update a/b,d"),
            ("UPDATE a SET b", "update a/"),
            ("UPDATE \"update\" SET \"set\" = wipe(1)", "update update/set; ?"),
            ("REPLACE INTO a VALUES (1)", "?"),
            (
                "INSERT INTO a AS x (b) VALUES (1) ON CONFLICT (lower(b)) WHERE c DO UPDATE SET b = excluded.b",
                "update a/b",
            ),
            ("INSERT INTO a (b) VALUES (1) ON CONFLICT ON CONSTRAINT c DO NOTHING RETURNING b", ""),
            ("INSERT INTO a DEFAULT VALUES", ""),
            ("INSERT INTO s.a (b, update, delete) SELECT wipe(b) FROM c", "?"),
            ("INSERT INTO a VALUES (nextval('q'))", "sequence q"),
            (
                "MERGE INTO a USING b ON a.c = b.c WHEN MATCHED AND d THEN DELETE WHEN MATCHED THEN UPDATE SET e = 1",
                "delete a; update a/",
            ),
            ("MERGE INTO a AS x USING b ON true WHEN NOT MATCHED THEN INSERT (c) VALUES (1)", ""),
            ("MERGE INTO a USING b ON true", "?"),
            (
                "WITH x AS (DELETE FROM a RETURNING *), y AS MATERIALIZED (UPDATE b SET c = 1 RETURNING *) SELECT * FROM x, y",
                "delete a; update b/c",
            ),
            ("WITH a AS (DELETE FROM b RETURNING *) INSERT INTO a SELECT * FROM a", "delete b"),
            ("WITH users AS NOT MATERIALIZED (SELECT 1) DELETE FROM users", "delete users"),
            ("WITH RECURSIVE a(b) AS (SELECT 1) SEARCH DEPTH FIRST BY b SET c DELETE FROM d", "delete d"),
            ("WITH x AS (DELETE FROM a.b.c.d) SELECT 1", "?"),
            ("INSERT INTO a WITH x AS (DELETE FROM b RETURNING *) SELECT * FROM x", "delete b"),
            (
                "CREATE TABLE a AS WITH x AS (INSERT INTO b VALUES (1) ON CONFLICT DO UPDATE SET c = 2 RETURNING *) SELECT 1",
                "create a; update b/c",
            ),
            ("COPY a (b) FROM '/x' WITH (FORMAT csv)", ""),
            ("COPY (DELETE FROM a RETURNING *) TO '/x'", "delete a"),
            ("COPY a TO PROGRAM 'x'", "?"),
            ("EXPLAIN ANALYZE DELETE FROM a", "delete a"),
            ("EXPLAIN (COSTS off, ANALYZE) DELETE FROM a", "delete a"),
            ("EXPLAIN (VERBOSE) DELETE FROM a", ""),
            ("EXPLAIN ANALYZE (SELECT wipe(1))", "?"),
        ],
    );
}

#[test]
fn queries() {
    check(
        Dialect::Postgres,
        &[
            ("SELECT a::varchar(10), b::s.mytype(3), (delete), ARRAY[1, 2] FROM c", ""),
            ("SELECT pg_catalog.lower(a), $$ wipe() $$, E'wipe(\\'' FROM b", ""),
            ("SELECT sum(a) FILTER (WHERE b) OVER (PARTITION BY c ORDER BY d) FROM e", ""),
            ("SELECT * FROM (VALUES (1, 2)) AS a (b, c) JOIN d USING (e)", ""),
            ("SELECT * FROM (VALUES (1, 2)) a(b, c), LATERAL (SELECT 1) f", ""),
            ("SELECT DISTINCT ON (a) wipe(b) FROM c", "?"),
            ("SELECT * FROM (SELECT 1), dblink('x') AS (a int)", "?"),
            ("SELECT \"lower\"(a)", ""),
            ("SELECT \"Lower\"(a)", "?"),
            ("SELECT public.lower(a)", "?"),
            ("SELECT pg_terminate_backend(1)", "?"),
            ("SELECT lo_unlink(1)", "?"),
            ("SELECT query_to_xml('DELETE FROM a', true, true, '')", "?"),
            ("SELECT setval('s.\"Q\"', 1, false)", "sequence s.Q"),
            ("SELECT pg_catalog.setval('q'::regclass, (SELECT max(a) FROM b))", "sequence q"),
            ("SELECT setval('a' || 'b', 1)", "?"),
            ("SELECT setval(pg_get_serial_sequence('s.t', 'id'), coalesce(max(id), 1)) FROM s.t", "identity s.t/id"),
            ("SELECT setval(pg_get_serial_sequence('t', a), 1)", "?"),
            ("SELECT setval(x, 1)", "?"),
            ("SELECT pg_catalog.set_config('search_path', '', false)", ""),
            ("SELECT set_config('search_path', 'a', false)", "?"),
            ("SELECT set_config('work_mem', '1', false)", ""),
            ("SELECT set_config(a, 'b', false)", "?"),
            ("SELECT * INTO TEMP TABLE a FROM b", "create a temporary"),
            ("SELECT * INTO UNLOGGED s.a FROM b", "create s.a"),
            ("(SELECT 1) UNION (SELECT wipe(2))", "?"),
            ("TABLE a", ""),
            ("DECLARE a CURSOR FOR SELECT wipe(1)", "?"),
        ],
    );
}

#[test]
fn created_and_the_rest() {
    check(
        Dialect::Postgres,
        &[
            ("CREATE UNLOGGED TABLE a (b int)", "create a"),
            ("CREATE GLOBAL TEMPORARY TABLE a (b int)", "create a temporary"),
            ("CREATE TABLE a PARTITION OF b FOR VALUES WITH (MODULUS 4, REMAINDER 0)", "create a"),
            ("CREATE TABLE a AS EXECUTE b(1)", "create a; ?"),
            ("CREATE MATERIALIZED VIEW a AS SELECT wipe(b) FROM c", "?"),
            (
                "CREATE SCHEMA a CREATE TABLE b (c int) CREATE TABLE d.e (f int) CREATE VIEW g AS SELECT 1",
                "create a.b; create d.e",
            ),
            ("CREATE OR REPLACE FUNCTION a() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM b; END", ""),
            ("CREATE FUNCTION a() RETURNS void AS $$ DROP TABLE b; $$ LANGUAGE sql", ""),
            ("CREATE RULE a AS ON DELETE TO b DO INSTEAD (DELETE FROM c; DELETE FROM d)", ""),
            ("CREATE EVENT TRIGGER a ON ddl_command_end EXECUTE FUNCTION b()", ""),
            ("DO $$ BEGIN DROP TABLE a; END $$", "?"),
            ("CALL a()", "?"),
            ("EXECUTE a", "?"),
            ("PREPARE a AS DELETE FROM b", "?"),
            ("PREPARE TRANSACTION 'a'", ""),
            ("COMMIT PREPARED 'a'", "?"),
            ("LOAD 'lib'", "?"),
            ("SET LOCAL lock_timeout = '1s'", ""),
            ("SET search_path TO a, public", "?"),
            ("SET search_path TO DEFAULT", ""),
            ("COMMENT ON TABLE a IS 'DROP TABLE b'", ""),
            ("GRANT DELETE ON a TO b", ""),
            ("REFRESH MATERIALIZED VIEW a", ""),
            ("LOCK TABLE a", ""),
            ("VACUUM (FULL) a", ""),
            ("REASSIGN OWNED BY a TO b", ""),
            ("RENAME TABLE a TO b", "?"),
        ],
    );
}

#[test]
fn names_that_look_like_calls() {
    check(
        Dialect::Postgres,
        &[
            ("SELECT * FROM a TABLESAMPLE SYSTEM (10)", ""),
            ("SELECT system('rm')", "?"),
            ("SELECT CASE WHEN a THEN insert(b) END FROM c", "?"),
            ("SELECT a FROM b GROUP BY GROUPING SETS ((a), ())", ""),
            ("SELECT sets(1), year(2)", "?; ?"),
            ("SELECT NOT materialized(1)", ""),
            ("ALTER TABLE a ADD b int GENERATED BY DEFAULT AS IDENTITY (START 5)", ""),
            ("INSERT INTO a (b, c) OVERRIDING SYSTEM VALUE VALUES (1, 2)", ""),
            ("UPDATE a SET (b, c) = ROW (1, 2) WHERE d = ANY (ARRAY[1])", "update a/b,c"),
        ],
    );
}
