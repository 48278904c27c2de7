//! Backups where something is in the way, or much: no room, no folder, a million rows.

use std::process::Command;

use test_servers::Kind;
use test_servers::TestDatabase;

use crate::clinic::Clinic;
use crate::harness::Project;

/// The files that a process writes may have so many blocks of 512 bytes: the write fails at the same places as on a full disk.
fn with_little_room(project: &Project, blocks: u32, arguments: &[&str]) -> (bool, String) {
    let inner = project.command(arguments);
    let mut command = Command::new("sh");
    let words: Vec<String> = std::iter::once(inner.get_program())
        .chain(inner.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    command.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec {}", words.join(" "))]);
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(project.path("."));
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn fill(clinic: &Clinic) {
    // Nothing that can be compressed well.
    let text = |number: u64| {
        format!(
            "{:016x}{:016x}",
            number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            number.wrapping_mul(0xbf58_476d_1ce4_e5b9)
        )
    };
    for part in 0..10_u64 {
        let rows: Vec<String> = (0..500).map(|row| format!("(1, '{}')", text(part * 500 + row + 1))).collect();
        clinic.execute(&format!("INSERT INTO visit (patient_id, notes) VALUES {}", rows.join(", ")));
    }
}

#[test]
fn without_room_nothing_runs_and_nothing_is_left() {
    for clinic in Clinic::all() {
        let project = &clinic.project;
        fill(&clinic);
        let before = clinic.content();
        for arguments in [&["rollback", "a1", "--force"][..], &["backup", "create"], &["backup", "create", "--as-rows"]]
        {
            // A ledger row has to fit where the database is a file itself.
            let (done, said) = with_little_room(project, 48, arguments);
            assert!(!done, "{arguments:?}: {said}");
            assert!(said.contains("error:") && said.contains("help:") && !said.contains("panicked"), "{said}");
            let list = project.run(&["backup", "list", "--json"]).exits(0).json();
            assert_eq!(list["backups"], serde_json::json!([]), "{said}");
            let left: Vec<String> = std::fs::read_dir(project.path("backups"))
                .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
                .unwrap_or_default();
            assert!(left.iter().all(|name| name == ".lock"), "{left:?}");
        }
        assert_eq!(clinic.content(), before);
        assert_eq!(project.run(&["current", "--json"]).json()["current"], serde_json::json!(["b2"]));
    }
}

#[test]
fn a_wrong_passphrase_changes_nothing() {
    for clinic in Clinic::all() {
        let project = &clinic.project;
        let head = clinic.database.as_ref().map_or_else(
            || "[database]\nurl = \"sqlite://app.db\"\n".to_owned(),
            |database| format!("[database]\nurl = \"{}\"\n", database.url()),
        );
        project.write("runner.toml", format!("{head}[backup]\npassphrase = \"${{SECRET}}\"\n"));
        let made = project.run_with(&[("SECRET", "right")], &["backup", "create", "--name", "whole"]).exits(0);
        assert!(!made.stdout.contains("right"));
        project.run_with(&[("SECRET", "right")], &["backup", "verify", "whole"]).exits(0);
        let before = clinic.content();
        for arguments in
            [&["backup", "restore", "whole", "--replace"][..], &["backup", "verify", "whole"], &["backup", "drill"]]
        {
            let refused = project.run_with(&[("SECRET", "wrong")], arguments).exits(1);
            assert!(refused.stderr.contains("passphrase"), "{}", refused.stderr);
        }
        assert_eq!(clinic.content(), before);
        // Nothing of it can be read without.
        for entry in std::fs::read_dir(project.path("backups/whole")).unwrap() {
            let content = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!content.windows(9).any(|part| part == b"back\\slas"), "a text of a row is in a file");
        }
    }
}

const MILLION: u64 = 1_000_000;

/// A table of a million rows in a database of its own, with the question whose answer tells all of it.
fn a_million(database: Option<TestDatabase>) {
    let project = Project::empty();
    let kind = database.as_ref().map(|database| database.server().kind());
    project.revision("a1", "base", "", "CREATE TABLE other (id INTEGER);", "DROP TABLE other;");
    let (columns, fill, question) = match kind {
        None => (
            "id INTEGER PRIMARY KEY, name TEXT, amount REAL, raw BLOB",
            "INSERT INTO event WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) \
             SELECT i, CASE i % 7 WHEN 0 THEN NULL ELSE 'name' || char(9) || i || '漢' END, i / 3.0, unhex(printf('%08x', i)) FROM n",
            "SELECT id || '|' || coalesce(quote(name), 'N') || '|' || quote(amount) || quote(raw) FROM event ORDER BY id",
        ),
        Some(Kind::Postgres) => (
            "id BIGINT PRIMARY KEY, name TEXT, amount DOUBLE PRECISION, raw BYTEA",
            "INSERT INTO event SELECT i, CASE i % 7 WHEN 0 THEN NULL ELSE 'name' || chr(9) || i || '漢' END, i / 3.0, int8send(i) \
             FROM generate_series(1, 1000000) AS i",
            "SELECT md5(string_agg(md5(e::text), '' ORDER BY id)) FROM event AS e",
        ),
        Some(Kind::Mysql) => (
            "id BIGINT PRIMARY KEY, name VARCHAR(40), amount DOUBLE, raw BLOB",
            "INSERT INTO event SELECT seq, IF(seq % 7 = 0, NULL, CONCAT('name\\t', seq, '漢')), seq / 3e0, UNHEX(LPAD(HEX(seq), 8, '0')) \
             FROM seq_1_to_1000000",
            "SELECT CONCAT(COUNT(*), ' ', BIT_XOR(CRC32(CONCAT_WS('|', id, name, amount, HEX(raw)))), ' ', \
             SUM(CONV(LEFT(MD5(CONCAT_WS('|', id, name, amount, HEX(raw))), 12), 16, 10))) FROM event",
        ),
    };
    project.revision("b2", "a1", "", &format!("CREATE TABLE event ({columns});"), "DROP TABLE event;");
    if let Some(database) = &database {
        project.write("runner.toml", format!("[database]\nurl = \"{}\"\n", database.url()));
    }
    project.run(&["upgrade"]).exits(0);
    let clinic = Clinic { project, database };
    clinic.execute(fill);
    let before = clinic.query(question);
    let done = clinic.project.run(&["rollback", "-1", "--force", "--json"]).exits(0).json();
    assert_eq!(done["backup"]["rows"], MILLION, "{done:#}");
    let name = done["backup"]["name"].as_str().unwrap().to_owned();
    clinic.project.run(&["backup", "restore", &name]).exits(0);
    assert!(clinic.query(question) == before, "what came back is not what was there");
}

#[test]
fn a_million_rows_come_back_to_sqlite() {
    a_million(None);
}

#[test]
fn a_million_rows_come_back_to_postgres() {
    a_million(Some(test_servers::postgres().database()));
}

#[test]
fn a_million_rows_come_back_to_mariadb() {
    a_million(Some(test_servers::mysql().database()));
}
