//! What the files of long chains held is remembered, and never believed where it counts.

use std::fs;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use runner_policy::Cache;

use crate::harness::Project;
use crate::harness::Run;

/// Chains of fewer files are read each time.
const LONG: usize = 1000;

/// A project with a cache of its own.
struct Long {
    project: Project,
}

impl Long {
    /// All revisions but the last are applied, as far as the database says. The files are old enough to be remembered.
    fn chain() -> Self {
        let project = Project::linear(LONG);
        std::thread::sleep(Duration::from_millis(2100));
        let long = Long { project };
        long.run(&["stamp", &format!("r{:04}", LONG - 1)]).exits(0);
        long
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let cache = self.project.path("cache");
        self.project.run_with(&[("RUNNER_CACHE_DIR", cache.to_str().unwrap())], arguments)
    }

    /// Where it is remembered.
    fn memory(&self) -> Option<PathBuf> {
        let entries = fs::read_dir(self.project.path("cache")).ok()?;
        let mut entries = entries.map(|entry| entry.unwrap().path());
        entries.find(|path| path.extension().is_some_and(|extension| extension == "revisions"))
    }

    /// Has it remembered that a file holds something else than it does, sealed as if the runner had written that.
    fn forge(&self, from: &str, to: &str) {
        assert_eq!(from.len(), to.len());
        let memory = self.memory().unwrap();
        let mut content = fs::read(&memory).unwrap();
        content.truncate(content.len() - 16);
        let mut at = 0;
        let mut found = 0;
        while let Some(next) = content[at..].windows(from.len()).position(|window| window == from.as_bytes()) {
            content[at + next..at + next + to.len()].copy_from_slice(to.as_bytes());
            at += next + to.len();
            found += 1;
        }
        assert!(found > 0, "nothing holds `{from}`");
        let name = memory.file_name().unwrap().to_str().unwrap();
        Cache::of_user(Some(self.project.path("cache"))).keep(name, &content).unwrap();
    }

    fn remembers(&self, text: &str) -> bool {
        let content = fs::read(self.memory().unwrap()).unwrap();
        content.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

#[test]
fn a_file_that_changed_is_noticed() {
    let long = Long::chain();
    assert_eq!(long.memory(), None, "a stamp is about the files themselves");
    let heads = long.run(&["heads"]).exits(0);
    assert!(long.remembers("CREATE TABLE t1000"));
    assert_eq!(long.run(&["heads"]).stdout, heads.stdout);
    // The same size, and the same time of change.
    let path = long.project.path("migrations/r1000.sql");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    long.project.edit("migrations/r1000.sql", "t1000", "other");
    File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    let plan = long.run(&["plan", "--json"]).exits(0);
    assert!(plan.stdout.contains("r1000"), "{plan}");
    long.run(&["upgrade"]).exits(0);
    assert_eq!(long.project.tables(), ["other"]);
    // So is one that is applied.
    long.project.edit("migrations/r1000.sql", "other", "twice");
    for arguments in [["current"], ["upgrade"], ["plan"]] {
        let run = long.run(&arguments);
        assert!(run.code != 0 && run.stderr.contains("r1000"), "{run}");
    }
}

#[test]
fn what_is_remembered_wrongly_never_runs() {
    let long = Long::chain();
    long.run(&["heads"]).exits(0);
    long.forge("t1000", "evil1");
    assert!(long.run(&["show", "r1000", "-v"]).exits(0).stdout.contains("evil1"), "it is taken for the file");
    let plan = long.run(&["upgrade", "--dry-run"]).exits(0);
    assert!(plan.stderr.contains("is not what was remembered of it"), "{plan}");
    assert!(!long.remembers("evil1"), "it is remembered anew");
    long.forge("t1000", "evil1");
    let upgrade = long.run(&["upgrade"]).exits(0);
    assert!(upgrade.stderr.contains("is not what was remembered of it"), "{upgrade}");
    assert_eq!(long.project.tables(), ["t1000"]);
    long.forge("DROP TABLE t1000", "DROP TABLE runne");
    long.run(&["downgrade", "-1"]).exits(0);
    assert!(long.project.tables().is_empty());
    // What can't be read or planned is told of the files alone.
    long.forge("Revises: r0998", "Revises: r0000");
    long.run(&["upgrade"]).exits(0);
    assert_eq!(long.project.tables(), ["t1000"]);
}

#[cfg(unix)]
#[test]
fn a_memory_that_is_not_whole_or_not_ours_counts_as_none() {
    use std::os::unix::fs::PermissionsExt as _;

    let long = Long::chain();
    let heads = long.run(&["heads"]).exits(0);
    let memory = long.memory().unwrap();
    let whole = fs::read(&memory).unwrap();
    let mode = |path: &PathBuf| fs::symlink_metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&memory) & 0o777, 0o600);
    let is_there = String::from_utf8_lossy(&whole).contains("t1000");
    assert!(is_there, "the contents are in it");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for damaged in [&whole[..whole.len() / 2], &flipped, b""] {
        fs::write(&memory, damaged).unwrap();
        let again = long.run(&["heads"]).exits(0);
        assert_eq!((&again.stdout, &again.stderr), (&heads.stdout, &heads.stderr));
        assert_eq!(fs::read(&memory).unwrap(), whole, "it is written anew");
    }
    // Others may have written it.
    fs::set_permissions(&memory, fs::Permissions::from_mode(0o666)).unwrap();
    long.run(&["heads"]).exits(0);
    assert_eq!(mode(&memory) & 0o777, 0o600);
    // A link is not followed, neither to read nor to write.
    let elsewhere = long.project.path("elsewhere");
    fs::rename(&memory, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &memory).unwrap();
    fs::write(&elsewhere, "something else").unwrap();
    long.run(&["heads"]).exits(0);
    assert!(fs::symlink_metadata(&memory).unwrap().is_file());
    assert_eq!(fs::read(&elsewhere).unwrap(), b"something else");
    // A folder that can't be one is done without.
    let file = elsewhere.to_str().unwrap();
    let run = long.project.run_with(&[("RUNNER_CACHE_DIR", file)], &["heads"]).exits(0);
    assert_eq!((run.stdout, run.stderr), (heads.stdout, heads.stderr));
}

#[test]
fn commands_about_the_files_themselves_read_them() {
    let long = Long::chain();
    long.run(&["heads"]).exits(0);
    long.forge("Revises: r0500", "Revises: absen");
    long.run(&["check", "--files"]).exits(0);
    long.run(&["lock"]).exits(0);
    assert!(long.remembers("Revises: absen"), "they don't touch what is remembered");
    long.run(&["heads"]).exits(0);
    assert!(!long.remembers("Revises: absen"), "problems are looked for in the files");
}

#[test]
fn of_short_chains_nothing_is_remembered() {
    let long = Long { project: Project::linear(3) };
    std::thread::sleep(Duration::from_millis(2100));
    long.run(&["heads"]).exits(0);
    long.run(&["upgrade"]).exits(0);
    assert_eq!(long.memory(), None);
}
