//! Putting a whole database back. On PostgreSQL it is one transaction, on SQLite one of its pages, and in it everything is compared
//! with what was saved before it is committed. MySQL and MariaDB commit every definition, so the ledger says first what is about to
//! happen.

use std::io::BufReader;
use std::io::Read as _;
use std::path::Path;

use async_trait::async_trait;
use runner_backup::Backup;
use runner_backup::Keys;
use runner_backup::MemberReader;
use runner_database::Access;
use runner_database::DatabaseUrl;
use runner_database::Dialect;
use runner_database::Loading;
use runner_database::Placing;
use runner_database::RowSource;
use runner_database::Rows;
use runner_database::RunInfo;
use runner_database::Session;
use runner_database::Settled;
use runner_database::Stopped;
use runner_database::TableColumn;
use runner_database::VersionChange;
use tokio::sync::mpsc;

use super::programs;
use super::programs::Program;
use super::programs::Running;
use super::programs::Tool;
use super::restoring::Restored;
use super::restoring::compare;
use super::restoring::described;
use super::rows::FromMember;
use super::rows::Hear;
use super::rows::Listening;
use super::rows::cut_off;
use super::script;
use super::script::Piece;
use super::whole::LONG;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::output::Transfer;
use crate::pipeline;

/// So many parts wait for the other side.
const WAITING: usize = 8;

/// So many bytes of statements are run at a time, at least.
const BATCH: usize = 2 * 1024 * 1024;

/// A backup of a whole database, and where it goes.
pub(crate) struct Refill<'a> {
    pub(crate) config: &'a Config,
    /// Where it goes.
    pub(crate) url: &'a DatabaseUrl,
    pub(crate) backup: &'a Backup,
    pub(crate) keys: &'a Keys,
    /// Whether everything that is there is removed first.
    pub(crate) replaces: bool,
    /// Whether owners and privileges are left as whoever restores has them.
    pub(crate) without_owners: bool,
    /// Whether the database is one for a trial: nothing may begin to work in it by itself.
    pub(crate) is_trial: bool,
}

/// What the target's own tables say afterwards.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) info: RunInfo,
    pub(crate) change: VersionChange,
    pub(crate) settled: Vec<Settled>,
    /// The revision that stands for all of it until it is done.
    pub(crate) unsettled: Option<String>,
}

/// Makes sure that what a restore needs is there.
pub(crate) fn prepare(config: &Config, session: &Session) -> Result<()> {
    let server = session.server();
    match session.dialect() {
        Dialect::Sqlite | Dialect::Mysql => Ok(()),
        Dialect::Postgres => programs::find(config, Tool::PgRestore, server).map(drop),
    }
}

