//! SIGKILL at many random moments of a long upgrade: the next run completes, with every revision applied exactly once.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use crate::harness::Project;

const SEED: u64 = 0x5eed_0001;
const REVISIONS: usize = 150;
/// Kills that must fall between taking the lock and releasing it.
const KILLS: usize = 40;
const KILLS_PER_DATABASE: usize = 6;

/// SplitMix64: the same delays, as parts of the whole run, every time.
struct Random(u64);

impl Random {
    fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as f64 / u64::MAX as f64
    }
}

/// A chain whose every statement leaves a mark in `mark`, so that one that runs twice or never is noticed.
struct Chain {
    revisions: usize,
    header: fn(usize) -> &'static str,
    configuration: &'static str,
    /// After how many different numbers of applied revisions the kills must come, at least.
    stages: usize,
}

impl Chain {
    fn project(&self) -> Project {
        let project = Project::empty();
        project.configure(self.configuration);
        for number in 1..=self.revisions {
            let (id, parent) =
                (format!("k{number:04}"), if number == 1 { "base".to_owned() } else { format!("k{:04}", number - 1) });
            let header = (self.header)(number);
            let first = if number == 1 { "CREATE TABLE mark (revision TEXT, statement INTEGER);\n" } else { "" };
            // Statements that refuse a transaction may run again after a kill; they leave no mark.
            let vacuum = if header.is_empty() || number % 10 != 0 { "" } else { "VACUUM;\n" };
            let up = format!(
                "{first}CREATE TABLE {id} (id INTEGER PRIMARY KEY, name TEXT);\n\
                 INSERT INTO mark VALUES ('{id}', 1);\n{vacuum}\
                 CREATE INDEX {id}_by_name ON {id} (name);\n\
                 INSERT INTO mark VALUES ('{id}', 2);\n\
                 INSERT INTO {id} (name) VALUES ('a'), ('b'), ('c');\n\
                 INSERT INTO mark VALUES ('{id}', 3);"
            );
            project.revision(&id, &parent, header, &up, &format!("DROP TABLE {id};"));
        }
        project
    }
}

/// What must be the same however often the run was killed.
struct Ended {
    schema: Vec<String>,
    marks: Vec<String>,
    versions: Vec<String>,
    applied: Vec<String>,
    files: Vec<String>,
}

impl Ended {
    /// Compares part by part, so that a failure shows what differs and not a thousand lines that do not.
    #[track_caller]
    fn is(&self, expected: &Self, moment: &str) {
        for (part, found, wanted) in [
            ("schema", &self.schema, &expected.schema),
            ("marks", &self.marks, &expected.marks),
            ("versions", &self.versions, &expected.versions),
            ("applied", &self.applied, &expected.applied),
            ("files", &self.files, &expected.files),
        ] {
            let missing: Vec<_> = wanted.iter().filter(|entry| !found.contains(entry)).collect();
            let surplus: Vec<_> = found.iter().filter(|entry| !wanted.contains(entry)).collect();
            assert!(
                found == wanted,
                "seed {SEED:#x}, {moment}: {part}: missing {missing:?}, surplus {surplus:?}, {} entries instead of {}",
                found.len(),
                wanted.len()
            );
        }
    }
}

fn complete(project: &Project) -> Ended {
    project.run(&["upgrade"]).exits(0);
    let ended = Ended {
        schema: project.schema(),
        marks: project.query("SELECT revision, statement FROM mark ORDER BY revision, statement"),
        versions: project.versions(),
        applied: project.query("SELECT revision FROM runner_ledger WHERE status = 'applied' ORDER BY revision"),
        files: project.leavings().into_iter().filter(|name| !is_spent_journal(project, name)).collect(),
    };
    project.run(&["check"]).exits(0);
    ended
}

/// A journal that begins with a zero, or is empty, holds nothing: SQLite takes it for none, and leaves it where it is.
fn is_spent_journal(project: &Project, name: &str) -> bool {
    name == "app.db-journal" && std::fs::read(project.path(name)).unwrap().first().is_none_or(|first| *first == 0)
}

