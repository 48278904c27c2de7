//! The faults.

use std::net::SocketAddr;
use std::process::Child;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;

use crate::proxy::Proxy;
use crate::random::Random;
use crate::target::Kind;
use crate::target::Project;
use crate::target::REVISIONS;
use crate::target::Reference;
use crate::target::Target;
use crate::target::said;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    RunnerKilled,
    RollbackKilled,
    WholeKilled,
    ServerKilled,
    LineCut,
    DiskFull,
    EightAtOnce,
    SecondWaits,
    Deadlock,
}

impl Scenario {
    /// The faults that a kind of database can meet.
    pub(crate) fn of(kind: Kind) -> Vec<Self> {
        let common =
            [Self::RunnerKilled, Self::RollbackKilled, Self::WholeKilled, Self::EightAtOnce, Self::SecondWaits];
        let more: &[Self] = match kind {
            Kind::Sqlite => &[Self::DiskFull],
            Kind::Postgres | Kind::Mysql => &[Self::ServerKilled, Self::LineCut, Self::Deadlock, Self::DiskFull],
        };
        common.into_iter().chain(more.iter().copied()).collect()
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RunnerKilled => "runner killed with SIGKILL",
            Self::RollbackKilled => "rollback and restore killed with SIGKILL",
            Self::WholeKilled => "whole backup and restore killed with SIGKILL",
            Self::ServerKilled => "server killed with SIGKILL and restarted",
            Self::LineCut => "connection cut",
            Self::DiskFull => "no more room on the disk",
            Self::EightAtOnce => "eight runners at once",
            Self::SecondWaits => "second runner while the first holds the lock",
            Self::Deadlock => "deadlock with an application",
        }
    }

    pub(crate) fn run(self, target: &Target, reference: &Reference, random: &mut Random) {
        let project = Project::new(target);
        match self {
            Self::RunnerKilled => runner_killed(&project, reference, random),
            Self::RollbackKilled => return rollback_killed(&project, random),
            Self::WholeKilled => return whole_killed(&project, random),
            Self::ServerKilled => server_killed(target, &project, reference, random),
            Self::LineCut => line_cut(&project, random),
            Self::DiskFull if target.server.is_some() => return server_disk_full(target, &project, random),
            Self::DiskFull => disk_full(&project, random),
            Self::EightAtOnce => eight_at_once(&project),
            Self::SecondWaits => return second_waits(target),
            Self::Deadlock => return deadlock(target, &project),
        }
        project.is_as(reference);
    }
}

fn upgrade(project: &Project) -> Child {
    project.runner(&["upgrade"]).spawn().unwrap()
}

/// A moment of a run that begins now.
fn moment(reference: &Reference, random: &mut Random) -> Duration {
    reference.time.mul_f64(random.fraction() * 1.1)
}

