//! `runner rebase`

use runner_chain::Chain;
use runner_chain::Revision;
use runner_chain::RevisionId;
use runner_chain::Selector;
use runner_chain::directory;
use serde_json::json;

use super::revision_json;
use crate::args::Global;
use crate::chain_file;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::pipeline::Database;
use crate::pipeline::Reading;
use crate::pipeline::load_chain;
use crate::revision_file;

/// Put a revision that is not applied on top of another one
///
/// Changes the line `Revises` of its file, and nothing else: what builds on the revision moves with it. The usual way out when
/// two branches of a repository have each added a revision to the same parent. Refuses a revision that the configured database
/// has applied, because there it would count as put in front of others.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner rebase a1b2             on top of the other head
  runner rebase a1b2 --onto c3d4
  runner rebase a1b2 --dry-run   what would change
  runner --database-url postgres://db.example/app rebase a1b2
                                 refuse if that database has it")]
pub(crate) struct Args {
    /// The revision: the first one of those that move
    #[arg(value_name = "REVISION")]
    revision: Selector,
    /// The revision to build on
    #[arg(long, default_value = "head", value_name = "REVISION")]
    onto: Selector,
    /// Show what would change, change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask the database whether it has the revision
    #[arg(long)]
    no_database: bool,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let chain = load_chain(&config)?;
        let id = chain.resolve_one(&self.revision, None)?.ok_or_else(|| before_all(&self.revision))?;
        let revision = chain.get(id.as_str()).ok_or_else(|| before_all(&self.revision))?;
        if revision.is_merge() {
            let message = format!("`{id}` is a merge, so which of its parents gives way is not clear");
            return Err(Error::new(ErrorKind::Selector, message).help(format!("edit `Revises` in `{}`", revision.file)));
        }
        let onto = self.parent(&chain, revision)?;
        if !self.no_database {
            not_applied(&config, revision).await?;
        }
        let path = revision_file::path(&config, revision)?;
        let before = revision_file::read(&path, revision)?;
        let parents: Vec<RevisionId> = onto.into_iter().collect();
        let after = runner_chain::with_parents(&before, &parents)
            .ok_or_else(|| Error::new(ErrorKind::Chain, format!("`{}` has no line `Revises`", revision.file)))?;
        let named = |ids: &[RevisionId]| ids.first().map_or("base".to_owned(), ToString::to_string);
        let (was, is) = (named(&revision.parents), named(&parents));
        let (did, chain) = if self.dry_run || was == is {
            (if was == is { "builds" } else { "would build" }, chain.clone())
        } else {
            revision_file::replace(&path, &before, &after)?;
            let moved = directory::load(&config.migrations)?;
            chain_file::update(&config, &moved)?;
            ("now builds", moved)
        };
        printer.say(format_args!(
            "`{id}` {did} on `{is}`{}",
            if was == is { " already".to_owned() } else { format!(" instead of `{was}`") }
        ));
        if let Some(written) = chain.get(id.as_str()) {
            let mut document = revision_json::document(&chain, written);
            if let Some(document) = document.as_object_mut() {
                document.insert("changed".to_owned(), json!(was != is && !self.dry_run));
            }
            printer.document(&document);
        }
        Ok(exit::DONE)
    }

    /// The revision to build on; none for `base`. What moves along is no candidate.
    fn parent(&self, chain: &Chain, revision: &Revision) -> Result<Option<RevisionId>> {
        let moves = |id: &RevisionId| {
            *id == revision.id
                || chain.get(id.as_str()).is_some_and(|other| chain.ancestors_of(other).contains(&revision.id))
        };
        if self.onto.to_string() != "head" {
            let onto = chain.resolve_one(&self.onto, None)?;
            return match onto {
                Some(onto) if moves(&onto) => {
                    let message = format!("`{onto}` itself builds on `{}`", revision.id);
                    Err(Error::new(ErrorKind::Selector, message).help("name a revision that stays where it is"))
                }
                onto => Ok(onto),
            };
        }
        let stay: Vec<&Revision> = chain.heads().filter(|head| !moves(&head.id)).collect();
        match &stay[..] {
            [head] => Ok(Some(head.id.clone())),
            // Alone on its branch: the only head is its own.
            [] if !chain.revisions().iter().any(|other| other.is_merge() && moves(&other.id)) => {
                Ok(revision.parents.first().cloned())
            }
            [] => {
                let message = format!("there is no other head to put `{}` on: it is below every head", revision.id);
                Err(Error::new(ErrorKind::Selector, message).help("name a revision with `--onto`"))
            }
            several => {
                let message = format!("there are {} other heads, so where it should go is not clear", several.len());
                let mut error = Error::new(ErrorKind::Selector, message);
                for head in several {
                    error = error.help(format!("`{}`  {}", head.id, head.title));
                }
                Err(error.help("name one of them with `--onto`"))
            }
        }
    }
}

fn before_all(selector: &Selector) -> Error {
    Error::new(ErrorKind::Selector, format!("`{selector}` is before the first revision"))
}

/// Refuses a revision that the database has applied.
async fn not_applied(config: &Config, revision: &Revision) -> Result<()> {
    let asked = Database::open_as_it_is(config, Reading::Files).await;
    let database = asked.map_err(|error| {
        error.help(
            "it is asked whether it has the revision; `--no-database` leaves that out, if you know that none has it",
        )
    })?;
    let (chain, id) = (&database.chain, revision.id.as_str());
    let applied = chain.applied(&database.versions).map_err(Error::from)?;
    let is_applied = chain.index(id).is_some_and(|index| applied.contains(index));
    let is_half_done = database.state.dirty.iter().any(|dirty| dirty.revision == id);
    if !is_applied && !is_half_done {
        return Ok(());
    }
    let state = if is_half_done { "half-way in" } else { "applied to" };
    let message = format!("`{id}` is {state} {}, so it stays where it is", config.database_url()?);
    Err(Error::new(ErrorKind::Drift, message)
        .help("join the branches instead: `runner merge heads`")
        .help(format!("or undo it there first: `runner downgrade {id}@-1`")))
}