/// What a kill hit.
#[derive(PartialEq)]
enum Hit {
    /// The run held the lock.
    Running,
    /// The run was over.
    Nothing,
}

/// Starts an upgrade and kills it, `delay` after it has taken the lock.
fn kill_after(project: &Project, delay: Duration) -> Hit {
    let mut child = project.spawn(&["upgrade"]);
    // A run before this one may have left the file as well, with its own number in it.
    let (lock, holder) = (project.path("app.db-runner-lock"), format!("\"pid\":{},", child.id()));
    let is_held = || std::fs::read_to_string(&lock).is_ok_and(|text| text.contains(&holder));
    while !is_held() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_micros(200));
    }
    std::thread::sleep(delay);
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    if output.status.signal() == Some(9) && is_held() {
        return Hit::Running;
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_none_or(|code| code == 0), "the run failed before it was killed: {said}");
    Hit::Nothing
}

/// The project as it stands, in another folder. Nothing opens the database meanwhile, so what the kill left is copied as it is.
fn copy(project: &Project) -> Project {
    let copy = Project::empty();
    copy_folder(&project.path("."), &copy.path("."));
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// How far the killed runs have come.
fn revisions_applied(project: &Project) -> usize {
    if !project.path("app.db").exists() || !project.schema().iter().any(|entry| entry.contains("runner_ledger")) {
        return 0;
    }
    project.query("SELECT revision FROM runner_ledger WHERE status = 'applied'").len()
}

/// Kills `kills` runs, several on each database, and completes a copy of the database after each.
fn survives(chain: &Chain, kills: usize) {
    let reference = chain.project();
    let started = Instant::now();
    let expected = complete(&reference);
    let whole_run = started.elapsed();
    assert_eq!(expected.applied.len(), chain.revisions);
    assert_eq!(expected.files, ["app.db"]);

    let mut random = Random(SEED);
    // How long a run holds the lock; the machine may be busier or idler from one run to the next.
    let mut held = whole_run.mul_f64(0.6);
    let (mut hits, mut round, mut stages) = (0, 0, BTreeSet::new());
    while hits < kills {
        let project = chain.project();
        for _ in 0..KILLS_PER_DATABASE {
            round += 1;
            assert!(
                round < kills * 10,
                "seed {SEED:#x}: only {hits} of {round} kills fell into a run of {whole_run:?}"
            );
            let delay = held.mul_f64(random.fraction());
            if kill_after(&project, delay) == Hit::Nothing {
                held = held.mul_f64(0.7);
                break;
            }
            held = held.mul_f64(1.1);
            hits += 1;
            let applied = revisions_applied(&copy(&project));
            stages.insert(applied);
            let moment = format!("round {round}, killed after {delay:?} of {whole_run:?} and {applied} revisions");
            let after = copy(&project);
            complete(&after).is(&expected, &moment);
            if applied == chain.revisions {
                break;
            }
        }
        complete(&project).is(&expected, &format!("round {round}, after several kills"));
    }
    assert!(stages.len() >= chain.stages, "seed {SEED:#x}: all kills came after one of {stages:?} revisions");
}

#[test]
fn a_transaction_a_revision() {
    survives(&Chain { revisions: REVISIONS, header: |_| "", configuration: "", stages: 8 }, KILLS);
}

#[test]
fn one_transaction_for_the_run() {
    survives(
        &Chain { revisions: REVISIONS, header: |_| "", configuration: "transaction = \"per-run\"\n", stages: 1 },
        10,
    );
}

#[test]
fn without_transactions() {
    survives(&Chain { revisions: 40, header: |_| "Transaction: off", configuration: "", stages: 4 }, 16);
}

#[test]
fn with_and_without_transactions() {
    let header = |number: usize| if number.is_multiple_of(3) { "Transaction: off" } else { "" };
    survives(&Chain { revisions: 60, header, configuration: "", stages: 4 }, 16);
}
