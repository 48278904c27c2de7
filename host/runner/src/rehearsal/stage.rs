//! The scratch database of a rehearsal, and what is run on it.

use runner_chain::Dialect;
use runner_chain::Problem;
use runner_chain::Revision;
use runner_database::Access;
use runner_database::Options;
use runner_database::PreflightProblem;
use runner_database::RunInfo;
use runner_database::Schema;
use runner_database::Scratch;
use runner_database::ScriptStatement;
use runner_database::Session;
use runner_database::TransactionMode;
use tokio::task::JoinHandle;

use super::Act;
use super::Rehearsal;
use super::Section;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::pipeline::actor;
use crate::pipeline::failure_of;
use crate::pipeline::host;
use crate::pipeline::me;
use crate::pipeline::run_id;

/// A scratch database that is in use.
pub(super) struct Stage<'a> {
    rehearsal: &'a Rehearsal<'a>,
    /// The scratch database while it is made.
    making: Option<JoinHandle<runner_database::Result<Scratch>>>,
    scratch: Option<Scratch>,
    session: Option<Session>,
}

const MAY_CREATE: &str = "the account must be allowed to create databases: `ALTER ROLE … CREATEDB` on PostgreSQL, `GRANT ALL ON *.*` on \
                          MariaDB and MySQL; or name another server with `--server`";

impl<'a> Stage<'a> {
    pub(super) fn new(rehearsal: &'a Rehearsal<'a>) -> Self {
        Stage { rehearsal, making: None, scratch: None, session: None }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.rehearsal.server.dialect()
    }

    /// Product and version of the server.
    pub(super) fn server(&mut self) -> Result<String> {
        let server = self.session()?.server();
        Ok(format!("{} {}", server.product, server.version))
    }

    /// Makes the database.
    pub(super) async fn open(&mut self) -> Result<()> {
        let options = &own_tables(self.rehearsal.config.database_options());
        let name = format!("runner_scratch_{}", run_id().replace('-', "_").to_ascii_lowercase());
        // Whoever stops waiting must not leave it behind.
        let (server, with) = (self.rehearsal.server.clone(), options.clone());
        let making = self.making.insert(tokio::spawn(async move { Scratch::create(&server, &with, &name).await }));
        let made = making.await;
        self.making = None;
        let made = made.map_err(|error| Error::new(ErrorKind::Io, format!("a task was cut off: {error}")))?;
        let scratch = self.scratch.insert(made.map_err(|error| Error::from(error).help(MAY_CREATE))?);
        let session = self.session.insert(Session::open(scratch.url(), options, Access::Write).await?);
        session.lock(self.rehearsal.config.lock_wait(), &me("test"), &mut |_, _| {}).await?;
        let rehearsal = self.rehearsal;
        if !rehearsal.setup.is_empty() {
            self.stays_inside(&rehearsal.setup, "the file given with `--setup`", &[])?;
            let done = self.session()?.run_unrecorded(&rehearsal.setup).await;
            done.map_err(|error| Error::from(error).help("this is about the file given with `--setup`"))?;
        }
        Ok(())
    }

    /// Removes it.
    pub(super) async fn close(&mut self) -> Result<()> {
        if let Some(session) = self.session.take() {
            // The database goes anyway.
            let _ = session.close().await;
        }
        if let Some(Ok(Ok(scratch))) = match self.making.take() {
            Some(making) => Some(making.await),
            None => None,
        } {
            self.scratch = Some(scratch);
        }
        match self.scratch.take() {
            Some(scratch) => {
                let name = scratch.url().to_string();
                let hint = format!("remove it by hand: `{name}`");
                Ok(scratch.remove().await.map_err(|error| Error::from(error).help(hint))?)
            }
            None => Ok(()),
        }
    }

