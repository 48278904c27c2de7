//! Where things stand: the chain, the database and the policies, gathered side by side.

use std::collections::BTreeSet;

use runner_chain::Chain;
use runner_chain::Revision;
use runner_chain::RevisionId;
use runner_chain::Selector;
use runner_chain::Versions;
use runner_chain::directory;
use runner_chain::planning;
use runner_database::Access;
use runner_database::Beginning;
use runner_database::Dialect;
use runner_database::Session;
use runner_database::State;
use runner_policy::Identity;
use runner_policy::Policies;
use runner_policy::Role;
use runner_policy::data;

use super::context::policy_host;
use super::drift;
use super::drift::Drift;
use super::remembered;
use super::remembered::Reading;
use super::sources::plugin_set;
use crate::config::Config;
use crate::ending;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// Reads the chain. A folder without revisions is an error: a deployment that copied the wrong folder must not hear that
/// there is nothing to do.
pub(crate) fn load_chain(config: &Config) -> Result<Chain> {
    Ok(directory::load(&config.migrations)?)
}

/// Reads the chain for a command that shows something of it, and neither writes nor verifies files.
pub(crate) fn look_at_chain(config: &Config) -> Result<Chain> {
    let folders = directory::Folders::open(&config.migrations)?;
    Ok(remembered::load(&config.migrations, folders, Reading::Remembered)?)
}

/// The chain, and where the database is if that is wanted; otherwise no database is opened.
pub(crate) async fn chain_and_versions(
    config: &Config,
    wants_versions: bool,
    reading: Reading,
) -> Result<(Chain, Option<Versions>)> {
    if !wants_versions {
        let folders = directory::Folders::open(&config.migrations)?;
        return Ok((remembered::load(&config.migrations, folders, reading)?, None));
    }
    let database = Database::open(config, Access::Read, reading).await?;
    Ok((database.chain, Some(database.versions)))
}

/// The rows of the version table as identifiers.
pub(crate) fn versions(state: &State) -> Result<Versions> {
    let rows: std::result::Result<Vec<RevisionId>, String> =
        state.versions.iter().map(|row| RevisionId::new(row).map_err(|_| row.clone())).collect();
    match rows {
        Ok(rows) => Ok(rows.into_iter().collect()),
        Err(row) => {
            Err(Error::new(ErrorKind::Drift, format!("the version table holds `{row}`, which is no revision id"))
                .help("is it the version table of another tool? `version-table` in `[database]` names ours"))
        }
    }
}

/// The chain and the database, found to agree.
pub(crate) struct Database {
    pub(crate) chain: Chain,
    pub(crate) dialect: Dialect,
    pub(crate) state: State,
    pub(crate) versions: Versions,
    /// What is odd, but stops nothing.
    pub(crate) warnings: Vec<String>,
    /// Stand in for the files of revisions that are to be forgotten. In plans they have the positions after those of the chain.
    pub(super) forgotten: Vec<Revision>,
    lost: Option<Error>,
    /// Why nothing could be run, as far as that was tolerated.
    pub(crate) contradiction: Option<Error>,
    tolerance: Tolerance,
}

/// How much drift is no error, because it is about to be repaired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tolerance {
    /// None.
    None,
    /// Edited, removed and inserted revisions.
    Edits,
    /// Any, because it is only looked at.
    All,
}

impl Database {
    /// Opens the database, compares it with the chain, and closes it.
    pub(crate) async fn open(config: &Config, access: Access, reading: Reading) -> Result<Self> {
        let (opened, chain) = chain_and_session(config, access, reading).await;
        let (chain, (session, state)) = (chain?, opened?);
        let dialect = session.dialect();
        leave(session).await?;
        Self::compare(chain, dialect, state?, config, Tolerance::None)
    }

    /// Opens the database for reading, whatever contradicts the chain; see [`contradiction`](Self::contradiction).
    pub(crate) async fn open_as_it_is(config: &Config, reading: Reading) -> Result<Self> {
        let (opened, chain) = chain_and_session(config, Access::Read, reading).await;
        let (chain, (session, state)) = (chain?, opened?);
        let dialect = session.dialect();
        leave(session).await?;
        Self::compare(chain, dialect, state?, config, Tolerance::All)
    }

    /// The chain next to what was read of a database.
    pub(crate) fn of(chain: Chain, state: State, dialect: Dialect, config: &Config) -> Result<Self> {
        Self::compare(chain, dialect, state, config, Tolerance::None)
    }

