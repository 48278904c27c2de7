use runner_policy::Severity;

use super::super::catalogue::tests::catalogue;
use super::super::own_rules;
use super::*;

fn revision(body: &str) -> Revision {
    let text = format!("-- T\n-- Revision ID: a\n-- Revises: base\n{body}");
    runner_chain::parse_revision("m/a.sql", text.as_bytes()).unwrap()
}

fn finding(plugin: &str, rule: &str, line: Option<u32>, statement: Option<u32>) -> LintFinding {
    let mut finding = own_rules::finding(rule, Severity::Warning, "m");
    finding.verdict.plugin = plugin.to_owned();
    finding.verdict.line = line;
    finding.statement = statement;
    finding
}

/// Which of the findings are suppressed, and the complaints as `rule line:column message`.
fn outcome(body: &str, findings: &[LintFinding]) -> (Vec<bool>, Vec<String>) {
    let revision = revision(body);
    let catalogue = catalogue();
    let mut comments = Comments::of(&revision, Dialect::Sqlite);
    let suppressed =
        findings.iter().map(|finding| comments.suppress(finding, &catalogue, Languages::All).is_some()).collect();
    let complaints = comments.complaints(&catalogue, true, true);
    let shown = |complaint: &LintFinding| {
        let verdict = &complaint.verdict;
        format!(
            "{} {}:{} {}",
            verdict.rule.as_deref().unwrap(),
            verdict.line.unwrap(),
            verdict.column.unwrap(),
            verdict.message
        )
    };
    (suppressed, complaints.iter().map(shown).collect())
}

const NONE: [&str; 0] = [];

#[test]
fn the_statement_that_is_meant_is_suppressed_and_no_other() {
    let body = "-- migrate:up\n-- lint:ignore ban-drop-table it is empty\nDROP TABLE a;\nDROP TABLE b;\n";
    let findings = [
        finding("lint", "ban-drop-table", Some(6), Some(0)),
        finding("lint", "ban-drop-table", Some(7), Some(1)),
        finding("lint", "ban-drop-column", Some(6), Some(0)),
        finding("lint", "ban-drop-table", None, None),
    ];
    let (suppressed, complaints) = outcome(body, &findings);
    assert_eq!(suppressed, [true, false, false, false]);
    assert_eq!(complaints, NONE);
}

#[test]
fn the_header_is_about_the_whole_file() {
    let body =
        "-- lint:ignore ban-drop-table, todo-fixme it is empty\n-- migrate:up\nDROP TABLE a;\n-- migrate:down\nX;\n";
    let findings = [
        finding("lint", "ban-drop-table", Some(6), Some(0)),
        finding("acme", "ban-drop-table", Some(8), None),
        finding("lint", "todo-fixme", None, None),
    ];
    assert_eq!(outcome(body, &findings), (vec![true; 3], vec![]));
}

#[test]
fn without_a_reason_nothing_is_suppressed() {
    let body = "-- migrate:up\n-- lint:ignore ban-drop-table\nDROP TABLE a;\n";
    let (suppressed, complaints) = outcome(body, &[finding("lint", "ban-drop-table", Some(6), Some(0))]);
    assert_eq!(suppressed, [false]);
    assert_eq!(complaints, ["ignore-without-reason 5:4 `lint:ignore` gives no reason, so it does not count"]);
    // A second rule instead of a reason: the comma is missing.
    let body = "-- migrate:up\n-- lint:ignore ban-drop-table todo-fixme\nDROP TABLE a;\n";
    let (_, complaints) = outcome(body, &[finding("lint", "ban-drop-table", Some(6), Some(0))]);
    assert_eq!(complaints, ["ignore-without-reason 5:4 `lint:ignore` gives no reason, so it does not count"]);
}

#[test]
fn what_suppresses_nothing_is_told() {
    let body = "-- migrate:up\n-- lint:ignore ban-drop-table, todo-fixme gone\nDROP TABLE a;\n-- atlas:nolint\n";
    let (_, complaints) = outcome(body, &[finding("lint", "ban-drop-table", Some(6), Some(0))]);
    assert_eq!(
        complaints,
        [
            "unused-ignore 5:32 `lint:ignore todo-fixme` suppresses nothing",
            "unused-ignore 7:4 `atlas:nolint` suppresses nothing",
        ]
    );
}

#[test]
fn a_misspelt_rule_is_told_with_the_nearest_one() {
    let body = "-- migrate:up\n-- lint:ignore ban-drop-tabel gone\nDROP TABLE a;\n-- lint:ignore\n";
    let revision = revision(body);
    let complaints = Comments::of(&revision, Dialect::Sqlite).complaints(&catalogue(), true, true);
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    assert_eq!(complaints[0].verdict.message, "no lint policy in force has a rule `ban-drop-tabel`");
    assert_eq!(complaints[0].verdict.help.as_deref(), Some("did you mean `ban-drop-table`?"));
    assert_eq!((complaints[0].verdict.column, complaints[0].end), (Some(16), Some((5, 30))));
    assert_eq!(complaints[1].verdict.message, "`lint:ignore` names no rule");
}

#[test]
fn comments_of_other_tools_need_no_reason() {
    let table = || finding("lint", "ban-drop-table", Some(6), Some(0));
    for (comment, suppressed) in [
        ("atlas:nolint", true),
        ("atlas:nolint DS102", true),
        ("atlas:nolint destructive", true),
        ("atlas:nolint XX999 ban-drop-table", true),
        ("atlas:nolint XX999", false),
        ("squawk-ignore ban-drop-table", true),
        ("squawk-ignore", true),
        ("squawk-ignore ban-drop-column", false),
        ("lint:ignore DS102 gone", true),
        ("lint:ignore destructive gone", true),
    ] {
        let body = format!("-- migrate:up\n-- {comment}\nDROP TABLE a;\n");
        assert_eq!(outcome(&body, &[table()]), (vec![suppressed], vec![]), "{comment}");
    }
    let squawk = finding("lint-postgres", "ban-drop-table", Some(6), Some(0));
    assert_eq!(outcome("-- migrate:up\n-- squawk-ignore ban-drop-table\nDROP TABLE a;\n", &[squawk]).0, [false]);
}

#[test]
fn many_comments_and_many_findings_are_matched_in_time() {
    let body = format!("-- migrate:up\n{}", "A; -- lint:ignore todo-fixme, unknwon r\n".repeat(20_000));
    let findings: Vec<_> = (0..20_000).map(|index| finding("lint", "todo-fixme", Some(index + 5), None)).collect();
    let (suppressed, complaints) = outcome(&body, &findings);
    assert!(suppressed.iter().all(|suppressed| *suppressed));
    assert_eq!(complaints.len(), 20_000);
}

#[test]
fn problems_of_the_chain_and_refusals_can_not_be_suppressed() {
    let body = "-- atlas:nolint\n-- migrate:up\nX;\n";
    let mut refusal = finding("lint", "trap", None, None);
    refusal.verdict.refusal = true;
    assert_eq!(outcome(body, &[finding("runner", "duplicate-id", Some(2), None), refusal]).0, [false, false]);
}
