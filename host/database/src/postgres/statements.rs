//! What PostgreSQL allows where: which statements have no place in a transaction, and which outlive their step.

use runner_chain::Dialect;

use crate::backend::Placement;
use crate::preflight::PreflightProblem;
use crate::preflight::own_table_changed;
use crate::script::StepScript;
use crate::words::Kind;
use crate::words::Token;
use crate::words::tokens;

use super::books::Books;

/// What a statement is shows within its first words; a long list of rows need not be read to its end.
const WORDS_THAT_MATTER: usize = 40;

/// The first tokens of a statement.
pub(super) struct Start<'a>(Vec<Token<'a>>);

impl<'a> Start<'a> {
    pub(super) fn of(sql: &'a str) -> Self {
        Self(tokens(sql, Dialect::Postgres).take(WORDS_THAT_MATTER).collect())
    }

    pub(super) fn tokens(&self) -> &[Token<'a>] {
        &self.0
    }

    /// Whether these keywords come first; alternatives are separated by `|`.
    pub(super) fn begins(&self, words: &[&str]) -> bool {
        self.0.len() >= words.len()
            && words.iter().zip(&self.0).all(|(word, token)| word.split('|').any(|one| token.is(one)))
    }

    fn has(&self, word: &str) -> bool {
        self.0.iter().any(|token| token.is(word))
    }

    /// Whether these keywords follow each other somewhere.
    fn has_in_row(&self, words: &[&str]) -> bool {
        self.0.windows(words.len()).any(|found| found.iter().zip(words).all(|(token, word)| token.is(word)))
    }

    pub(super) fn creates_index_concurrently(&self) -> bool {
        self.begins(&["CREATE", "INDEX", "CONCURRENTLY"]) || self.begins(&["CREATE", "UNIQUE", "INDEX", "CONCURRENTLY"])
    }

    /// Whether an option in parentheses, as in `create_slot = false`, switches something off.
    fn switches_off(&self, option: &str) -> bool {
        self.0.windows(3).any(|found| {
            matches!(found, [name, equals, value]
                if name.is(option) && equals.is_symbol("=") && ["false", "off", "0", "none"].iter().any(|off| value.text.eq_ignore_ascii_case(off)))
        })
    }
}

/// A statement that refuses a transaction: how to call it, and where it goes outside of one.
fn outside_only(start: &Start<'_>) -> Option<(&'static str, Placement)> {
    use Placement::Alone;
    use Placement::Bare;
    let is_whole_cluster = || {
        let mut rest = start.tokens().iter().skip(1).filter(|token| !token.is("VERBOSE") && token.kind == Kind::Word);
        start.begins(&["CLUSTER"]) && rest.next().is_none()
    };
    let reindexed = || {
        start
            .tokens()
            .iter()
            .skip(1)
            .find(|token| ["INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM"].iter().any(|kind| token.is(kind)))
    };
    Some(match () {
        () if start.begins(&["VACUUM"]) => ("VACUUM", Bare),
        () if start.creates_index_concurrently() => ("CREATE INDEX CONCURRENTLY", Alone),
        () if start.begins(&["DROP", "INDEX", "CONCURRENTLY"]) => ("DROP INDEX CONCURRENTLY", Alone),
        () if start.begins(&["REINDEX"]) && start.has("CONCURRENTLY") => ("REINDEX … CONCURRENTLY", Bare),
        () if start.begins(&["REINDEX"]) && reindexed().is_some_and(|kind| !kind.is("INDEX") && !kind.is("TABLE")) => {
            ("REINDEX of more than a table", Bare)
        }
        () if start.begins(&["CREATE|DROP", "DATABASE"]) => ("CREATE and DROP DATABASE", Alone),
        () if start.begins(&["CREATE|DROP", "TABLESPACE"]) => ("CREATE and DROP TABLESPACE", Alone),
        () if start.begins(&["ALTER", "DATABASE"]) && start.has_in_row(&["SET", "TABLESPACE"]) => {
            ("ALTER DATABASE … SET TABLESPACE", Alone)
        }
        () if start.begins(&["ALTER", "SYSTEM"]) => ("ALTER SYSTEM", Bare),
        () if start.begins(&["DISCARD", "ALL"]) => ("DISCARD ALL", Bare),
        () if is_whole_cluster() => ("CLUSTER without a table", Bare),
        () if start.begins(&["ALTER", "TABLE"])
            && start.has_in_row(&["DETACH", "PARTITION"])
            && start.tokens().last().is_some_and(|last| last.is("CONCURRENTLY")) =>
        {
            ("DETACH PARTITION … CONCURRENTLY", Alone)
        }
        () if start.begins(&["CREATE", "SUBSCRIPTION"])
            && !start.switches_off("create_slot")
            && !start.switches_off("connect") =>
        {
            ("CREATE SUBSCRIPTION with a slot", Alone)
        }
        () if start.begins(&["DROP", "SUBSCRIPTION"]) => ("DROP SUBSCRIPTION with a slot", Alone),
        () if start.begins(&["ALTER", "SUBSCRIPTION"])
            && start.has("PUBLICATION")
            && !start.switches_off("refresh") =>
        {
            ("ALTER SUBSCRIPTION with a refresh", Alone)
        }
        () if start.begins(&["COMMIT|ROLLBACK", "PREPARED"]) => ("COMMIT and ROLLBACK PREPARED", Alone),
        () => return None,
    })
}

