//! Safe forms that can be made without thinking: which files change, and how, shown before anything is written.

mod rewrite;

use std::collections::BTreeMap;
use std::path::PathBuf;

use runner_chain::Chain;
use runner_chain::Dialect;
use runner_chain::Revision;
use runner_chain::RevisionId;
use runner_chain::directory;
use runner_chain::stub::NewRevision;
use runner_policy::data::Fix;
use runner_policy::data::FollowUp;
use runner_policy::printable;

use self::rewrite::Rewrite;
use super::assessment::Finding;
use crate::chain_file;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::revision_file;

/// A file that changes.
#[derive(Debug)]
pub(crate) struct Changed {
    path: PathBuf,
    /// As people call it.
    pub(crate) file: String,
    before: String,
    after: String,
    /// What each fix does.
    pub(crate) summaries: Vec<String>,
}

/// A revision that is added.
#[derive(Debug)]
pub(crate) struct Added {
    name: String,
    folder: PathBuf,
    /// As people call it.
    pub(crate) file: String,
    text: String,
}

/// Everything that fixes would do.
#[derive(Debug, Default)]
pub(crate) struct Fixes {
    pub(crate) changed: Vec<Changed>,
    pub(crate) added: Vec<Added>,
    /// What is not done, and why.
    pub(crate) left: Vec<String>,
}

/// A new revision id, and the time of its creation.
pub(crate) type Birth<'a> = &'a dyn Fn() -> Result<(RevisionId, String)>;

/// Plans the fixes of some findings. `refused` says of a revision why its file must stay as it is; `birth` makes ids.
///
/// # Errors
/// A file can't be read, or has changed since it was linted.
pub(crate) fn plan(
    findings: &[Finding],
    chain: &Chain,
    dialect: Dialect,
    config: &Config,
    refused: &dyn Fn(&Revision) -> Option<String>,
    birth: Birth<'_>,
) -> Result<Fixes> {
    let mut by_revision: BTreeMap<usize, Vec<&Fix>> = BTreeMap::new();
    for finding in findings {
        let id = finding.found.verdict.revision.as_deref().unwrap_or_default();
        if let (Some(index), Some(fix)) = (chain.index(id), &finding.found.fix) {
            let fixes = by_revision.entry(index).or_default();
            // Two rules may want the same.
            if !fixes.contains(&fix) {
                fixes.push(fix);
            }
        }
    }
    let mut planned = Fixes::default();
    let mut tips = Tips::of(chain);
    for (index, fixes) in by_revision {
        let Some(revision) = chain.revisions().get(index) else { continue };
        if let Some(why) = refused(revision) {
            planned.left.push(format!("`{}` stays as it is: {why}", revision.file));
            continue;
        }
        let path = revision_file::path(config, revision)?;
        let before = revision_file::read(&path, revision)?;
        let mut rewrite = Rewrite::of(&before, revision);
        let mut summaries = Vec::new();
        for fix in fixes {
            let summary = printable(&fix.summary);
            let parent = fix.follow_up.as_ref().map(|_| tips.parent(revision));
            if matches!(parent, Some(None)) {
                let why = "the chain has several heads, so it is not clear what the new revision builds on";
                planned.left.push(format!("`{}`, {summary}: {why}", revision.file));
                continue;
            }
            if let Err(why) = rewrite.take(fix) {
                planned.left.push(format!("`{}`, {summary}: {why}", revision.file));
                continue;
            }
            if let (Some(follow_up), Some(Some(parent))) = (&fix.follow_up, parent) {
                let added = added(follow_up, parent.clone(), revision, dialect, config, birth)?;
                tips.move_on(&parent, added.0);
                planned.added.push(added.1);
            }
            summaries.push(summary);
        }
        let after = rewrite.text();
        if !summaries.is_empty() {
            check(revision, &after)?;
            let file = revision.file.clone();
            planned.changed.push(Changed { path, file, before, after, summaries });
        }
    }
    Ok(planned)
}

/// What a policy writes must leave the revision what it is.
fn check(revision: &Revision, after: &str) -> Result<()> {
    let refused = |why: &str| {
        let message = format!("a policy's fix of `{}` {why}; nothing was written", revision.file);
        Error::new(ErrorKind::Chain, message)
    };
    let changed = runner_chain::parse_revision(&revision.file, after.as_bytes())
        .map_err(|problems| refused("makes it unreadable").at(problems))?;
    let sections = |revision: &Revision| -> Vec<_> {
        revision.sections().map(|section| (section.direction, section.dialects.to_vec())).collect()
    };
    let is_same = changed.id == revision.id
        && changed.parents == revision.parents
        && changed.depends_on == revision.depends_on
        && changed.labels == revision.labels
        && changed.environments == revision.environments
        && sections(&changed) == sections(revision);
    if is_same { Ok(()) } else { Err(refused("changes its place in the chain, or its sections")) }
}

