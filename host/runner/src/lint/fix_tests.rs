use runner_policy::Severity;
use runner_policy::data::Edit;
use runner_policy::data::Span;

use super::super::own_rules;
use super::*;
use crate::config::Overrides;

const FILE: &str = "-- Index\n--\n-- Revision ID: a1\n-- Revises: base\n\n-- migrate:up\nCREATE INDEX i ON t (x);\nALTER TABLE t ADD CHECK (x > 0);\n-- migrate:down\nDROP INDEX i;\n";

fn project(files: &[(&str, &str)]) -> (tempfile::TempDir, Config) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("migrations")).unwrap();
    std::fs::write(folder.path().join("runner.toml"), "").unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join("migrations").join(name), text).unwrap();
    }
    let config = Overrides { config: Some(folder.path().join("runner.toml")), ..Overrides::default() };
    let config = Config::load(&config).unwrap();
    (folder, config)
}

fn insertion(line: u32, column: u32, text: &str) -> Edit {
    Edit { span: Span { line, column, end_line: line, end_column: column }, text: text.to_owned() }
}

fn fix(edits: Vec<Edit>) -> Fix {
    Fix { summary: "makes it safe".to_owned(), edits, transaction_off: false, follow_up: None }
}

fn finding(revision: &str, fix: Fix) -> Finding {
    let mut found = own_rules::finding("r", Severity::Warning, "m");
    found.verdict.revision = Some(revision.to_owned());
    found.fix = Some(fix);
    Finding { found, fingerprint: String::new() }
}

fn planned(config: &Config, findings: &[Finding]) -> Result<Fixes> {
    let chain = directory::load(&config.migrations).unwrap();
    let count = std::cell::Cell::new(0_u8);
    let birth = || {
        count.set(count.get() + 1);
        Ok((RevisionId::random([count.get(); 6]), "2026-11-20T12:00:00Z".to_owned()))
    };
    plan(findings, &chain, Dialect::Postgres, config, &|_| None, &birth)
}

fn read(config: &Config, name: &str) -> String {
    std::fs::read_to_string(config.migrations[0].path.join(name)).unwrap()
}

#[test]
fn a_file_is_rewritten_with_its_header() {
    let (_folder, config) = project(&[("a1.sql", FILE)]);
    let concurrently = Fix { transaction_off: true, ..fix(vec![insertion(7, 13, " CONCURRENTLY")]) };
    let fixes = planned(&config, &[finding("a1", concurrently.clone()), finding("a1", concurrently)]).unwrap();
    assert_eq!(
        fixes.diff().join("\n"),
        "--- a/migrations/a1.sql\n+++ b/migrations/a1.sql\n@@ -2,9 +2,10 @@\n --\n -- Revision ID: a1\n -- Revises: base\n+-- Transaction: off\n \n -- migrate:up\n-CREATE INDEX i ON t (x);\n+CREATE INDEX CONCURRENTLY i ON t (x);\n ALTER TABLE t ADD CHECK (x > 0);\n -- migrate:down\n DROP INDEX i;"
    );
    assert_eq!(read(&config, "a1.sql"), FILE);
    fixes.write(&config).unwrap();
    let written = read(&config, "a1.sql");
    assert_eq!(
        written,
        FILE.replace("base\n", "base\n-- Transaction: off\n").replace("INDEX i ON", "INDEX CONCURRENTLY i ON")
    );
    assert_eq!(std::fs::read_dir(&config.migrations[0].path).unwrap().count(), 1, "nothing is left behind");
}

#[test]
fn windows_line_ends_and_modes_stay() {
    let text = format!("\u{feff}{}", FILE.replace('\n', "\r\n"));
    let (_folder, config) = project(&[("a1.sql", &text)]);
    let path = config.migrations[0].path.join("a1.sql");
    #[cfg(unix)]
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    let fix = Fix { transaction_off: true, ..fix(vec![insertion(1, 4, "New\n-- "), insertion(8, 32, " NOT VALID")]) };
    planned(&config, &[finding("a1", fix)]).unwrap().write(&config).unwrap();
    let expected = text
        .replace("-- Index", "-- New\r\n-- Index")
        .replace("base\r\n", "base\r\n-- Transaction: off\r\n")
        .replace("(x > 0)", "(x > 0) NOT VALID");
    assert_eq!(read(&config, "a1.sql"), expected);
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions()) & 0o777,
        0o640
    );
}

#[test]
fn of_overlapping_fixes_the_second_one_waits() {
    let (_folder, config) = project(&[("a1.sql", FILE)]);
    let span =
        |from, to| Edit { span: Span { line: 7, column: from, end_line: 7, end_column: to }, text: "X".to_owned() };
    for (one, other) in
        [(span(1, 7), span(6, 9)), (span(1, 7), span(2, 3)), (insertion(7, 3, "a"), insertion(7, 3, "b"))]
    {
        let fixes = planned(&config, &[finding("a1", fix(vec![one])), finding("a1", fix(vec![other]))]).unwrap();
        assert_eq!((fixes.changed[0].summaries.len(), fixes.left.len()), (1, 1));
    }
    let within = planned(&config, &[finding("a1", fix(vec![span(1, 7), span(6, 9)]))]).unwrap();
    assert!(within.is_empty() && within.left[0].contains("another fix"), "{within:?}");
    let apart =
        planned(&config, &[finding("a1", fix(vec![span(1, 7)])), finding("a1", fix(vec![span(7, 9)]))]).unwrap();
    assert_eq!(apart.changed[0].summaries.len(), 2);
}