fn opens(start: &Start<'_>) -> bool {
    start.begins(&["BEGIN"]) || start.begins(&["START", "TRANSACTION"])
}

fn commits(start: &Start<'_>) -> bool {
    start.begins(&["COMMIT|END"]) || start.begins(&["PREPARE", "TRANSACTION"])
}

fn rolls_back(start: &Start<'_>) -> bool {
    start.begins(&["ROLLBACK|ABORT"])
}

pub(super) fn placement(sql: &str) -> Placement {
    let start = Start::of(sql);
    if let Some((_, placement)) = outside_only(&start) {
        return placement;
    }
    match () {
        () if opens(&start) => Placement::Opens,
        () if commits(&start) => Placement::Commits,
        () if rolls_back(&start) => Placement::RollsBack,
        // Over several tables it commits after each.
        () if start.begins(&["ANALYZE|ANALYSE"]) => Placement::Bare,
        // A procedure may commit as it goes, which it can't inside a transaction; of a block that can be seen.
        () if start.begins(&["CALL"]) => Placement::Alone,
        () if start.begins(&["DO"]) && ["commit", "rollback"].iter().any(|word| mentions(sql, word)) => {
            Placement::Alone
        }
        () => Placement::Joint,
    }
}

/// Whether the ASCII text occurs in any case.
fn mentions(sql: &str, text: &str) -> bool {
    sql.as_bytes().windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()))
}

pub(super) fn is_session_statement(sql: &str) -> bool {
    let start = Start::of(sql);
    match () {
        () if start.begins(&["SET", "LOCAL|TRANSACTION|CONSTRAINTS"]) => false,
        () if start.begins(&["PREPARE", "TRANSACTION"]) => false,
        () if start.begins(&["SET|RESET|DISCARD|LISTEN|UNLISTEN|LOAD|PREPARE|DEALLOCATE"]) => true,
        // As `pg_dump` writes it.
        () => start.begins(&["SELECT"]) && mentions(sql, "set_config"),
    }
}

/// Whether the next step would notice that the statement ran in its session. Temporary tables are among it: they are not
/// made again when a step resumes, because they could be filled with something else then.
pub(super) fn changes_session(sql: &str) -> bool {
    let start = Start::of(sql);
    is_session_statement(sql)
        // Until the end of the transaction, which may be that of the whole run.
        || start.begins(&["SET", "LOCAL|CONSTRAINTS"])
        || start.begins(&["DO|CALL|DECLARE"])
        || (start.begins(&["CREATE"])
            && start.tokens().iter().take(5).any(|token| token.is("TEMP") || token.is("TEMPORARY")))
        || (start.begins(&["SELECT|WITH"])
            && ["set_config", "pg_advisory", "pg_try_advisory", "temp"].iter().any(|text| mentions(sql, text)))
}

pub(super) fn preflight(script: &StepScript, books: &Books) -> Vec<PreflightProblem> {
    let mut problems = Vec::new();
    let mut gives_up_slot = false;
    for (index, statement) in script.statements.iter().enumerate() {
        let mut report = |message: String, help: &str| {
            problems.push(PreflightProblem {
                revision: script.revision.clone(),
                direction: script.direction,
                statement: Some(index),
                message,
                help: help.to_owned(),
            });
        };
        let start = Start::of(&statement.text);
        gives_up_slot |= start.begins(&["ALTER", "SUBSCRIPTION"]) && start.switches_off("slot_name");
        let may_drop = gives_up_slot && start.begins(&["DROP", "SUBSCRIPTION"]);
        if script.transactional
            && !may_drop
            && let Some((message, help)) = refused_inside(&start)
        {
            report(message, help);
        } else if let Some((message, help)) = refused_everywhere(&start) {
            report(message, help);
        }
        let own = [&books.version, &books.ledger];
        if let Some(table) = own_table_changed(&statement.text, Dialect::Postgres, own) {
            report(
                format!("the statement changes `{table}`, which belongs to the runner"),
                "leave it out: the runner keeps its own tables; to correct them use `runner stamp`",
            );
        } else if let Some(schema) = own_schema_dropped(&start, books) {
            report(
                format!("the schema `{schema}` holds the runner's own tables"),
                "drop what the schema holds piece by piece, or let the runner keep its tables in another: `schema=` in the URL",
            );
        }
    }
    problems
}

