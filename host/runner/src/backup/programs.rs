//! The client programs of servers: which of them fits, how it is told where the database is, and what it says when it fails.

use std::ffi::OsStr;
use std::io::Read as _;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread::JoinHandle;

use runner_database::DatabaseUrl;
use runner_database::Server;

use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// So much of what a program says is kept.
const MOST_TALK: u64 = 64 * 1024;

/// What a program is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Writes an archive of a PostgreSQL database.
    PgDump,
    /// Reads it.
    PgRestore,
    /// Writes a MariaDB or MySQL database as statements.
    Mysqldump,
}

impl Tool {
    /// How it may be called, the best name first.
    fn names(self, is_mariadb: bool) -> &'static [&'static str] {
        match (self, is_mariadb) {
            (Self::PgDump, _) => &["pg_dump"],
            (Self::PgRestore, _) => &["pg_restore"],
            (Self::Mysqldump, true) => &["mariadb-dump", "mysqldump"],
            (Self::Mysqldump, false) => &["mysqldump"],
        }
    }

    /// What brings it.
    fn package(self, server: &Server, is_mariadb: bool) -> String {
        match self {
            Self::PgDump | Self::PgRestore => {
                format!(
                    "the client programs of PostgreSQL {} or newer (Debian: `postgresql-client`)",
                    major(&server.version)
                )
            }
            _ if is_mariadb => "the client programs of MariaDB (Debian: `mariadb-client`)".to_owned(),
            _ => format!("the client programs of MySQL {} or newer (`mysql-client`)", major(&server.version)),
        }
    }
}

/// A program that was found and fits the server.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    path: PathBuf,
    /// What it says about itself, as in `pg_dump (PostgreSQL) 15.14`.
    pub(crate) version: String,
    /// Its name, without the folder.
    pub(crate) name: String,
}