#[test]
fn places_that_are_not_in_the_file_are_refused() {
    let (_folder, config) = project(&[("a1.sql", FILE)]);
    for edit in [insertion(99, 1, "x"), insertion(7, 99, "x"), insertion(0, 1, "x")] {
        let fixes = planned(&config, &[finding("a1", fix(vec![edit]))]).unwrap();
        assert!(fixes.is_empty());
        assert_eq!(fixes.left, ["`migrations/a1.sql`, makes it safe: it changes a place that is not in the file"]);
    }
}

#[test]
fn revisions_follow_on_top_of_the_chain() {
    let next = FILE.replace("ID: a1", "ID: b2").replace("base", "a1").replace("migrate:up", "migrate:up postgres");
    let (_folder, config) = project(&[("a1.sql", FILE), ("b2.sql", &next)]);
    let follow_up = |title: &str| {
        let follow_up =
            FollowUp { title: title.to_owned(), up: "VALIDATE;".to_owned(), down: String::new(), transactional: false };
        Fix { follow_up: Some(follow_up), ..fix(vec![insertion(8, 32, " NOT VALID")]) }
    };
    let fixes = planned(&config, &[finding("b2", follow_up("Two")), finding("a1", follow_up("One"))]).unwrap();
    fixes.write(&config).unwrap();
    let chain = directory::load(&config.migrations).unwrap();
    let parents = |title: &str| {
        let found = chain.revisions().iter().find(|revision| revision.title == title).unwrap();
        found.parents.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!((parents("One"), parents("Two")), (vec!["b2".to_owned()], vec!["010101010101".to_owned()]));
    let two = chain.revisions().last().unwrap();
    assert!(!two.transaction);
    let count = |dialect| two.up(dialect).unwrap().statements(dialect).unwrap().len();
    assert_eq!((count(Dialect::Postgres), count(Dialect::Sqlite)), (1, 0));
}

#[test]
fn with_several_heads_a_revision_follows_its_own() {
    let side = FILE.replace("ID: a1", "ID: b2").replace("base", "a1");
    let other = FILE.replace("ID: a1", "ID: c3").replace("base", "a1");
    let (_folder, config) = project(&[("a1.sql", FILE), ("b2.sql", &side), ("c3.sql", &other)]);
    let follow_up = FollowUp { title: "V".to_owned(), up: "V;".to_owned(), down: String::new(), transactional: true };
    let fix = Fix { follow_up: Some(follow_up), ..fix(vec![insertion(8, 32, " NOT VALID")]) };
    let fixes = planned(&config, &[finding("a1", fix.clone()), finding("b2", fix)]).unwrap();
    assert_eq!((fixes.changed.len(), fixes.added.len(), fixes.left.len()), (1, 1, 1));
    assert!(fixes.left[0].contains("several heads"));
    assert!(fixes.added[0].text.contains("-- Revises: b2\n"));
}

#[test]
fn a_file_that_changed_is_not_overwritten() {
    let (_folder, config) = project(&[("a1.sql", FILE)]);
    let fixes = planned(&config, &[finding("a1", fix(vec![insertion(7, 1, "X")]))]).unwrap();
    std::fs::write(config.migrations[0].path.join("a1.sql"), "other").unwrap();
    let error = fixes.write(&config).unwrap_err();
    assert!(error.to_string().contains("it has changed meanwhile"), "{error}");
    assert_eq!(read(&config, "a1.sql"), "other");
}

#[cfg(unix)]
#[test]
fn a_link_is_left_alone() {
    let (folder, config) = project(&[("real.txt", FILE)]);
    std::os::unix::fs::symlink("real.txt", folder.path().join("migrations/a1.sql")).unwrap();
    let error = planned(&config, &[finding("a1", fix(vec![insertion(7, 1, "X")]))]).unwrap_err();
    assert!(error.to_string().contains("is a link"), "{error}");
}

#[test]
fn a_fix_leaves_the_revision_where_it_is() {
    let (_folder, config) = project(&[("a1.sql", FILE)]);
    let replaced = |line, from, to, text: &str| Edit {
        span: Span { line, column: from, end_line: line, end_column: to },
        text: text.to_owned(),
    };
    for edit in [
        replaced(3, 17, 19, "b2"),
        replaced(4, 13, 17, "zz99"),
        replaced(9, 12, 16, "up mysql"),
        insertion(4, 17, "\n-- Env: production"),
        insertion(7, 1, "-- migrate:up sqlite\n"),
        insertion(7, 1, "-- migrate:sideways\n"),
    ] {
        let error = planned(&config, &[finding("a1", fix(vec![edit.clone()]))]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Chain, "{edit:?}");
    }
}

#[test]
fn a_policy_can_not_write_an_unreadable_revision() {
    let (_folder, config) = project(&[("a1.sql", FILE)]);
    for up in ["A;\n-- migrate:up\nB;", "\0"] {
        let follow_up = FollowUp { title: "V".to_owned(), up: up.to_owned(), down: String::new(), transactional: true };
        let fix = Fix { follow_up: Some(follow_up), ..fix(vec![insertion(7, 1, "X")]) };
        let error = planned(&config, &[finding("a1", fix)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Chain);
    }
}
