#![expect(clippy::disallowed_methods, reason = "the folders under test are made by hand")]

use std::fs;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::*;
use crate::Chain;
use crate::directory::{Folders, Location, have_changed, load};

fn text(id: &str, sql: &str) -> String {
    format!("-- T\n-- Revision ID: {id}\n-- Revises: base\n-- migrate:up\n{sql};\n")
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (id, sql) in files {
        fs::write(folder.path().join(format!("{id}.sql")), text(id, sql)).unwrap();
    }
    folder
}

/// So much later that everything written up to now is settled.
fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(60)
}

fn locations(folder: &Path) -> Vec<Location> {
    vec![Location::new(folder, "m")]
}

fn read(folder: &Path, remembered: Remembered, moment: SystemTime) -> (Chain, Option<Remembered>) {
    let folders = Folders::open(&locations(folder)).unwrap();
    let (chain, learnt) = folders.remembering(remembered, moment).load_and_learn();
    (chain.unwrap(), learnt)
}

fn remembered(folder: &Path) -> Remembered {
    let learnt = read(folder, Remembered::nothing(), later()).1.unwrap();
    Remembered::read(learnt.bytes().to_vec()).unwrap()
}

/// The SQL of a revision, and whether its file was left closed.
fn sql(chain: &Chain, id: &str) -> (String, bool) {
    let revision = chain.get(id).unwrap();
    (revision.sections().next().unwrap().text.trim().to_owned(), revision.is_remembered())
}

/// A memory in which the first `from` is `to`, of the same length, as damage would leave it.
fn forged(remembered: &Remembered, from: &str, to: &str) -> Remembered {
    let mut bytes = remembered.bytes().to_vec();
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    Remembered::read(bytes).unwrap()
}

#[test]
fn unchanged_files_are_not_opened() {
    let folder = folder(&[("a", "ONE"), ("b", "TWO")]);
    let known = remembered(folder.path());
    assert_eq!(known.len(), 2);
    let (chain, learnt) = read(folder.path(), known, later());
    assert!(learnt.is_none(), "nothing is new");
    assert_eq!(sql(&chain, "a"), ("ONE;".to_owned(), true));
    assert_eq!(sql(&chain, "b"), ("TWO;".to_owned(), true));
    assert!(!load(&locations(folder.path())).unwrap().get("a").unwrap().is_remembered());
}

#[test]
fn new_changed_and_removed_files_are_noticed() {
    let folder = folder(&[("a", "ONE"), ("b", "TWO"), ("c", "THREE")]);
    let known = remembered(folder.path());
    fs::remove_file(folder.path().join("a.sql")).unwrap();
    fs::write(folder.path().join("b.sql"), text("b", "OTHER SQL")).unwrap();
    fs::write(folder.path().join("aa.sql"), text("aa", "NEW")).unwrap();
    let (chain, learnt) = read(folder.path(), known, later());
    assert!(chain.get("a").is_none());
    assert_eq!(sql(&chain, "aa"), ("NEW;".to_owned(), false));
    assert_eq!(sql(&chain, "b"), ("OTHER SQL;".to_owned(), false));
    assert_eq!(sql(&chain, "c"), ("THREE;".to_owned(), true));
    let (chain, learnt) = read(folder.path(), learnt.unwrap(), later());
    assert!(learnt.is_none() && chain.revisions().iter().all(crate::Revision::is_remembered));
}

/// Size, number and time of change are the same, as after a careful `touch`; only nobody can set when that was done.
#[test]
fn a_change_that_hides_behind_its_time_is_noticed() {
    let folder = folder(&[("a", "ONE"), ("b", "TWO")]);
    let known = remembered(folder.path());
    let path = folder.path().join("a.sql");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    std::thread::sleep(Duration::from_millis(30));
    fs::write(&path, text("a", "UNO")).unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert_eq!(sql(&read(folder.path(), known, later()).0, "a"), ("UNO;".to_owned(), false));
}

