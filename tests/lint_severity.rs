//! `[lint]` in the configuration: how serious findings are, and from when on they refuse.

use crate::harness::Project;
use crate::lint::found;
use crate::lint::with;
use crate::lint::words;
use crate::snapshot;

fn bad(lint: &str) -> Project {
    let project = words("message = \"a bad word\"", lint);
    with(&project, "b2", "SELECT 'BAD';");
    project
}

#[test]
fn rules_are_as_serious_as_configured() {
    for (lint, code, severity) in [
        ("", 0, Some("warning")),
        ("[lint]\nfail-on = \"warning\"", 4, Some("warning")),
        ("[lint]\nfail-on = \"info\"\n[lint.rules]\nno-such-word = \"info\"", 4, Some("info")),
        ("[lint.rules]\nno-such-word = \"error\"", 4, Some("error")),
        ("[lint]\nfail-on = \"never\"\n[lint.rules]\nno-such-word = \"error\"", 0, Some("error")),
        ("[lint.rules]\nW1 = \"off\"", 0, None),
        ("[lint.rules]\nno-such-word = { default = \"off\", development = \"error\" }", 4, Some("error")),
        ("[lint.rules]\nno-such-word = { dev = \"error\" }", 4, Some("error")),
        ("[lint.rules]\nno-such-word = { mysql = \"off\", sqlite = \"info\" }", 0, Some("info")),
    ] {
        let run = bad(lint).run(&["lint", "--json"]).exits(code);
        let document = run.json();
        let finding = document["findings"].as_array().unwrap().first();
        assert_eq!(finding.and_then(|finding| finding["severity"].as_str()), severity, "{lint}: {run}");
        let decision = if code == 4 { "deny" } else { "" };
        assert!(finding.is_none_or(|finding| code == 0 || finding["decision"] == decision), "{lint}");
    }
}