impl Refill<'_> {
    /// Puts it into a target whose lock is held. Without a record it is a trial, of a database that is not kept.
    pub(crate) async fn run(
        &self,
        session: &mut Session,
        record: Option<Record>,
        transfer: &mut dyn Transfer,
    ) -> Result<Restored> {
        let tables = &self.backup.manifest().tables;
        transfer.begin(self.backup.name(), tables.iter().map(|table| table.rows).sum());
        let done = match session.dialect() {
            Dialect::Sqlite => self.sqlite(session, record, transfer).await,
            Dialect::Postgres => self.postgres(session, record, transfer).await,
            Dialect::Mysql => self.mysql(session, record, transfer).await,
        };
        transfer.end();
        done?;
        let tables = tables.iter().map(|table| (described(table).full_name().to_string(), table.rows)).collect();
        Ok(Restored { tables, made: 0 })
    }

    /// The member with everything but the ledger.
    fn member(&self) -> Result<&str> {
        let manifest = self.backup.manifest();
        let ledger = manifest.ledger.as_ref().map(|table| table.member.as_str());
        let member = manifest.members.iter().find(|member| Some(member.file.as_str()) != ledger);
        let member = member.ok_or_else(|| Error::new(ErrorKind::Backup, "the backup holds no database"))?;
        Ok(&member.file)
    }

    /// The member with what the database does at certain times.
    fn events(&self) -> Option<&str> {
        let manifest = self.backup.manifest();
        let main = self.member().ok()?;
        let is_it = |file: &str| file.contains("-events.sql") && file != main;
        let member = manifest.members.iter().find(|member| is_it(&member.file));
        member.filter(|_| !self.is_trial).map(|member| member.file.as_str())
    }

    fn reader(&self) -> Result<MemberReader> {
        Ok(self.backup.read(self.member()?, self.keys)?)
    }

    async fn postgres(&self, session: &mut Session, record: Option<Record>, transfer: &mut dyn Transfer) -> Result<()> {
        let program = programs::find(self.config, Tool::PgRestore, session.server())?;
        let major = session.server().version.split('.').next().and_then(|text| text.parse().ok()).unwrap_or_default();
        let before = script::definitions(&self.section(&program, "pre-data").await?, major)?;
        let behind = script::definitions(&self.section(&program, "post-data").await?, major)?;
        let mut loading = session.load(&[]).await?;
        if self.replaces {
            loading.clear().await?;
        }
        run(&mut loading, &before).await?;
        self.rows(&program, &mut loading, major, transfer).await?;
        run(&mut loading, &behind).await?;
        self.ledger(&mut loading, record.is_some()).await?;
        self.compare_within(&mut loading, transfer).await?;
        keep(loading, record).await
    }

    /// What the program says about a section without rows.
    async fn section(&self, program: &Program, section: &str) -> Result<String> {
        let mut running = program.start(None, &self.arguments(section))?;
        let reader = self.reader()?;
        tokio::task::spawn_blocking(move || {
            feed(reader, &mut running);
            let mut text = String::new();
            let read = running.stdout().map(|mut stdout| stdout.read_to_string(&mut text)).transpose();
            running.wait()?;
            read.map_err(|error| Error::new(ErrorKind::Backup, format!("`pg_restore` can't be read: {error}")))?;
            Ok(text)
        })
        .await
        .map_err(|error| cut_off(&error))?
    }

    fn arguments(&self, section: &str) -> Vec<String> {
        let mut arguments = vec!["--file=-".to_owned(), format!("--section={section}")];
        if self.without_owners {
            arguments.extend(["--no-owner".to_owned(), "--no-privileges".to_owned()]);
        }
        arguments
    }

    async fn rows(
        &self,
        program: &Program,
        loading: &mut Loading<'_>,
        server_major: u32,
        transfer: &mut dyn Transfer,
    ) -> Result<()> {
        let mut running = program.start(None, &self.arguments("data"))?;
        let reader = self.reader()?;
        let (sender, mut pieces) = mpsc::channel::<Piece>(WAITING);
        let worker = tokio::task::spawn_blocking(move || {
            feed(reader, &mut running);
            if let Some(stdout) = running.stdout() {
                let mut is_wanted = true;
                let read = script::rows(BufReader::with_capacity(256 * 1024, stdout), server_major, &mut |piece| {
                    is_wanted = sender.blocking_send(piece).is_ok();
                    is_wanted
                });
                if !is_wanted {
                    // The database has had enough, and says why.
                    return Ok(());
                }
                // Why the text ends too early, the program knows best.
                running.wait()?;
                return read
                    .map_err(|error| Error::new(ErrorKind::Backup, format!("`pg_restore` can't be read: {error}")));
            }
            running.wait()
        });
        let mut loaded = Ok(());
        while let Some(piece) = pieces.recv().await {
            loaded = match piece {
                Piece::Statement(statement) => run(loading, &[statement]).await,
                Piece::Copy(copy) => {
                    transfer.table(copy.split_whitespace().nth(1).unwrap_or_default());
                    let mut source = Pieces { pieces: &mut pieces, transfer };
                    loading.script_rows(&copy, &mut source).await.map(drop).map_err(Error::from)
                }
                Piece::Rows(_) | Piece::End => Ok(()),
            };
            if loaded.is_err() {
                break;
            }
        }
        drop(pieces);
        let read = worker.await.map_err(|error| cut_off(&error))?;
        match (loaded, read) {
            // The rows were cut off by what the program says.
            (_, Err(error)) => Err(error),
            (loaded, Ok(())) => loaded,
        }
    }

    async fn mysql(&self, session: &mut Session, record: Option<Record>, transfer: &mut dyn Transfer) -> Result<()> {
        if let Some(Record { info, unsettled: Some(revision), .. }) = &record {
            let reason = format!("the backup `{}` is being restored", self.backup.name());
            session.unsettle(info.clone(), revision, &reason).await?;
        }
        let is_kept = record.is_some();
        let done = self.mysql_statements(session, record, transfer).await;
        done.map_err(|error| {
            if !is_kept {
                return error;
            }
            error.help(format!(
                "the database may hold only a part of the backup now: `runner backup restore {} --replace` puts all of it back",
                self.backup.name()
            ))
        })
    }

    async fn mysql_statements(
        &self,
        session: &mut Session,
        record: Option<Record>,
        transfer: &mut dyn Transfer,
    ) -> Result<()> {
        // By our own session: what a client program was told goes on for a while after we have died.
        let mut loading = session.load(&[]).await?;
        if self.replaces {
            loading.clear().await?;
        }
        for member in [Some(self.member()?), self.events()].into_iter().flatten() {
            self.statements(&mut loading, member).await?;
        }
        loading.abort().await?;
        let mut reading = session.read().await?;
        for saved in &self.backup.manifest().tables {
            let found = super::whole::digest(&mut reading, &described(saved), transfer).await?;
            compare(saved, &found, "the restored table holds")?;
        }
        reading.finish().await?;
        let mut loading = session.load(&[]).await?;
        self.ledger(&mut loading, record.is_some()).await?;
        keep(loading, record).await
    }

    /// Runs the statements of a member.
    async fn statements(&self, loading: &mut Loading<'_>, member: &str) -> Result<()> {
        let reader = self.backup.read(member, self.keys)?;
        let (sender, mut batches) = mpsc::channel::<Vec<String>>(2);
        let worker = tokio::task::spawn_blocking(move || {
            let (mut batch, mut length) = (Vec::new(), 0);
            let mut is_wanted = true;
            let read = script::statements(BufReader::with_capacity(256 * 1024, reader), &mut |statement| {
                length += statement.len();
                batch.push(statement);
                if length >= BATCH {
                    length = 0;
                    is_wanted = sender.blocking_send(std::mem::take(&mut batch)).is_ok();
                }
                is_wanted
            });
            if read.is_ok() && is_wanted && !batch.is_empty() {
                // Whoever wants no more says why.
                let _ = sender.blocking_send(batch);
            }
            read
        });
        let mut done = Ok(());
        while let Some(batch) = batches.recv().await {
            done = run(loading, &batch).await;
            if done.is_err() {
                break;
            }
        }
        drop(batches);
        let read = worker.await.map_err(|error| cut_off(&error))?;
        read.map_err(|error| super::rows::read_failed(member, error))?;
        done
    }

    /// Puts the saved ledger into an empty one.
    async fn ledger(&self, loading: &mut Loading<'_>, is_kept: bool) -> Result<()> {
        let Some(saved) = self.backup.manifest().ledger.as_ref().filter(|_| is_kept) else { return Ok(()) };
        let mut table = loading.ledger_table();
        let there = loading.ask(format!("SELECT 'full' FROM {} LIMIT 1", table.sql_name(self.url.dialect()))).await?;
        if !there.is_empty() {
            return Ok(());
        }
        let wanted = |column: &TableColumn| saved.columns.iter().any(|one| one.name == column.name);
        table.columns.retain(wanted);
        let columns = table.columns.clone();
        let mut silent = |_, _| {};
        let hear: &mut Hear<'_> = &mut silent;
        let mut source = FromMember::begin(self.backup.read(&saved.member, self.keys)?, &saved.member, hear);
        let loaded = loading.rows(Rows { table: &table, columns: &columns }, Placing::Insert, &mut source).await;
        compare(saved, &source.finish(loaded)?, "its file holds")?;
        Ok(loading.read_tail().await?)
    }

    async fn compare_within(&self, loading: &mut Loading<'_>, transfer: &mut dyn Transfer) -> Result<()> {
        for saved in &self.backup.manifest().tables {
            let table = described(saved);
            transfer.table(&format!("{} (comparing)", table.full_name()));
            let mut silent = |_, _| {};
            let hear: &mut Hear<'_> = &mut silent;
            let mut listening = Listening::new(hear);
            let columns: Vec<TableColumn> = table.stored().cloned().collect();
            loading.read(Rows { table: &table, columns: &columns }, &mut listening).await?;
            compare(saved, &listening.finish(), "the restored table holds")?;
        }
        Ok(())
    }

    async fn sqlite(&self, session: &mut Session, record: Option<Record>, transfer: &mut dyn Transfer) -> Result<()> {
        // Beside the database, where there is room for it, and where nobody can read it who can't read the database.
        let beside = self.url.file().and_then(Path::parent).map_or_else(std::env::temp_dir, Path::to_owned);
        let folder = tempfile::Builder::new().prefix(".runner-restore-").tempdir_in(&beside).map_err(|error| {
            Error::new(ErrorKind::Io, format!("no folder can be made in `{}`: {error}", beside.display()))
        })?;
        let file = folder.path().join("database");
        let mut reader = self.reader()?;
        let written = file.clone();
        tokio::task::spawn_blocking(move || {
            let failed = |error: std::io::Error| {
                Error::new(ErrorKind::Io, format!("`{}` can't be written: {error}", written.display()))
            };
            let mut out = std::fs::File::create_new(&written).map_err(failed)?;
            copy(&mut reader, &mut out)?;
            out.sync_all().map_err(failed)
        })
        .await
        .map_err(|error| cut_off(&error))??;
        let url = DatabaseUrl::parse("sqlite://database", folder.path())?;
        let mut prepared = Session::open(&url, self.config.database_options(), Access::Write).await?;
        prepared.lock(self.config.lock_wait(), &pipeline::me("restore"), &mut |_, _| {}).await?;
        let mut reading = prepared.read().await?;
        let found = reading.ask("PRAGMA integrity_check(5)".to_owned(), LONG).await?;
        let found: Vec<String> = found.into_iter().flatten().flatten().flatten().collect();
        if found != ["ok"] {
            let message = format!("the saved database is damaged: {}", found.join("; "));
            return Err(Error::new(ErrorKind::Backup, message).help("restore another backup; nothing was changed"));
        }
        for saved in &self.backup.manifest().tables {
            let found = super::whole::digest(&mut reading, &described(saved), transfer).await?;
            compare(saved, &found, "its file holds")?;
        }
        reading.finish().await?;
        prepared.close().await?;
        let Some(record) = record else { return Ok(()) };
        if session.state().await?.tail.is_some() {
            session.carry_books(&file).await?;
        }
        let mut prepared = Session::open(&url, self.config.database_options(), Access::Write).await?;
        prepared.lock(self.config.lock_wait(), &pipeline::me("restore"), &mut |_, _| {}).await?;
        let loading = prepared.load(&[]).await?;
        // Its version rows are those of the backup already.
        keep(loading, Some(Record { change: VersionChange::default(), ..record })).await?;
        prepared.close().await?;
        Ok(session.become_copy(&file).await?)
    }
}

