//! `runner check`

use runner_chain::Chain;
use runner_chain::Conflict;
use runner_chain::ConflictKind;
use runner_chain::Revision;
use runner_chain::Selector;
use runner_chain::conflicts;
use runner_chain::directory;
use runner_chain::directory::LoadError;
use runner_database::Access;
use runner_database::LedgerCheck;
use runner_database::Session;
use runner_database::State;
use serde::Serialize;

use crate::args::Global;
use crate::chain_file;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::git::Files;
use crate::git::Trees;
use crate::output::Printer;
use crate::output::Style;
use crate::pipeline::Drift;
use crate::pipeline::load_chain;
use crate::pipeline::versions;

/// Check files and database, for CI
///
/// Files are valid, there is one head, the database is up to date, no applied revision was edited or removed, and the
/// ledger is intact. With `--against` also: nothing here is at odds with what the other branch has got meanwhile. Writes
/// nothing. Exits with 4 if something is wrong.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner check                   files and database
  runner check --files           files alone, no database is needed
  runner check --files --lint --against origin/main
                                 for a pull request: what would be wrong after it is merged
  runner check --allow-head billing@head
                                 that branch may stay open
  runner check --json")]
pub(crate) struct Args {
    /// Leave the database alone
    #[arg(long, conflicts_with = "database")]
    files: bool,
    /// Look at the database as well, which is what happens without `--files`
    #[arg(long)]
    database: bool,
    /// Compare with the branch that this one will be merged into: a git commit, as in `origin/main`
    #[arg(long, value_name = "COMMIT")]
    against: Option<String>,
    /// Lint all revisions, as `runner lint` does
    #[arg(long)]
    lint: bool,
    /// A head that may be there beside the other one; may be given several times
    #[arg(long = "allow-head", value_name = "REVISION")]
    allowed: Vec<Selector>,
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    message: String,
}

#[derive(Debug, Serialize)]
struct Checks {
    ok: bool,
    checks: Vec<Check>,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let mut checks = Vec::new();
        match load_chain(&config) {
            Ok(chain) => {
                checks.push(passed(
                    "files",
                    match chain.len() {
                        1 => "1 revision is valid".to_owned(),
                        count => format!("{count} revisions are valid"),
                    },
                ));
                checks.push(one_head(&chain, &self.allowed)?);
                checks.extend(chain_file(&config, &chain)?);
                if let Some(reference) = &self.against {
                    against(&config, &chain, reference, &mut checks)?;
                }
                if self.lint {
                    checks.push(match super::lint::all(&config, printer).await? {
                        (false, message) => passed("lint", message),
                        (true, message) => failed("lint", format!("{message}; `runner lint` shows what it is")),
                    });
                }
                if !self.files {
                    database(&config, &chain, &mut checks).await?;
                }
            }
            Err(error) if error.kind() == ErrorKind::Chain => {
                checks.push(failed("files", error.to_string()));
                // With `--json` the problems go to stderr, the document holds the summary.
                printer.problems(&error);
            }
            Err(error) => return Err(error),
        }
        for check in &checks {
            let tick = if check.ok { Style::Good.paint("ok    ") } else { Style::Bad.paint("failed") };
            printer.line(format_args!("{tick}  {:<10}  {}", check.name, check.message));
        }
        let ok = checks.iter().all(|check| check.ok);
        printer.document(&Checks { ok, checks });
        Ok(if ok { exit::DONE } else { exit::PROBLEMS })
    }
}

fn passed(name: &'static str, message: impl Into<String>) -> Check {
    Check { name, ok: true, message: message.into() }
}

fn failed(name: &'static str, message: impl Into<String>) -> Check {
    Check { name, ok: false, message: message.into() }
}

/// Whether the chain file says what the revision files say; `None`: the project has none.
fn chain_file(config: &Config, chain: &Chain) -> Result<Option<Check>> {
    const NAME: &str = "chain file";
    let Some(file) = chain_file::read(config)? else { return Ok(None) };
    let problems: Vec<String> = file.problems(chain).iter().map(ToString::to_string).collect();
    Ok(Some(match problems.is_empty() {
        true => passed(NAME, "it lists every revision"),
        false => failed(NAME, format!("{}; `runner lock` writes it anew", problems.join("; "))),
    }))
}

fn one_head(chain: &Chain, allowed: &[Selector]) -> Result<Check> {
    let mut open = Vec::new();
    for selector in allowed {
        open.extend(chain.resolve(selector, None)?);
    }
    let heads: Vec<&Revision> = chain.heads().filter(|head| !open.contains(&head.id)).collect();
    let list: Vec<String> = heads.iter().map(|head| format!("`{}`", head.id)).collect();
    Ok(match &heads[..] {
        [] | [_] => {
            let all: Vec<String> = chain.heads().map(|head| format!("`{}`", head.id)).collect();
            passed("one head", all.join(", "))
        }
        [one, other] if one.parents == other.parents && one.parents.len() == 1 => failed(
            "one head",
            format!(
                "there are 2: {}, both on `{}`; `runner rebase {} --onto {}` puts one on top of the other, and \
                 `runner merge heads` joins them",
                list.join(", "),
                one.parents[0],
                other.id,
                one.id
            ),
        ),
        heads => failed(
            "one head",
            format!("there are {}: {}; a merge is missing: `runner merge heads`", heads.len(), list.join(", ")),
        ),
    })
}

