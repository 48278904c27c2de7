//! Rules about the chain and about the file, each on every dialect.

use runner_policy_sdk::revision_lint::Relative;

use super::*;
use crate::CommentRequired;
use crate::NamingStyle;

const ALL: [Dialect; 3] = [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql];

/// Makes a revision for a dialect.
type Make = fn(Dialect) -> Trial;

/// A rule on some dialects, what it finds, and what it leaves alone.
type Case = (&'static str, &'static [Dialect], &'static [Make], &'static [Make]);

const CASES: &[Case] = &[
    (
        "missing-downgrade",
        &ALL,
        &[|on| revision(on, "SELECT 1;"), |on| other_dialects(on, true), |on| other_dialects(on, false)],
        &[
            |on| good(on),
            |on| revision(on, "SELECT 1;").described("This can't be undone, because nothing is left."),
            |on| merge(revision(on, "")),
        ],
    ),
    (
        "empty-upgrade",
        &ALL,
        &[|on| revision(on, "").down("SELECT 1;"), |on| revision(on, "-- DROP TABLE a;\n").down("SELECT 1;")],
        &[|on| good(on), |on| merge(revision(on, ""))],
    ),
    (
        "irreversible-without-note",
        &ALL,
        &[|on| revision(on, "SELECT 1;").down(""), |on| revision(on, "SELECT 1;").down("-- nothing")],
        &[
            |on| good(on),
            |on| revision(on, "SELECT 1;").down("-- Irreversible: the rows are gone."),
            |on| revision(on, "SELECT 1;").described("There is no way back.").down(""),
            |on| revision(on, "SELECT 1;"),
        ],
    ),
    (
        "raw-sql-without-downgrade",
        &ALL,
        &[
            |on| revision(on, "INSERT INTO state (id) VALUES (4);").down("SELECT 1;"),
            |on| revision(on, "UPDATE state SET a = 1 WHERE id = 1;").down("DELETE FROM other WHERE id = 1;"),
        ],
        &[
            |on| revision(on, "INSERT INTO state (id) VALUES (4);").down("DELETE FROM state WHERE id = 4;"),
            |on| {
                revision(on, "CREATE TABLE s (id INT PRIMARY KEY); INSERT INTO s (id) VALUES (4);")
                    .down("DROP TABLE s;")
            },
            |on| {
                revision(on, "ALTER TABLE s ADD COLUMN a INT; UPDATE s SET a = 1;").down("ALTER TABLE s DROP COLUMN a;")
            },
            |on| revision(on, "DELETE FROM s WHERE a = 1;").described("One-way.").down("SELECT 1;"),
            |on| good(on),
        ],
    ),
    (
        "large-revision",
        &ALL,
        &[
            |on| good(on).with(|settings| settings.max_bytes = 10),
            |on| revision(on, "SELECT 1; SELECT 2;").with(|settings| settings.max_statements = 1),
        ],
        &[|on| good(on), |on| revision(on, "SELECT 1; SELECT 2;").with(|settings| settings.max_statements = 2)],
    ),
    (
        "mixed-schema-and-data",
        &ALL,
        &[|on| revision(on, "CREATE TABLE a (id INT PRIMARY KEY); UPDATE b SET c = 1 WHERE d = 2;")],
        &[
            |on| revision(on, "CREATE TABLE a (id INT PRIMARY KEY); INSERT INTO a (id) VALUES (1);"),
            |on| revision(on, "UPDATE b SET c = 1 WHERE d = 2; DELETE FROM b WHERE c = 3;"),
            |on| good(on),
        ],
    ),
    (
        "implicit-commit",
        &[Dialect::Mysql],
        &[|on| revision(on, "UPDATE b SET c = 1 WHERE d = 2; CREATE TABLE a (id INT PRIMARY KEY);")],
        &[
            |on| revision(on, "CREATE TABLE a (id INT PRIMARY KEY); UPDATE b SET c = 1 WHERE d = 2;"),
            |on| {
                revision(on, "UPDATE b SET c = 1 WHERE d = 2; CREATE TABLE a (id INT PRIMARY KEY);")
                    .without_transaction()
            },
        ],
    ),
    (
        "multiple-heads",
        &ALL,
        &[|on| around(on, |trial| trial.surroundings.other_heads = vec![relative("r0002", "")])],
        &[|on| good(on)],
    ),
    (
        "same-parent",
        &ALL,
        &[|on| around(on, |trial| trial.surroundings.siblings = vec![relative("r0002", "")])],
        &[
            |on| good(on),
            |on| {
                around(on, |trial| {
                    trial.surroundings.siblings = vec![relative("r0002", "")];
                    trial.source.revision.labels = vec!["billing".to_owned()];
                })
            },
        ],
    ),
    (
        "unknown-environment",
        &ALL,
        &[|on| tagged(on, "prodution", ""), |on| tagged(on, "staging, =tset", "")],
        &[
            |on| tagged(on, "prod", ""),
            |on| tagged(on, "staging, =dev", ""),
            |on| good(on).levels(),
            |on| around(on, |trial| trial.source.revision.environments = testing::tags("prodution")),
        ],
    ),
    (
        "environment-order",
        &ALL,
        &[
            |on| tagged(on, "", "=development"),
            |on| tagged(on, "staging", "production"),
            |on| tagged(on, "=staging", "=dev"),
        ],
        &[
            |on| tagged(on, "", ""),
            |on| tagged(on, "production", "staging"),
            |on| tagged(on, "=production", "staging"),
            |on| tagged(on, "=development", "=dev"),
            |on| tagged(on, "", "=dev, staging"),
            |on| tagged(on, "", "=prodution"),
        ],
    ),
    (
        "missing-comment",
        &ALL,
        &[
            |on| good(on).untitled(),
            |on| revision(on, "DROP TABLE visit;"),
            |on| revision(on, "SELECT 1;\nALTER TABLE visit DROP COLUMN notes;"),
            |on| revision(on, "\n--\nDELETE FROM visit;"),
        ],
        &[
            |on| good(on),
            |on| revision(on, "DROP TABLE visit;").described("Nobody needs visits."),
            |on| revision(on, "-- Nobody needs visits.\nDROP TABLE visit;"),
            |on| revision(on, "DROP TABLE visit; -- nobody needs visits"),
            |on| revision(on, "DROP TABLE /* nobody needs them */ visit;"),
            |on| revision(on, "DROP TABLE visit;").with(|settings| settings.comment_required = CommentRequired::Title),
            |on| good(on).untitled().with(|settings| settings.comment_required = CommentRequired::Nothing),
        ],
    ),
    (
        "todo-fixme",
        &ALL,
        &[
            |on| revision(on, "SELECT 1; -- TODO: two"),
            |on| revision(on, "SELECT /* FIXME */ 1;"),
            |on| file(on, "-- T\n-- TODO think\n-- Revision ID: a\n-- Revises: base\n-- migrate:up\nSELECT 1;\n"),
            |on| revision(on, "SELECT 1;\n/* first\n   TODO second */\n"),
        ],
        &[|on| good(on), |on| revision(on, "SELECT 'TODO'; -- todo-fixme, TODOS")],
    ),
    (
        "secret-in-migration",
        &ALL,
        &[
            |on| revision(on, &format!("SELECT '{}IOSFODNN7EXAMPLE';", "AKIA")),
            |on| revision(on, "SELECT 'postgres://app:hunter2@db/shop';"),
            |on| revision(on, "-- postgres://app:hunter2@db/shop\nSELECT 1;"),
            |on| revision(on, "CREATE USER app IDENTIFIED BY 'hunter2';"),
            |on| revision(on, "ALTER ROLE app PASSWORD 'hunter2';"),
            |on| revision(on, "UPDATE setting SET password = 'hunter2' WHERE id = 1;"),
            |on| {
                file(
                    on,
                    "-- T\n-- db: mysql://a:hunter2@h/x\n-- Revision ID: a\n-- Revises: base\n-- migrate:up\nSELECT 1;\n",
                )
            },
        ],
        &[
            |on| good(on),
            |on| revision(on, "SELECT 'postgres://app:${PASSWORD}@db/shop';"),
            |on| revision(on, "CREATE USER app IDENTIFIED BY '${PASSWORD}';"),
            |on| revision(on, "UPDATE setting SET password = '$2b$12$abcdefghijklmnopqrstuv' WHERE password = '';"),
            |on| revision(on, "SELECT a FROM b ORDER BY 'hunter2';"),
        ],
    ),
    (
        "naming",
        &ALL,
        &[
            |on| revision(on, "CREATE TABLE UserAccount (id INTEGER PRIMARY KEY);"),
            |on| revision(on, "CREATE TABLE a (userId INTEGER PRIMARY KEY);"),
            |on| revision(on, "ALTER TABLE a RENAME COLUMN b TO homeAddress;"),
            |on| revision(on, "ALTER TABLE a ADD COLUMN homeAddress TEXT;"),
            |on| {
                revision(on, "CREATE INDEX visit_number ON visit (number);")
                    .with(|settings| settings.naming.index_prefix = "ix_".to_owned())
            },
            |on| {
                revision(on, "CREATE TABLE a (id INTEGER PRIMARY KEY);")
                    .with(|settings| settings.naming.style = NamingStyle::PascalCase)
            },
            |on| {
                revision(on, "CREATE TABLE a (id INT PRIMARY KEY, CONSTRAINT x CHECK (id > 0));")
                    .with(|settings| settings.naming.check_prefix = "ck_".to_owned())
            },
            |on| {
                revision(on, "CREATE TABLE a (id INT PRIMARY KEY, CONSTRAINT x FOREIGN KEY (id) REFERENCES b (c));")
                    .with(|settings| settings.naming.foreign_key_prefix = "fk_".to_owned())
            },
            |on| revision(on, "CREATE SCHEMA shop;").with(|settings| settings.naming.schema_prefix = "app_".to_owned()),
        ],
        &[
            |on| good(on),
            |on| revision(on, "CREATE TABLE user_account (id INTEGER PRIMARY KEY, home_address2 TEXT);"),
            |on| revision(on, "ALTER TABLE UserAccount DROP COLUMN homeAddress;"),
            |on| {
                revision(on, "CREATE TABLE UserAccount (Id INTEGER PRIMARY KEY);")
                    .with(|settings| settings.naming.style = NamingStyle::Any)
            },
            |on| {
                revision(on, "CREATE INDEX ix_a ON UserAccount (homeAddress);")
                    .with(|settings| settings.naming.index_prefix = "ix_".to_owned())
            },
        ],
    ),
    (
        "ban-uncommitted-transaction",
        &[Dialect::Sqlite, Dialect::Mysql],
        &[|on| revision(on, "BEGIN; SELECT 1;").without_transaction()],
        &[
            |on| revision(on, "BEGIN; SELECT 1; COMMIT;").without_transaction(),
            |on| revision(on, "BEGIN; SELECT 1; ROLLBACK;").without_transaction(),
            |on| revision(on, "BEGIN; SELECT 1;"),
        ],
    ),
    (
        "pragma-foreign-keys",
        &[Dialect::Sqlite],
        &[|on| revision(on, "PRAGMA foreign_keys = OFF; SELECT 1;").without_transaction()],
        &[|on| revision(on, "PRAGMA foreign_keys = OFF; PRAGMA foreign_keys = ON;").without_transaction()],
    ),
    (
        "prefer-robust-stmts",
        &[Dialect::Sqlite, Dialect::Mysql],
        &[|on| revision(on, "CREATE TABLE a (id INT PRIMARY KEY);").without_transaction()],
        &[
            |on| revision(on, "CREATE TABLE a (id INT PRIMARY KEY);"),
            |on| revision(on, "CREATE TABLE IF NOT EXISTS a (id INT PRIMARY KEY);").without_transaction(),
        ],
    ),
    (
        "transaction-nesting",
        &[Dialect::Sqlite, Dialect::Mysql],
        &[|on| revision(on, "BEGIN; ROLLBACK;")],
        &[|on| revision(on, "BEGIN; COMMIT;").without_transaction()],
    ),
];

