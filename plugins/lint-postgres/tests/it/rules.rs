//! Each rule speaks up where it should and keeps quiet where it should.

use std::collections::BTreeSet;

use lint_postgres::LintPostgres;
use runner_policy_sdk::RevisionLint;
use runner_policy_sdk::Severity;
use squawk_linter::Rule as EngineRule;

use crate::support::Question;
use crate::support::ask;

/// What a case needs beside the SQL.
#[derive(Clone, Copy, PartialEq, Eq)]
enum With {
    /// A revision in a transaction on PostgreSQL 15, with time-outs set by the runner.
    Nothing,
    /// `Transaction: off`.
    NoTransaction,
    /// Time-outs that nobody sets.
    NoTimeouts,
    /// Another version of the server.
    Version(&'static str),
    /// The rule is asked for.
    OptIn,
    /// Facts, which `tests/it/facts.rs` is about.
    Facts,
}

use With::Facts;
use With::NoTimeouts;
use With::NoTransaction;
use With::Nothing;
use With::OptIn;
use With::Version;

/// A rule, what it speaks up about, what it keeps quiet about, and what both need.
const CASES: &[(&str, &str, &str, With)] = &[
    // Locks.
    (
        "require-concurrent-index-creation",
        "CREATE INDEX a ON visit (day);",
        "CREATE TABLE t (id bigint PRIMARY KEY); CREATE INDEX a ON t (id);",
        Nothing,
    ),
    (
        "require-concurrent-index-deletion",
        "DROP INDEX a;",
        "CREATE TABLE t (id bigint PRIMARY KEY); CREATE INDEX a ON t (id); DROP INDEX a;",
        Nothing,
    ),
    ("require-concurrent-reindex", "REINDEX TABLE visit;", "REINDEX TABLE CONCURRENTLY visit;", NoTransaction),
    (
        "require-concurrent-partition-detach",
        "ALTER TABLE log DETACH PARTITION log_1;",
        "ALTER TABLE log DETACH PARTITION log_1 CONCURRENTLY;",
        NoTransaction,
    ),
    (
        "constraint-missing-not-valid",
        "ALTER TABLE visit ADD CONSTRAINT c CHECK (n > 0);",
        "ALTER TABLE visit ADD CONSTRAINT c CHECK (n > 0) NOT VALID;",
        Nothing,
    ),
    (
        "adding-field-with-default",
        "ALTER TABLE visit ADD COLUMN a uuid DEFAULT gen_random_uuid();",
        "ALTER TABLE visit ADD COLUMN a int DEFAULT 1;",
        Nothing,
    ),
    (
        "adding-foreign-key-constraint",
        "ALTER TABLE visit ADD CONSTRAINT c FOREIGN KEY (p) REFERENCES patient (id);",
        "ALTER TABLE visit ADD CONSTRAINT c FOREIGN KEY (p) REFERENCES patient (id) NOT VALID;",
        Nothing,
    ),
    (
        "changing-column-type",
        "ALTER TABLE visit ALTER COLUMN n TYPE bigint;",
        "CREATE TABLE visit (n int PRIMARY KEY); ALTER TABLE visit ALTER COLUMN n TYPE bigint;",
        Nothing,
    ),
    (
        "adding-not-nullable-field",
        "ALTER TABLE visit ALTER COLUMN n SET NOT NULL;",
        "ALTER TABLE visit VALIDATE CONSTRAINT c; ALTER TABLE visit ALTER COLUMN n SET NOT NULL;",
        Nothing,
    ),
    (
        "adding-serial-primary-key-field",
        "ALTER TABLE visit ADD PRIMARY KEY (id);",
        "ALTER TABLE visit ADD CONSTRAINT p PRIMARY KEY USING INDEX i;",
        Nothing,
    ),
    (
        "disallowed-unique-constraint",
        "ALTER TABLE visit ADD CONSTRAINT u UNIQUE (n);",
        "ALTER TABLE visit ADD CONSTRAINT u UNIQUE USING INDEX i;",
        Nothing,
    ),
    (
        "ban-alter-domain-with-add-constraint",
        "ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0);",
        "CREATE DOMAIN d AS int; ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0);",
        Nothing,
    ),
    ("prefer-repack", "CLUSTER visit USING i;", "REPACK (CONCURRENTLY) visit;", Version("19.1")),
    (
        "rewriting-table",
        "ALTER TABLE visit SET UNLOGGED;",
        "CREATE TABLE visit (id int PRIMARY KEY); ALTER TABLE visit SET UNLOGGED;",
        Nothing,
    ),
    (
        "adding-exclusion-constraint",
        "ALTER TABLE visit ADD CONSTRAINT e EXCLUDE USING gist (r WITH &&);",
        "CREATE TABLE visit (id int PRIMARY KEY, r tsrange, EXCLUDE USING gist (r WITH &&));",
        Nothing,
    ),
    (
        "refresh-not-concurrently",
        "REFRESH MATERIALIZED VIEW days;",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY days;",
        Nothing,
    ),
    ("explicit-lock", "LOCK TABLE visit;", "LOCK TABLE visit IN ROW SHARE MODE;", Nothing),
    (
        "statements-after-strong-lock",
        "ALTER TABLE visit ADD COLUMN a int; CREATE INDEX i ON patient (name);",
        "ALTER TABLE visit ADD COLUMN a int; COMMENT ON COLUMN visit.a IS 'x';",
        Nothing,
    ),
    (
        "backfill-in-migration",
        "ALTER TABLE visit ADD COLUMN a int; UPDATE visit SET a = 1 WHERE a IS NULL;",
        "UPDATE visit SET a = 1 WHERE a IS NULL;",
        Nothing,
    ),
    ("primary-key-with-nullable-columns", "", "ALTER TABLE visit ADD PRIMARY KEY (id);", Facts),
    (
        "concurrent-index-corruption",
        "CREATE INDEX CONCURRENTLY i ON visit (day);",
        "CREATE INDEX i ON visit (day);",
        Version("14.2"),
    ),
    // Drops.
    ("ban-drop-table", "DROP TABLE visit;", "CREATE TABLE visit (id int PRIMARY KEY); DROP TABLE visit;", Nothing),
    (
        "ban-drop-column",
        "ALTER TABLE visit DROP COLUMN a;",
        "ALTER TABLE visit ADD COLUMN a int; ALTER TABLE visit DROP COLUMN a;",
        Nothing,
    ),
    ("ban-drop-database", "DROP DATABASE clinic;", "CREATE TABLE database (id int PRIMARY KEY);", NoTransaction),
    ("ban-drop-schema", "DROP SCHEMA old;", "CREATE SCHEMA old; DROP SCHEMA old;", Nothing),
    ("ban-drop-view", "DROP VIEW visits;", "CREATE VIEW visits AS SELECT 1; DROP VIEW visits;", Nothing),
    (
        "ban-drop-function",
        "DROP FUNCTION f(int);",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; DROP FUNCTION f();",
        Nothing,
    ),
    ("ban-drop-type", "DROP TYPE state;", "CREATE TYPE state AS ENUM ('a'); DROP TYPE state;", Nothing),
    ("ban-drop-sequence", "DROP SEQUENCE s;", "CREATE SEQUENCE s; DROP SEQUENCE s;", Nothing),
    ("ban-drop-domain", "DROP DOMAIN d;", "CREATE DOMAIN d AS int; DROP DOMAIN d;", Nothing),
    ("ban-drop-extension", "DROP EXTENSION hstore;", "CREATE EXTENSION hstore;", Nothing),
    (
        "ban-drop-constraint",
        "ALTER TABLE visit DROP CONSTRAINT c;",
        "CREATE TABLE visit (id int PRIMARY KEY); ALTER TABLE visit DROP CONSTRAINT c;",
        Nothing,
    ),
    (
        "ban-drop-default",
        "ALTER TABLE visit ALTER COLUMN a DROP DEFAULT;",
        "ALTER TABLE visit ADD COLUMN a int DEFAULT 1; ALTER TABLE visit ALTER COLUMN a DROP DEFAULT;",
        Nothing,
    ),
    (
        "ban-drop-not-null",
        "ALTER TABLE visit ALTER COLUMN a DROP NOT NULL;",
        "CREATE TABLE visit (a int PRIMARY KEY); ALTER TABLE visit ALTER COLUMN a DROP NOT NULL;",
        Nothing,
    ),
    (
        "ban-drop-generated-expression",
        "ALTER TABLE visit ALTER COLUMN a DROP EXPRESSION;",
        "ALTER TABLE visit ALTER COLUMN a SET STATISTICS 1;",
        Nothing,
    ),
    (
        "ban-drop-trigger",
        "DROP TRIGGER t ON visit;",
        "CREATE TABLE visit (id int PRIMARY KEY); DROP TRIGGER t ON visit;",
        OptIn,
    ),
    ("ban-drop-index", "DROP INDEX i;", "CREATE INDEX i ON visit (a); DROP INDEX i;", OptIn),
    (
        "ban-drop-policy",
        "DROP POLICY p ON visit;",
        "CREATE TABLE visit (id int PRIMARY KEY); DROP POLICY p ON visit;",
        OptIn,
    ),
    ("ban-truncate-cascade", "TRUNCATE visit CASCADE;", "TRUNCATE visit;", Nothing),
    ("truncate-table", "TRUNCATE visit;", "CREATE TABLE visit (id int PRIMARY KEY); TRUNCATE visit;", Nothing),
    (
        "drop-cascade",
        "DROP VIEW visits CASCADE;",
        "ALTER TABLE visit ADD FOREIGN KEY (p) REFERENCES patient (id) ON DELETE CASCADE NOT VALID;",
        Nothing,
    ),
    ("dropping-what-is-used", "", "DROP TABLE visit;", Facts),
    (
        "comparison-with-null",
        "UPDATE visit SET state = 'open' WHERE id = 1 AND closed = NULL;",
        "UPDATE visit SET closed = NULL WHERE id = 1 AND closed IS NOT NULL;",
        Nothing,
    ),
    ("unparsed-statement", "DO $$ BEGIN DROP TABLE visit; END $$;", "SELECT 1;", Nothing),
    ("concurrent-index-on-partitioned-table", "", "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON log (day);", Facts),
    // Compatibility.
    (
        "renaming-column",
        "ALTER TABLE visit RENAME COLUMN a TO b;",
        "CREATE TABLE visit (a int PRIMARY KEY); ALTER TABLE visit RENAME COLUMN a TO b;",
        Nothing,
    ),
    (
        "renaming-table",
        "ALTER TABLE visit RENAME TO v;",
        "CREATE TABLE visit (a int PRIMARY KEY); ALTER TABLE visit RENAME TO v;",
        Nothing,
    ),
    ("renaming-object", "ALTER SCHEMA a RENAME TO b;", "CREATE VIEW a AS SELECT 1; ALTER VIEW a RENAME TO b;", Nothing),
    (
        "adding-required-field",
        "ALTER TABLE visit ADD COLUMN a int NOT NULL;",
        "ALTER TABLE visit ADD COLUMN a int NOT NULL DEFAULT 1;",
        Nothing,
    ),
    (
        "ban-set-schema",
        "ALTER TABLE visit SET SCHEMA other;",
        "CREATE TABLE visit (a int PRIMARY KEY); ALTER TABLE visit SET SCHEMA other;",
        Nothing,
    ),
    (
        "ban-alter-identity",
        "ALTER TABLE visit ALTER COLUMN id DROP IDENTITY;",
        "ALTER TABLE visit ALTER COLUMN id SET GENERATED BY DEFAULT;",
        Nothing,
    ),
    (
        "ban-alter-generated-expression",
        "ALTER TABLE visit ALTER COLUMN c SET EXPRESSION AS (a + 1);",
        "CREATE TABLE visit (a int PRIMARY KEY); ALTER TABLE visit ADD COLUMN c int GENERATED ALWAYS AS (a) STORED;",
        OptIn,
    ),
    (
        "ban-set-default",
        "ALTER TABLE visit ALTER COLUMN a SET DEFAULT 1;",
        "ALTER TABLE visit ADD COLUMN a int; ALTER TABLE visit ALTER COLUMN a SET DEFAULT 1;",
        OptIn,
    ),
    (
        "ban-disable-trigger",
        "ALTER TABLE visit DISABLE TRIGGER ALL;",
        "CREATE TABLE visit (a int PRIMARY KEY); ALTER TABLE visit DISABLE TRIGGER ALL;",
        OptIn,
    ),
    (
        "ban-replica-identity",
        "ALTER TABLE visit REPLICA IDENTITY FULL;",
        "CREATE TABLE visit (a int PRIMARY KEY); ALTER TABLE visit REPLICA IDENTITY FULL;",
        OptIn,
    ),
    ("ban-replace-view-function", "CREATE OR REPLACE VIEW v AS SELECT 1;", "CREATE VIEW v AS SELECT 1;", OptIn),
    (
        "ban-new-write-restriction",
        "ALTER TABLE visit ADD CONSTRAINT c CHECK (a > 0) NOT VALID;",
        "CREATE TABLE visit (a int PRIMARY KEY); ALTER TABLE visit ADD CONSTRAINT c CHECK (a > 0);",
        OptIn,
    ),
    (
        "ban-add-enum-value",
        "ALTER TYPE state ADD VALUE 'b' AFTER 'a';",
        "CREATE TYPE state AS ENUM ('a'); ALTER TYPE state ADD VALUE 'b' AFTER 'a';",
        OptIn,
    ),
    (
        "ban-add-composite-attribute",
        "ALTER TYPE place ADD ATTRIBUTE a text;",
        "CREATE TYPE place AS (b text); ALTER TYPE place ADD ATTRIBUTE a text;",
        OptIn,
    ),
    (
        "ban-add-column",
        "ALTER TABLE visit ADD COLUMN a int;",
        "CREATE TABLE visit (b int PRIMARY KEY); ALTER TABLE visit ADD COLUMN a int;",
        OptIn,
    ),
    (
        "ban-detach-inheritance",
        "ALTER TABLE visit NO INHERIT base;",
        "CREATE TABLE visit (a int PRIMARY KEY); ALTER TABLE visit NO INHERIT base;",
        OptIn,
    ),
    ("ban-alter-sequence-values", "ALTER SEQUENCE s RESTART;", "CREATE SEQUENCE s; ALTER SEQUENCE s RESTART;", OptIn),
    ("ban-create-policy", "CREATE POLICY p ON visit USING (true);", "CREATE VIEW p AS SELECT 1;", OptIn),
    ("ban-alter-policy-condition", "ALTER POLICY p ON visit USING (false);", "ALTER POLICY p ON visit TO app;", OptIn),
    ("ban-alter-policy-roles", "ALTER POLICY p ON visit TO app;", "ALTER POLICY p ON visit USING (false);", OptIn),
    ("ban-alter-function-options", "ALTER FUNCTION f() SECURITY DEFINER;", "ALTER FUNCTION f() RENAME TO g;", OptIn),
    ("ban-alter-view-options", "ALTER VIEW v SET (security_barrier = true);", "ALTER VIEW v RENAME TO w;", OptIn),
    ("ban-alter-role-options", "ALTER ROLE app NOLOGIN;", "ALTER ROLE app RENAME TO application;", OptIn),
    (
        "ban-alter-database-options",
        "ALTER DATABASE clinic SET work_mem = '1GB';",
        "ALTER DATABASE clinic RENAME TO other;",
        OptIn,
    ),
    (
        "ban-alter-row-level-security",
        "ALTER TABLE visit ENABLE ROW LEVEL SECURITY;",
        "ALTER TABLE visit ENABLE TRIGGER ALL;",
        OptIn,
    ),
    ("ban-alter-system-options", "ALTER SYSTEM SET work_mem = '1GB';", "SET work_mem = '1GB';", OptIn),
    ("ban-alter-extension", "ALTER EXTENSION hstore UPDATE;", "CREATE EXTENSION hstore;", OptIn),
    ("ban-revoke", "REVOKE SELECT ON visit FROM app;", "GRANT SELECT ON visit TO app;", OptIn),
    (
        "unique-index-on-existing-table",
        "CREATE UNIQUE INDEX i ON visit (a);",
        "CREATE TABLE visit (a int PRIMARY KEY); CREATE UNIQUE INDEX i ON visit (a);",
        Nothing,
    ),
    // Transactions.
    ("transaction-nesting", "SELECT 1; COMMIT;", "SELECT 1;", Nothing),
    ("ban-uncommitted-transaction", "BEGIN; SELECT 1;", "SELECT 1;", Nothing),
    (
        "ban-concurrent-index-creation-in-transaction",
        "SELECT 1; CREATE INDEX CONCURRENTLY i ON visit (a);",
        "CREATE INDEX CONCURRENTLY i ON visit (a);",
        Nothing,
    ),
    ("missing-transaction-off", "VACUUM visit;", "ANALYZE visit;", Nothing),
    ("non-atomic-revision", "SELECT 1; SELECT 2;", "SELECT 1;", NoTransaction),
    (
        "new-enum-value-used",
        "ALTER TYPE state ADD VALUE 'b' AFTER 'a'; UPDATE visit SET s = 'b' WHERE id = 1;",
        "ALTER TYPE state ADD VALUE 'b' AFTER 'a'; UPDATE visit SET s = 'a' WHERE id = 1;",
        Nothing,
    ),
    (
        "require-lock-timeout",
        "ALTER TABLE visit ADD COLUMN a int;",
        "SET lock_timeout = '1s'; ALTER TABLE visit ADD COLUMN a int;",
        NoTimeouts,
    ),
    (
        "require-statement-timeout",
        "ALTER TABLE visit ADD COLUMN a int;",
        "SET statement_timeout = '1s'; ALTER TABLE visit ADD COLUMN a int;",
        NoTimeouts,
    ),
    (
        "unused-ignore",
        "-- squawk-ignore no-such-rule\nSELECT 1;",
        "-- squawk-ignore ban-drop-table\nSELECT 1;",
        Nothing,
    ),
    ("syntax-error", "SELECT FROM WHERE;", "SELECT 1;", Nothing),
    // Rows.
    ("update-without-where", "UPDATE visit SET a = 1;", "UPDATE visit SET a = 1 WHERE a = 2;", Nothing),
    ("delete-without-where", "DELETE FROM visit WHERE true;", "DELETE FROM visit WHERE CURRENT OF c;", Nothing),
    (
        "ban-duplicate-column-assignments",
        "UPDATE visit SET a = 1, a = 2 WHERE b;",
        "UPDATE visit SET a = 1, b = 2 WHERE b;",
        Nothing,
    ),
    // Rights.
    ("grant-all", "GRANT ALL ON visit TO app;", "GRANT SELECT ON visit TO app;", Nothing),
    ("grant-to-public", "GRANT SELECT ON visit TO PUBLIC;", "GRANT SELECT ON visit TO app;", Nothing),
    (
        "grant-with-grant-option",
        "GRANT SELECT ON visit TO app WITH GRANT OPTION;",
        "GRANT SELECT ON visit TO app;",
        Nothing,
    ),
    ("changing-role", "CREATE ROLE app;", "GRANT reader TO app;", Nothing),
    ("role-password", "ALTER ROLE app PASSWORD 'x';", "ALTER ROLE app PASSWORD NULL;", Nothing),
    // Style.
    (
        "prefer-bigint-over-int",
        "CREATE TABLE t (id int PRIMARY KEY);",
        "CREATE TABLE t (id bigint PRIMARY KEY);",
        Nothing,
    ),
    (
        "prefer-bigint-over-smallint",
        "CREATE TABLE t (id smallint PRIMARY KEY);",
        "CREATE TABLE t (id bigint PRIMARY KEY);",
        Nothing,
    ),
    (
        "prefer-identity",
        "CREATE TABLE t (id bigserial PRIMARY KEY);",
        "CREATE TABLE t (id bigint PRIMARY KEY);",
        Nothing,
    ),
    (
        "prefer-text-field",
        "CREATE TABLE t (id bigint PRIMARY KEY, a varchar(9));",
        "CREATE TABLE t (id bigint PRIMARY KEY, a text);",
        Nothing,
    ),
    (
        "prefer-timestamp-tz",
        "CREATE TABLE t (id bigint PRIMARY KEY, a timestamp);",
        "CREATE TABLE t (id bigint PRIMARY KEY, a timestamptz);",
        Nothing,
    ),
    (
        "ban-char-field",
        "CREATE TABLE t (id bigint PRIMARY KEY, a char(9));",
        "CREATE TABLE t (id bigint PRIMARY KEY, a text);",
        Nothing,
    ),
    (
        "prefer-robust-stmts",
        "CREATE TABLE t (id bigint PRIMARY KEY);",
        "CREATE TABLE IF NOT EXISTS t (id bigint PRIMARY KEY);",
        NoTransaction,
    ),
    ("prefer-jsonb", "ALTER TABLE visit ADD COLUMN a json;", "ALTER TABLE visit ADD COLUMN a jsonb;", Nothing),
    (
        "require-enum-value-ordering",
        "ALTER TYPE state ADD VALUE 'b';",
        "ALTER TYPE state ADD VALUE 'b' AFTER 'a';",
        Nothing,
    ),
    (
        "require-table-schema",
        "CREATE TABLE t (id bigint PRIMARY KEY);",
        "CREATE TABLE public.t (id bigint PRIMARY KEY);",
        OptIn,
    ),
    (
        "identifier-too-long",
        "CREATE TABLE a234567890123456789012345678901234567890123456789012345678901234 (id bigint PRIMARY KEY);",
        "CREATE TABLE t (id bigint PRIMARY KEY);",
        Nothing,
    ),
    (
        "ban-create-domain-with-constraint",
        "CREATE DOMAIN d AS int CHECK (VALUE > 0);",
        "CREATE DOMAIN d AS int;",
        Nothing,
    ),
    (
        "missing-primary-key",
        "CREATE TABLE t (id bigint);",
        "CREATE TABLE t (id bigint); ALTER TABLE t ADD PRIMARY KEY (id);",
        Nothing,
    ),
    ("wide-index", "CREATE INDEX i ON visit (a, b, c, d);", "CREATE INDEX i ON visit (a, b, c) INCLUDE (d);", Nothing),
    (
        "column-alignment",
        "CREATE TABLE t (a bool, b bigint PRIMARY KEY, c bool, d bigint);",
        "CREATE TABLE t (b bigint PRIMARY KEY, d bigint, a bool, c bool);",
        Nothing,
    ),
];

fn question(rule: &str, sql: &str, with: With) -> Question {
    let question = ask(&format!("{sql}\n"));
    match with {
        Nothing | Facts => question,
        NoTransaction => question.outside_of_transactions(),
        NoTimeouts => question.without_timeouts(),
        Version(version) => question.on(version),
        OptIn => question.opting_in(rule),
    }
}

#[test]
fn each_rule_has_a_case() {
    let rules: BTreeSet<String> = LintPostgres::rules().into_iter().map(|rule| rule.name).collect();
    let cases: BTreeSet<String> = CASES.iter().map(|(rule, ..)| (*rule).to_owned()).collect();
    assert_eq!(rules, cases);
    assert_eq!(CASES.len(), cases.len(), "a rule has two cases");
}

#[test]
fn each_rule_speaks_up() {
    for (rule, speaks, _, with) in CASES.iter().filter(|(.., with)| *with != Facts) {
        let question = question(rule, speaks, *with);
        assert!(question.has(rule), "{rule}: {speaks}\n{:?}", question.rules());
    }
}

#[test]
fn each_rule_keeps_quiet() {
    for (rule, _, quiet, with) in CASES {
        let question = question(rule, quiet, *with);
        assert!(!question.has(rule), "{rule}: {quiet}\n{:?}", question.of(rule));
        // A case that is not understood is quiet for no good reason.
        assert!(!question.has("syntax-error"), "{quiet}: {:?}", question.of("syntax-error"));
    }
}

#[test]
fn comments_of_the_engine_suppress_its_rules() {
    for (rule, speaks, _, with) in CASES {
        let is_engines = EngineRule::try_from(*rule).is_ok();
        if !is_engines || *rule == "unused-ignore" {
            continue;
        }
        let suppressed = format!("-- squawk-ignore-file {rule}\n{speaks}");
        assert!(!question(rule, &suppressed, *with).has(rule), "{rule}");
    }
}

#[test]
fn severities_are_those_of_the_rule() {
    for rule in LintPostgres::rules() {
        let Some((_, speaks, _, with)) = CASES.iter().find(|(name, ..)| *name == rule.name) else { continue };
        if *with == Facts {
            continue;
        }
        let here = |question: Question| question.of(&rule.name).first().map(|finding| finding.severity);
        assert_eq!(here(question(&rule.name, speaks, *with)), Some(rule.severity_in_production), "{}", rule.name);
        let development = question(&rule.name, speaks, *with).in_development();
        assert_eq!(here(development), Some(rule.severity), "{}", rule.name);
        assert!(rule.severity <= rule.severity_in_production, "{}", rule.name);
    }
}

#[test]
fn rules_that_have_to_be_asked_for_are_quiet_without() {
    for (rule, speaks, ..) in CASES.iter().filter(|(.., with)| *with == OptIn) {
        assert!(!ask(&format!("{speaks}\n")).has(rule), "{rule}");
    }
}

#[test]
fn rules_are_explained() {
    let rules = LintPostgres::rules();
    assert!(rules.is_sorted_by(|one, other| one.name < other.name));
    for rule in rules {
        assert!(!rule.summary.ends_with('.') && rule.summary.len() > 15, "{}", rule.name);
        assert!(rule.explanation.len() > 60 && !rule.explanation.starts_with(char::is_whitespace), "{}", rule.name);
        let lines = rule.explanation.lines().count();
        assert!(lines <= 16, "{}: {lines} lines", rule.name);
        assert!(!rule.aliases.contains(&rule.name), "{}", rule.name);
        assert!(rule.severity >= Severity::Info);
    }
}
