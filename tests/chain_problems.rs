//! Revision files and graphs that are wrong: every problem is shown, with file, line, column and the line itself.

use crate::harness::Project;
use crate::snapshot;

fn file(id: &str, revises: &str) -> String {
    format!(
        "-- Title of {id}\n-- Revision ID: {id}\n-- Revises: {revises}\n\n-- migrate:up\nSELECT 1;\n\n-- migrate:down\nSELECT 1;\n"
    )
}

/// One of everything.
fn broken() -> Project {
    let project = Project::linear(1);
    project.write("migrations/a_duplicate.sql", file("r0001", "base"));
    project.write("migrations/b_orphan.sql", file("orphan", "r0099"));
    project.write("migrations/c_self.sql", file("selfish", "selfish"));
    project.write("migrations/d_cycle.sql", file("cycle1", "cycle2"));
    project.write("migrations/e_cycle.sql", file("cycle2", "cycle1"));
    project.write("migrations/f_encoding.sql", b"-- Caf\xe9\n-- Revision ID: cafe\n-- Revises: r0001\n-- migrate:up\n");
    project.write(
        "migrations/g_section.sql",
        "-- T\n-- Revision ID: sect\n-- Revises: r0001\n\n-- migrate:upp\nSELECT 1;\n",
    );
    project.write("migrations/h_id.sql", "-- T\n-- Revision ID: a@b\n-- Revises: r0001\n\n-- migrate:up\nSELECT 1;\n");
    project.write("migrations/i_header.sql", "-- T\n-- Revises: r0001\n\n-- migrate:up\nSELECT 1;\n");
    project.write(
        "migrations/j_depends.sql",
        file("dependent", "r0001").replace("\n\n-- migrate:up", "\n-- Depends On: nobody\n\n-- migrate:up"),
    );
    project
}