/// What is wrong with a statement inside the runner's transaction, and what to do about it.
fn refused_inside(start: &Start<'_>) -> Option<(String, &'static str)> {
    const OWN_TRANSACTION: &str =
        "leave it out: the runner wraps the revision in a transaction; or write `Transaction: off` in the header";
    if let Some((name, _)) = outside_only(start) {
        let message = format!("`{name}` does not run inside a transaction");
        return Some((message, "write `Transaction: off` in the header"));
    }
    let first = start.tokens().first()?.text.to_ascii_uppercase();
    if opens(start) || commits(start) {
        let message = format!("`{first}` inside the transaction that the runner opens for the revision");
        return Some((message, OWN_TRANSACTION));
    }
    if rolls_back(start) && !start.has("TO") {
        return Some((format!("`{first}` would take the whole revision back"), OWN_TRANSACTION));
    }
    None
}

/// What is wrong with a statement wherever it stands.
fn refused_everywhere(start: &Start<'_>) -> Option<(String, &'static str)> {
    let refuse = |message: &str, help| Some((message.to_owned(), help));
    if start.begins(&["LISTEN"]) {
        return refuse("`LISTEN` waits for messages that nobody would read", "leave it out");
    }
    if start.begins(&["PREPARE", "TRANSACTION"]) {
        return refuse(
            "`PREPARE TRANSACTION` leaves open whether the revision takes effect",
            "leave it out, and end the transaction with `COMMIT`",
        );
    }
    if start.begins(&["COMMIT|END|ROLLBACK|ABORT"]) && start.has_in_row(&["AND", "CHAIN"]) {
        return refuse("`AND CHAIN` hides where a transaction begins", "write a `BEGIN` of its own after it");
    }
    let is_set =
        |name: &str| start.begins(&["SET"]) && start.tokens().iter().skip(1).take(2).any(|token| token.is(name));
    let value = start.tokens().last().map_or("", |token| token.text);
    if (is_set("client_encoding") || is_set("NAMES"))
        && !["UTF8", "UTF-8", "UNICODE", "DEFAULT"].iter().any(|utf8| value.eq_ignore_ascii_case(utf8))
    {
        return refuse(
            "the runner sends SQL as UTF-8 whatever the session says",
            "leave it out, and write the file in UTF-8",
        );
    }
    if is_set("standard_conforming_strings")
        && ["off", "false", "no", "0"].iter().any(|off| value.eq_ignore_ascii_case(off))
    {
        return refuse(
            "the file was cut into statements with `standard_conforming_strings` on",
            "leave it out, and write strings with backslash escapes as `E'…'`",
        );
    }
    None
}