async fn run(loading: &mut Loading<'_>, statements: &[String]) -> Result<()> {
    loading.run(statements).await.map_err(|error| {
        let place = match &error {
            runner_database::Error::Statement(failed) => statements.get(failed.index),
            _ => None,
        };
        let place = place.map(|statement| statement.chars().take(200).collect::<String>());
        let error = Error::from(error);
        match place {
            Some(statement) => error.help(format!("the statement of the backup is `{statement}`")),
            None => error,
        }
    })
}

async fn keep(loading: Loading<'_>, record: Option<Record>) -> Result<()> {
    match record {
        Some(Record { info, change, settled, .. }) => Ok(loading.commit_settled(Some(info), &change, &settled).await?),
        None => Ok(loading.commit(None, &VersionChange::default()).await?),
    }
}

/// Gives a member to a program on a thread of its own. A program that has read enough closes its end.
fn feed(mut reader: MemberReader, running: &mut Running) {
    if let Some(mut stdin) = running.stdin() {
        // What is missing, the program notices, or the comparison in the end.
        std::thread::spawn(move || std::io::copy(&mut reader, &mut stdin).map(drop));
    }
}

fn copy(reader: &mut MemberReader, into: &mut impl std::io::Write) -> Result<()> {
    let mut part = vec![0; 256 * 1024];
    loop {
        let read = reader.read(&mut part).map_err(|error| super::rows::read_failed("the database", error))?;
        if read == 0 {
            return Ok(());
        }
        let written = into.write_all(part.get(..read).unwrap_or_default());
        written.map_err(|error| Error::new(ErrorKind::Io, format!("the backup can't be written on: {error}")))?;
    }
}

/// The rows of one table of a script.
struct Pieces<'a, 'b> {
    pieces: &'a mut mpsc::Receiver<Piece>,
    transfer: &'b mut dyn Transfer,
}

#[async_trait]
impl RowSource for Pieces<'_, '_> {
    async fn next(&mut self) -> std::result::Result<Option<Vec<u8>>, Stopped> {
        match self.pieces.recv().await {
            Some(Piece::Rows(rows)) => {
                let count = rows.iter().filter(|byte| **byte == b'\n').count();
                self.transfer.passed(count as u64, rows.len() as u64);
                Ok(Some(rows))
            }
            Some(Piece::End) => Ok(None),
            Some(Piece::Statement(_) | Piece::Copy(_)) | None => Err(Stopped),
        }
    }
}
