//! `runner lint`: what is found, what is suppressed, what is said.

use crate::harness::Project;
use crate::harness::Run;
use crate::snapshot;

/// A project whose policy finds the word `BAD`; `settings` are further ones of it, `more` is more configuration.
pub(crate) fn words(settings: &str, more: &str) -> Project {
    let project = Project::empty();
    project.write("words.wasm", policy_components::guest("word-lint"));
    project.write(
        "runner.toml",
        format!(
            "plugin-set = \"words\"\n[database]\nurl = \"sqlite://app.db\"\n[plugin-sets.words]\nplugins = [\"environment-hierarchy\", \"words\"]\n[plugins.words]\nsource = \"words.wasm\"\ngrants = {{ facts = true }}\n[plugins.words.settings]\nword = \"BAD\"\n{settings}\n{more}"
        ),
    );
    project.revision("a1", "base", "", "CREATE TABLE t (id INTEGER);", "DROP TABLE t;");
    project
}

/// Adds a revision on `a1`.
pub(crate) fn with(project: &Project, id: &str, up: &str) {
    project.revision(id, "a1", "", up, "SELECT 1;");
}

/// `rule file:line` of each finding.
#[track_caller]
pub(crate) fn found(run: &Run) -> Vec<String> {
    let document = run.json();
    let shown = |finding: &serde_json::Value| {
        let text = |key: &str| finding[key].as_str().unwrap_or("-").to_owned();
        format!("{} {}:{}", text("rule"), text("file").trim_start_matches("migrations/"), finding["line"])
    };
    document["findings"].as_array().unwrap().iter().map(shown).collect()
}

