//! `runner rollback` and `runner backup`: what is destroyed is counted, saved first, and comes back as it was.

use crate::clinic::Clinic;
use crate::harness::Project;
use crate::harness::Run;
use crate::snapshot;

/// The only backup that is there.
fn only_backup(project: &Project) -> String {
    let list = project.run(&["backup", "list", "--json"]).exits(0).json();
    let backups = list["backups"].as_array().unwrap();
    assert_eq!(backups.len(), 1, "{list:#}");
    backups[0]["name"].as_str().unwrap().to_owned()
}

#[test]
fn what_a_rollback_destroys_is_saved_and_comes_back() {
    for clinic in Clinic::all() {
        let Clinic { project, .. } = &clinic;
        let before = clinic.content();
        let done = project.run(&["rollback", "a1", "--yes", "--json"]).exits(0).json();
        assert_eq!(done["outcome"], "applied", "{done:#}");
        let losses: Vec<&str> =
            done["data_loss"].as_array().unwrap().iter().map(|loss| loss["kind"].as_str().unwrap()).collect();
        assert_eq!(losses, ["drop_table", "drop_column"], "{done:#}");
        assert_eq!((&done["data_loss"][1]["non_null"], &done["data_loss"][1]["rows"]), (&4.into(), &5.into()));
        assert_eq!((&done["backup"]["tables"], &done["backup"]["rows"]), (&2.into(), &10.into()));
        let name = only_backup(project);
        assert_eq!(done["backup"]["name"], name);
        project.run(&["backup", "verify", &name]).exits(0);
        let listed = project.run(&["backup", "list", "--json"]).json();
        assert!(listed["backups"][0]["verified"].is_string(), "{listed:#}");

        let back = project.run(&["backup", "restore", &name, "--json"]).exits(0).json();
        assert_eq!(back["outcome"], "applied", "{back:#}");
        assert_eq!(back["steps"][0]["revision"], "b2");
        assert_eq!(clinic.content(), before);
        assert_eq!(project.run(&["current", "--json"]).json()["current"], serde_json::json!(["b2"]));
        // The counter goes on behind the rows that came back.
        clinic.execute("INSERT INTO visit (patient_id, notes) VALUES (1, 'new')");
        assert_eq!(clinic.query("SELECT max(id) FROM visit"), ["6"]);
        project.run(&["check", "--database"]).exits(0);
        // The ledger knows of both.
        let log = project.run(&["log", "--json"]).exits(0).stdout;
        assert!(log.contains("\"rollback\"") && log.contains("\"restore\""), "{log}");
    }
}

#[test]
fn a_restore_after_an_upgrade_fills_what_is_there() {
    for clinic in Clinic::all() {
        let Clinic { project, .. } = &clinic;
        let before = clinic.content();
        project.run(&["rollback", "-1", "--force", "--backup-name", "safe"]).exits(0);
        project.run(&["upgrade"]).exits(0);
        project.run(&["backup", "restore", "safe"]).exits(0);
        assert_eq!(clinic.content(), before);
        // What is there now is not overwritten by accident.
        clinic.execute("UPDATE patient SET email = 'new' WHERE id = 2");
        let refused = project.run(&["backup", "restore", "safe"]).exits(1);
        assert!(refused.stderr.contains("the target is not empty"), "{refused}");
        assert_ne!(clinic.content(), before);
        project.run(&["backup", "restore", "safe", "--replace"]).exits(0);
        assert_eq!(clinic.content(), before);
    }
}

#[test]
fn a_backup_of_everything_makes_an_empty_database_full() {
    for clinic in Clinic::all() {
        let Clinic { project, database } = &clinic;
        project.run(&["backup", "create", "--name", "all"]).exits(0);
        project.run(&["backup", "verify", "all"]).exits(0);
        let other = database.as_ref().map(|database| database.server().database());
        let url = match &other {
            Some(other) => other.url(),
            None => format!("sqlite://{}", project.path("copy.db").display()),
        };
        project.run(&["backup", "restore", "all", "--to", &url]).exits(0);
        let content = |clinic: &Clinic| clinic.content();
        let before = content(&clinic);
        let copy = match other {
            Some(other) => Clinic { project: Project::empty(), database: Some(other) },
            None => {
                let copy = Clinic { project: Project::empty(), database: None };
                std::fs::copy(project.path("copy.db"), copy.project.path("app.db")).unwrap();
                copy
            }
        };
        assert_eq!(content(&copy), before);
        copy.execute("INSERT INTO visit (patient_id, notes) VALUES (1, 'new')");
        assert_eq!(copy.query("SELECT max(id) FROM visit"), ["6"]);
        // It is where the other one was.
        assert_eq!(copy.query("SELECT version_num FROM runner_version"), ["b2"]);
        let current = project.run(&["current", "--database-url", &url, "--json"]).exits(0).json();
        assert_eq!(current["up_to_date"], true, "{current:#}");
    }
}

