//! Saving a whole database, with what people who run such databases trust: `pg_dump`, `mariadb-dump` or `mysqldump`, and for SQLite
//! the pages of its file. Every table is digested besides, so that a restored database can be compared with the one that was saved.

use std::io::Read as _;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use runner_backup::Applied;
use runner_backup::Backup;
use runner_backup::Kind;
use runner_backup::Member;
use runner_backup::MemberWriter;
use runner_backup::Method;
use runner_backup::Part;
use runner_backup::RowsDigest;
use runner_backup::Scope;
use runner_database::Dialect;
use runner_database::Reading;
use runner_database::RecordedStatus;
use runner_database::RowSink;
use runner_database::Rows;
use runner_database::Session;
use runner_database::State;
use runner_database::Stopped;
use runner_database::Table;
use runner_database::TableColumn;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::making::About;
use super::making::begin;
use super::making::manifest;
use super::making::saved_column;
use super::programs;
use super::programs::Program;
use super::programs::Running;
use super::programs::Tool;
use super::rows::Hear;
use super::rows::IntoMember;
use super::rows::cut_off;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::output::Transfer;

/// A question that may take as long as it takes.
pub(super) const LONG: Duration = Duration::from_hours(24 * 7);
/// So much is copied at a time.
const CHUNK: usize = 256 * 1024;
/// So many parts wait for the other side.
const WAITING: usize = 8;
/// So long `pg_dump` waits for a table that somebody changes.
const LOCK_WAIT: &str = "--lock-wait-timeout=60000";

/// Saves everything.
pub(crate) async fn save(
    config: &Config,
    session: &mut Session,
    about: &About,
    transfer: &mut dyn Transfer,
) -> Result<Backup> {
    let saved = save_all(config, session, about, transfer).await;
    transfer.end();
    saved
}

