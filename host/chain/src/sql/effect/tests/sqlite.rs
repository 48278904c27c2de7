//! SQLite.

use super::check;
use crate::dialect::Dialect;

#[test]
fn definitions() {
    check(
        Dialect::Sqlite,
        &[
            ("DROP TABLE \"drop\"", "drop drop"),
            ("DROP TABLE [a b].`c``d`", "drop a b.c`d"),
            ("DROP TABLE 'it''s'", "drop it's"),
            ("DROP TABLE \"a\"\"b\"", "drop a\"b"),
            ("DROP TABLE A", "drop A"),
            ("DROP TABLE a, b", "drop a; drop b"),
            ("DROP SEQUENCE a", "?"),
            ("ALTER TABLE a DROP COLUMN \"column\"", "drop a/column"),
            ("ALTER TABLE a RENAME b TO c", "rename a/b c"),
            ("ALTER TABLE a ALTER COLUMN b DROP NOT NULL", ""),
            ("ALTER TABLE a ALTER COLUMN b TYPE int", "?"),
            ("ALTER TABLE a ADD b int GENERATED ALWAYS AS (wipe(c))", "?"),
            ("CREATE VIRTUAL TABLE a USING fts5(b, c)", "create a"),
            ("CREATE TRIGGER a AFTER DELETE ON b BEGIN DELETE FROM c; END", ""),
            ("CREATE TEMP TABLE a AS SELECT 1", "create a temporary"),
            ("CREATE TABLE a (b int DEFAULT (wipe(1)))", "create a"),
        ],
    );
}

#[test]
fn rows() {
    check(
        Dialect::Sqlite,
        &[
            ("DELETE FROM s.a AS x INDEXED BY i WHERE 1", "delete s.a"),
            ("DELETE FROM [delete]", "delete delete"),
            ("UPDATE OR REPLACE a SET b = 1", "update a/b; delete a"),
            ("UPDATE OR IGNORE a SET (b, c) = (1, 2), \"set\" = 3", "update a/b,c,set"),
            ("UPDATE a SET b = c FROM d WHERE e", "update a/b"),
            ("UPDATE a", "?"),
            ("REPLACE INTO a VALUES (1)", "delete a"),
            ("INSERT OR REPLACE INTO a (b) VALUES (1)", "delete a"),
            ("INSERT OR IGNORE INTO a (b) VALUES (1)", ""),
            ("INSERT OR EXPLODE INTO a (b) VALUES (1)", "?"),
            ("INSERT INTO a (b) VALUES (1) ON CONFLICT (b) DO NOTHING", ""),
            (
                "INSERT INTO a (b) VALUES (1) ON CONFLICT (b) DO UPDATE SET c = excluded.c, d = 2 WHERE e",
                "update a/c,d",
            ),
            ("INSERT INTO a(b) SELECT upper(c) FROM d WHERE true ON CONFLICT DO UPDATE SET b = 1", "update a/b"),
            ("INSERT INTO a(a) VALUES ('delete-all')", "?"),
            ("INSERT INTO a SELECT load_extension('x')", "?"),
            ("WITH a AS (SELECT 1) REPLACE INTO b SELECT * FROM a", "delete b"),
            ("TRUNCATE a", "?"),
            ("MERGE INTO a USING b ON c WHEN MATCHED THEN DELETE", "?"),
        ],
    );
}

#[test]
fn the_rest() {
    check(
        Dialect::Sqlite,
        &[
            ("PRAGMA foreign_keys = ON", ""),
            ("PRAGMA main.table_info(a)", ""),
            ("PRAGMA user_version", ""),
            ("PRAGMA user_version = 3", "?"),
            ("PRAGMA writable_schema = 1", "?"),
            ("VACUUM", ""),
            ("ATTACH 'x.db' AS y", ""),
            ("BEGIN IMMEDIATE TRANSACTION", ""),
            ("EXPLAIN QUERY PLAN DELETE FROM a", ""),
            ("SELECT json_extract(a, '$.b'), strftime('%s') FROM c ORDER BY d", ""),
            ("SELECT \"load_extension\"('x')", "?"),
            ("DO 1", "?"),
        ],
    );
}