/// What revisions are put on top of.
struct Tips {
    /// Each head, and what is on top of it by now.
    heads: Vec<(RevisionId, RevisionId)>,
}

impl Tips {
    fn of(chain: &Chain) -> Self {
        Tips { heads: chain.heads().map(|head| (head.id.clone(), head.id.clone())).collect() }
    }

    /// The parent of a revision that has to follow another one; `None`: it is not clear.
    fn parent(&self, revision: &Revision) -> Option<RevisionId> {
        match self.heads.as_slice() {
            [(_, tip)] => Some(tip.clone()),
            heads => heads.iter().find(|(head, _)| *head == revision.id).map(|(_, tip)| tip.clone()),
        }
    }

    fn move_on(&mut self, from: &RevisionId, to: RevisionId) {
        if let Some((_, tip)) = self.heads.iter_mut().find(|(_, tip)| tip == from) {
            *tip = to;
        }
    }
}

fn added(
    follow_up: &FollowUp,
    parent: RevisionId,
    fixed: &Revision,
    dialect: Dialect,
    config: &Config,
    birth: Birth<'_>,
) -> Result<(RevisionId, Added)> {
    let (id, created) = birth()?;
    let new = NewRevision {
        id: id.clone(),
        title: printable(&follow_up.title),
        parents: vec![parent],
        // It has to run where the fixed one runs, and nowhere else.
        environments: fixed.environments.clone(),
        depends_on: Vec::new(),
        labels: Vec::new(),
        created,
    };
    let dialects = fixed.up(dialect).map(|section| section.dialects).unwrap_or_default();
    let text = new.text_with(&follow_up.up, &follow_up.down, follow_up.transactional, dialects);
    let name = new.file_name();
    // What a policy writes must not make the chain unreadable.
    if let Err(problems) = runner_chain::parse_revision(&name, text.as_bytes()) {
        let message = "a policy's fix adds a revision that can't be read; nothing was written";
        return Err(Error::new(ErrorKind::Chain, message).at(problems));
    }
    let location = config.location_of(fixed).or(config.migrations.first()).cloned();
    let location = location.ok_or_else(|| Error::new(ErrorKind::Configuration, "there is no migrations folder"))?;
    let file = location.file(&name);
    Ok((id, Added { name, folder: location.path, file, text }))
}

impl Fixes {
    /// Whether nothing would change.
    pub(crate) fn is_empty(&self) -> bool {
        self.changed.is_empty()
    }

    /// What is done, a line for each file and fix.
    pub(crate) fn summary(&self) -> Vec<String> {
        let of_file = |changed: &Changed| -> Vec<String> {
            changed.summaries.iter().map(|summary| format!("{}: {summary}", changed.file)).collect()
        };
        let added = self.added.iter().map(|added| format!("{}: new", added.file));
        self.changed.iter().flat_map(of_file).chain(added).collect()
    }

    /// The changes as a unified diff, in lines.
    pub(crate) fn diff(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for changed in &self.changed {
            let file = &changed.file;
            lines.extend(unified(&changed.before, &changed.after, &format!("a/{file}"), &format!("b/{file}")));
        }
        for added in &self.added {
            lines.extend(unified("", &added.text, "/dev/null", &format!("b/{}", added.file)));
        }
        lines
    }

    /// Writes all files. Each is replaced as a whole or not at all.
    ///
    /// # Errors
    /// A file can't be written; the message says which ones were.
    pub(crate) fn write(&self, config: &Config) -> Result<()> {
        let mut written: Vec<&str> = Vec::new();
        let tell = |error: Error, written: &[&str]| match written {
            [] => error.help("nothing was written"),
            files => error.help(format!("written were: {}", files.join(", "))),
        };
        // A new revision that nothing needs yet does no harm; a fixed one without its new revision is half of a fix.
        for added in &self.added {
            directory::create(&added.folder, &added.name, &added.text).map_err(|error| tell(error.into(), &written))?;
            written.push(&added.file);
        }
        for changed in &self.changed {
            revision_file::replace(&changed.path, &changed.before, &changed.after)
                .map_err(|error| tell(error, &written))?;
            written.push(&changed.file);
        }
        if !self.added.is_empty() {
            chain_file::update(config, &directory::load(&config.migrations)?)?;
        }
        Ok(())
    }
}

fn unified(before: &str, after: &str, from: &str, to: &str) -> Vec<String> {
    let diff = similar::TextDiff::from_lines(before, after);
    let text = diff.unified_diff().context_radius(3).header(from, to).to_string();
    text.lines().map(printable_line).collect()
}

/// A line of a diff, its tabs kept.
fn printable_line(line: &str) -> String {
    line.trim_end_matches('\r').split('\t').map(printable).collect::<Vec<_>>().join("\t")
}

#[cfg(test)]
#[path = "fix_tests.rs"]
mod tests;