    pub(super) fn compare(
        chain: Chain,
        dialect: Dialect,
        state: State,
        config: &Config,
        tolerance: Tolerance,
    ) -> Result<Self> {
        let mut database = Database {
            chain,
            dialect,
            state,
            versions: Versions::none(),
            warnings: Vec::new(),
            forgotten: Vec::new(),
            lost: None,
            contradiction: None,
            tolerance,
        };
        let checked = database.check(config);
        let is_wrong = checked.is_err() || database.contradiction.is_some();
        // What is wrong is said of the files alone.
        if !is_wrong || !database.read_again_if_remembered(config)? {
            checked?;
        }
        Ok(database)
    }

    /// Prepares for a revision without a file to be forgotten.
    pub(super) fn forget(&mut self, id: &str) -> Result<()> {
        let wrong = |message: String| Err(Error::new(ErrorKind::Selector, message));
        if self.chain.get(id).is_some() {
            return wrong(format!("`{id}` has a file; only what is gone from the files can be forgotten"));
        }
        let is_half_done = self.state.dirty.iter().any(|dirty| dirty.revision == id);
        if !is_half_done && !self.state.records.contains_key(id) {
            return wrong(format!("the ledger knows no revision `{id}`"));
        }
        if self.stand_in(id) { Ok(()) } else { wrong(format!("`{id}` is no revision id")) }
    }

    /// Prepares for everything to be forgotten that the database has and no file.
    pub(super) fn forget_all(&mut self) {
        let rows = self.versions.iter().map(ToString::to_string);
        let records = self.state.records.iter().filter(|(_, record)| drift::counts(record)).map(|(id, _)| id.clone());
        let dirty = self.state.dirty.iter().map(|dirty| dirty.revision.clone());
        let gone: BTreeSet<String> =
            rows.chain(records).chain(dirty).filter(|id| self.chain.get(id).is_none()).collect();
        self.forgotten.clear();
        for id in gone {
            self.stand_in(&id);
        }
    }

    /// Something in the place of a file that is gone; `false`: it can't have been one.
    fn stand_in(&mut self, id: &str) -> bool {
        let text = format!("-- (its file is gone)\n--\n-- Revision ID: {id}\n-- Revises: base\n\n-- migrate:up\n");
        let revision = runner_chain::parse_revision(&format!("{id}.sql"), text.as_bytes());
        let is_id = revision.is_ok();
        self.forgotten.extend(revision.ok());
        is_id
    }

    /// The revision of a step.
    pub(super) fn revision(&self, position: usize) -> Option<&Revision> {
        let behind = || self.forgotten.get(position.checked_sub(self.chain.len())?);
        self.chain.revisions().get(position).or_else(behind)
    }

    /// Refuses to go on from version rows that contradict the ledger; only a stamp can settle that.
    pub(super) fn refuse_lost_rows(&self) -> Result<()> {
        self.lost.clone().map_or(Ok(()), Err)
    }

    /// Makes sure that the files of revisions that are in a plan were read by this command. Where one of them is not as it is
    /// remembered, all files are read. `true`: that was so, and the plan is to be made again.
    pub(super) fn read_again_if_changed<'a>(
        &mut self,
        planned: impl IntoIterator<Item = &'a str>,
        config: &Config,
    ) -> Result<bool> {
        let planned = planned.into_iter().filter_map(|id| self.chain.get(id));
        if !directory::have_changed(&config.migrations, planned.filter(|revision| revision.is_remembered())) {
            return Ok(false);
        }
        self.read_again(config)?;
        Ok(true)
    }

    /// Reads all files, if any of them was remembered. `true`: that was so.
    pub(super) fn read_again_if_remembered(&mut self, config: &Config) -> Result<bool> {
        let is_remembered = self.chain.revisions().iter().any(Revision::is_remembered);
        if is_remembered {
            self.read_again(config)?;
        }
        Ok(is_remembered)
    }

    fn read_again(&mut self, config: &Config) -> Result<()> {
        self.chain = remembered::load_anew(&config.migrations)?;
        self.check(config)
    }

    /// Reads the state again, because another process may have changed it. `true`: it has.
    pub(super) async fn refresh(&mut self, session: &mut Session, config: &Config) -> Result<bool> {
        let state = session.state().await?;
        if state == self.state {
            return Ok(false);
        }
        self.state = state;
        self.check(config)?;
        Ok(true)
    }

    fn check(&mut self, config: &Config) -> Result<()> {
        self.versions = versions(&self.state)?;
        let drift = Drift::between(&self.chain, &self.state, &self.versions);
        match self.tolerance {
            Tolerance::None => drift.refuse(config)?,
            Tolerance::Edits => drift.refuse_unknown(config)?,
            Tolerance::All => self.contradiction = drift.refuse(config).err(),
        }
        tracing::debug!("chain and database are compared");
        self.lost = drift.lost_rows();
        self.warnings = drift.warnings();
        self.warnings.extend(self.lost.as_ref().map(ToString::to_string));
        Ok(())
    }
}