#[test]
fn a_file_in_the_place_of_another_is_noticed() {
    let folder = folder(&[("a", "ONE"), ("b", "TWO")]);
    let known = remembered(folder.path());
    let path = folder.path().join("a.sql");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let other = folder.path().join("other");
    fs::write(&other, text("a", "UNO")).unwrap();
    File::options().write(true).open(&other).unwrap().set_modified(modified).unwrap();
    fs::rename(&other, &path).unwrap();
    assert_eq!(sql(&read(folder.path(), known, later()).0, "a"), ("UNO;".to_owned(), false));
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_a_file_is_read() {
    let folder = folder(&[("a", "ONE"), ("b", "TWO")]);
    let known = remembered(folder.path());
    fs::rename(folder.path().join("a.sql"), folder.path().join("hidden")).unwrap();
    std::os::unix::fs::symlink("hidden", folder.path().join("a.sql")).unwrap();
    let (chain, learnt) = read(folder.path(), known, later());
    assert_eq!(sql(&chain, "a"), ("ONE;".to_owned(), false));
    assert_eq!(learnt.unwrap().len(), 1, "of links nothing is remembered");
}

/// A further change could bear the same time.
#[test]
fn what_was_changed_just_now_is_not_remembered() {
    let folder = folder(&[("a", "ONE"), ("b", "TWO")]);
    assert!(read(folder.path(), Remembered::nothing(), SystemTime::now()).1.is_none());
    let known = remembered(folder.path());
    // The clock may have gone back since.
    let (chain, learnt) = read(folder.path(), known, SystemTime::now());
    assert_eq!(sql(&chain, "a"), ("ONE;".to_owned(), false));
    assert_eq!(learnt.unwrap().len(), 0);
    let path = folder.path().join("a.sql");
    let future = later() + Duration::from_secs(3600);
    File::options().write(true).open(&path).unwrap().set_modified(future).unwrap();
    assert_eq!(read(folder.path(), Remembered::nothing(), later()).1.unwrap().len(), 1);
}

#[test]
fn large_files_are_read_each_time() {
    let folder = folder(&[("a", &"x".repeat(LARGEST)), ("b", "TWO")]);
    assert_eq!(remembered(folder.path()).len(), 1);
}

#[test]
fn damage_is_noticed_wherever_it_is() {
    let folder = folder(&[("a", "ONE"), ("b", "TWO")]);
    let known = remembered(folder.path());
    for length in 0..known.bytes().len() {
        assert!(Remembered::read(known.bytes()[..length].to_vec()).is_none(), "cut off at {length}");
    }
    let mut longer = known.bytes().to_vec();
    longer.push(0);
    assert!(Remembered::read(longer).is_none());
    for at in 0..known.bytes().len() {
        let mut bytes = known.bytes().to_vec();
        bytes[at] ^= 0xff;
        // Whoever keeps it notices this; here it only must not end in anything else than an answer.
        let _ = Remembered::read(bytes).map(|damaged| {
            Folders::open(&locations(folder.path())).unwrap().remembering(damaged, later()).load_and_learn()
        });
    }
}

#[test]
fn what_another_version_wrote_counts_as_nothing() {
    let folder = folder(&[("a", "ONE")]);
    let text = remembered(folder.path()).bytes().to_vec();
    let other = [b"runner revision files 1, 0.0.0\n", &text[FORM.len()..]].concat();
    assert!(Remembered::read(other).is_none());
    assert!(Remembered::read(Vec::new()).is_none());
}

#[test]
fn what_is_remembered_is_compared_with_the_file_before_it_runs() {
    let folder = folder(&[("a", "ONE"), ("b", "TWO")]);
    let known = remembered(folder.path());
    let changed = |chain: &Chain, id: &str| have_changed(&locations(folder.path()), chain.get(id));
    let chain = read(folder.path(), known.clone(), later()).0;
    assert!(!changed(&chain, "a") && !changed(&chain, "b"));
    let chain = read(folder.path(), forged(&known, "ONE", "BAD"), later()).0;
    assert_eq!(sql(&chain, "a"), ("BAD;".to_owned(), true));
    assert!(changed(&chain, "a") && !changed(&chain, "b"));
    fs::remove_file(folder.path().join("b.sql")).unwrap();
    assert!(changed(&chain, "b"));
}

#[test]
fn names_of_several_folders_are_told_apart() {
    let (one, other) = (folder(&[("a", "ONE"), ("c", "THREE")]), folder(&[("b", "TWO"), ("d", "FOUR")]));
    fs::rename(other.path().join("d.sql"), other.path().join("a.sql")).unwrap();
    let locations = [Location::new(one.path(), "one"), Location::new(other.path(), "other")];
    let read = |known| Folders::open(&locations).unwrap().remembering(known, later()).load_and_learn();
    let (chain, learnt) = read(Remembered::nothing());
    assert_eq!(chain.unwrap().len(), 4);
    let (chain, learnt) = read(learnt.unwrap());
    assert!(learnt.is_none());
    let chain = chain.unwrap();
    assert_eq!(sql(&chain, "a"), ("ONE;".to_owned(), true));
    assert_eq!(sql(&chain, "d"), ("FOUR;".to_owned(), true));
    assert!(!have_changed(&locations, chain.revisions()));
}