/// The schema of the runner's tables, if the statement drops it.
fn own_schema_dropped<'b>(start: &Start<'_>, books: &'b Books) -> Option<&'b str> {
    if !start.begins(&["DROP", "SCHEMA"]) {
        return None;
    }
    let own = [&books.version, &books.ledger].into_iter().filter_map(|table| table.schema.as_deref());
    let mut named = start.tokens().iter().skip(2).filter(|token| token.kind == Kind::Word);
    own.into_iter().find(|schema| named.any(|token| token.text.eq_ignore_ascii_case(schema)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(sql: &str) -> bool {
        let start = Start::of(sql);
        refused_inside(&start).is_some() || refused_everywhere(&start).is_some()
    }

    #[test]
    fn what_a_transaction_refuses() {
        for sql in [
            "BEGIN",
            "start transaction read only",
            "-- x\nCOMMIT",
            "END",
            "ROLLBACK",
            "abort work",
            "PREPARE TRANSACTION 'x'",
            "COMMIT PREPARED 'x'",
            "VACUUM ANALYZE t",
            "create unique index concurrently if not exists i on t (a)",
            "CREATE INDEX CONCURRENTLY ON t (a)",
            "DROP INDEX CONCURRENTLY IF EXISTS i",
            "REINDEX INDEX CONCURRENTLY i",
            "REINDEX (VERBOSE, CONCURRENTLY) TABLE t",
            "REINDEX DATABASE d",
            "REINDEX (VERBOSE) SYSTEM d",
            "CREATE DATABASE d",
            "DROP TABLESPACE t",
            "ALTER DATABASE d SET TABLESPACE t",
            "ALTER SYSTEM SET work_mem = '1MB'",
            "CLUSTER",
            "CLUSTER VERBOSE",
            "ALTER TABLE IF EXISTS a.b DETACH PARTITION a.c CONCURRENTLY",
            "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p",
            "DROP SUBSCRIPTION s",
            "ALTER SUBSCRIPTION s REFRESH PUBLICATION",
            "DISCARD ALL",
            "LISTEN x",
            "COMMIT AND CHAIN",
            "SET client_encoding TO 'LATIN1'",
            "SET NAMES 'latin1'",
            "SET SESSION standard_conforming_strings = off",
        ] {
            assert!(refused(sql), "{sql}");
        }
        for sql in [
            "SAVEPOINT a",
            "ROLLBACK TO a",
            "ROLLBACK TO SAVEPOINT a",
            "RELEASE a",
            "CREATE INDEX i ON t (a)",
            "CREATE INDEX concurrently_made ON t (a)",
            "REINDEX TABLE t",
            "REINDEX INDEX database",
            "CLUSTER t USING i",
            "CLUSTER VERBOSE t",
            "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
            "ALTER TYPE e ADD VALUE 'x'",
            "ALTER TABLE a DETACH PARTITION b",
            "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (create_slot = false)",
            "ALTER SUBSCRIPTION s DISABLE",
            "ALTER DATABASE d SET work_mem = '1MB'",
            "INSERT INTO t VALUES ('BEGIN')",
            "CREATE FUNCTION f() RETURNS int LANGUAGE SQL BEGIN ATOMIC SELECT 1; END",
            "DO $$ BEGIN COMMIT; END $$",
            "SET client_encoding = 'UTF8'",
            "SET standard_conforming_strings = on",
            "PREPARE p AS SELECT 1",
        ] {
            assert!(!refused(sql), "{sql}");
        }
    }

    #[test]
    fn where_statements_go() {
        assert_eq!(placement("begin isolation level serializable"), Placement::Opens);
        assert_eq!(placement("/* c */ End"), Placement::Commits);
        assert_eq!(placement("ROLLBACK TO x"), Placement::RollsBack);
        assert_eq!(placement("SAVEPOINT x"), Placement::Joint);
        assert_eq!(placement("vacuum"), Placement::Bare);
        assert_eq!(placement("ANALYZE t"), Placement::Bare);
        assert_eq!(placement("REINDEX TABLE CONCURRENTLY t"), Placement::Bare);
        assert_eq!(placement("ALTER SYSTEM RESET ALL"), Placement::Bare);
        assert_eq!(placement("CREATE INDEX i ON t (a)"), Placement::Joint);
        assert_eq!(placement("CREATE INDEX CONCURRENTLY i ON t (a)"), Placement::Alone);
        assert_eq!(placement("CREATE DATABASE d"), Placement::Alone);
        assert_eq!(placement("CALL p()"), Placement::Alone);
        assert_eq!(placement("DO $$ BEGIN COMMIT; END $$"), Placement::Alone);
        assert_eq!(placement("DO $$ BEGIN NULL; END $$"), Placement::Joint);
        assert_eq!(placement("SET search_path = a"), Placement::Joint);
    }

    #[test]
    fn what_outlives_a_step() {
        for sql in
            ["SET search_path = a", "set role x", "RESET ALL", "SELECT pg_catalog.set_config('search_path', '', false)"]
        {
            assert!(is_session_statement(sql) && changes_session(sql), "{sql}");
        }
        for sql in [
            "CREATE TEMP TABLE t (a int)",
            "CREATE LOCAL TEMPORARY VIEW v AS SELECT 1",
            "DO $$ $$",
            "SELECT pg_advisory_lock(1)",
            "SET LOCAL search_path = a",
            "SET CONSTRAINTS ALL DEFERRED",
        ] {
            assert!(!is_session_statement(sql) && changes_session(sql), "{sql}");
        }
        for sql in ["SET TRANSACTION READ ONLY", "SELECT 1", "UPDATE t SET a = 1"] {
            assert!(!changes_session(sql), "{sql}");
        }
    }
}
