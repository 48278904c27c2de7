//! The engine sees the right text, with what the runner knows.

use runner_policy_sdk::Severity;
use runner_policy_sdk::revision_lint::Span;

use crate::support::FIRST_LINE;
use crate::support::ask;
use crate::support::file;

#[test]
fn the_engine_finds_what_it_finds_on_the_command_line() {
    let findings = ask("ALTER TABLE visit DROP COLUMN notes;\n").findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    let finding = &findings[0];
    assert_eq!(finding.rule, "ban-drop-column");
    assert_eq!(finding.message, "Dropping a column may break existing clients.");
    assert_eq!(finding.severity, Severity::Error);
    assert_eq!(finding.statement, Some(0));
    let line = FIRST_LINE;
    assert_eq!(finding.span, Some(Span { line, column: 19, end_line: line, end_column: 36 }));
}

#[test]
fn places_are_right_after_text_that_is_not_ascii() {
    let text = "/* Größe: 50 µm … 🩺 */ ALTER TABLE besuch DROP COLUMN \"größe\", DROP COLUMN b;\n";
    let places: Vec<(u32, u32, u32)> = ask(text)
        .of("ban-drop-column")
        .into_iter()
        .map(|finding| finding.span.unwrap())
        .map(|span| (span.line, span.column, span.end_column))
        .collect();
    assert_eq!(places, [(FIRST_LINE, 43, 62), (FIRST_LINE, 64, 77)]);
}

#[test]
fn other_sections_are_not_seen() {
    let text = "-- Größe\n--\n-- Revision ID: a1\n-- Revises: base\n\n-- migrate:up mysql\nALTER TABLE a DROP COLUMN `x`;\n\n\
                -- migrate:up postgres\nSELECT 1;\nALTER TABLE ß DROP COLUMN b;\n-- migrate:down\nDROP TABLE c;\n";
    let findings = file(text).findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    let span = findings[0].span.unwrap();
    assert_eq!((span.line, span.column), (11, 15));
    assert_eq!(findings[0].statement, Some(1));
}

#[test]
fn comments_of_the_engine_are_obeyed_in_the_section_and_in_the_header() {
    assert!(ask("-- squawk-ignore ban-drop-column\nALTER TABLE visit DROP COLUMN notes;\n").rules().is_empty());
    let text =
        "-- A title\n-- squawk-ignore-file\n-- Revision ID: a1\n-- Revises: base\n\n-- migrate:up\nDROP TABLE a;\n";
    assert!(file(text).rules().is_empty());
}