    /// A fresh database with these revisions.
    pub(super) async fn rebuild(&mut self, acts: &[Act<'_>]) -> Result<()> {
        self.close().await?;
        self.open().await?;
        for act in acts {
            self.apply(act).await?;
        }
        Ok(())
    }

    pub(super) async fn schema(&mut self) -> Result<Schema> {
        Ok(self.session()?.schema().await?)
    }

    /// Applies a revision.
    pub(super) async fn up(&mut self, act: &Act<'_>) -> Result<()> {
        match &act.up {
            Ok(section) => self.section(section).await,
            Err(error) => Err(error.clone()),
        }
    }

    /// Applies a revision for good: with the rows that belong to it.
    pub(super) async fn apply(&mut self, act: &Act<'_>) -> Result<()> {
        self.up(act).await?;
        self.seed(act.revision).await
    }

    /// Takes a revision back.
    pub(super) async fn down(&mut self, down: &Result<Section>) -> Result<()> {
        match down {
            Ok(section) => self.section(section).await,
            Err(error) => Err(error.clone()),
        }
    }

    /// Runs one section, recorded as in a run of its own.
    pub(super) async fn section(&mut self, (script, places): &Section) -> Result<()> {
        self.stays_inside(&script.statements, &format!("revision `{}`", script.revision), places)?;
        let info = RunInfo {
            run_id: run_id(),
            command: "test".to_owned(),
            environment: self.rehearsal.config.environment.clone(),
            actor: actor(),
            host: host(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            plugins: serde_json::Value::Null,
            evidence: serde_json::Value::Null,
        };
        let session = self.session()?;
        let steps = std::slice::from_ref(script);
        if let Some(error) = refused(session.preflight(steps, TransactionMode::PerRevision), places) {
            return Err(error);
        }
        // Each section ends as a whole, or the database is made anew.
        session.nothing_is_half_done();
        let mut run = session.start_run(info, TransactionMode::PerRevision).await?;
        run.step(script, &mut |_| {}).await.map_err(|error| failure_of(error, script, places))?;
        Ok(run.finish().await?)
    }

    /// Adds the rows that belong to a revision, if there are any.
    pub(super) async fn seed(&mut self, revision: &Revision) -> Result<()> {
        let dialect = self.dialect();
        let Some(seeds) = &self.rehearsal.seeds else { return Ok(()) };
        let Some(seed) = seeds.of(&revision.id, dialect)? else { return Ok(()) };
        self.stays_inside(&seed.statements, &format!("`{}`", seed.file), &[])?;
        let done = self.session()?.run_unrecorded(&seed.statements).await;
        done.map_err(|error| Error::from(error).help(format!("this is about the rows in `{}`", seed.file)))
    }

    /// Refuses statements that would change more than the scratch database.
    fn stays_inside(&self, statements: &[ScriptStatement], whose: &str, places: &[Problem]) -> Result<()> {
        let Some(scratch) = &self.scratch else { return Ok(()) };
        let found = scratch.outside_of(statements, !self.rehearsal.is_beside_target);
        if found.is_empty() {
            return Ok(());
        }
        let mut error = Error::new(ErrorKind::Chain, format!("{whose} can't be tried"));
        let mut problems = Vec::new();
        for outside in found {
            match places.get(outside.statement) {
                Some(place) => problems.push(Problem {
                    message: outside.message(),
                    help: Some(outside.help().to_owned()),
                    ..place.clone()
                }),
                None => {
                    let number = outside.statement + 1;
                    error = error.help(format!("statement {number}: {}; {}", outside.message(), outside.help()));
                }
            }
        }
        Err(error.at(problems))
    }

    fn session(&mut self) -> Result<&mut Session> {
        self.session.as_mut().ok_or_else(|| Error::new(ErrorKind::Database, "the scratch database is gone"))
    }
}

/// The options of the target, with the runner's own tables in the scratch database: their names may lead into another schema, which
/// is not there, or on MySQL into another database, which may be the target.
pub(crate) fn own_tables(options: &Options) -> Options {
    let table = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    Options {
        version_table: table(&options.version_table),
        ledger_table: table(&options.ledger_table),
        ..options.clone()
    }
}

/// The error for statements that must not run as they stand.
fn refused(found: Vec<PreflightProblem>, places: &[Problem]) -> Option<Error> {
    let first = found.first()?;
    let mut error = Error::new(ErrorKind::Chain, format!("revision `{}` can't run as it stands", first.revision));
    let mut problems = Vec::new();
    for PreflightProblem { statement, message, help, .. } in found {
        match statement.and_then(|statement| places.get(statement)) {
            Some(place) => problems.push(Problem { message, help: Some(help), ..place.clone() }),
            None => error = error.help(format!("{message}; {help}")),
        }
    }
    Some(error.at(problems))
}