/// Rule, dialect, and whether it fires, for each case.
pub(super) fn told() -> Vec<(String, String, bool)> {
    let told = CASES.iter().flat_map(|(rule, dialects, fires, quiet)| {
        let each = [(fires, true), (quiet, false)].into_iter().filter(|(makes, _)| !makes.is_empty());
        each.flat_map(move |(_, fires)| {
            dialects.iter().map(move |dialect| ((*rule).to_owned(), format!("{dialect:?}"), fires))
        })
    });
    told.collect()
}

fn good(on: Dialect) -> Trial {
    revision(on, "CREATE INDEX visit_number ON visit (number);").down("DROP INDEX visit_number;")
}

fn around(on: Dialect, change: fn(&mut Trial)) -> Trial {
    let mut trial = good(on);
    change(&mut trial);
    trial
}

fn relative(id: &str, tags: &str) -> Relative {
    Relative { id: id.to_owned(), file: format!("migrations/{id}.sql"), environments: testing::tags(tags) }
}

fn tagged(on: Dialect, own: &str, parent: &str) -> Trial {
    let mut trial = good(on).levels();
    trial.source.revision.environments = testing::tags(own);
    trial.surroundings.parents = vec![relative("r0000", parent)];
    trial
}

fn merge(mut trial: Trial) -> Trial {
    trial.source.revision.parents = vec!["a".to_owned(), "b".to_owned()];
    trial
}

