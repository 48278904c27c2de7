//! What saving and restoring a large table costs: on PostgreSQL side by side with `COPY` by `psql`, compressed by `zstd`; on SQLite side by
//! side with the shell; and on MariaDB.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;

use super::remove;
use super::timing;
use super::timing::Contestant;
use super::timing::compare;
use super::tools::Tools;

const CONFIGURATION: &str = "\
[database]
url = \"${DATABASE_URL}\"

[plugin-sets.none]
plugins = []
";
/// The revision that makes the table.
const REVISION: &str = "\
-- Create reading
--
-- Revision ID: 5eed0f1a2b3c
-- Revises: base

-- migrate:up
";
const POSTGRES: &str = "\
CREATE TABLE reading (
  id bigint PRIMARY KEY,
  patient bigint NOT NULL,
  taken timestamptz NOT NULL,
  code text NOT NULL,
  note text,
  amount numeric(12, 2) NOT NULL,
  is_final boolean NOT NULL,
  details jsonb,
  signature bytea
);
";
const MARIADB: &str = "\
CREATE TABLE reading (
  id bigint PRIMARY KEY,
  patient bigint NOT NULL,
  taken datetime NOT NULL,
  code varchar(20) NOT NULL,
  note text,
  amount decimal(12, 2) NOT NULL,
  is_final boolean NOT NULL,
  details json,
  signature varbinary(64)
);
";
const SQLITE: &str = "\
CREATE TABLE reading (
  id INTEGER PRIMARY KEY,
  patient INTEGER NOT NULL,
  taken TEXT NOT NULL,
  code TEXT NOT NULL,
  note TEXT,
  amount REAL NOT NULL,
  is_final INTEGER NOT NULL,
  details TEXT,
  signature BLOB
);
";
/// How zstd names the level of a backup, which is its own default as well.
const LEVEL: &str = "-3";
const NAME: &str = "bench";

/// A project with one table, and what of it is timed.
struct Project<'a> {
    program: &'a Path,
    folder: PathBuf,
    url: String,
    rows: u64,
}

impl<'a> Project<'a> {
    /// Writes the project and applies its revision.
    fn write(tools: &'a Tools, folder: &Path, table: &str, url: String, rows: u64) -> Result<Self> {
        fs::create_dir_all(folder.join("migrations"))?;
        fs::write(folder.join("runner.toml"), CONFIGURATION)?;
        let revision = format!("{REVISION}{table}\n-- migrate:down\nDROP TABLE reading;\n");
        fs::write(folder.join("migrations/5eed0f1a2b3c_create_reading.sql"), revision)?;
        let project = Project { program: tools.runner_program(), folder: folder.to_path_buf(), url, rows };
        timing::once(&mut project.runner(&["upgrade"]))?;
        Ok(project)
    }

    fn runner(&self, arguments: &[&str]) -> Command {
        self.runner_at(&self.url, arguments)
    }

    fn runner_at(&self, url: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command.current_dir(&self.folder).args(["--plugins", "none"]).args(arguments);
        command.env("DATABASE_URL", url).env("ENVIRONMENT", "test");
        command
    }

    fn create(&self) -> Command {
        self.runner(&["backup", "create", "--tables", "reading", "--name", NAME])
    }

    fn verify(&self) -> Command {
        self.runner(&["backup", "verify", NAME])
    }