async fn save_all(
    config: &Config,
    session: &mut Session,
    about: &About,
    transfer: &mut dyn Transfer,
) -> Result<Backup> {
    let url = config.database_url()?;
    let server = session.server().clone();
    let dialect = session.dialect();
    // Before anything is begun: without the program nothing comes of it.
    let program = match dialect {
        Dialect::Sqlite => None,
        Dialect::Postgres => Some(programs::find(config, Tool::PgDump, &server)?),
        Dialect::Mysql => Some(programs::find(config, Tool::Mysqldump, &server)?),
    };
    let draft = begin(config, about)?;
    let own = session.own_tables();
    let database = url.database().unwrap_or("database").to_owned();
    let state = session.state().await?;
    let has_ledger = state.tail.is_some();
    let mut reading = session.read().await?;
    let tables = reading.tables().await?;
    transfer.begin(draft.name(), tables.iter().filter_map(|table| table.rows_estimate).sum());
    let (mut ledger, mut events) = (None, None);
    let (method, copying) = match (&program, dialect) {
        (Some(program), Dialect::Postgres) => {
            let moment = reading.export_moment().await?.ok_or_else(|| no_moment(program))?;
            let mut arguments: Vec<String> =
                ["--format=custom", "--no-password", LOCK_WAIT].map(str::to_owned).to_vec();
            arguments.push(format!("--snapshot={moment}"));
            // A database without an encoding gives its bytes as they are.
            let encoding = "SELECT pg_catalog.current_setting('server_encoding')".to_owned();
            let encoding = reading.ask(encoding, LONG).await?;
            if encoding.into_iter().flatten().flatten().flatten().next().as_deref() != Some("SQL_ASCII") {
                arguments.push("--encoding=UTF8".to_owned());
            }
            arguments.extend(own.iter().map(|table| format!("--exclude-table={}", pattern(table))));
            let writer = draft.member(&database, Kind::Dump)?;
            (Method::PgDump, Some(Copying::begin(program.start(Some(url), &arguments)?, writer)))
        }
        (Some(program), _) => {
            let mut arguments: Vec<String> = [
                "--single-transaction",
                "--quick",
                "--routines",
                "--triggers",
                "--hex-blob",
                "--no-tablespaces",
                "--loose-set-gtid-purged=OFF",
                "--loose-column-statistics=0",
            ]
            .map(str::to_owned)
            .to_vec();
            arguments.extend(own.iter().map(|table| format!("--ignore-table={database}.{}", table.name)));
            arguments.push(database.clone());
            let writer = draft.member(&database, Kind::Sql)?;
            // Apart, because they begin to work as soon as they are there, which they must not in a trial.
            let asked = "SELECT event_name FROM information_schema.events WHERE event_schema = DATABASE() LIMIT 1";
            let found = reading.ask(asked.to_owned(), LONG).await?;
            if found.is_some_and(|rows| !rows.is_empty()) {
                events = Some(program.clone());
            }
            let method = if program.version.contains("MariaDB") { Method::MariadbDump } else { Method::Mysqldump };
            (method, Some(Copying::begin(program.start(Some(url), &arguments)?, writer)))
        }
        (None, _) => (Method::Sqlite, None),
    };
    let member = match copying {
        Some(_) => None,
        None => {
            let mut pages = IntoFile::begin(draft.member("database", Kind::Sqlite)?);
            let read = reading.pages(&mut pages).await;
            Some(pages.finish(read).await?)
        }
    };
    let mut digests = Vec::with_capacity(tables.len());
    for table in &tables {
        digests.push(digest(&mut reading, table, transfer).await?);
    }
    if dialect != Dialect::Sqlite && has_ledger {
        let table = reading.ledger_table();
        let columns: Vec<TableColumn> = table.columns.clone();
        let mut silent = |_, _| {};
        let hear: &mut Hear<'_> = &mut silent;
        let mut sink = IntoMember::begin(draft.member("ledger", Kind::Rows)?, hear);
        let read = reading.rows(Rows { table: &table, columns: &columns }, &mut sink).await;
        let (member, digest) = sink.finish(read).await?;
        ledger = Some(described(&table, &columns, &digest, &member.file));
    }
    // The moment must last until the program has seen it.
    let member = match (member, copying) {
        (Some(member), _) => member,
        (None, Some(copying)) => copying.finish().await?,
        (None, None) => return Err(Error::new(ErrorKind::Backup, "nothing was saved")),
    };
    reading.finish().await?;
    if let Some(program) = events {
        let only = [
            "--no-data",
            "--no-create-info",
            "--skip-triggers",
            "--events",
            "--no-tablespaces",
            "--loose-set-gtid-purged=OFF",
        ];
        let mut arguments: Vec<String> = only.map(str::to_owned).to_vec();
        arguments.push(database.clone());
        let writer = draft.member("events", Kind::Sql)?;
        Copying::begin(program.start(Some(url), &arguments)?, writer).finish().await?;
    }
    let mut saved: Vec<runner_backup::Table> = Vec::with_capacity(tables.len());
    for (table, digest) in tables.iter().zip(&digests) {
        let columns: Vec<TableColumn> = table.stored().cloned().collect();
        saved.push(described(table, &columns, digest, &member.file));
    }
    let mut consistency = "everything as it was at one moment".to_owned();
    if dialect == Dialect::Mysql {
        // The program has a moment of its own, which is ours if nothing changed around it.
        let mut reading = session.read().await?;
        for (saved, table) in saved.iter_mut().zip(&tables) {
            if digest(&mut reading, table, transfer).await?.to_string() != saved.digest {
                saved.digest = String::new();
            }
        }
        reading.finish().await?;
        "all tables with transactions as they were at one moment".clone_into(&mut consistency);
        let changed = saved.iter().filter(|table| table.digest.is_empty()).count();
        if changed > 0 {
            consistency.push_str(&format!("; others wrote to {changed} of them meanwhile, so these can't be compared"));
        }
    }
    let mut manifest = manifest(config, about, Scope::Full, method, &server, saved)?;
    manifest.ledger = ledger;
    manifest.applied = applied(&state);
    manifest.consistency = consistency;
    if let Some(program) = &program {
        manifest.tool = format!("{}, with {}", manifest.tool, program.version);
    }
    let finished = tokio::task::spawn_blocking(move || draft.finish(manifest)).await;
    let finished = finished.map_err(|error| cut_off(&error))?;
    Ok(finished?)
}

/// What is recorded about the revisions that are applied, by their ids.
fn applied(state: &State) -> Vec<Applied> {
    let is_gone = |status| matches!(status, RecordedStatus::Reverted | RecordedStatus::Unstamped);
    let counted = state.records.iter().filter(|(_, record)| !is_gone(record.status));
    let mut applied: Vec<Applied> = counted
        .map(|(id, record)| Applied {
            revision: id.clone(),
            skipped: record.status == RecordedStatus::Skipped,
            checksum: record.checksum.map(|checksum| checksum.to_string()),
            sql_checksum: record.sql_checksum.map(|checksum| checksum.to_string()),
        })
        .collect();
    applied.sort_by(|one, other| one.revision.cmp(&other.revision));
    applied
}

fn no_moment(program: &Program) -> Error {
    Error::new(ErrorKind::Backup, format!("the server gives no snapshot that `{}` could use", program.name))
}