#[test]
fn a_rollback_says_what_it_would_destroy_and_asks() {
    let clinic = Clinic::sqlite();
    let Clinic { project, .. } = &clinic;
    let before = clinic.content();
    snapshot!(shown(project.run(&["rollback", "a1", "--validate-only"])), @"
    exit: 0
    --- stdout
    Rollback · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      down  b2  Visits
      data loss  b2 statement 1  drops `visit` with 5 rows
      data loss  b2 statement 2  drops `patient.email` with 4 values (4 different ones)
      goes back  from b2 to a1
      rehearsal  b2  its way down was never rehearsed (`runner test`)
      nothing else depends on what is dropped
    Dry run: nothing was changed; the plan's hash is [HASH]
    --- stderr
    ");
    snapshot!(shown(project.run(&["rollback", "a1"])), @"
    exit: 3
    --- stdout
    Rollback · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      data loss  b2 statement 1  drops `visit` with 5 rows
      data loss  b2 statement 2  drops `patient.email` with 4 values (4 different ones)
      goes back  from b2 to a1
      rehearsal  b2  its way down was never rehearsed (`runner test`)
      nothing else depends on what is dropped
    --- stderr
    undo 1 revision in sqlite://app.db (development), which destroys data in 2 places? [y/N] n (no terminal; `--yes` answers yes)
    error: the rollback was not confirmed; nothing was run

      help: `--yes` answers yes, and `--force` leaves the question out
    ");
    assert_eq!(clinic.content(), before);
    assert!(!project.path("backups").exists());
    let done = project.run(&["rollback", "a1", "--force"]).exits(0);
    assert!(done.stdout.contains("saved     10 rows of 2 tables"), "{done}");
    let name = only_backup(project);
    let listed = project.run(&["backup", "list"]).exits(0);
    assert!(listed.stdout.contains(&format!("{name}  ")) && listed.stdout.contains("not verified"), "{listed}");
    let about = project.run(&["backup", "show", &name]).exits(0);
    for line in [
        "revision after  a1",
        "why             before `rollback`",
        "  patient  5 rows  email        ",
        "  visit    5 rows  all columns  ",
    ] {
        assert!(about.stdout.contains(line), "no `{line}` in {about}");
    }
}

#[test]
fn without_a_backup_nothing_runs() {
    let clinic = Clinic::sqlite();
    let Clinic { project, .. } = &clinic;
    let before = clinic.content();
    project.write("backups", "a file in the way");
    let refused = project.run(&["rollback", "a1", "--force"]).exits(1);
    assert!(refused.stderr.contains("nothing was run, because its backup could not be made"), "{refused}");
    assert_eq!(clinic.content(), before);
    assert_eq!(project.versions(), ["b2"]);
    // Whoever wants none gets none.
    project.run(&["rollback", "a1", "--force", "--no-backup"]).exits(0);
    assert_eq!(project.tables(), ["patient"]);
}

#[test]
fn a_strict_set_wants_a_backup() {
    let clinic = Clinic::sqlite();
    let Clinic { project, .. } = &clinic;
    let refused = project.run(&["rollback", "a1", "--force", "--no-backup", "--plugins", "strict-prod"]);
    assert_eq!(refused.code, 3, "{refused}");
    assert!(refused.stderr.contains("wants a backup before something is destroyed"), "{refused}");
    project.configure("[plugin-sets.careful]\nextends = \"default\"\nbackup = true\n");
    project.run(&["downgrade", "a1", "--plugins", "careful"]).exits(0);
    let name = only_backup(project);
    project.run(&["backup", "restore", &name]).exits(0);
    assert_eq!(clinic.content().len(), 10);
}

#[test]
fn a_passphrase_keeps_a_backup_secret() {
    let clinic = Clinic::sqlite();
    let Clinic { project, .. } = &clinic;
    let before = clinic.content();
    project.configure("[backup]\npassphrase = \"${BACKUP_PASSPHRASE}\"\n");
    let secret = [("BACKUP_PASSPHRASE", "correct horse")];
    project.run_with(&secret, &["rollback", "a1", "--force", "--backup-name", "secret"]).exits(0);
    for entry in std::fs::read_dir(project.path("backups/secret")).unwrap() {
        let content = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in ["correct horse", "it's", "a@b"] {
            assert!(!content.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }
    let missing = project.run(&["backup", "verify", "secret"]).exits(2);
    assert!(missing.stderr.contains("BACKUP_PASSPHRASE"), "{missing}");
    let wrong = project.run_with(&[("BACKUP_PASSPHRASE", "wrong horse")], &["backup", "restore", "secret"]).exits(1);
    assert!(wrong.stderr.contains("passphrase"), "{wrong}");
    assert!(!wrong.stderr.contains("wrong horse"), "{wrong}");
    assert_eq!(project.versions(), ["a1"], "nothing is changed with a wrong key");
    project.run_with(&secret, &["backup", "verify", "secret"]).exits(0);
    project.run_with(&secret, &["backup", "restore", "secret"]).exits(0);
    assert_eq!(clinic.content(), before);
}

#[test]
fn a_changed_byte_is_found() {
    let clinic = Clinic::sqlite();
    let Clinic { project, .. } = &clinic;
    project.run(&["rollback", "a1", "--force", "--backup-name", "safe"]).exits(0);
    let folder = project.path("backups/safe");
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let good = std::fs::read(&path).unwrap();
        let mut bad = good.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 1;
        std::fs::write(&path, bad).unwrap();
        for command in [&["backup", "verify", "safe", "--files"][..], &["backup", "restore", "safe"]] {
            let found = project.run(command).exits(1);
            assert!(found.stderr.contains("damaged") || found.stderr.contains("`safe`"), "{found}");
        }
        assert_eq!(project.versions(), ["a1"], "nothing was restored");
        std::fs::write(&path, good).unwrap();
    }
    project.run(&["backup", "verify", "safe"]).exits(0);
}

#[test]
fn old_backups_are_removed_but_never_the_last_that_is_proved() {
    let clinic = Clinic::sqlite();
    let Clinic { project, .. } = &clinic;
    for name in ["one", "two", "three"] {
        project.run(&["backup", "create", "--name", name]).exits(0);
    }
    project.run(&["backup", "verify", "one"]).exits(0);
    snapshot!(project.run(&["backup", "prune"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: nothing says which backups are kept

      help: set `keep-last` or `keep-days` in `[backup]`, or give `--keep-last` or `--keep-days`
    ");
    snapshot!(project.run(&["backup", "prune", "--keep-last", "1", "--dry-run"]), @"
    exit: 0
    --- stdout
    would remove two
    2 kept
    --- stderr
    ");
    project.run(&["backup", "prune", "--keep-last", "1"]).exits(0);
    let left = project.run(&["backup", "list", "--json"]).json();
    let names: Vec<&str> =
        left["backups"].as_array().unwrap().iter().map(|backup| backup["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["three", "one"]);
}

/// With what differs from run to run replaced.
fn shown(mut run: Run) -> Run {
    let replace = |text: &str| {
        let words: Vec<String> = text
            .split('\n')
            .map(|line| {
                line.split(' ')
                    .map(|word| {
                        let bare = word.trim_matches('`');
                        let is_name = bare.len() > 19 && bare.as_bytes().get(8) == Some(&b'T') && bare.ends_with("-b2");
                        if is_name { word.replace(bare, "[BACKUP]") } else { word.to_owned() }
                    })
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        words.join("\n")
    };
    run.stdout = replace(&run.stdout);
    run.stderr = replace(&run.stderr);
    run
}

#[test]
fn a_plan_that_was_reviewed_is_run_and_no_other() {
    let clinic = Clinic::sqlite();
    let Clinic { project, .. } = &clinic;
    let before = clinic.content();
    let page = project.run(&["preview", "--rollback", "a1", "--format", "html", "--out", "plan.json"]).exits(0).stdout;
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("drops `visit` with 5 rows"), "{page}");
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"), "{page}");
    let again = project.run(&["preview", "--rollback", "a1", "--format", "markdown"]).exits(0).stdout;
    assert!(again.contains("## Data loss") && again.contains("```sql\nDROP TABLE visit;"), "{again}");

    let plan = std::fs::read_to_string(project.path("plan.json")).unwrap();
    for (from, to, said) in [
        ("DROP TABLE visit", "DROP TABLE patient", "not those of its file"),
        ("\"b2\",\n      \"direction\"", "\"b3\",\n      \"direction\"", "is not b3 down any more"),
        ("\"development\"", "\"production\"", "the environment was"),
        ("\"settings_hash\": \"", "\"settings_hash\": \"0", "settings of the plugins were changed"),
        ("\"tool_version\": \"", "\"tool_version\": \"9", "the version of the runner was 9"),
        ("\"ledger\": \"", "\"ledger\": \"0", "changed by another run"),
    ] {
        assert!(plan.contains(from), "{plan}");
        project.write("edited.json", plan.replace(from, to));
        let refused = project.run(&["apply", "edited.json"]).exits(1);
        assert!(refused.stderr.contains(said), "{refused}");
    }
    for (content, said) in
        [("no json", "is no plan file"), ("{}", "has no `format`"), ("{\"format\": 99}", "newer version")]
    {
        project.write("edited.json", content);
        let refused = project.run(&["apply", "edited.json"]).exits(2);
        assert!(refused.stderr.contains(said), "{refused}");
    }
    assert_eq!(clinic.content(), before);

    project.edit("migrations/b2.sql", "DROP TABLE visit;", "DROP TABLE visit; -- changed");
    let refused = project.run(&["apply", "plan.json"]).exits(1);
    assert!(refused.stderr.contains("its file `migrations/b2.sql` was changed"), "{refused}");
    project.edit("migrations/b2.sql", "DROP TABLE visit; -- changed", "DROP TABLE visit;");
    project.run(&["apply", "plan.json"]).exits(0);
    let name = only_backup(project);
    // Once is enough.
    let refused = project.run(&["apply", "plan.json"]).exits(1);
    assert!(refused.stderr.contains("the revision of the database was b2, and is a1 now"), "{refused}");
    project.run(&["backup", "restore", &name]).exits(0);
    assert_eq!(clinic.content(), before);
    // The rows are as they were, and yet it is another state.
    let refused = project.run(&["apply", "plan.json"]).exits(1);
    assert!(refused.stderr.contains("the database was changed by another run"), "{refused}");
}

#[test]
fn an_upgrade_can_save_what_it_destroys() {
    let clinic = Clinic::sqlite();
    let Clinic { project, .. } = &clinic;
    project.revision(
        "c3",
        "b2",
        "",
        "ALTER TABLE patient DROP COLUMN email;",
        "ALTER TABLE patient ADD COLUMN email VARCHAR(40);",
    );
    let done = project.run(&["upgrade", "--backup", "--json"]).exits(0).json();
    assert_eq!((&done["backup"]["tables"], &done["backup"]["rows"]), (&1.into(), &5.into()), "{done:#}");
    let log = project.run(&["log", "--json"]).exits(0).json();
    let text = log.to_string();
    assert!(text.contains(done["backup"]["name"].as_str().unwrap()), "the ledger does not know of the backup: {text}");
    // An upgrade that destroys nothing needs none.
    project.revision("d4", "c3", "", "CREATE TABLE more (id INTEGER PRIMARY KEY);", "DROP TABLE more;");
    let done = project.run(&["upgrade", "--backup", "--json"]).exits(0).json();
    assert!(done["backup"].is_null(), "{done:#}");
}

#[test]
fn values_whose_rows_are_gone_are_an_error() {
    for clinic in Clinic::all() {
        let Clinic { project, .. } = &clinic;
        project.run(&["rollback", "-1", "--force", "--backup-name", "safe"]).exits(0);
        clinic.execute("DELETE FROM patient WHERE id = 4");
        clinic.execute("UPDATE patient SET id = 50 WHERE id = 5");
        let refused = project.run(&["backup", "restore", "safe"]).exits(1);
        assert!(refused.stderr.contains("only 3 of these rows are there now"), "{refused}");
        let partly = project.run(&["backup", "restore", "safe", "--partial"]);
        if clinic.database.is_some() {
            // Rows come back that refer to what is gone.
            assert!(partly.code == 1 && partly.stderr.contains("foreign key"), "{partly}");
            assert_eq!(clinic.query("SELECT count(*) FROM visit"), ["0"]);
            clinic.execute("INSERT INTO patient (id, name) VALUES (4, 'new')");
            clinic.execute("UPDATE patient SET id = 5 WHERE id = 50");
            clinic.execute("DELETE FROM visit");
            clinic.execute("UPDATE patient SET id = 60 WHERE id = 3");
            project.run(&["backup", "restore", "safe", "--partial"]).exits(1);
            clinic.execute("UPDATE patient SET id = 3 WHERE id = 60");
            project.run(&["backup", "restore", "safe"]).exits(0);
        } else {
            partly.exits(0);
        }
        assert_eq!(clinic.query("SELECT email FROM patient WHERE id = 1"), ["a@b"]);
        assert_eq!(clinic.query("SELECT count(*) FROM visit"), ["5"]);
    }
}

#[test]
fn a_rollback_that_changes_values_is_undone_with_its_revision() {
    for clinic in Clinic::all() {
        let Clinic { project, .. } = &clinic;
        project.revision("c3", "b2", "", "UPDATE visit SET cost = cost * 100;", "UPDATE visit SET cost = cost / 100;");
        project.run(&["upgrade"]).exits(0);
        let before = clinic.content();
        project.run(&["rollback", "b2", "--force", "--backup-name", "safe"]).exits(0);
        project.run(&["backup", "restore", "safe", "--replace"]).exits(0);
        assert_eq!(clinic.content(), before);
        assert_eq!(project.run(&["current", "--json"]).json()["current"], serde_json::json!(["c3"]));
        // Back to the beginning, and from there.
        project.run(&["rollback", "base", "--force", "--backup-name", "all"]).exits(0);
        project.run(&["backup", "restore", "all"]).exits(0);
        assert_eq!(clinic.content(), before);
        assert_eq!(project.run(&["current", "--json"]).json()["current"], serde_json::json!(["c3"]));
    }
}

#[test]
fn what_another_database_holds_is_not_touched_without_a_word() {
    let clinic = Clinic::sqlite();
    let Clinic { project, .. } = &clinic;
    let down = "ATTACH 'other.db' AS other;\nDROP TABLE IF EXISTS other.t;\nDETACH other;";
    project.revision("c3", "b2", "Transaction: off", "CREATE TABLE x (id INTEGER PRIMARY KEY);", down);
    project.run(&["upgrade"]).exits(0);
    let refused = project.run(&["rollback", "b2", "--force"]).exits(1);
    assert!(
        refused.stderr.contains("`other.t`, which is in another database and can't be saved from here"),
        "{refused}"
    );
    assert_eq!(project.versions(), ["c3"]);
    assert!(
        !project.path("backups").exists()
            || project.run(&["backup", "list", "--json"]).json()["backups"] == serde_json::json!([])
    );
}

#[test]
fn triggers_make_it_everything() {
    let clinic = Clinic::sqlite();
    let Clinic { project, .. } = &clinic;
    clinic.execute("CREATE TRIGGER purge AFTER INSERT ON visit BEGIN DELETE FROM patient WHERE id = 1; END");
    let before = clinic.content();
    project.revision("c3", "b2", "", "SELECT 1;", "INSERT INTO visit (patient_id) VALUES (3);");
    project.run(&["upgrade"]).exits(0);
    let done = project.run(&["rollback", "b2", "--force", "--json"]).exits(0).json();
    assert_eq!(done["backup"]["tables"], 2, "{done:#}");
    project.run(&["backup", "restore", done["backup"]["name"].as_str().unwrap(), "--replace"]).exits(0);
    assert_eq!(clinic.content(), before);
}
