//! Whatever a revision holds, it is split or refused, and linted: no crash, no hang, and every place is in the file.
#![no_main]

use lint::Lint;
use lint_postgres::LintPostgres;
use libfuzzer_sys::fuzz_target;
use runner_chain::Dialect;
use runner_chain::Revision;
use runner_chain::Section;
use runner_policy_sdk::RevisionLint;
use runner_policy_sdk::Statement;
use runner_policy_sdk::revision_lint::Circumstances;
use runner_policy_sdk::revision_lint::Report;
use runner_policy_sdk::revision_lint::Source;
use runner_policy_sdk::revision_lint::Span;
use runner_policy_sdk::testing;

const HEADER: &str = "-- Fuzzed\n--\n-- Revision ID: f022\n-- Revises: base\n\n-- migrate:up\n";

fuzz_target!(|input: (u8, &str)| {
    let (choice, sql) = input;
    let (dialect, told) = match choice % 3 {
        0 => (Dialect::Sqlite, runner_policy_sdk::Dialect::Sqlite),
        1 => (Dialect::Postgres, runner_policy_sdk::Dialect::Postgres),
        _ => (Dialect::Mysql, runner_policy_sdk::Dialect::Mysql),
    };
    let Ok(revision) = runner_chain::parse_revision("f022.sql", format!("{HEADER}{sql}").as_bytes()) else { return };
    let circumstances = Circumstances { server_version: "17.2".to_owned(), ..testing::circumstances(told) };
    let source = source(&revision, dialect);
    let surroundings = testing::surroundings(&source);
    let lint = Lint::check(&lint::Settings::default(), &circumstances, &source, &surroundings);
    check(&source, &lint.expect("a report"));
    if dialect == Dialect::Postgres {
        let settings = lint_postgres::Settings::default();
        let lint = <LintPostgres as RevisionLint>::check(&settings, &circumstances, &source, &surroundings);
        check(&source, &lint.expect("a report"));
    }
});

fn source(revision: &Revision, dialect: Dialect) -> Source {
    let statements = |section: Section<'_>| -> Vec<Statement> {
        let whole = || vec![Statement { text: section.text.to_owned(), line: 7, column: 1 }];
        let number = |value: usize| u32::try_from(value).expect("a short file");
        section.statements(dialect).map_or_else(
            |_| whole(),
            |statements| {
                let told = statements.iter().map(|statement| Statement {
                    text: statement.text.to_owned(),
                    line: number(statement.line),
                    column: number(statement.column),
                });
                told.collect()
            },
        )
    };
    let header = testing::revision_source(&format!("{HEADER}\n"));
    Source {
        revision: header.revision,
        text: revision.source().to_owned(),
        up: revision.up(dialect).map(statements),
        down: revision.down(dialect).map(statements),
        planned: None,
    }
}

/// As the host does.
fn check(source: &Source, report: &Report) {
    let lines = u32::try_from(source.text.lines().count().max(1)).expect("a short file");
    let statements = source.up.as_ref().map_or(0, Vec::len);
    let place = |span: &Span| {
        assert!(span.line > 0 && span.column > 0 && span.end_column > 0, "{span:?}");
        assert!((span.line, span.column) <= (span.end_line, span.end_column), "{span:?}");
        assert!(span.end_line <= lines + 1, "{span:?} of {lines} lines");
    };
    for finding in &report.findings {
        finding.span.iter().for_each(place);
        finding.fix.iter().flat_map(|fix| &fix.edits).for_each(|edit| place(&edit.span));
        assert!(finding.statement.is_none_or(|index| (index as usize) < statements), "{finding:?}");
    }
    assert!(report.locks.iter().all(|lock| (lock.statement as usize) < statements), "{:?}", report.locks);
}