#[test]
fn all_problems_of_a_folder_are_in_one_report() {
    let project = broken();
    snapshot!(project.run(&["upgrade"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: missing parent `r0099`
     --> migrations/b_orphan.sql:3:13
      |
    3 | -- Revises: r0099
      |             ^^^^^ no file has this id; did you mean `r0001`?
      |
      = help: restore the file that defines it, or correct the id

    error: revision `selfish` names itself as its parent
     --> migrations/c_self.sql:3:13
      |
    3 | -- Revises: selfish
      |             ^^^^^^^
      |
      = help: write the revision it follows, or `base` if it follows none

    error: the revisions form a cycle: cycle1 -> cycle2 -> cycle1
     --> migrations/d_cycle.sql:3:13
      |
    3 | -- Revises: cycle2
      |             ^^^^^^ `cycle2` already comes after `cycle1`
      |
      = help: correct `Revises` or `Depends On` in one of these files

    error: byte `0xe9` is not UTF-8
     --> migrations/f_encoding.sql:1:7
      |
    1 | -- Caf�
      |       ^
      |
      = help: save the file as UTF-8

    error: unknown section `migrate:upp`
     --> migrations/g_section.sql:5:12
      |
    5 | -- migrate:upp
      |            ^^^ did you mean `migrate:up`?
      |
      = help: sections begin with `-- migrate:up` or `-- migrate:down`

    error: `a@b` contains `@`, only letters, digits, `_` and `.` are allowed
     --> migrations/h_id.sql:2:17
      |
    2 | -- Revision ID: a@b
      |                 ^^^
      |
      = help: identifiers and labels are made of letters, digits, `_` and `.`

    error: missing key `Revision ID`
     --> migrations/i_header.sql:1:1
      |
    1 | -- T
      | ^^^^
      |
      = help: add the line `-- Revision ID: ` with an identifier of its own

    error: missing dependency `nobody`
     --> migrations/j_depends.sql:4:16
      |
    4 | -- Depends On: nobody
      |                ^^^^^^ no file has this id
      |
      = help: restore the file that defines it, or correct the id

    error: revision id `r0001` is used by two files
     --> migrations/r0001.sql:3:17
      |
    3 | -- Revision ID: r0001
      |                 ^^^^^ also in `migrations/a_duplicate.sql`, line 2
      |
      = help: give one of the files another `Revision ID`, and correct what revises it

    error: the chain has 9 problems; nothing was run
    ");
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn check_reports_them_as_findings() {
    let project = broken();
    let check = project.run(&["check"]).exits(4);
    let upgrade = project.run(&["upgrade"]).exits(1);
    for problem in upgrade.stderr.lines().filter(|line| line.contains(" --> ")) {
        assert!(check.stderr.contains(problem), "`check` leaves out {problem}");
    }
}

#[test]
fn every_command_that_reads_the_chain_reports_them() {
    let project = broken();
    for arguments in [
        &["plan"][..],
        &["history"],
        &["heads"],
        &["current"],
        &["downgrade", "base"],
        &["stamp", "heads"],
        &["show", "r0001"],
    ] {
        let run = project.run(arguments).exits(1);
        assert!(run.stderr.contains("migrations/b_orphan.sql:3:13"), "{arguments:?}: {run}");
    }
}

#[test]
fn json_holds_every_place() {
    let project = Project::linear(1);
    project.write("migrations/b_orphan.sql", file("orphan", "r0099"));
    snapshot!(project.run(&["upgrade", "--json"]), @r#"
    exit: 1
    --- stdout
    {
      "error": {
        "help": null,
        "kind": "chain",
        "message": "the chain has 1 problem; nothing was run",
        "problems": [
          {
            "column": 13,
            "file": "migrations/b_orphan.sql",
            "help": "restore the file that defines it, or correct the id",
            "line": 3,
            "message": "missing parent `r0099`"
          }
        ]
      }
    }
    --- stderr
    error: missing parent `r0099`
     --> migrations/b_orphan.sql:3:13
      |
    3 | -- Revises: r0099
      |             ^^^^^ no file has this id; did you mean `r0001`?
      |
      = help: restore the file that defines it, or correct the id

    error: the chain has 1 problem; nothing was run
    "#);
}

#[test]
fn a_link_out_of_the_folder_is_not_followed() {
    let project = Project::linear(1);
    project.write("elsewhere.sql", file("secret", "r0001"));
    std::os::unix::fs::symlink(project.path("elsewhere.sql"), project.path("migrations/link.sql")).unwrap();
    snapshot!(project.run(&["upgrade"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: cannot be read: a path led outside of the filesystem
     --> migrations/link.sql:1:1
      = help: check what the link leads to: it must be a readable file in the folder

    error: the chain has 1 problem; nothing was run
    ");
    let relative = Project::linear(1);
    relative.write("elsewhere.sql", file("secret", "r0001"));
    std::os::unix::fs::symlink("../elsewhere.sql", relative.path("migrations/link.sql")).unwrap();
    relative.run(&["upgrade"]).exits(1);
}

#[test]
fn a_file_that_cannot_be_read() {
    let project = Project::linear(1);
    std::fs::create_dir(project.path("migrations/folder.sql")).unwrap();
    std::os::unix::fs::symlink("nowhere.sql", project.path("migrations/dangling.sql")).unwrap();
    snapshot!(project.run(&["upgrade"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: cannot be read: No such file or directory (os error 2)
     --> migrations/dangling.sql:1:1
      = help: check what the link leads to: it must be a readable file in the folder

    error: is not a file
     --> migrations/folder.sql:1:1
      = help: remove it, or give it a name that does not end with `.sql`

    error: the chain has 2 problems; nothing was run
    ");
}

#[test]
fn a_missing_folder() {
    let project = Project::empty();
    std::fs::remove_dir(project.path("migrations")).unwrap();
    snapshot!(project.run(&["upgrade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the migrations folder `./migrations` does not exist

      help: run `init`, or set `dir` under `[migrations]` to the folder of the revision files
    ");
    snapshot!(project.run(&["history", "--json"]), @r#"
    exit: 2
    --- stdout
    {
      "error": {
        "help": "run `init`, or set `dir` under `[migrations]` to the folder of the revision files",
        "kind": "configuration",
        "message": "the migrations folder `./migrations` does not exist"
      }
    }
    --- stderr
    error: the migrations folder `./migrations` does not exist

      help: run `init`, or set `dir` under `[migrations]` to the folder of the revision files
    "#);
}

#[test]
fn an_empty_folder() {
    let project = Project::empty();
    project.write("migrations/README.md", "not a revision");
    snapshot!(project.run(&["upgrade"]), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: the migrations folder `./migrations` holds no revision

      help: `revision -m "..."` writes the first one
    "#);
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn a_folder_that_is_a_file() {
    let project = Project::empty();
    std::fs::remove_dir(project.path("migrations")).unwrap();
    project.write("migrations", "");
    snapshot!(project.run(&["upgrade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `./migrations` is not a folder

      help: run `init`, or set `dir` under `[migrations]` to the folder of the revision files
    ");
}

#[test]
fn a_string_that_never_ends() {
    let project = Project::linear(1);
    project.revision("r0002", "r0001", "", "INSERT INTO t0001 VALUES (1, 'open);\nSELECT 1;", "SELECT 1;");
    snapshot!(project.run(&["upgrade"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: the string that begins at line 7, column 30 is never closed
     --> migrations/r0002.sql:7:30
      |
    7 | INSERT INTO t0001 VALUES (1, 'open);
      |                              ^^^^^^^
      |
      = help: close it with the same quote; a quote inside of it is written twice

    error: the SQL of the plan can't be read; nothing was run
    ");
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn no_section_for_this_dialect() {
    let project = Project::linear(1);
    project.write(
        "migrations/r0002.sql",
        "-- T\n-- Revision ID: r0002\n-- Revises: r0001\n\n-- migrate:up postgres,mysql\nSELECT 1;\n\n-- migrate:down\nSELECT 1;\n",
    );
    snapshot!(project.run(&["upgrade"]), @"
    exit: 1
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
    --- stderr
    error: revision `r0002` has no `-- migrate:up` section for sqlite; nothing was run

      help: add `-- migrate:up` or `-- migrate:up sqlite` to `migrations/r0002.sql`
    ");
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn line_endings_and_byte_order_marks_are_no_problem_and_no_change() {
    let project = Project::linear(1);
    let text = file("r0002", "r0001");
    project.write("migrations/r0002.sql", &text);
    project.run(&["upgrade"]).exits(0);
    project.write("migrations/r0002.sql", format!("\u{feff}{}", text.replace('\n', "\r\n")));
    let run = project.run(&["upgrade"]).exits(0);
    assert_eq!(run.stderr, "", "a checkout on another system is not an edit");
}
