use super::*;

fn problems(text: &str) -> Vec<Problem> {
    parse("m/x.sql", text.as_bytes()).unwrap_err()
}

fn shown(problems: &[Problem]) -> Vec<(usize, usize, usize, &str)> {
    problems.iter().map(|problem| (problem.line, problem.column, problem.length, problem.message.as_str())).collect()
}

const GOOD: &str = "\
-- Add email column
--
-- Free text may follow the title.
-- Note: it may have colons.
--
-- Revision ID: a1b2c3d4e5f6
-- Revises: 9f8e7d6c5b4a
-- Create Date: 2026-11-20T12:00:00Z
-- Env: Development, =staging
-- Depends On:
-- Branch Labels: mail
-- Transaction: off

-- migrate:up
ALTER TABLE patient ADD COLUMN email text;

-- migrate:down
ALTER TABLE patient DROP COLUMN email;
";

#[test]
fn what_is_said_to_linters_is_no_free_text() {
    let text = b"-- atlas:nolint\n-- Add email\n-- lint:ignore x gone\n-- Why.\n-- Revision ID: a\n-- Revises: base\n-- migrate:up\n";
    let revision = parse("a.sql", text).unwrap();
    assert_eq!((revision.title.as_str(), revision.description.as_str()), ("Add email", "Why."));
}

#[test]
fn a_whole_file() {
    let revision = parse("m/x.sql", GOOD.as_bytes()).unwrap();
    assert_eq!(revision.id, "a1b2c3d4e5f6");
    assert_eq!(revision.parents, ["9f8e7d6c5b4a"].map(|id| RevisionId::new(id).unwrap()));
    assert_eq!(revision.title, "Add email column");
    assert_eq!(revision.description, "Free text may follow the title.\nNote: it may have colons.");
    assert_eq!(revision.created.as_deref(), Some("2026-11-20T12:00:00Z"));
    assert_eq!(revision.environments, ["development", "=staging"].map(|tag| tag.parse().unwrap()));
    assert_eq!(revision.labels, [Label::new("mail").unwrap()]);
    assert!(revision.depends_on.is_empty() && !revision.transaction);
    assert_eq!((revision.file.as_str(), revision.slug().as_str()), ("m/x.sql", "add_email_column"));
    let up = revision.up(Dialect::Sqlite).unwrap();
    assert_eq!((up.text, up.first_line), ("ALTER TABLE patient ADD COLUMN email text;\n\n", 15));
    assert_eq!(up.statements(Dialect::Sqlite).unwrap()[0].line, 15);
    assert_eq!(revision.down(Dialect::Mysql).unwrap().text, "ALTER TABLE patient DROP COLUMN email;\n");
}

#[test]
fn other_ways_to_write_the_same() {
    for env in ["# env: staging", "-- # env: staging", "--ENV:staging", "   -- Env : staging", "-- Env: staging\r"] {
        let text = format!("-- T\r\n-- revision id: a\r\n-- REVISES: Base\r\n{env}\r\n--MIGRATE:UP\r\nX;\r\n");
        let revision = parse("x.sql", text.as_bytes()).unwrap();
        assert_eq!(revision.environments, ["staging".parse().unwrap()], "{env}");
        assert!(revision.parents.is_empty() && revision.transaction);
        assert_eq!(revision.up(Dialect::Sqlite).unwrap().text, "X;\n");
    }
    for date in ["2026-11-20", "2026-11-20 12:00:00.123456", "2026-11-20T12:00:00", "2026-11-20T12:00:00+01:00"] {
        let text = format!("-- Revision ID: a\n-- Revises: base\n-- Create Date: {date}\n-- migrate:up");
        let revision = parse("x.sql", text.as_bytes()).unwrap();
        assert_eq!((revision.created.as_deref(), revision.title.as_str()), (Some(date), ""));
    }
}

/// Each line stands in an otherwise good header, at line 4.
#[test]
fn problems_of_one_header_line() {
    for (line, column, length, message) in [
        ("DROP TABLE t;", 1, 13, "statement before the first section"),
        ("  /* x */", 3, 7, "statement before the first section"),
        ("-- Revision ID: b", 4, 11, "`Revision ID` is written twice"),
        ("-- revises: b", 4, 7, "`Revises` is written twice"),
        ("-- Envs: staging", 4, 4, "unknown key `Envs`"),
        ("-- Environment: staging", 4, 11, "unknown key `Environment`"),
        ("# evn: staging", 3, 3, "unknown key `evn`"),
        ("-- Dev: staging", 4, 3, "unknown key `Dev`"),
        ("-- Depend On: b", 4, 9, "unknown key `Depend On`"),
        ("-- Parent: b", 4, 6, "unknown key `Parent`"),
        ("-- Env = staging", 4, 13, "`Env` is followed by `=` instead of `:`"),
        ("-- Env: staging, pro d", 18, 5, "`pro d` is not the name of an environment"),
        ("-- Env: staging,", 9, 8, "empty entry in a list"),
        ("-- Create Date: yesterday", 17, 9, "`yesterday` is not a date"),
        ("-- Create Date: 2026-13-01", 17, 10, "`2026-13-01` is not a date"),
        ("-- Transaction: maybe", 17, 5, "`Transaction` is `on` or `off`, not `maybe`"),
        ("-- Transaction:", 4, 11, "`Transaction` is `on` or `off`, not ``"),
        ("-- Branch Labels: ü-1", 19, 3, "`ü-1` contains `ü`, only letters, digits, `_` and `.` are allowed"),
        ("-- Branch Labels: head", 19, 4, "`head` is a reserved word"),
        ("-- Depends On: a, b@c", 19, 3, "`b@c` contains `@`, only letters, digits, `_` and `.` are allowed"),
        ("-- migrate:sideways", 12, 8, "unknown section `migrate:sideways`"),
    ] {
        let text = format!("-- T\n-- Revision ID: a\n-- Revises: base\n{line}\n-- migrate:up\nX;\n");
        let found = problems(&text);
        assert_eq!(shown(&found), [(4, column, length, message)], "{line}");
        assert_eq!(found[0].file, "m/x.sql");
        assert_eq!(found[0].source_line.as_deref(), Some(line));
        assert!(found[0].help.is_some() || found[0].label.is_some());
    }
}