/// The number in front of the first dot.
fn major(version: &str) -> u32 {
    let digits = version.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    digits.split(|letter: char| !letter.is_ascii_digit()).next().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The version in what a program says of itself: `pg_dump (PostgreSQL) 15.14 (Debian …)`, `mysqldump  Ver 8.0.36 for Linux …`.
fn version_in(said: &str) -> u32 {
    let behind = said.split_once(')').filter(|_| said.contains("(PostgreSQL)")).map(|(_, rest)| rest);
    let behind = behind.or_else(|| said.split_once("Distrib ").map(|(_, rest)| rest));
    let behind = behind.or_else(|| said.split_once("Ver ").map(|(_, rest)| rest)).unwrap_or(said);
    major(behind)
}

/// Folders in which a program may be, in the order in which they are looked through.
fn folders(config: &Config) -> Result<(Vec<PathBuf>, bool)> {
    if let Some(folder) = &config.backup()?.clients {
        return Ok((vec![folder.clone()], true));
    }
    let mut folders: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    // Where the packages of distributions put several versions side by side, the newest first.
    for (parent, below) in
        [("/usr/lib/postgresql", "bin"), ("/usr/local/opt", "libpq/bin"), ("/opt/homebrew/opt", "libpq/bin")]
    {
        let mut versions: Vec<PathBuf> = std::fs::read_dir(parent)
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        versions.sort_by_key(|path| std::cmp::Reverse(path.file_name().and_then(OsStr::to_str).map(major)));
        folders.extend(versions.into_iter().map(|version| version.join(below)));
        folders.push(Path::new(parent).join(below));
    }
    Ok((folders, false))
}

/// The program for a server. A PostgreSQL server is read by programs of its own version or a newer one, a MariaDB server by those of
/// MariaDB, and a MySQL server by those of MySQL.
pub(crate) fn find(config: &Config, tool: Tool, server: &Server) -> Result<Program> {
    let is_mariadb = server.product.eq_ignore_ascii_case("mariadb");
    let (folders, is_said) = folders(config)?;
    let mut others = Vec::new();
    for name in tool.names(is_mariadb) {
        for path in folders.iter().map(|folder| folder.join(name)).filter(|path| path.is_file()) {
            let Some(version) = ask_version(&path) else {
                others.push(format!("`{}` does not say its version", path.display()));
                continue;
            };
            let fits = match tool {
                Tool::PgDump | Tool::PgRestore => version_in(&version) >= major(&server.version),
                _ if is_mariadb => version.contains("MariaDB"),
                _ => !version.contains("MariaDB") && version_in(&version) >= major(&server.version),
            };
            if fits {
                return Ok(Program { path, version, name: (*name).to_owned() });
            }
            others.push(format!("`{}` is {version}", path.display()));
        }
    }
    let names = tool.names(is_mariadb).join("` or `");
    let of = format!("{} {}", server.product, server.version);
    let message = if others.is_empty() {
        let place = if is_said { "`clients` in `[backup]` names" } else { "`PATH` names" };
        format!("the database is saved by `{names}`, and there is none in the folders that {place}")
    } else {
        format!("no `{names}` fits the server, which is {of}: {}", others.join(", "))
    };
    Err(Error::new(ErrorKind::Backup, message)
        .help(format!("install {}, or name their folder: `clients` in `[backup]`", tool.package(server, is_mariadb)))
        .help("`runner backup create --as-rows` saves all tables without them"))
}

fn ask_version(path: &Path) -> Option<String> {
    let output = Command::new(path).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().trim().to_owned();
    (output.status.success() && !said.is_empty()).then_some(said)
}

/// A program that is running. Dropped, it is ended.
pub(crate) struct Running {
    child: Child,
    name: String,
    talk: Option<JoinHandle<String>>,
    /// What must not be shown.
    secret: Option<String>,
    /// Holds its options.
    _options: Option<tempfile::TempDir>,
    is_over: bool,
}

impl Program {
    /// Starts it, on a database if it needs one.
    pub(crate) fn start(&self, url: Option<&DatabaseUrl>, arguments: &[String]) -> Result<Running> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Io, format!("`{}` can't be started: {error}", self.path.display()))
        };
        let client = url
            .and_then(DatabaseUrl::client)
            .unwrap_or_else(|| runner_database::Client { environment: Vec::new(), options: None });
        let mut command = Command::new(&self.path);
        let options = match &client.options {
            Some(text) => {
                let folder = tempfile::tempdir().map_err(failed)?;
                let file = folder.path().join("options.cnf");
                write_private(&file, text).map_err(failed)?;
                // It counts only as the first argument.
                command.arg(format!("--defaults-file={}", file.display()));
                Some(folder)
            }
            None => None,
        };
        command.args(arguments);
        // They would lead elsewhere than the URL.
        for name in ["PGSERVICE", "PGSERVICEFILE", "PGHOSTADDR", "PGCLIENTENCODING", "PGTARGETSESSIONATTRS"] {
            command.env_remove(name);
        }
        command.envs(client.environment.iter().map(|(name, value)| (name, value)));
        // Messages that we can read, whatever the language of the user is.
        command.env("LC_MESSAGES", "C").env_remove("LC_ALL");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
        let talk = child.stderr.take().map(|stderr| {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                let mut stderr = stderr;
                // The rest is read as well, so that nobody waits for a reader.
                let _ = stderr.by_ref().take(MOST_TALK).read_to_end(&mut text);
                let _ = std::io::copy(&mut stderr, &mut std::io::sink());
                String::from_utf8_lossy(&text).into_owned()
            })
        });
        let secret = client.environment.iter().find(|(name, _)| *name == "PGPASSWORD").map(|(_, value)| value.clone());
        Ok(Running { child, name: self.name.clone(), talk, secret, _options: options, is_over: false })
    }
}

#[cfg(unix)]
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;

    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

#[cfg(not(unix))]
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

impl Running {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn stdin(&mut self) -> Option<std::process::ChildStdin> {
        self.child.stdin.take()
    }

    pub(crate) fn stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits for its end. An error holds what it said.
    pub(crate) fn wait(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait();
        self.is_over = true;
        let talk = self.talk.take().and_then(|talk| talk.join().ok()).unwrap_or_default();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => {
                let said: Vec<&str> = talk.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
                let last = said.len().saturating_sub(5);
                let mut said = said.get(last..).unwrap_or_default().join("\n       ");
                if let Some(secret) = self.secret.as_deref().filter(|secret| !secret.is_empty()) {
                    said = said.replace(secret, "***");
                }
                let why = if said.is_empty() { status.to_string() } else { said };
                Err(Error::new(ErrorKind::Backup, format!("`{}` failed: {why}", self.name)))
            }
            Err(error) => Err(Error::new(ErrorKind::Io, format!("`{}` was lost: {error}", self.name))),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_over {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        assert_eq!(version_in("pg_dump (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"), 15);
        assert_eq!(version_in("pg_dump (PostgreSQL) 17beta1"), 17);
        assert_eq!(version_in("mysqldump  Ver 8.0.36-28 for Linux on x86_64"), 8);
        assert_eq!(version_in("mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)"), 5);
        assert_eq!(major("PostgreSQL"), 0);
        assert_eq!(major("15.14"), 15);
    }
}