/// A table as a pattern of `pg_dump`.
fn pattern(table: &runner_database::TableName) -> String {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    match &table.schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(&table.name)),
        None => quoted(&table.name),
    }
}

fn described(table: &Table, columns: &[TableColumn], digest: &RowsDigest, member: &str) -> runner_backup::Table {
    runner_backup::Table {
        schema: table.schema.clone(),
        name: table.name.clone(),
        part: Part::Rows,
        columns: columns.iter().map(saved_column).collect(),
        key: table.key.clone(),
        rows: digest.rows(),
        digest: digest.to_string(),
        member: member.to_owned(),
        create: Vec::new(),
        complete: Vec::new(),
        connect: Vec::new(),
        counters: Vec::new(),
    }
}

/// The digest of what a table holds.
pub(super) async fn digest(
    reading: &mut Reading<'_>,
    table: &Table,
    transfer: &mut dyn Transfer,
) -> Result<RowsDigest> {
    let columns: Vec<TableColumn> = table.stored().cloned().collect();
    transfer.table(&table.full_name().to_string());
    let mut hear = |rows, bytes| transfer.passed(rows, bytes);
    let hear: &mut Hear<'_> = &mut hear;
    let mut digesting = super::rows::Listening::new(hear);
    reading.rows(Rows { table, columns: &columns }, &mut digesting).await?;
    Ok(digesting.finish())
}

/// What a program writes, on its way into a member. Dropped, the program is ended.
struct Copying {
    worker: Option<JoinHandle<Result<Member>>>,
    gives_up: Arc<AtomicBool>,
}

impl Copying {
    fn begin(mut running: Running, mut writer: MemberWriter) -> Self {
        let gives_up = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&gives_up);
        let worker = tokio::task::spawn_blocking(move || {
            drop(running.stdin());
            if let Some(mut stdout) = running.stdout() {
                let mut part = vec![0; CHUNK];
                loop {
                    let read = match stdout.read(&mut part) {
                        Ok(read) => read,
                        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                        Err(error) => {
                            let message = format!("what `{}` writes can't be read: {error}", running.name());
                            return Err(Error::new(ErrorKind::Io, message));
                        }
                    };
                    if read == 0 || stop.load(Ordering::Relaxed) {
                        break;
                    }
                    if writer.write_all(part.get(..read).unwrap_or_default()).is_err() {
                        // What has failed is told by finishing, and the program need not go on.
                        drop(running);
                        return Ok(writer.finish()?);
                    }
                }
            }
            if stop.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Backup, "the backup was given up"));
            }
            running.wait()?;
            Ok(writer.finish()?)
        });
        Self { worker: Some(worker), gives_up }
    }

    async fn finish(mut self) -> Result<Member> {
        let Some(worker) = self.worker.take() else { return Err(Error::new(ErrorKind::Backup, "nothing was saved")) };
        worker.await.map_err(|error| cut_off(&error))?
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        self.gives_up.store(true, Ordering::Relaxed);
    }
}

/// Takes a file into a member as it comes.
struct IntoFile {
    sender: mpsc::Sender<Vec<u8>>,
    worker: JoinHandle<std::result::Result<Member, runner_backup::BackupError>>,
}

impl IntoFile {
    fn begin(mut writer: MemberWriter) -> Self {
        let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(WAITING);
        let worker = tokio::task::spawn_blocking(move || {
            while let Some(part) = receiver.blocking_recv() {
                if writer.write_all(&part).is_err() {
                    // What has failed is told by finishing.
                    break;
                }
            }
            writer.finish()
        });
        Self { sender, worker }
    }

    async fn finish(self, read: runner_database::Result<u64>) -> Result<Member> {
        drop(self.sender);
        let written = self.worker.await.map_err(|error| cut_off(&error))?;
        match (read, written) {
            (Err(runner_database::Error::Stopped) | Ok(_), Err(error)) => Err(error.into()),
            (Err(error), _) => Err(error.into()),
            (Ok(bytes), Ok(member)) if member.plain_bytes == bytes => Ok(member),
            (Ok(bytes), Ok(member)) => Err(Error::new(
                ErrorKind::Backup,
                format!("the database gave {bytes} bytes, and {} were written", member.plain_bytes),
            )),
        }
    }
}

#[async_trait]
impl RowSink for IntoFile {
    async fn take(&mut self, part: Vec<u8>) -> std::result::Result<(), Stopped> {
        self.sender.send(part).await.map_err(|_| Stopped)
    }
}