    fn remove_backups(&self) -> Result<()> {
        match fs::remove_dir_all(self.folder.join("backups")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The rows of the backup as they are stored.
    fn member(&self) -> Result<PathBuf> {
        let folder = self.folder.join("backups").join(NAME);
        let files = fs::read_dir(&folder)?.collect::<std::io::Result<Vec<_>>>()?;
        let member = files.iter().map(fs::DirEntry::path).find(|path| path.to_string_lossy().ends_with(".tsv.zst"));
        member.with_context(|| format!("there are no rows in {}", folder.display()))
    }

    fn print_rate(&self, seconds: f64) {
        println!("  {:.0} rows a second", self.rows as f64 / seconds);
    }

    fn print_peak(&self, what: &str, mut command: Command) -> Result<()> {
        if let Some(peak) = timing::peak_memory(&mut command)? {
            println!("  memory of the runner at most, {what}: {peak:.1} MiB");
        }
        Ok(())
    }
}

pub(super) fn bench(tools: &Tools, folder: &Path, rows: u64, rounds: usize) -> Result<()> {
    if Command::new("zstd").arg("--version").stdout(Stdio::null()).status().is_err() {
        bail!("`zstd` is missing: install the package `zstd` of your system");
    }
    #[cfg(unix)]
    servers::postgres(tools, &folder.join("postgres"), rows, rounds)?;
    sqlite(tools, &folder.join("sqlite"), rows, rounds.min(3))?;
    #[cfg(unix)]
    servers::mariadb(tools, &folder.join("mariadb"), rows, rounds.min(3))?;
    Ok(())
}

/// A pipe of the shell, in which a failure of any part is one of the whole.
fn pipe(folder: &Path, text: &str) -> Command {
    let mut command = Command::new("bash");
    command.current_dir(folder).args(["-c", &format!("set -o pipefail; {text}")]);
    command
}

fn sqlite(tools: &Tools, folder: &Path, rows: u64, rounds: usize) -> Result<()> {
    let (file, shell, other) = (folder.join("runner.db"), folder.join("shell.db"), folder.join("other.db"));
    fs::create_dir_all(folder)?;
    let project = Project::write(tools, folder, SQLITE, "sqlite://runner.db".to_owned(), rows)?;
    let fill = format!(
        "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {rows}) \
         INSERT INTO reading SELECT n, n % 50000, datetime(1577836800 + n * 37, 'unixepoch'), printf('C%05d', n * 7919 % 100000), \
         CASE WHEN n % 3 > 0 THEN 'It''s note ' || n || ' of ' || lower(hex(randomblob(16))) END, (n * 13 % 1000000) / 100.0, n % 2, \
         CASE WHEN n % 4 > 0 THEN json_object('kind', 'a' || (n % 7), 'tooth', n % 32, 'tags', json_array('x', n % 11)) END, \
         CASE WHEN n % 5 = 0 THEN randomblob(16) END FROM s;"
    );
    timing::once(Command::new("sqlite3").args(["-bail"]).arg(&file).arg(fill))?;
    println!("\nSaving {rows} rows of SQLite");
    let (create, verify) = (|| project.create(), || project.verify());
    let dump = || pipe(folder, &format!("sqlite3 runner.db '.dump reading' | zstd -q -f {LEVEL} -o shell.sql.zst"));
    let fresh = || project.remove_backups();
    let nothing = || Ok(());
    let times = compare(
        rounds,
        &[
            Contestant { name: "runner backup create", before: &fresh, command: &create },
            Contestant { name: "runner backup verify", before: &nothing, command: &verify },
            Contestant { name: "sqlite3 .dump | zstd", before: &nothing, command: &dump },
        ],
    )?;
    project.print_rate(times[0]);
    println!("  runner / sqlite3: {:.2}", times[0] / times[2]);
    println!("\nRestoring {rows} rows of SQLite");
    let to = "sqlite://other.db";
    let restore = || project.runner_at(to, &["backup", "restore", NAME, "--to", to]);
    let load = || pipe(folder, "zstd -q -d -c shell.sql.zst | sqlite3 -bail shell.db");
    let times = compare(
        rounds,
        &[
            Contestant { name: "runner backup restore", before: &|| remove(&other), command: &restore },
            Contestant { name: "zstd -d | sqlite3", before: &|| remove(&shell), command: &load },
        ],
    )?;
    project.print_rate(times[0]);
    println!("  runner / sqlite3: {:.2}", times[0] / times[1]);
    project.print_peak("verify", project.verify())?;
    remove(&other)?;
    project.print_peak("restore", restore())?;
    project.remove_backups()?;
    project.print_peak("create", project.create())
}

#[cfg(unix)]
mod servers {
    use test_servers::Kind;
    use test_servers::Server;
    use test_servers::ServerOptions;

    use super::*;

    const COPY: [&str; 2] = ["COPY reading TO STDOUT", "COPY reading FROM STDIN"];

    pub(super) fn postgres(tools: &Tools, folder: &Path, rows: u64, rounds: usize) -> Result<()> {
        test_servers::install_missing()?;
        let server = Server::start(ServerOptions { kind: Kind::Postgres, durable: true });
        let (full, ours, theirs) = (server.database(), server.database(), server.database());
        let project = Project::write(tools, folder, POSTGRES, full.url(), rows)?;
        for database in [&ours, &theirs] {
            timing::once(&mut project.runner_at(&database.url(), &["upgrade"]))?;
        }
        full.try_execute(&format!(
            "INSERT INTO reading SELECT n, n % 50000, timestamptz '2020-01-01 00:00:00+00' + n * interval '37 seconds', \
             'C' || lpad((n * 7919 % 100000)::text, 5, '0'), CASE WHEN n % 3 > 0 THEN E'Note\\t' || n || ' of ' || md5(n::text) END, \
             (n * 13 % 1000000) / 100.0, n % 2 = 0, \
             CASE WHEN n % 4 > 0 THEN jsonb_build_object('kind', 'a' || n % 7, 'tooth', n % 32, 'tags', jsonb_build_array('x', n % 11)) END, \
             CASE WHEN n % 5 = 0 THEN decode(md5(n::text), 'hex') END FROM generate_series(1, {rows}::bigint) AS n"
        ))?;
        full.try_execute("VACUUM ANALYZE reading")?;
        println!("\nSaving {rows} rows of {}", server.version());
        let psql = |url: &str, sql: &str| format!("psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 -c '{sql}' '{url}'");
        let create = || project.create();
        let copy = || pipe(folder, &format!("{} | zstd -q -f {LEVEL} -o psql.tsv.zst", psql(&full.url(), COPY[0])));
        let synced = || {
            let copy = format!("{} | zstd -q -f {LEVEL} -o synced.tsv.zst", psql(&full.url(), COPY[0]));
            pipe(folder, &format!("{copy} && sync synced.tsv.zst"))
        };
        let nothing = || Ok(());
        let times = compare(
            rounds,
            &[
                Contestant { name: "runner backup create", before: &|| project.remove_backups(), command: &create },
                Contestant { name: "psql COPY TO | zstd", before: &nothing, command: &copy },
                Contestant { name: "the same, on the disk by then", before: &nothing, command: &synced },
            ],
        )?;
        project.print_rate(times[0]);
        println!("  runner / psql: {:.2} (on the disk by then: {:.2})", times[0] / times[1], times[0] / times[2]);
        let same = "cmp <(zstd -q -d -c psql.tsv.zst | sort) <(zstd -q -d -c \"$0\" | sort)";
        timing::once(pipe(folder, same).arg(project.member()?))?;
        println!("  both hold the same rows");

        println!("\nRestoring {rows} rows on {}", server.version());
        let restore = || project.runner_at(&ours.url(), &["backup", "restore", NAME, "--replace", "--to", &ours.url()]);
        let load = || pipe(folder, &format!("zstd -q -d -c psql.tsv.zst | {}", psql(&theirs.url(), COPY[1])));
        let empty = |database: &test_servers::TestDatabase| -> Result<()> {
            database.try_execute("TRUNCATE reading")?;
            Ok(database.try_execute("CHECKPOINT")?)
        };
        let times = compare(
            rounds,
            &[
                Contestant { name: "runner backup restore", before: &|| empty(&ours), command: &restore },
                Contestant { name: "zstd -d | psql COPY FROM", before: &|| empty(&theirs), command: &load },
            ],
        )?;
        project.print_rate(times[0]);
        println!("  runner / psql: {:.2}", times[0] / times[1]);
        let copied = format!("{} | zstd -q -f -1 -o restored.tsv.zst", psql(&ours.url(), COPY[0]));
        timing::once(&mut pipe(folder, &copied))?;
        timing::once(&mut pipe(folder, "cmp <(zstd -q -d -c psql.tsv.zst) <(zstd -q -d -c restored.tsv.zst)"))?;
        println!("  what was restored is what was saved, byte for byte");
        let verify = || project.verify();
        let times =
            compare(rounds.min(3), &[Contestant { name: "runner backup verify", before: &nothing, command: &verify }])?;
        project.print_rate(times[0]);
        project.print_peak("verify", project.verify())?;
        empty(&ours)?;
        project.print_peak("restore", restore())?;
        project.remove_backups()?;
        project.print_peak("create", project.create())
    }

    pub(super) fn mariadb(tools: &Tools, folder: &Path, rows: u64, rounds: usize) -> Result<()> {
        test_servers::install_missing()?;
        let server = Server::start(ServerOptions { kind: Kind::Mysql, durable: true });
        let (full, ours) = (server.database(), server.database());
        let project = Project::write(tools, folder, MARIADB, full.url(), rows)?;
        timing::once(&mut project.runner_at(&ours.url(), &["upgrade"]))?;
        let digits = (0..10).map(|digit| format!("SELECT {digit} AS d")).collect::<Vec<_>>().join(" UNION ALL ");
        let tables: Vec<String> = (0..6).map(|place| format!("({digits}) AS t{place}")).collect();
        let number: Vec<String> = (0..6).map(|place| format!("t{place}.d * {}", 10_u64.pow(place))).collect();
        full.try_execute(&format!(
            "SET time_zone = '+00:00'; INSERT INTO reading SELECT n, n % 50000, FROM_UNIXTIME(1577836800 + n * 37), \
             CONCAT('C', LPAD(n * 7919 % 100000, 5, '0')), IF(n % 3 > 0, CONCAT('Note\\t', n, ' of ', MD5(n)), NULL), (n * 13 % 1000000) / 100, n % 2, \
             IF(n % 4 > 0, JSON_OBJECT('kind', CONCAT('a', n % 7), 'tooth', n % 32, 'tags', JSON_ARRAY('x', n % 11)), NULL), \
             IF(n % 5 = 0, UNHEX(MD5(n)), NULL) FROM (SELECT 1 + {} AS n FROM {}) AS s WHERE n <= {rows}",
            number.join(" + "),
            tables.join(" CROSS JOIN ")
        ))?;
        println!("\nSaving and restoring {rows} rows of {}", server.version());
        let (create, verify) = (|| project.create(), || project.verify());
        let restore = || project.runner_at(&ours.url(), &["backup", "restore", NAME, "--replace", "--to", &ours.url()]);
        let empty = || -> Result<()> { Ok(ours.try_execute("TRUNCATE reading")?) };
        let nothing = || Ok(());
        let times = compare(
            rounds,
            &[
                Contestant { name: "runner backup create", before: &|| project.remove_backups(), command: &create },
                Contestant { name: "runner backup verify", before: &nothing, command: &verify },
                Contestant { name: "runner backup restore", before: &empty, command: &restore },
            ],
        )?;
        for seconds in times {
            project.print_rate(seconds);
        }
        project.print_peak("verify", project.verify())?;
        empty()?;
        project.print_peak("restore", restore())?;
        project.remove_backups()?;
        project.print_peak("create", project.create())
    }
}
