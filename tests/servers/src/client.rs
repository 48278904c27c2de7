//! The servers' own clients, as a person would use them.

use std::io::Write as _;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use crate::database::TestDatabase;
use crate::kind::Kind;
use crate::url;

impl TestDatabase {
    /// Runs a script by `psql` or `mariadb`, which read it from their standard input.
    ///
    /// # Panics
    ///
    /// If the client cannot be run.
    #[track_caller]
    pub fn script(&self, script: &str) -> Output {
        let mut command = match self.server().kind() {
            Kind::Postgres => {
                let mut command = Command::new("psql");
                command.args(["--no-psqlrc", &self.url()]);
                command
            }
            Kind::Mysql => {
                let mut command = Command::new(mysql_client("mariadb", "mysql"));
                command.args(mysql_arguments(&self.url())).args(["--comments", self.name()]);
                command
            }
        };
        feed(&mut command, script)
    }

    /// Definitions and rows as `pg_dump` or `mariadb-dump` write them, without the tables named.
    ///
    /// # Panics
    ///
    /// If the program fails.
    #[track_caller]
    pub fn dump(&self, without: &[&str]) -> String {
        let mut command = match self.server().kind() {
            Kind::Postgres => {
                let mut command = Command::new("pg_dump");
                command.args(["--inserts", "--no-owner"]).arg(self.url());
                command.args(without.iter().map(|table| format!("--exclude-table={table}")));
                command
            }
            Kind::Mysql => {
                let mut command = Command::new(mysql_client("mariadb-dump", "mysqldump"));
                command.args(mysql_arguments(&self.url()));
                command.args(["--routines", "--triggers", "--skip-extended-insert", "--skip-comments", "--compact"]);
                command.args(without.iter().map(|table| format!("--ignore-table={}.{table}", self.name())));
                command.arg(self.name());
                command
            }
        };
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).replace(self.name(), "database")
    }
}

/// Runs a script by `sqlite3`, which reads it from its standard input.
///
/// # Panics
///
/// If it cannot be run.
#[track_caller]
pub fn sqlite_script(file: &std::path::Path, script: &str) -> Output {
    feed(Command::new("sqlite3").arg(file), script)
}

#[track_caller]
fn feed(command: &mut Command, script: &str) -> Output {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take();
    let script = script.to_owned();
    // A client that stops early reads no further, and one that says much has to be read meanwhile.
    let writer = std::thread::spawn(move || drop(stdin.as_mut().map(|stdin| stdin.write_all(script.as_bytes()))));
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    drop(writer.join());
    output
}

/// MySQL's own programs have other names than MariaDB's.
fn mysql_client(mariadb: &'static str, mysql: &'static str) -> &'static str {
    let is_there = Command::new(mariadb).arg("--version").output().is_ok_and(|output| output.status.success());
    if is_there { mariadb } else { mysql }
}

fn mysql_arguments(database: &str) -> Vec<String> {
    let url::Parts { user, password, host, port } = url::parts(database);
    let mut arguments = vec!["--no-defaults".to_owned(), format!("--host={host}"), "--protocol=tcp".to_owned()];
    arguments.extend(port.map(|port| format!("--port={port}")));
    arguments.extend(user.map(|user| format!("--user={user}")));
    arguments.extend(password.map(|password| format!("--password={password}")));
    arguments
}
