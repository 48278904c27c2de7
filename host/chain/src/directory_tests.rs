#![expect(clippy::disallowed_methods, reason = "the folders under test are made by hand")]

use std::fs;

use super::*;

fn text(id: &str, parent: &str) -> String {
    format!("-- T\n-- Revision ID: {id}\n-- Revises: {parent}\n-- migrate:up\nX;\n")
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn messages(folder: &Path) -> Vec<String> {
    match load(&[Location::new(folder, "migrations")]).unwrap_err() {
        LoadError::Problems(problems) => problems.iter().map(ToString::to_string).collect(),
        other => panic!("{other}"),
    }
}

#[test]
fn only_revision_files_are_read() {
    let folder = folder(&[("b.sql", &text("a", "base")), (".hidden.sql", "x"), ("c.txt", "x"), ("sql", "x")]);
    fs::create_dir(folder.path().join("nested")).unwrap();
    let chain = load(&[Location::new(folder.path(), "migrations/")]).unwrap();
    assert_eq!(
        chain.revisions().iter().map(|revision| revision.file.as_str()).collect::<Vec<_>>(),
        ["migrations/b.sql"]
    );
}

#[test]
fn many_files_are_read_by_several_threads() {
    let files: Vec<(String, String)> = (0..500)
        .map(|number| {
            let parent = if number == 0 { "base".to_owned() } else { format!("r{}", number - 1) };
            (format!("{number}.sql"), text(&format!("r{number}"), &parent))
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let chain = load(&[Location::new(folder(&files).path(), "m")]).unwrap();
    assert_eq!(chain.len(), 500);
    assert_eq!(chain.revisions()[499].id, "r499");
}

#[test]
fn an_empty_or_missing_folder_is_told_apart() {
    let folder = folder(&[("x.sql", "")]);
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(load(&[Location::new(empty.path(), "m")]), Err(LoadError::Empty { .. })));
    assert!(load_or_empty(&[Location::new(empty.path(), "m")]).unwrap().is_empty());
    assert!(matches!(load(&[Location::new(empty.path().join("x"), "m")]), Err(LoadError::Missing { .. })));
    assert!(matches!(load(&[Location::new(folder.path().join("x.sql"), "m")]), Err(LoadError::NotAFolder { .. })));
}

#[test]
fn problems_of_all_files_and_of_the_graph_come_together() {
    let folder = folder(&[
        ("a.sql", &text("aaaa", "base")),
        ("b.sql", &text("bbbb", "missing")),
        ("c.sql", &text("cccc", "dddd")),
        ("d.sql", &text("dddd", "aaaa").replace("migrate:up", "migrate:upp")),
    ]);
    assert_eq!(
        messages(folder.path()),
        ["migrations/b.sql:3:13: missing parent `missing`", "migrations/d.sql:4:12: unknown section `migrate:upp`"]
    );
}

#[cfg(unix)]
#[test]
fn what_is_not_a_readable_file_in_the_folder_is_a_problem() {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    let outside = folder(&[("secret.sql", &text("s", "base"))]);
    let folder = folder(&[("a.sql", &text("a", "base")), ("b.txt", &text("b", "a"))]);
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("dir.sql")).unwrap();
    symlink(outside.path().join("secret.sql"), at("escape.sql")).unwrap();
    symlink("../../../../../../etc/passwd", at("up.sql")).unwrap();
    symlink("nowhere", at("dangling.sql")).unwrap();
    symlink("b.txt", at("inside.sql")).unwrap();
    let _socket = UnixListener::bind(at("socket.sql")).unwrap();
    let found = messages(folder.path());
    let starts = [
        "migrations/dangling.sql:1:1: cannot be read: ",
        "migrations/dir.sql:1:1: is not a file",
        "migrations/escape.sql:1:1: cannot be read: ",
        "migrations/socket.sql:1:1: is not a file",
        "migrations/up.sql:1:1: cannot be read: ",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (message, start) in found.iter().zip(starts) {
        assert!(message.starts_with(start), "{message}");
    }
    for name in ["dir.sql", "escape.sql", "up.sql", "dangling.sql", "socket.sql"] {
        fs::remove_dir(at(name)).or_else(|_| fs::remove_file(at(name))).unwrap();
    }
    assert_eq!(load(&[Location::new(folder.path(), "m")]).unwrap().len(), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_is_not_waited_for() {
    let folder = folder(&[]);
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe.sql")).status().unwrap();
    assert!(made.success());
    assert_eq!(messages(folder.path()), ["migrations/pipe.sql:1:1: is not a file"]);
}

#[test]
fn a_new_file_is_written_once() {
    let folder = folder(&[]);
    let path = create(folder.path(), "a_x.sql", "one").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "one");
    assert!(matches!(create(folder.path(), "a_x.sql", "two"), Err(CreateError::Exists { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "one");
    for name in ["../x.sql", "/tmp/x.sql", "a/b.sql", "a\\b.sql", "..", "", ".x.sql", "x.txt", "./x.sql"] {
        assert!(matches!(create(folder.path(), name, "x"), Err(CreateError::Name { .. })), "{name}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_new_file_does_not_follow_a_link() {
    let outside = folder(&[]);
    let folder = folder(&[]);
    std::os::unix::fs::symlink(outside.path().join("new"), folder.path().join("x.sql")).unwrap();
    assert!(create(folder.path(), "x.sql", "x").is_err());
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}