#[test]
fn problems_of_identity() {
    for (header, expected) in [
        (
            "-- Revision ID: a-1\n-- Revises: base",
            vec![(1, 17, 3, "`a-1` contains `-`, only letters, digits, `_` and `.` are allowed")],
        ),
        ("-- Revision ID:\n-- Revises: base", vec![(1, 4, 11, "an identifier must not be empty")]),
        ("-- Revision ID: a\n-- Revises:", vec![(2, 4, 7, "`Revises` names no parent")]),
        ("-- Revision ID: a\n-- Revises: b, base", vec![(2, 16, 4, "`base` stands beside other parents")]),
        (
            "-- Revision ID: a\n-- Revises: b!",
            vec![(2, 13, 2, "`b!` contains `!`, only letters, digits, `_` and `.` are allowed")],
        ),
        ("-- T\n-- Revision ID: a", vec![(2, 17, 1, "missing key `Revises`")]),
        ("-- T\n-- Revises: a", vec![(1, 1, 4, "missing key `Revision ID`")]),
        ("", vec![(1, 1, 1, "missing key `Revision ID`"), (1, 1, 1, "missing key `Revises`")]),
    ] {
        let found = problems(&format!("{header}\n-- migrate:up\nX;\n"));
        assert_eq!(shown(&found), expected, "{header}");
    }
}

#[test]
fn problems_of_sections() {
    for (body, expected) in [
        ("", vec![(2, 17, 1, "there is no `migrate:up` section")]),
        ("-- migrate:down\nX;", vec![(2, 17, 1, "there is no `migrate:up` section")]),
        ("CREATE TABLE t (a);", vec![(4, 1, 19, "statement before the first section")]),
        ("-- migrate:upp\nX;", vec![(4, 12, 3, "unknown section `migrate:upp`")]),
        ("-- migrate:up\nX;\n-- migrate:up\nY;", vec![(6, 1, 13, "second section `migrate:up`")]),
        (
            "-- migrate:up\n-- migrate:down sqlite,mysql\n -- migrate:down mariadb",
            vec![(6, 2, 23, "second section `migrate:down mysql`")],
        ),
        ("-- migrate:up orakel", vec![(4, 15, 6, "unknown dialect `orakel`")]),
        ("-- migrate:up transaction:false\nX;", vec![(4, 15, 17, "sections take no option `transaction:false`")]),
        ("-- migrate:up\nX;\n-- migrate down\nY;", vec![(6, 4, 12, "`migrate down` does not begin a section")]),
    ] {
        let found = problems(&format!("-- T\n-- Revision ID: a\n-- Revises: base\n{body}\n"));
        assert_eq!(shown(&found), expected, "{body}");
        assert!(found[0].help.is_some(), "{body}");
    }
}

#[test]
fn all_problems_of_a_file_come_in_order() {
    let found = problems("-- T\n-- Env: a b\nX;\nY;\n-- Transaction: no\n-- migrate:dwn\n-- migrate:up z\n");
    assert_eq!(
        shown(&found).into_iter().map(|(line, _, _, message)| (line, message)).collect::<Vec<_>>(),
        [
            (1, "missing key `Revision ID`"),
            (1, "missing key `Revises`"),
            (2, "`a b` is not the name of an environment"),
            (3, "statement before the first section"),
            (5, "`Transaction` is `on` or `off`, not `no`"),
            (6, "unknown section `migrate:dwn`"),
            (7, "unknown dialect `z`"),
        ]
    );
}

#[test]
fn bytes_that_are_no_text() {
    let good = "-- T\r\n-- Revision ID: a\r\n-- Revises: base\r\n-- migrate:up\r\n";
    let mut bytes = good.as_bytes().to_vec();
    bytes.extend(b"SELECT '\xc3\xa9\xff';\n\x00");
    let Err(broken) = parse_or_names("x.sql", &bytes) else { panic!("bad bytes were taken") };
    let expected = [(5, 10, 1, "byte `0xff` is not UTF-8"), (6, 1, 1, "the file contains a NUL byte")];
    assert_eq!(shown(&broken.problems), expected);
    assert_eq!(broken.problems[0].source_line.as_deref(), Some("SELECT 'é\u{fffd}';"));
    assert_eq!(broken.id, Some(RevisionId::new("a").unwrap()));
}

#[test]
fn any_bytes_are_read_without_a_panic() {
    use proptest::prelude::*;
    let piece = prop_oneof![
        prop::sample::select(vec![
            "--",
            " ",
            "Revision ID",
            "Revises",
            "Env",
            ":",
            "=",
            ",",
            "migrate",
            "up",
            "down",
            "sqlite",
            "\n",
            "\r",
            "a",
            "é",
            "\u{feff}",
            "base",
            "#",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        any::<[u8; 2]>().prop_map(Vec::from),
    ];
    proptest!(|(pieces in prop::collection::vec(piece, 0..40))| {
        let bytes = pieces.concat();
        if let Err(problems) = parse("x.sql", &bytes) {
            for problem in problems {
                let line = problem.source_line.unwrap_or_default();
                prop_assert!(problem.line >= 1 && problem.column >= 1 && problem.length >= 1);
                prop_assert!(problem.column <= line.chars().count() + 1);
            }
        }
    });
}