#[test]
fn an_upgrade_refuses_at_the_same_severity() {
    let project = bad("[lint]\nfail-on = \"warning\"");
    snapshot!(project.run(&["upgrade"]), @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      deny   words [VERSION]                  migrations/b2.sql:7:9: a bad word
    --- stderr
    error: refused by `words`: migrations/b2.sql:7:9: a bad word

      help: nothing was changed
    ");
    assert_eq!(project.leavings(), ["words.wasm"]);
    bad("[lint.rules]\nno-such-word = \"off\"").run(&["upgrade"]).exits(0);
    let never = bad("[lint]\nfail-on = \"never\"");
    never.edit("runner.toml", "plugin-set = \"words\"", "plugin-set = \"words\"\nenvironment = \"production\"");
    never.run(&["upgrade"]).exits(0);
}

#[test]
fn wrong_settings_are_errors_and_wrong_names_warnings() {
    snapshot!(bad("[lint.rules]\nno-such-word = \"errror\"").run(&["lint"]), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: unknown variant `errror`, expected one of `off`, `info`, `warning`, `error`
      --> runner.toml:13:16
       |
    13 | no-such-word = "errror"
       |                ^^^^^^^^
       |
       = help: did you mean `error`?

    error: `runner.toml` is not a valid configuration
    "#);
    snapshot!(bad("[lint]\nfail = \"error\"").run(&["lint"]), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: unknown field `fail`, expected one of `fail-on`, `baseline`, `rules`
      --> runner.toml:13:1
       |
    13 | fail = "error"
       | ^^^^
       |
       = help: did you mean `fail-on`?

    error: `runner.toml` is not a valid configuration
    "#);
    let project = bad("[lint.rules]\nno-such-wrod = \"off\"\nno-such-word = { prodution = \"off\" }");
    snapshot!(project.run(&["lint"]), @"
    exit: 0
    --- stdout
    warning[no-such-word]: a bad word
     --> migrations/b2.sql:7:9
      |
    7 | SELECT 'BAD';
      |         ^^^

    warning[lint-configuration]: `lint.rules.no-such-word.prodution`: there is no such environment or dialect
    --> runner.toml
     = help: did you mean `production`?

    warning[lint-configuration]: `lint.rules.no-such-wrod`: no lint policy in force has such a rule
    --> runner.toml
     = help: did you mean `no-such-word`?

    3 warnings in 2 revisions, for development
    --- stderr
    ");
    snapshot!(bad("").run(&["lint", "--deny", "no-such-wrod"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: no lint policy in force has a rule `no-such-wrod`

      help: did you mean `no-such-word`?
      help: `runner lint --rules` lists the rules
    ");
}

#[test]
fn a_strict_set_can_not_be_loosened() {
    let project = bad(
        "[lint]\nfail-on = \"never\"\n[lint.rules]\nban-drop-table = \"off\"\nno-such-word = \"off\"\nban-drop-column = \"error\"",
    );
    project.edit(
        "runner.toml",
        "plugins = [\"environment-hierarchy\", \"words\"]",
        "extends = \"strict-prod\"\nplugins = [\"words\"]",
    );
    project.revision("c3", "b2", "", "DROP TABLE t;", "CREATE TABLE t (id INTEGER);");
    let run = project.run(&["lint", "--env", "production", "--json", "c3", "b2"]).exits(4);
    let found = found(&run);
    // The word is no part of the strict set, so its owner may turn it off.
    assert!(!found.iter().any(|found| found.starts_with("no-such-word")), "{run}");
    assert!(found.contains(&"ban-drop-table c3.sql:7".to_owned()), "{run}");
    let expected = [
        "warning: `lint.fail-on` in `runner.toml` is not obeyed: `never` is looser, and the plugin belongs to a strict set",
        "warning: `lint.rules.ban-drop-table` in `runner.toml` is not obeyed: `off` is looser, and the plugin belongs to a strict set",
    ];
    assert_eq!(run.stderr.lines().collect::<Vec<_>>(), expected);
    project.edit("runner.toml", "extends = \"strict-prod\"", "extends = \"default\"");
    assert!(!self::found(&project.run(&["lint", "--json", "c3"])).contains(&"ban-drop-table c3.sql:7".to_owned()));
}

#[test]
fn a_set_in_a_file_of_its_own_is_not_loosened_by_the_project() {
    let project = bad("[lint]\nfail-on = \"never\"\n[lint.rules]\nno-such-word = \"off\"");
    project.write(
        "ci/set.toml",
        "[set]\nplugins = [\"environment-hierarchy\", \"words\"]\n[plugins.words]\nsource = \"../words.wasm\"\ngrants = { facts = true }\nsettings = { word = \"BAD\", message = \"a bad word\" }\n[lint]\nfail-on = \"warning\"\n",
    );
    snapshot!(project.run(&["lint", "--plugins", "ci/set.toml"]), @"
    exit: 4
    --- stdout
    warning[no-such-word]: a bad word
     --> migrations/b2.sql:7:9
      |
    7 | SELECT 'BAD';
      |         ^^^
      |
      = note: it refuses here, by `fail-on`, `--deny` or `--staged`

    1 warning in 2 revisions, for development
    --- stderr
    warning: `lint.fail-on` in `runner.toml` is not obeyed: `never` is looser, and the plugin set is in a file of its own
    warning: `lint.rules.no-such-word` in `runner.toml` is not obeyed: `off` is looser, and the plugin set is in a file of its own
    ");
    project.run(&["upgrade", "--plugins", "ci/set.toml"]).exits(3);
    project.run(&["lint"]).exits(0);
    project.edit("ci/set.toml", "fail-on", "baseline = \"b.json\"\nfail-on");
    snapshot!(project.run(&["lint", "--plugins", "ci/set.toml"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `lint.baseline` in `ci/set.toml`: a baseline is about the revisions of a project, not about a set

      help: put it into `[lint]` of `runner.toml`
    ");
}
