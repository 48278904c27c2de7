//! How each server is set up and started.

use std::io;
use std::path::Path;

use crate::kind::Kind;
use crate::owned::ServerOptions;
use crate::programs::Programs;

/// The account of the tests. It may do everything.
pub(crate) const USER: &str = "runner_test";

/// Everything that a command line needs.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) programs: Programs,
    pub(crate) options: ServerOptions,
    pub(crate) password: String,
    pub(crate) port: u16,
}

impl Launch {
    /// Writes what the server reads, and gives the command that fills the folder `data`.
    pub(crate) fn set_up(&self, folder: &Path) -> io::Result<Vec<String>> {
        let data = shown(&folder.join("data"));
        // When it starts, MariaDB removes the temporary tables of others in the folder that all share.
        let temporary = format!("--tmpdir={}", shown(folder));
        match &self.programs {
            Programs::Postgres { initdb, .. } => {
                let password = folder.join("password");
                std::fs::write(&password, &self.password)?;
                // Locale and encoding are the same on every machine. Without `--no-sync` it takes longer, and a
                // killed server loses nothing that the system has.
                Ok(words([
                    shown(initdb),
                    format!("--pgdata={data}"),
                    format!("--username={USER}"),
                    format!("--pwfile={}", shown(&password)),
                    "--auth=scram-sha-256".into(),
                    "--encoding=UTF8".into(),
                    "--locale=C".into(),
                    "--no-sync".into(),
                ]))
            }
            Programs::Mariadb { install_db, .. } => {
                self.write_account(folder)?;
                // `socket` leaves no account behind that has no password.
                Ok(words([
                    shown(install_db),
                    "--no-defaults".into(),
                    format!("--datadir={data}"),
                    "--auth-root-authentication-method=socket".into(),
                    "--skip-test-db".into(),
                    "--skip-name-resolve".into(),
                    temporary,
                ]))
            }
            Programs::Mysql { mysqld } => {
                self.write_account(folder)?;
                Ok(words([
                    shown(mysqld),
                    "--no-defaults".into(),
                    format!("--datadir={data}"),
                    "--initialize".into(),
                    "--log-error-verbosity=1".into(),
                    temporary,
                ]))
            }
        }
    }

    /// The file of statements that the server runs whenever it starts, before it takes connections.
    fn write_account(&self, folder: &Path) -> io::Result<()> {
        let password = &self.password;
        let statements = ["localhost", "127.0.0.1"].map(|host| {
            format!(
                "CREATE USER IF NOT EXISTS '{USER}'@'{host}' IDENTIFIED BY '{password}';\n\
                 GRANT ALL ON *.* TO '{USER}'@'{host}' WITH GRANT OPTION;\n"
            )
        });
        std::fs::write(folder.join("account.sql"), statements.concat())
    }

    /// The command that is the server.
    pub(crate) fn server(&self, folder: &Path) -> Vec<String> {
        let (data, socket_folder) = (shown(&folder.join("data")), shown(folder));
        let (port, durable) = (self.port, self.options.durable);
        match &self.programs {
            Programs::Postgres { postgres, .. } => {
                let on = if durable { "on" } else { "off" };
                let settings = [
                    "listen_addresses=127.0.0.1".into(),
                    format!("port={port}"),
                    format!("unix_socket_directories={socket_folder}"),
                    format!("fsync={on}"),
                    format!("synchronous_commit={on}"),
                    format!("full_page_writes={on}"),
                    "max_connections=200".into(),
                    "shared_buffers=32MB".into(),
                ];
                let settings = settings.into_iter().flat_map(|setting: String| ["-c".to_owned(), setting]);
                [shown(postgres), "-D".into(), data].into_iter().chain(settings).collect()
            }
            Programs::Mariadb { mariadbd: server, .. } | Programs::Mysql { mysqld: server } => {
                let mut command = words([
                    shown(server),
                    "--no-defaults".into(),
                    format!("--datadir={data}"),
                    "--bind-address=127.0.0.1".into(),
                    format!("--port={port}"),
                    format!("--socket={socket_folder}/mysql.sock"),
                    format!("--pid-file={socket_folder}/mysql.pid"),
                    format!("--init-file={socket_folder}/account.sql"),
                    format!("--tmpdir={socket_folder}"),
                    format!("--innodb-flush-log-at-trx-commit={}", if durable { 1 } else { 0 }),
                    format!("--innodb-doublewrite={}", if durable { "ON" } else { "OFF" }),
                    "--innodb-buffer-pool-size=32M".into(),
                    "--performance-schema=OFF".into(),
                    "--max-connections=200".into(),
                    "--skip-name-resolve".into(),
                    "--skip-log-bin".into(),
                    "--character-set-server=utf8mb4".into(),
                ]);
                match self.programs {
                    // Its second protocol would take a port that other servers want.
                    Programs::Mysql { .. } => command.push("--mysqlx=OFF".into()),
                    // Nothing is faster than memory for what is thrown away.
                    _ if !durable => command.push("--innodb-flush-method=nosync".into()),
                    // Smaller than what a full disk leaves room for.
                    _ => command.push("--innodb-log-file-size=8M".into()),
                }
                command
            }
        }
    }

    /// How the tests reach the server.
    pub(crate) fn url(&self) -> String {
        let Launch { password, port, .. } = self;
        match self.options.kind {
            Kind::Postgres => format!("postgres://{USER}:{password}@127.0.0.1:{port}/postgres"),
            Kind::Mysql => format!("mysql://{USER}:{password}@127.0.0.1:{port}/"),
        }
    }
}

fn words<const COUNT: usize>(words: [String; COUNT]) -> Vec<String> {
    words.into()
}

/// What is not Unicode fails later, with the shown path in the server's log.
fn shown(path: &Path) -> String {
    path.display().to_string()
}
