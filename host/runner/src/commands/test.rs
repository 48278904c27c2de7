//! `runner test`

use std::path::PathBuf;

use runner_chain::Chain;
use runner_chain::Range;
use runner_chain::RevisionId;
use runner_chain::Selector;
use runner_chain::Versions;
use runner_chain::planning;
use runner_chain::planning::Plan;
use runner_database::Access;
use runner_database::DatabaseUrl;
use runner_database::Dialect;
use runner_database::Scratch;

use crate::args::Global;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::rehearsal;
use crate::pipeline::Database;
use crate::pipeline::Interrupt;
use crate::pipeline::Reading;
use crate::pipeline::load_chain;
use crate::rehearsal::Record;
use crate::rehearsal::Rehearsal;
use crate::rehearsal::Seeds;
use crate::rehearsal::statements;

/// Rehearse revisions on a scratch database: up, down and up again
///
/// Applies each revision, takes it back, and applies it again. The schema must be the same before and after, and the second
/// time as the first. In the end all goes down to where testing began, and back. Nothing of this touches the target: the
/// scratch database is in memory for SQLite, and otherwise a new one in its server, which is removed afterwards; the account
/// must be allowed to create databases. No policy is asked, and environment tags do not count.
///
/// What went well is recorded in the user's cache, and `rollback` says whether its ways down were ever rehearsed.
///
/// The exit code is 4 if a revision fails.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner test                             all revisions
  runner test a1b2c3d4                    one revision; those that it needs are only applied
  runner test a1b2c3d4:heads              this one and all that build on it
  runner test --pending                   what is not applied in the target, after what is
  runner test --seeds tests/rows          with rows: `<id>.sql` is run whenever that revision is applied
  runner test --server postgres://postgres@localhost:5433/postgres
                                          in a server that may be changed as a whole
  runner test --junit report.xml          and write a report for CI")]
