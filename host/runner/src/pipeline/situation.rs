//! Where things stand: the chain, the database and the policies, gathered side by side.

use runner_chain::Chain;
use runner_chain::RevisionId;
use runner_chain::Versions;
use runner_chain::directory;
use runner_database::Access;
use runner_database::Session;
use runner_database::State;
use runner_policy::Policies;
use runner_policy::Role;

use super::context::policy_host;
use super::drift::Drift;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// Reads the chain. A folder without revisions is an error: a deployment that copied the wrong folder must not hear that
/// there is nothing to do.
pub(crate) fn load_chain(config: &Config) -> Result<Chain> {
    Ok(directory::load(&config.migrations, &config.migrations_shown)?)
}

/// The rows of the version table as identifiers.
pub(crate) fn versions(state: &State) -> Result<Versions> {
    let rows: std::result::Result<Vec<RevisionId>, String> = state
        .versions
        .iter()
        .map(|row| RevisionId::new(row).map_err(|_| row.clone()))
        .collect();
    match rows {
        Ok(rows) => Ok(rows.into_iter().collect()),
        Err(row) => Err(Error::new(ErrorKind::Drift, format!("the version table holds `{row}`, which is no revision id"))
            .help("is it the version table of another tool? `version-table` in `[database]` names ours")),
    }
}

/// The chain and the database, found to agree.
pub(crate) struct Database {
    pub(crate) chain: Chain,
    pub(crate) session: Session,
    pub(crate) state: State,
    pub(crate) versions: Versions,
    /// What is odd, but stops nothing.
    pub(crate) warnings: Vec<String>,
}

impl Database {
    /// Opens the database and compares it with the chain.
    pub(crate) async fn open(config: &Config, access: Access) -> Result<Self> {
        let (chain, session) = tokio::join!(chain(config), session(config, access));
        let (chain, mut session) = (chain?, session?);
        let state = session.state().await?;
        Self::compare(chain, session, state, config)
    }

    pub(super) fn compare(chain: Chain, session: Session, state: State, config: &Config) -> Result<Self> {
        let mut database = Database { chain, session, state, versions: Versions::none(), warnings: Vec::new() };
        database.check(config)?;
        Ok(database)
    }

    /// Reads the state again, because another process may have changed it. `true`: it has.
    pub(super) async fn refresh(&mut self, config: &Config) -> Result<bool> {
        let state = self.session.state().await?;
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
        drift.refuse(config)?;
        self.warnings = drift.warnings();
        Ok(())
    }
}

/// Reads the chain on another thread, so that plugins and database are opened meanwhile.
async fn chain(config: &Config) -> Result<Chain> {
    let (folder, shown) = (config.migrations.clone(), config.migrations_shown.clone());
    match tokio::task::spawn_blocking(move || directory::load(&folder, &shown)).await {
        Ok(chain) => Ok(chain?),
        Err(_) => Err(Error::new(ErrorKind::Io, "reading the migrations folder was cut off")),
    }
}

async fn session(config: &Config, access: Access) -> Result<Session> {
    Ok(Session::open(config.database_url()?, config.database_options(), access).await?)
}

/// Everything that a run needs, gathered side by side.
pub(super) async fn gather(config: &Config, access: Access, roles: &[Role]) -> Result<(Chain, Session, Policies)> {
    let set = config.plugin_set()?;
    let host = policy_host();
    config.database_url()?;
    let (chain, session, policies) =
        tokio::join!(chain(config), session(config, access), Policies::load(&host, &set, roles));
    Ok((chain?, session?, policies))
}
