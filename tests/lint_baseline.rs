//! Findings that are accepted: what is new is never hidden.

use crate::lint::found;
use crate::lint::with;
use crate::lint::words;
use crate::snapshot;

const CONFIGURED: &str = "[lint]\nbaseline = \"lint-baseline.json\"";

#[test]
fn what_is_accepted_is_not_shown_and_what_is_new_is() {
    let project = words("", CONFIGURED);
    with(&project, "b2", "SELECT 'BAD';\nSELECT 'BAD';");
    snapshot!(project.run(&["lint"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: there is no baseline `lint-baseline.json`

      help: `runner lint --write-baseline` writes it, with everything that is found now
    ");
    snapshot!(project.run(&["lint", "--write-baseline"]), @"
    exit: 0
    --- stdout
    wrote lint-baseline.json: 1 entry
    --- stderr
    ");
    let written = std::fs::read_to_string(project.path("lint-baseline.json")).unwrap();
    assert!(written.contains("\"count\": 2"), "{written}");
    assert_eq!(found(&project.run(&["lint", "--json"])), [""; 0]);
    // Lines may move, and comments may come.
    project.edit("migrations/b2.sql", "SELECT 'BAD';\nSELECT 'BAD';", "-- more\n\nSELECT   'BAD';\nSELECT 'BAD';");
    assert_eq!(found(&project.run(&["lint", "--json"])), [""; 0]);
    // The same once more is new, and so is another statement.
    project.edit("migrations/b2.sql", "-- more\n", "-- more\nSELECT 'BAD';\nSELECT 1, 'BAD';\n");
    assert_eq!(found(&project.run(&["lint", "--json"])), ["no-such-word b2.sql:9", "no-such-word b2.sql:12"]);
}

#[test]
fn entries_that_match_nothing_are_told() {
    let project = words("", CONFIGURED);
    with(&project, "b2", "SELECT 'BAD';");
    with(&project, "c3", "SELECT 'BAD';");
    project.run(&["lint", "--write-baseline"]).exits(0);
    project.edit("migrations/b2.sql", "BAD", "good");
    assert_eq!(found(&project.run(&["lint", "--json"])), ["stale-baseline lint-baseline.json:4"]);
    // Of other revisions nothing is known.
    assert_eq!(found(&project.run(&["lint", "--json", "c3"])), [""; 0]);
    project.run(&["lint", "--write-baseline", "c3"]).exits(0);
    assert_eq!(found(&project.run(&["lint", "--json"])), ["stale-baseline lint-baseline.json:4"]);
    project.run(&["lint", "--write-baseline"]).exits(0);
    assert_eq!(found(&project.run(&["lint", "--json"])), [""; 0]);
}

#[test]
fn a_missing_or_damaged_baseline_is_an_error() {
    let project = words("", CONFIGURED);
    snapshot!(project.run(&["lint"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: there is no baseline `lint-baseline.json`

      help: `runner lint --write-baseline` writes it, with everything that is found now
    ");
    project.write("lint-baseline.json", "<<<<<<< HEAD\n");
    snapshot!(project.run(&["lint"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the baseline `lint-baseline.json` is damaged: expected value at line 1 column 1

      help: put it back from version control, or write it anew with `runner lint --write-baseline`
    ");
    project.run(&["upgrade"]).exits(2);
    assert_eq!(project.leavings(), ["lint-baseline.json", "words.wasm"]);
}

#[test]
fn what_could_not_be_looked_at_is_not_accepted() {
    let project = words("manner = \"fail\"", "");
    project.run(&["lint", "--write-baseline=b.json"]).exits(4);
    let broken = words("", "");
    broken.write("migrations/b.sql", "-- T\n");
    broken.run(&["lint", "--write-baseline=b.json"]).exits(4);
    assert_eq!((project.leavings(), broken.leavings()), (vec!["words.wasm".to_owned()], vec!["words.wasm".to_owned()]));
}

#[test]
fn comments_count_before_the_baseline() {
    let project = words("", CONFIGURED);
    with(&project, "b2", "SELECT 'BAD'; -- lint:ignore no-such-word it is a test");
    project.run(&["lint", "--write-baseline"]).exits(0);
    let written = std::fs::read_to_string(project.path("lint-baseline.json")).unwrap();
    assert_eq!(written, "{\n  \"version\": 1,\n  \"findings\": []\n}\n");
}

#[test]
fn an_upgrade_accepts_what_is_accepted() {
    let project = words("", &format!("{CONFIGURED}\nfail-on = \"warning\""));
    with(&project, "b2", "SELECT 'BAD';");
    project.run(&["lint", "--write-baseline"]).exits(0);
    project.run(&["upgrade"]).exits(0);
}