pub(crate) struct Args {
    /// Revisions to test: ids, labels, ranges [default: all]
    #[arg(value_name = "REVISION", conflicts_with = "pending")]
    revisions: Vec<String>,
    /// Test what is not applied in the target, after what is
    #[arg(long)]
    pending: bool,
    /// Database beside which the scratch database is made, in a server that may be changed as a whole [default: the target]
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// SQL that an empty database needs first, such as extensions
    #[arg(long, value_name = "FILE")]
    setup: Option<PathBuf>,
    /// Folder of rows: `<id>.sql` is run whenever that revision is applied
    #[arg(long, value_name = "FOLDER")]
    seeds: Option<PathBuf>,
    /// Write what was rehearsed successfully into this file as well, for `rollback` [default: `record` in `[test]`]
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Write a JUnit report
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let target = config.database_url()?;
        let server = self.server(target)?;
        let (chain, plans, tested) = self.selected(&config).await?;
        let dialect = target.dialect();
        let is_beside_target = match &server {
            None => true,
            // In doubt it is.
            Some(server) => Scratch::is_same_server(server, target, config.database_options()).await != Some(false),
        };
        let rehearsal = Rehearsal {
            config: &config,
            chain: &chain,
            server: server.as_ref().unwrap_or(target),
            is_beside_target,
            plans,
            tested,
            seeds: self.seeds.as_deref().map(|folder| Seeds::open(folder, &chain)).transpose()?,
            setup: self.setup.as_deref().map_or(Ok(Vec::new()), |file| statements(file, dialect))?,
        };
        let interrupt = Interrupt::on_signals(|_| {});
        let mut view = rehearsal::View::new(printer, &chain);
        let rehearsed = rehearsal.run(&mut |tested| view.tested(tested), &interrupt).await?;
        view.finished(&rehearsed);
        Record::keep(&config, self.record.as_deref(), &chain, &rehearsed)?;
        if let Some(file) = &self.junit {
            let report = rehearsal::junit(&rehearsed).join("\n") + "\n";
            std::fs::write(file, report)
                .map_err(|error| Error::new(ErrorKind::Io, format!("cannot write `{}`: {error}", file.display())))?;
        }
        printer.document(&rehearsed);
        Ok(if rehearsed.ok { exit::DONE } else { exit::PROBLEMS })
    }

    fn server(&self, target: &DatabaseUrl) -> Result<Option<DatabaseUrl>> {
        let Some(text) = &self.server else { return Ok(None) };
        if target.dialect() == Dialect::Sqlite {
            return Err(Error::new(
                ErrorKind::Usage,
                "`--server` is for databases in servers; SQLite's scratch database is in memory",
            )
            .help("leave `--server` out"));
        }
        let folder = std::env::current_dir()
            .map_err(|error| Error::new(ErrorKind::Io, format!("the current folder is not known: {error}")))?;
        let server = DatabaseUrl::parse(text, &folder)
            .map_err(|error| Error::new(ErrorKind::Usage, format!("`--server`: {error}")).maybe_help(error.hint))?;
        if server.dialect() != target.dialect() {
            let message = format!("`--server` leads to {}, and the target is {}", server.dialect(), target.dialect());
            return Err(Error::new(ErrorKind::Usage, message).help("name a server of the target's kind"));
        }
        Ok(Some(server))
    }

    /// The chain, the plans that apply what is needed, and which positions of the chain are tested.
    async fn selected(&self, config: &Config) -> Result<(Chain, Vec<Plan>, Vec<bool>)> {
        if self.pending {
            let database = Database::open(config, Access::Read, Reading::Files).await?;
            let chain = database.chain;
            let mut plans = Vec::new();
            let versions = apply(&chain, &Versions::none(), database.versions.iter(), &mut plans)?;
            let pending = planning::upgrade(&chain, &versions, &["heads".parse()?])?;
            let mut tested = vec![false; chain.len()];
            pending.steps.iter().for_each(|step| tested[step.revision] = true);
            plans.push(pending);
            return Ok((chain, plans, tested));
        }
        let chain = load_chain(config)?;
        if self.revisions.is_empty() {
            let plan = planning::upgrade(&chain, &Versions::none(), &["heads".parse()?])?;
            let tested = vec![true; chain.len()];
            return Ok((chain, vec![plan], tested));
        }
        let mut tested = vec![false; chain.len()];
        for given in &self.revisions {
            if given.contains(':') {
                let range: Range = given.parse()?;
                chain.resolve_range(&range, None)?.into_iter().for_each(|position| tested[position] = true);
            } else {
                let selector: Selector = given.parse()?;
                for id in chain.resolve(&selector, None)? {
                    let position = chain.revisions().iter().position(|revision| revision.id == id);
                    position.into_iter().for_each(|position| tested[position] = true);
                }
            }
        }
        if !tested.contains(&true) {
            let given = self.revisions.join("`, `");
            return Err(Error::new(ErrorKind::Selector, format!("`{given}` selects no revision"))
                .help("a range goes from the lower to the upper end, as in `a1b2c3d4:heads`"));
        }
        let mut plans = Vec::new();
        let wanted = chain.revisions().iter().zip(&tested).filter(|(_, tested)| **tested);
        apply(&chain, &Versions::none(), wanted.map(|(revision, _)| &revision.id), &mut plans)?;
        Ok((chain, plans, tested))
    }
}

/// Plans that apply these revisions, one after the other; gives the rows after them.
fn apply<'a>(
    chain: &Chain,
    from: &Versions,
    ids: impl Iterator<Item = &'a RevisionId>,
    plans: &mut Vec<Plan>,
) -> Result<Versions> {
    let mut versions = from.clone();
    for id in ids {
        let plan = planning::upgrade(chain, &versions, &[id.as_str().parse()?])?;
        versions = plan.after.clone();
        plans.push(plan);
    }
    Ok(versions)
}