/// A file in which another dialect has a section on one side only.
fn other_dialects(on: Dialect, up: bool) -> Trial {
    let (own, other) = match on {
        Dialect::Sqlite => ("sqlite", "mysql"),
        Dialect::Postgres => ("postgres", "sqlite"),
        Dialect::Mysql => ("mysql", "postgres"),
    };
    let mut trial = good(on);
    let section = |direction, name: &str, line| Section {
        direction,
        line,
        ..section(1, &format!("-- migrate:up {name}")).unwrap()
    };
    trial.surroundings.sections = vec![section(Direction::Up, own, 9), section(Direction::Down, own, 12)];
    trial.surroundings.sections.push(section(if up { Direction::Up } else { Direction::Down }, other, 12));
    trial
}

#[test]
fn rules_find_what_they_are_about() {
    for (rule, dialects, fires, _) in CASES {
        for (dialect, (index, make)) in
            dialects.iter().flat_map(|dialect| fires.iter().enumerate().map(move |make| (dialect, make)))
        {
            let rules = make(*dialect).rules();
            assert!(rules.contains(&(*rule).to_owned()), "{rule} on {dialect:?} misses case {index}: {rules:?}");
        }
    }
}

#[test]
fn rules_leave_alone_what_they_are_not_about() {
    for (rule, dialects, _, quiet) in CASES {
        for (dialect, (index, make)) in
            dialects.iter().flat_map(|dialect| quiet.iter().enumerate().map(move |make| (dialect, make)))
        {
            let found = make(*dialect).findings();
            let finding = found.iter().find(|finding| finding.rule == *rule);
            assert!(finding.is_none(), "{rule} on {dialect:?} finds case {index}: {finding:?}");
        }
    }
}

#[test]
fn a_good_revision_has_nothing_wrong() {
    for dialect in ALL {
        let on = if dialect == Dialect::Mysql { " ON visit" } else { "" };
        let trial = revision(dialect, "CREATE INDEX visit_number ON visit (number);")
            .down(&format!("DROP INDEX visit_number{on};"));
        assert_eq!(trial.rules(), [""; 0], "{dialect:?}");
    }
}

#[test]
fn a_secret_is_never_repeated() {
    for dialect in ALL {
        let trial = revision(dialect, "CREATE USER app IDENTIFIED BY 'hunter2';\n-- mysql://app:hunter2@db/x\n");
        for finding in trial.findings() {
            assert!(!format!("{finding:?}").contains("hunter2"), "{finding:?}");
        }
    }
}

#[test]
fn the_nearest_environment_is_suggested() {
    let finding = tagged(Dialect::Sqlite, "prodution", "").finding("unknown-environment");
    assert_eq!(finding.help.as_deref(), Some("did you mean `production`?"));
    let order = tagged(Dialect::Sqlite, "", "=development").message("environment-order");
    assert_eq!(order, "runs in staging, production, where `r0000`, on which it builds, does not");
}