#[test]
fn findings_are_shown_with_their_line() {
    let project = words("message = \"a bad word\"", "");
    with(&project, "b2", "SELECT 'ä', 'BAD';\nSELECT 2;");
    snapshot!(project.run(&["lint"]), @"
    exit: 0
    --- stdout
    warning[no-such-word]: a bad word
     --> migrations/b2.sql:7:14
      |
    7 | SELECT 'ä', 'BAD';
      |              ^^^

    1 warning in 2 revisions, for development
    --- stderr
    ");
    snapshot!(project.run(&["lint", "--env", "production"]), @"
    exit: 4
    --- stdout
    error[no-such-word]: a bad word
     --> migrations/b2.sql:7:14
      |
    7 | SELECT 'ä', 'BAD';
      |              ^^^

    1 error in 2 revisions, for production
    --- stderr
    ");
    snapshot!(project.run(&["lint", "a1"]), @"
    exit: 0
    --- stdout
    Nothing found in 1 revision, for development
    --- stderr
    ");
}

#[test]
fn the_document_holds_verdicts() {
    let project = words("message = \"a bad word\"", "");
    with(&project, "b2", "SELECT 'BAD'; -- lint:ignore W1 it is a test\nSELECT 'BAD';");
    snapshot!(project.run(&["lint", "--json"]), @r#"
    exit: 0
    --- stdout
    {
      "findings": [
        {
          "plugin": "words",
          "version": "[VERSION]",
          "digest": "sha256:[DIGEST]",
          "role": "lint",
          "decision": "warn",
          "revision": "b2",
          "rule": "no-such-word",
          "severity": "warning",
          "message": "a bad word",
          "file": "migrations/b2.sql",
          "line": 8,
          "column": 9,
          "end_line": 8,
          "end_column": 12,
          "statement": null,
          "help": null,
          "fingerprint": "26f12e561792be83",
          "fix": null
        }
      ],
      "suppressed": [
        {
          "plugin": "words",
          "version": "[VERSION]",
          "digest": "sha256:[DIGEST]",
          "role": "lint",
          "decision": "allow",
          "revision": "b2",
          "rule": "no-such-word",
          "severity": "warning",
          "message": "a bad word",
          "file": "migrations/b2.sql",
          "line": 7,
          "column": 9,
          "end_line": 7,
          "end_column": 12,
          "statement": null,
          "help": null,
          "fingerprint": "26f12e561792be83",
          "fix": null,
          "suppressed": {
            "by": "comment",
            "line": 7,
            "reason": "it is a test"
          }
        }
      ],
      "refusals": [],
      "errors": 0,
      "warnings": 1,
      "infos": 0,
      "revisions": 2,
      "environment": "development",
      "ok": true
    }
    --- stderr
    "#);
    let (json, format) = (project.run(&["lint", "--json"]), project.run(&["lint", "--format", "json"]));
    assert_eq!(json.stdout, format.stdout);
}

#[test]
fn comments_suppress_what_they_name() {
    let project = words("", "");
    with(
        &project,
        "b2",
        "-- lint:ignore no-such-word, W1 tested\nSELECT 'BAD';\nSELECT 'BAD';\nSELECT 'BAD'; -- atlas:nolint W1",
    );
    let run = project.run(&["lint", "--json"]).exits(0);
    // `W1` is another name of the same rule, so that it has nothing left to do.
    assert_eq!(found(&run), ["unused-ignore b2.sql:7", "no-such-word b2.sql:9"]);
    assert_eq!(run.json()["suppressed"].as_array().unwrap().len(), 2);
    project.edit("migrations/b2.sql", "no-such-word, W1", "no-such-word");
    project.edit("migrations/b2.sql", "-- Revises: a1", "-- Revises: a1\n-- lint:ignore W1 the whole file is a test");
    assert_eq!(found(&project.run(&["lint", "--json"])), [""; 0]);
    snapshot!(project.run(&["lint", "-v"]), @"
    exit: 0
    --- stdout
    suppressed[no-such-word]: 0 tables, 0 notes, 0 at migrations/b2.sql:9:9 (the whole file is a test)
    suppressed[no-such-word]: 0 tables, 0 notes, 0 at migrations/b2.sql:10:9 (the whole file is a test)
    suppressed[no-such-word]: 0 tables, 0 notes, 0 at migrations/b2.sql:11:9 (the whole file is a test)

    Nothing found in 2 revisions, for development; 3 suppressed
    --- stderr
    ");
}

#[test]
fn what_is_wrong_with_comments_is_told() {
    let project = words("message = \"a bad word\"", "");
    with(
        &project,
        "b2",
        "-- lint:ignore no-such-word\nSELECT 'BAD';\n-- lint:ignore no-such-wrod old\n-- lint:ignore W1 gone\nSELECT 1;",
    );
    snapshot!(project.run(&["lint"]), @"
    exit: 0
    --- stdout
    warning[ignore-without-reason]: `lint:ignore` gives no reason, so it does not count
     --> migrations/b2.sql:7:4
      |
    7 | -- lint:ignore no-such-word
      |    ^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: say why: `-- lint:ignore no-such-word nothing reads it since …`

    warning[no-such-word]: a bad word
     --> migrations/b2.sql:8:9
      |
    8 | SELECT 'BAD';
      |         ^^^

    warning[unknown-rule]: no lint policy in force has a rule `no-such-wrod`
     --> migrations/b2.sql:9:16
      |
    9 | -- lint:ignore no-such-wrod old
      |                ^^^^^^^^^^^^
      |
      = help: did you mean `no-such-word`?

    warning[unused-ignore]: `lint:ignore W1` suppresses nothing
      --> migrations/b2.sql:10:16
       |
    10 | -- lint:ignore W1 gone
       |                ^^
       |
       = help: take it away, or put it on the lines directly before what it is about; in the header it is about the file

    4 warnings in 2 revisions, for development
    --- stderr
    ");
    project.run(&["lint", "--deny", "warnings"]).exits(4);
    project.run(&["lint", "--deny", "unused-ignore"]).exits(4);
}

#[test]
fn a_chain_that_can_not_be_read_is_told_completely() {
    let project = words("", "");
    project.write("migrations/b.sql", "-- T\n-- Revision ID: a1\n-- Revises: base\n-- migrate:up\nSELECT 1;\n");
    project.write("migrations/c.sql", "-- T\n-- Revision ID: c3\n\n-- migrate:upp\nSELECT 1;\n");
    project.write("migrations/d.sql", "-- T\n-- Revision ID: d4\n-- Revises: nowhere\n-- migrate:up\nSELECT 1;\n");
    snapshot!(project.run(&["lint"]), @"
    exit: 4
    --- stdout
    error[duplicate-id]: revision id `a1` is used by two files
     --> migrations/b.sql:2:17
      |
    2 | -- Revision ID: a1
      |                 ^^ also in `migrations/a1.sql`, line 3
      |
      = help: give one of the files another `Revision ID`, and correct what revises it

    error[missing-revises]: missing key `Revises`
     --> migrations/c.sql:2:17
      |
    2 | -- Revision ID: c3
      |                 ^^
      |
      = help: add the line `-- Revises: ` with the parent's identifier, or `-- Revises: base` for a root

    error[malformed-section]: unknown section `migrate:upp`
     --> migrations/c.sql:4:12
      |
    4 | -- migrate:upp
      |            ^^^ did you mean `migrate:up`?
      |
      = help: sections begin with `-- migrate:up` or `-- migrate:down`

    error[missing-parent]: missing parent `nowhere`
     --> migrations/d.sql:3:13
      |
    3 | -- Revises: nowhere
      |             ^^^^^^^ no file has this id
      |
      = help: restore the file that defines it, or correct the id

    4 errors: the chain can't be read, so no policy was asked
    --- stderr
    ");
    assert_eq!(
        found(&project.run(&["lint", "--json"]).exits(4)),
        ["duplicate-id b.sql:2", "missing-revises c.sql:2", "malformed-section c.sql:4", "missing-parent d.sql:3"]
    );
}

#[test]
fn sql_that_can_not_be_cut_is_an_error() {
    let project = words("", "");
    with(&project, "b2", "SELECT 'open;");
    let run = project.run(&["lint", "--json"]).exits(4);
    assert_eq!(found(&run), ["unreadable-sql b2.sql:7"]);
    snapshot!(project.run(&["lint"]), @"
    exit: 4
    --- stdout
    error[unreadable-sql]: the string that begins at line 7, column 8 is never closed
     --> migrations/b2.sql:7:8
      |
    7 | SELECT 'open;
      |        ^^^^^^
      |
      = help: close it with the same quote; a quote inside of it is written twice

    1 error in 2 revisions, for development
    --- stderr
    ");
}

#[test]
fn a_policy_that_fails_is_no_clean_answer() {
    let project = words("manner = \"fail\"", "");
    snapshot!(project.run(&["lint"]), @"
    exit: 4
    --- stdout
    Not every policy could be asked about 1 revision, for development
    --- stderr
    error: the policy `words` could not be asked about `a1`: no idea
    ");
    let run = project.run(&["lint", "--json"]).exits(4);
    assert_eq!((run.json()["ok"].as_bool(), run.json()["refusals"].as_array().unwrap().len()), (Some(false), 1));
    for format in ["github", "gitlab", "junit", "sarif"] {
        let run = project.run(&["lint", "--format", format]).exits(4);
        assert!(run.stdout.contains("could not be asked") || run.stdout.contains("no idea"), "{run}");
    }
    project.configure("");
    project.edit("runner.toml", "[database]", "plugin-set = \"gone\"\n[database]");
    project.run(&["lint"]).exits(2);
}

#[test]
fn in_audit_mode_nothing_refuses() {
    let project = words("", "");
    with(&project, "b2", "SELECT 'BAD';");
    project.run(&["lint", "--deny", "warnings"]).exits(4);
    project.edit("runner.toml", "source = \"words.wasm\"", "source = \"words.wasm\"\nmode = \"audit\"");
    project.run(&["lint", "--deny", "warnings"]).exits(0);
    assert_eq!(found(&project.run(&["lint", "--json"])), ["no-such-word b2.sql:7"]);
}

#[test]
fn rules_are_listed_and_explained() {
    let project = words("", "");
    snapshot!(project.run(&["lint", "--explain", "w1"]), @"
    exit: 0
    --- stdout
    no-such-word
    The word must not be used

    severity     warning, in production error
    databases    all
    policy       words
    also called  W1

    --- stderr
    ");
    snapshot!(project.run(&["lint", "--explain", "unused-ignor"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: no lint policy in force has a rule `unused-ignor`

      help: did you mean `unused-ignore`?
      help: `runner lint --rules` lists the rules
    ");
    let rules = project.run(&["lint", "--rules"]).exits(0);
    for expected in ["no-such-word", "duplicate-id", "unused-ignore"] {
        assert!(rules.stdout.lines().any(|line| line.starts_with(expected)), "{rules}");
    }
    let json = project.run(&["lint", "--rules", "--json"]).json();
    assert!(json["rules"].as_array().unwrap().iter().all(|rule| rule["summary"].is_string()));
    let explained = project.run(&["lint", "--explain", "duplicate-id", "--json"]).json();
    assert_eq!(explained["rules"][0]["plugin"], "runner");
}

#[test]
fn without_a_database_the_dialect_is_said() {
    let project = words("", "");
    project.edit("runner.toml", "url = \"sqlite://app.db\"", "");
    snapshot!(project.run(&["lint"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: no database is configured

      help: set `url` in `[database]` of `runner.toml`, `DATABASE_URL` or `--database-url`
      help: for example `sqlite://runner.db`
      help: or say `--dialect`
    ");
    project.run(&["lint", "--dialect", "mysql"]).exits(0);
    project.run(&["lint", "--dialect", "oracle"]).exits(2);
}

#[test]
fn nothing_is_written_and_nothing_is_opened() {
    let project = words("", "");
    project.run(&["lint"]).exits(0);
    project.run(&["lint", "--json", "--env", "production"]).exits(0);
    assert_eq!(project.leavings(), ["words.wasm"]);
}

#[test]
fn foreign_text_can_not_steer_the_output() {
    let message = "message = \"x\\u001b[2J\\n::error::forged\\u202e\"";
    let project = words(message, "");
    with(
        &project,
        "b2",
        "SELECT '\u{1b}[31m BAD \u{202e}';\n-- lint:ignore no-such-word \u{1b}[2J\u{202e} reason\nSELECT 'BAD';",
    );
    for arguments in [
        &["lint", "-v"][..],
        &["lint", "--format", "github"],
        &["lint", "--format", "gitlab"],
        &["lint", "--format", "junit"],
        &["lint", "--format", "sarif"],
        &["lint", "--json"],
    ] {
        let run = project.run(arguments).exits(0);
        let forged = run.stdout.lines().any(|line| line.starts_with("::error"));
        assert!(!forged && !run.stdout.contains(['\u{1b}', '\u{202e}']), "{arguments:?}: {run}");
    }
}

#[test]
fn passwords_in_revisions_are_not_shown() {
    let project = words("", "");
    with(&project, "b2", "SELECT 'postgres://app:s3cret@db/app BAD';");
    for format in ["text", "json", "sarif", "github", "gitlab", "junit"] {
        let run = project.run(&["lint", "--format", format]).exits(0);
        assert!(!run.stdout.contains("s3cret") && !run.stderr.contains("s3cret"), "{run}");
    }
}

#[test]
fn a_plan_is_weighed_by_the_same_rules() {
    let project = words("", "");
    with(&project, "b2", "-- lint:ignore no-such-word it is a test\nSELECT 'BAD';");
    project.run(&["upgrade", "--env", "production", "--dry-run"]).exits(0);
    let plan = project.run(&["plan", "--env", "production", "--json"]).json();
    let told = plan["verdicts"].as_array().unwrap().iter().find(|verdict| verdict["rule"] == "no-such-word").unwrap();
    assert_eq!((told["decision"].as_str(), told["severity"].as_str()), (Some("allow"), Some("info")));
    assert!(told["message"].as_str().unwrap().starts_with("suppressed (it is a test): "));
    project.edit("migrations/b2.sql", " it is a test", "");
    snapshot!(project.run(&["upgrade", "--env", "production", "--dry-run"]), @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  production (level 100)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  production (level 100)
      warn   runner [VERSION]                 migrations/b2.sql:7:4: `lint:ignore` gives no reason, so it does not count
      deny   words [VERSION]                  migrations/b2.sql:8:9: 0 tables, 1 notes, 0
      up  a1  Revision a1
      up  b2  Revision b2
    --- stderr
    error: refused by `words`: migrations/b2.sql:8:9: 0 tables, 1 notes, 0

      help: nothing was changed
    ");
    project.run(&["upgrade"]).exits(0);
}