/// Ends a session that has only read. A server notices by itself.
async fn leave(session: Session) -> Result<()> {
    if ending::is_near() && session.dialect() == Dialect::Sqlite {
        session.close_at_exit().await?;
    }
    Ok(())
}

/// Runs a future on a thread of its own.
async fn aside<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T> {
    let runtime = tokio::runtime::Handle::current();
    let done = tokio::task::spawn_blocking(move || runtime.block_on(work)).await;
    done.map_err(|error| Error::new(ErrorKind::Io, format!("a thread was cut off: {error}")))
}

/// Opens the database and reads its state. A state that somebody keeps from being read is an error of its own, because the
/// session is still good for waiting.
async fn session(config: &Config, access: Access) -> Result<(Session, runner_database::Result<State>)> {
    let mut session = Session::open(config.database_url()?, config.database_options(), access).await?;
    let state = session.state().await;
    tracing::debug!("the database is open");
    Ok((session, state))
}

/// The chain, and side by side the database. More threads wait for each other's wake-up more than they work, so the chain
/// gets one of its own only if it is long. It must not be the session that moves: this thread hears the network.
pub(super) async fn chain_and_session(
    config: &Config,
    access: Access,
    reading: Reading,
) -> (Result<(Session, runner_database::Result<State>)>, Result<Chain>) {
    let opened = session(config, access);
    // Polled first, so that the database is busy while this thread lists the files.
    let chain = async {
        let folders = directory::Folders::open(&config.migrations)?.with_checksums();
        if !folders.is_long() {
            let chain = folders.load();
            tracing::debug!("the chain is read");
            return Ok(chain?);
        }
        let locations = config.migrations.clone();
        let chain = aside(async move {
            let chain = remembered::load(&locations, folders, reading);
            tracing::debug!("the chain is read");
            chain
        });
        Ok(chain.await??)
    };
    tokio::join!(opened, chain)
}

/// Where the state comes from that a plan begins with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    /// From the target.
    Target(Access),
    /// From the chain: where a database is after `stamp` with this selector.
    Nowhere {
        /// The selector.
        start: &'a str,
    },
}

/// The chain, and instead of a database what is assumed of one.
fn nowhere(config: &Config, start: &str) -> (Result<(Session, runner_database::Result<State>)>, Result<Chain>) {
    let chain = match load_chain(config) {
        Ok(chain) => chain,
        Err(error) => return (Err(error.clone()), Err(error)),
    };
    let opened = assumed(config, &chain, start);
    (opened, Ok(chain))
}

fn assumed(config: &Config, chain: &Chain, start: &str) -> Result<(Session, runner_database::Result<State>)> {
    let start: Selector = start.parse()?;
    let plan = planning::stamp(chain, &Versions::none(), &[start])?;
    let versions = plan.after.iter().map(ToString::to_string).collect();
    let state = State { versions, exists: true, ..State::default() };
    let beginning = Beginning { state: state.clone(), ..Beginning::default() };
    let session = Session::transcript(config.database_url()?, config.database_options(), None, beginning)?;
    Ok((session, Ok(state)))
}

/// What a run needs.
pub(super) struct Gathered {
    pub(super) policies: Policies,
    pub(super) identity: Identity,
    /// The rest, which may be missing; the policies may want to tell somebody of that.
    pub(super) opened: Result<Opened>,
}

/// The chain, and the database as far as it can be read.
pub(super) struct Opened {
    pub(super) chain: Chain,
    pub(super) session: Session,
    pub(super) state: runner_database::Result<State>,
}

/// Everything that a run needs, gathered side by side: the policies on a thread of their own, where they also say which
/// environment the context is about.
pub(super) async fn gather(
    config: &Config,
    place: Place<'_>,
    reading: Reading,
    roles: Vec<Role>,
    context: data::Context,
) -> Result<Gathered> {
    let set = plugin_set(config).await?;
    config.database_url()?;
    let (host, dialect) = (policy_host(), context.target.dialect);
    let policies = aside(async move {
        let policies = Policies::load_but_lint(&host, &set, &roles, dialect).await;
        let identity = policies.identify(&context).await;
        tracing::debug!("the environment is identified");
        (policies, identity)
    });
    let opened = async {
        match place {
            Place::Target(access) => chain_and_session(config, access, reading).await,
            Place::Nowhere { start } => nowhere(config, start),
        }
    };
    let (policies, (opened, chain)) = tokio::join!(policies, opened);
    let (policies, identity) = policies?;
    let opened = chain.and_then(|chain| opened.map(|(session, state)| Opened { chain, session, state }));
    Ok(Gathered { policies, identity, opened })
}
