//! Which revisions are looked at.

use std::collections::HashSet;
use std::path::Path;

use runner_chain::Chain;
use runner_chain::Range;
use runner_chain::Revision;
use runner_chain::Selector;
use runner_chain::Versions;
use runner_chain::directory::Location;

use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::git::Trees;

/// What people ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// Everything.
    All,
    /// The newest ones.
    Recent(usize),
    /// What `upgrade` would run; needs the database.
    Pending,
    /// What git has as new or changed since a commit.
    Since(String),
    /// What the next commit would change.
    Staged,
    /// Files, and revisions as they are named everywhere.
    Named(Vec<String>),
}

impl Selection {
    /// The revisions, as indices into the chain in its order. What is pending the database has to say: `None`.
    ///
    /// # Errors
    /// git fails, or a file or revision is not there.
    pub(crate) fn choose(
        &self,
        chain: &Chain,
        config: &Config,
        current: Option<&Versions>,
    ) -> Result<Option<Vec<usize>>> {
        let all = 0..chain.len();
        Ok(Some(match self {
            Selection::All => all.collect(),
            Selection::Recent(count) => all.rev().take(*count).rev().collect(),
            Selection::Pending => return Ok(None),
            Selection::Since(reference) => of_files(chain, &Trees::of(config)?.changed_since(reference)?),
            Selection::Staged => of_files(chain, &Trees::of(config)?.staged()?),
            Selection::Named(names) => {
                let mut chosen = Vec::new();
                for name in names {
                    chosen.extend(named(name, chain, config, current)?);
                }
                chosen.sort_unstable();
                chosen.dedup();
                chosen
            }
        }))
    }
}

/// The revisions of some files, as messages name them.
fn of_files(chain: &Chain, names: &[String]) -> Vec<usize> {
    let names: HashSet<&str> = names.iter().map(String::as_str).collect();
    let is_one = |revision: &Revision| names.contains(revision.file.as_str());
    let revisions = chain.revisions().iter().enumerate();
    revisions.filter(|(_, revision)| is_one(revision)).map(|(index, _)| index).collect()
}

/// The revisions that a word means: a file, a range, or what selectors mean.
fn named(word: &str, chain: &Chain, config: &Config, current: Option<&Versions>) -> Result<Vec<usize>> {
    if word.ends_with(".sql") || word.contains('/') || word.contains(std::path::MAIN_SEPARATOR) {
        return of_path(word, chain, config).map(|index| vec![index]);
    }
    if word.contains(':') {
        let range: Range = word.parse()?;
        return Ok(chain.resolve_range(&range, current)?);
    }
    let selector: Selector = word.parse()?;
    if selector.needs_current() && current.is_none() {
        let message = format!("`{word}` depends on where the database is");
        return Err(
            Error::new(ErrorKind::Usage, message).help("`runner lint --pending` looks at what is pending there")
        );
    }
    let ids = chain.resolve(&selector, current)?;
    Ok(ids.iter().filter_map(|id| chain.index(id.as_str())).collect())
}

/// A file, as it is found from here, or as messages name it.
fn of_path(word: &str, chain: &Chain, config: &Config) -> Result<usize> {
    let real = Path::new(word).canonicalize().ok();
    let own = real.as_ref().and_then(|path| {
        let is_in = |location: &&Location| location.path.canonicalize().ok().as_deref() == path.parent();
        Some(config.migrations.iter().find(is_in)?.file(path.file_name()?.to_str()?))
    });
    let is_it = |revision: &Revision| own.as_ref() == Some(&revision.file) || revision.file == word;
    chain.revisions().iter().position(is_it).ok_or_else(|| {
        let shown = runner_policy::printable(word);
        let folder = config.migrations_shown();
        match real {
            Some(_) => Error::new(ErrorKind::Usage, format!("`{shown}` is no revision file of `{folder}`"))
                .help("revision files end with `.sql` and are directly in the migrations folder"),
            None => Error::new(ErrorKind::Usage, format!("there is no file `{shown}`"))
                .help(format!("the revision files are in `{folder}`")),
        }
    })
}
