//! The scratch database of a rehearsal, and what is run on it.

use runner_chain::Dialect;
use runner_chain::Problem;
use runner_chain::Revision;
use runner_database::Access;
use runner_database::PreflightProblem;
use runner_database::RunInfo;
use runner_database::Schema;
use runner_database::Scratch;
use runner_database::Session;
use runner_database::TransactionMode;

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
    scratch: Option<Scratch>,
    session: Option<Session>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(rehearsal: &'a Rehearsal<'a>) -> Self {
        Stage { rehearsal, scratch: None, session: None }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.rehearsal.server.dialect()
    }

    /// Makes the database.
    pub(super) async fn open(&mut self) -> Result<()> {
        let options = self.rehearsal.config.database_options();
        let name = format!("runner_scratch_{}", run_id().replace('-', "_").to_ascii_lowercase());
        let scratch = self.scratch.insert(Scratch::create(self.rehearsal.server, options, &name).await?);
        let session = self.session.insert(Session::open(scratch.url(), options, Access::Write).await?);
        session.lock(self.rehearsal.config.lock_wait(), &me("test"), &mut |_, _| {}).await?;
        if !self.rehearsal.setup.is_empty() {
            let done = session.run_unrecorded(&self.rehearsal.setup).await;
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
            self.up(act).await?;
            self.seed(act.revision).await?;
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

    /// Takes a revision back.
    pub(super) async fn down(&mut self, act: &Act<'_>, down: &Result<Section>) -> Result<()> {
        debug_assert!(act.down.is_some());
        match down {
            Ok(section) => self.section(section).await,
            Err(error) => Err(error.clone()),
        }
    }

    /// Runs one section, recorded as in a run of its own.
    pub(super) async fn section(&mut self, (script, places): &Section) -> Result<()> {
        if self.rehearsal.is_beside_target
            && let Some(scratch) = &self.scratch
            && let Some(error) = refused(scratch.outside_of(script), places)
        {
            return Err(error);
        }
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
        let mut run = session.start_run(info, TransactionMode::PerRevision).await?;
        run.step(script, &mut |_| {}).await.map_err(|error| failure_of(error, script, places))?;
        Ok(run.finish().await?)
    }

    /// Adds the rows that belong to a revision, if there are any.
    pub(super) async fn seed(&mut self, revision: &Revision) -> Result<()> {
        let dialect = self.dialect();
        let Some(seeds) = &self.rehearsal.seeds else { return Ok(()) };
        let Some(seed) = seeds.of(&revision.id, dialect)? else { return Ok(()) };
        let done = self.session()?.run_unrecorded(&seed.statements).await;
        done.map_err(|error| Error::from(error).help(format!("this is about the rows in `{}`", seed.file)))
    }

    fn session(&mut self) -> Result<&mut Session> {
        self.session.as_mut().ok_or_else(|| Error::new(ErrorKind::Database, "the scratch database is gone"))
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