/// What would be wrong after this branch is merged into another one.
fn against(config: &Config, ours: &Chain, reference: &str, checks: &mut Vec<Check>) -> Result<()> {
    let (theirs, parted) = Trees::of(config)?.files_of(reference)?;
    let read = |files: Files| directory::assemble_texts(files).map_err(LoadError::from);
    let theirs = match read(theirs) {
        Ok(theirs) => theirs,
        Err(error) => {
            checks.push(failed("mergeable", format!("the chain of `{reference}` can't be read: {error}")));
            return Ok(());
        }
    };
    let parted = read(parted).map_err(|error| {
        let message = format!("the chain at which this branch has left `{reference}` can't be read: {error}");
        Error::new(ErrorKind::Chain, message)
    })?;
    let found = conflicts(ours, &theirs, &parted);
    if found.is_empty() {
        checks.push(passed("mergeable", format!("nothing here is at odds with `{reference}`")));
    }
    for conflict in found {
        checks.push(failed("mergeable", told(&conflict, &theirs, reference)));
    }
    Ok(())
}

fn told(conflict: &Conflict, theirs: &Chain, reference: &str) -> String {
    let Conflict { kind, revision, file, other } = conflict;
    let new = other.as_ref().map_or("?", |other| other.as_str());
    let other = other.as_ref().and_then(|other| theirs.get(other.as_str()));
    let (other_id, other_file) = other.map_or(("?", "?"), |other| (other.id.as_str(), other.file.as_str()));
    match kind {
        ConflictKind::SameId => format!(
            "`{revision}` is another revision in `{other_file}` of `{reference}`; give the one in `{file}` another id"
        ),
        ConflictKind::SameParent => {
            let onto = other.map(|other| top(theirs, other)).unwrap_or_default();
            format!(
                "`{revision}` and `{other_id}` of `{reference}` build on the same revision; merge `{reference}` into \
                 this branch, then `runner rebase {revision} --onto {onto}`"
            )
        }
        ConflictKind::Changed => format!(
            "the SQL of `{revision}` was changed in `{file}`, and who has `{reference}` may have applied it; undo that, \
             and write a new revision"
        ),
        ConflictKind::Removed => {
            format!("`{revision}` (`{file}`) is gone, and who has `{reference}` may have applied it; restore the file")
        }
        ConflictKind::Moved => format!(
            "`{revision}` builds on other revisions than in `{reference}`, and who has that may have applied it; undo \
             the change of `{file}`"
        ),
        ConflictKind::InFront => format!(
            "`{new}` is new and put in front of `{revision}`, and who has `{reference}` may have applied that; undo the \
             change of `Revises` in `{file}`, then `runner rebase {new}`"
        ),
        ConflictKind::Reordered => format!(
            "`{revision}` is new and would run before `{new}` in a new database, but after it where that is applied; \
             `runner rebase {revision} --onto {new}` puts it behind"
        ),
        _ => format!("`{revision}` is at odds with `{reference}`"),
    }
}

/// The head above a revision, or the revision itself if there are several.
fn top(chain: &Chain, revision: &Revision) -> String {
    let mut above = chain.heads().filter(|head| chain.ancestors_of(head).contains(&revision.id));
    match (above.next(), above.next()) {
        (Some(head), None) => head.id.to_string(),
        _ => revision.id.to_string(),
    }
}

async fn database(config: &Config, chain: &Chain, checks: &mut Vec<Check>) -> Result<()> {
    let mut session = Session::open(config.database_url()?, config.database_options(), Access::Read).await?;
    let state = session.state().await?;
    let versions = versions(&state)?;
    let drift = Drift::between(chain, &state, &versions);
    checks.push(match drift.refuse(config).and_then(|()| drift.lost_rows().map_or(Ok(()), Err)) {
        Err(error) => failed("unchanged", error.to_string()),
        Ok(()) => match drift.warnings().as_slice() {
            [] => passed("unchanged", "no applied revision was edited or removed"),
            warnings => passed("unchanged", warnings.join("; ")),
        },
    });
    if drift.unknown.is_empty() {
        let pending = chain.len() - chain.applied(&versions)?.len();
        checks.push(match pending {
            0 => passed("up to date", "every revision is applied"),
            pending => failed("up to date", format!("{pending} of {} revisions are pending", chain.len())),
        });
    } else {
        checks.push(failed("up to date", "the database is ahead of the files"));
    }
    checks.push(half_done(&state));
    checks.push(match session.verify_ledger().await? {
        LedgerCheck::Intact { .. } => passed("ledger", "its rows follow from each other"),
        LedgerCheck::Damaged { id, reason } => failed("ledger", format!("row {id} is damaged: {reason}")),
    });
    session.close().await?;
    Ok(())
}

fn half_done(state: &State) -> Check {
    match state.dirty.first() {
        None => passed("complete", "no revision is half-way done"),
        Some(dirty) => failed(
            "complete",
            format!(
                "`{}` is half-way {}: {} of {} statements are done",
                dirty.revision, dirty.direction, dirty.statements_done, dirty.statements_total
            ),
        ),
    }
}