fn runner_killed(project: &Project, reference: &Reference, random: &mut Random) {
    for _ in 0..2 {
        let mut child = upgrade(project);
        std::thread::sleep(moment(reference, random));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// Tables that a rollback drops, filled with rows that must not get lost.
const LOST: [&str; 2] = ["f0015", "f0016"];
const ROWS: usize = 3000;

fn filled(project: &Project) {
    project.recover();
    for table in LOST {
        let rows: Vec<String> = (4..=ROWS).map(|id| format!("({id}, 'row {id}; it''s')")).collect();
        project.execute(&format!("INSERT INTO {table} VALUES {}", rows.join(", ")));
    }
}

fn whole_killed(project: &Project, random: &mut Random) {
    filled(project);
    let before = project.content();
    let create = ["backup", "create"];
    killed_until_done(project, &create, random, || {
        good_backups(project);
    });
    let whole = good_backups(project).into_iter().next().unwrap().0;
    // What is there when it is put back is another state, with rows of its own.
    let undone = project.runner(&["downgrade", "f0015"]).output().unwrap();
    assert!(undone.status.success(), "{}", said(&undone));
    project.execute("DELETE FROM f0015 WHERE id > 2000");
    let restore = ["backup", "restore", &whole, "--replace"];
    killed_until_done(project, &restore, random, || {
        good_backups(project);
    });
    assert_eq!(project.content(), before);
    project.ends_well();
}

fn rollback_killed(project: &Project, random: &mut Random) {
    filled(project);
    let before = project.content();
    let rollback = ["rollback", "f0014", "--force"];
    // Some of the time goes into a backup, some into the steps.
    killed_until_done(project, &rollback, random, || nothing_is_lost(project));
    assert!(LOST.iter().all(|table| project.rows_of(table).is_none()));
    // Each attempt has saved what was there; the first one everything.
    let first = good_backups(project).into_iter().rfind(|backup| backup.1 == LOST.len()).unwrap().0;
    let restore = ["backup", "restore", &first, "--replace"];
    killed_until_done(project, &restore, random, || nothing_is_lost(project));
    assert_eq!(project.content(), before);
    project.ends_well();
}

/// Runs a command that is killed at random moments, until it has come to its end.
fn killed_until_done(project: &Project, arguments: &[&str], random: &mut Random, look: impl Fn()) {
    for _ in 0..3 {
        let mut child = project.runner(arguments).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(600).mul_f64(random.fraction()));
        child.kill().unwrap();
        child.wait().unwrap();
        look();
    }
    for _ in 0..20 {
        let output = project.runner(arguments).output().unwrap();
        look();
        let text = said(&output);
        // What was killed at its very end is done.
        if output.status.success() || text.contains("f0014` is not applied") {
            return;
        }
        project.settle(&text);
    }
    panic!("`{}` does not come to its end", arguments.join(" "));
}

/// Backups that prove to be good, newest first, and how many of the tables each holds.
fn good_backups(project: &Project) -> Vec<(String, usize)> {
    let output = project.runner(&["backup", "list", "--json"]).output().unwrap();
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let backups = list["backups"].as_array().unwrap().iter();
    backups
        .map(|backup| {
            let name = backup["name"].as_str().unwrap().to_owned();
            // It is not changed any more once it is listed.
            if backup["verified"].is_null() {
                let verified = project.runner(&["backup", "verify", &name]).output().unwrap();
                assert!(verified.status.success(), "a backup is listed and not good: {}", said(&verified));
            }
            let tables = backup["manifest"]["tables"].as_array().unwrap().iter();
            let whole = |table: &&serde_json::Value| {
                LOST.contains(&table["name"].as_str().unwrap()) && table["rows"].as_u64() == Some(ROWS as u64)
            };
            (name, tables.filter(whole).count())
        })
        .collect()
}

/// Each row is where it was, or in a backup that proves to be good.
fn nothing_is_lost(project: &Project) {
    let is_whole = |table: &&str| project.rows_of(table) == Some(ROWS.to_string());
    let whole = LOST.iter().filter(|table| is_whole(table)).count();
    if whole < LOST.len() {
        assert!(good_backups(project).iter().any(|(_, tables)| *tables == LOST.len()), "rows are lost");
    } else {
        good_backups(project);
    }
}

fn server_killed(target: &Target, project: &Project, reference: &Reference, random: &mut Random) {
    let server = target.server.as_ref().unwrap();
    let child = upgrade(project);
    std::thread::sleep(moment(reference, random));
    server.kill();
    let output = child.wait_with_output().unwrap();
    server.restart();
    let text = said(&output);
    assert!(output.status.success() || text.contains("error:"), "it ended without a word: {text}");
    assert!(!text.contains("panicked"), "{text}");
}

fn line_cut(project: &Project, random: &mut Random) {
    let url = project.url();
    let (start, rest) = url.rsplit_once('@').unwrap();
    let (address, database) = rest.split_once('/').unwrap();
    let server: SocketAddr = address.parse().unwrap();
    // An undisturbed run moves about 60 KB.
    let bytes = (random.fraction() * 70_000.0) as i64;
    let proxy = Proxy::cutting_after(bytes, server);
    project.configure(&format!("{start}@127.0.0.1:{}/{database}", proxy.port()));
    let output = upgrade(project).wait_with_output().unwrap();
    let text = said(&output);
    assert!(output.status.success() || text.contains("error:"), "it ended without a word: {text}");
    assert!(!text.contains("panicked"), "{text}");
}

/// A limit on the size of files stands for a full disk: the write fails at the same places.
fn disk_full(project: &Project, random: &mut Random) {
    let blocks = 8 + (random.fraction() * 120.0) as u32;
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {} upgrade", env!("CARGO_BIN_EXE_runner"));
    let mut command = Command::new("sh");
    project.surround(&mut command).args(["-c", &script]);
    let output = command.output().unwrap();
    let text = said(&output);
    assert!(output.status.success() || text.contains("error:"), "it ended without a word: {text}");
}

/// The same for a server. Its log of 16 MiB needs room in any case, so what does not fit is one large table.
fn server_disk_full(target: &Target, project: &Project, random: &mut Random) {
    let doublings = 15;
    let mut up =
        "CREATE TABLE bulk (filling VARCHAR(1000));\nINSERT INTO bulk VALUES (REPEAT('x', 1000));\n".to_owned();
    up.push_str(&"INSERT INTO bulk SELECT filling FROM bulk;\n".repeat(doublings));
    project.write("bulk", &format!("f{REVISIONS:04}"), "", &up, "DROP TABLE bulk;");
    let server = target.server.as_ref().unwrap();
    // The table takes about 36 MiB.
    server.restart_in_little_room(17 * 1024 + (random.fraction() * 22.0 * 1024.0) as u32);
    let output = upgrade(project).wait_with_output().unwrap();
    server.restart();
    let text = said(&output);
    assert!(output.status.success() || text.contains("error:"), "it ended without a word: {text}");
    assert!(!text.contains("panicked"), "{text}");
    project.ends_well();
    assert_eq!(project.database().query("SELECT COUNT(*) FROM bulk"), [(1 << doublings).to_string()]);
    let applied = "SELECT COUNT(*) FROM runner_ledger WHERE revision = 'bulk' AND status = 'applied'";
    assert_eq!(project.database().query(applied), ["1"]);
}

fn eight_at_once(project: &Project) {
    let children: Vec<_> = (0..8).map(|_| upgrade(project)).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
}

/// A run that takes a second, so that another one meets it.
fn slow(target: &Target) -> (Project, String) {
    let project = Project::new(target);
    let statement = match target.kind {
        Kind::Sqlite => {
            "CREATE TABLE slow AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT max(i) AS i FROM n;"
        }
        Kind::Postgres => "CREATE TABLE slow AS SELECT pg_sleep(1.5)::text;",
        Kind::Mysql => "CREATE TABLE slow AS SELECT SLEEP(1.5) AS s;",
    };
    let parent = format!("f{REVISIONS:04}");
    project.write("slow", &parent, "", statement, "DROP TABLE slow;");
    (project, "slow".to_owned())
}

fn second_waits(target: &Target) {
    let (project, last) = slow(target);
    let mut first = upgrade(&project);
    let begun = Instant::now();
    // Until the first has the lock, the second would take it.
    let refused = loop {
        let second = project.runner(&["upgrade", "--lock-wait=0s"]).output().unwrap();
        if second.status.code() == Some(5) {
            break said(&second);
        }
        assert!(second.status.success() && begun.elapsed() < Duration::from_secs(30), "{}", said(&second));
        if first.try_wait().unwrap().is_some() {
            // The second was faster this time, and nobody met.
            return second_waits(target);
        }
    };
    // MariaDB and MySQL tell of the session, not of the process.
    let holder = if target.kind == Kind::Mysql { "KILL ".to_owned() } else { format!("process {} on", first.id()) };
    assert!(refused.contains(&holder), "the holder is not named: {refused}");
    let patient = upgrade(&project);
    let outputs = [first.wait_with_output().unwrap(), patient.wait_with_output().unwrap()];
    assert!(outputs.iter().all(|output| output.status.success()), "{}{}", said(&outputs[0]), said(&outputs[1]));
    let applied = project.runner(&["current", "--json"]).output().unwrap();
    assert!(said(&applied).contains(&last));
    project.recover();
}

/// The migration locks two rows in one order, an application in the other.
fn deadlock(target: &Target, project: &Project) {
    project.recover();
    project.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, amount INTEGER)");
    project.execute("INSERT INTO account VALUES (1, 0), (2, 0)");
    let (pause, begin) = match target.kind {
        Kind::Mysql => ("DO SLEEP(0.4);", "START TRANSACTION"),
        _ => ("SELECT pg_sleep(0.4);", "BEGIN"),
    };
    // On a server whose revisions run statement by statement, the script's own transaction holds the rows.
    let (header, open, close) = match target.kind {
        Kind::Mysql => ("-- Transaction: off\n", "START TRANSACTION;\n", "COMMIT;"),
        _ => ("", "", ""),
    };
    let up = format!(
        "{open}UPDATE account SET amount = amount + 1 WHERE id = 1;\n{pause}\n\
         UPDATE account SET amount = amount + 1 WHERE id = 2;\n{close}"
    );
    project.write("dead", &format!("f{REVISIONS:04}"), header, &up, "SELECT 1;");
    let application = std::thread::scope(|scope| {
        let child = upgrade(project);
        let application = scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(150));
            project.database().try_execute(&format!(
                "{begin}; UPDATE account SET amount = amount + 10 WHERE id = 2; {pause} \
                 UPDATE account SET amount = amount + 10 WHERE id = 1; COMMIT"
            ))
        });
        let application = application.join().unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(!said(&output).contains("panicked"), "{}", said(&output));
        application
    });
    project.recover();
    let added = if application.is_ok() { 11 } else { 1 };
    let amounts = project.database().query("SELECT amount FROM account ORDER BY id");
    assert_eq!(amounts, [added.to_string(), added.to_string()]);
}
