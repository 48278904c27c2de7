//! The same chain in three forms: as the runner's project, as `sqlx` migrations, and as a script for the `sqlite3` shell.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::Result;

/// A chain on disk.
pub(super) struct Chain {
    pub(super) folder: PathBuf,
    pub(super) revisions: usize,
}

/// Without policies only the work of the runner itself is left.
const CONFIGURATION: &str = "\
[database]
url = \"sqlite://runner.db\"

[plugin-sets.none]
plugins = []
";

impl Chain {
    /// The demo chain, in the order of its revisions.
    pub(super) fn demo(migrations: &Path, folder: &Path) -> Result<Self> {
        let mut revisions = Vec::new();
        for entry in fs::read_dir(migrations)? {
            let path = entry?.path();
            let text = fs::read_to_string(&path)?;
            let name = path.file_name().context("a file has a name")?.to_string_lossy().into_owned();
            revisions.push((name, text));
        }
        // The creation date of the demo chain grows along the chain, so it gives a valid order.
        revisions.sort_by_key(|(_, text)| header(text, "Create Date").unwrap_or_default());
        Chain::write(&revisions, folder)
    }

    /// A linear chain of one-table revisions.
    pub(super) fn generated(count: usize, folder: &Path) -> Result<Self> {
        let mut revisions = Vec::new();
        let mut parent = "base".to_owned();
        for number in 0..count {
            let id = format!("{number:012x}");
            let table = format!("t{number:05}");
            let text = format!(
                "-- Create {table}\n--\n-- Revision ID: {id}\n-- Revises: {parent}\n\n-- migrate:up\n\
                 CREATE TABLE {table} (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n\
                 CREATE INDEX {table}_name ON {table} (name);\n\n-- migrate:down\nDROP TABLE {table};\n"
            );
            revisions.push((format!("{id}_create_{table}.sql"), text));
            parent = id;
        }
        Chain::write(&revisions, folder)
    }

    fn write(revisions: &[(String, String)], folder: &Path) -> Result<Self> {
        let (ours, theirs) = (folder.join("migrations"), folder.join("sqlx"));
        fs::create_dir_all(&ours)?;
        fs::create_dir_all(&theirs)?;
        fs::write(folder.join("runner.toml"), CONFIGURATION)?;
        let (mut script, mut whole) = (String::new(), "BEGIN;\n".to_owned());
        for (number, (name, text)) in revisions.iter().enumerate() {
            fs::write(ours.join(name), text)?;
            let up = up_section(text).with_context(|| format!("`{name}` has no up section for SQLite"))?;
            fs::write(theirs.join(format!("{:05}_r.sql", number + 1)), up)?;
            writeln!(script, "BEGIN;\n{up}\nCOMMIT;")?;
            writeln!(whole, "{up}")?;
        }
        fs::write(folder.join("script.sql"), script)?;
        fs::write(folder.join("whole.sql"), whole + "COMMIT;\n")?;
        Ok(Chain { folder: folder.to_path_buf(), revisions: revisions.len() })
    }

    pub(super) fn database(&self) -> PathBuf {
        self.folder.join("runner.db")
    }

    pub(super) fn shell_database(&self) -> PathBuf {
        self.folder.join("shell.db")
    }
}

fn header(text: &str, key: &str) -> Option<String> {
    text.lines().find_map(|line| line.strip_prefix("-- ")?.strip_prefix(key)?.strip_prefix(": ").map(str::to_owned))
}

/// The section that SQLite runs.
fn up_section(text: &str) -> Option<&str> {
    let mut plain = None;
    let mut rest = text;
    while let Some(start) = rest.find("-- migrate:") {
        let body = &rest[start + "-- migrate:".len()..];
        let (marker, sql) = body.split_once('\n')?;
        let end = sql.find("-- migrate:").unwrap_or(sql.len());
        match marker.trim() {
            "up" => plain = Some(&sql[..end]),
            marker if marker.starts_with("up ") && marker.contains("sqlite") => return Some(&sql[..end]),
            _ => {}
        }
        rest = &sql[end..];
    }
    plain
}
