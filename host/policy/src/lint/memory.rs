//! What lint policies have said, kept on disk: a file for each component, beside its native code.
//!
//! Whoever can write here can hide findings, as they could put code of their own beside; so the folder and the file must
//! belong to the user alone, as [`cache`](crate::cache) has it. An answer is found by a digest over everything that the policy
//! was told, so nothing that is remembered can be about anything else. A damaged file counts as empty.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::OnceLock;
use std::time::SystemTime;

use sha2::Digest as _;
use sha2::Sha256;

use super::Subject;
use crate::Cache;
use crate::cache::hex;
use crate::data::LintCircumstances;
use crate::data::LintReport;
use crate::data::Surroundings;
use crate::plugin::Plugin;

/// Answers that one file keeps at most. Those that were of no use the last time go first.
const MOST: usize = 50_000;
/// The same in bytes of answers.
const LARGEST: usize = 32 << 20;

/// Where answers of lint policies are kept.
#[derive(Clone, Debug)]
pub struct Memory {
    cache: Cache,
    project: String,
}

impl Memory {
    /// In the folder of the cache of native code, or nowhere. Each project has files of its own; it is known by any text.
    pub fn new(cache: Cache, project: &str) -> Self {
        Memory { cache, project: hex(&Sha256::digest(project)[..8]) }
    }

    /// What a plugin has said. A plugin that may read folders can say something else each time, so nothing of it is kept.
    pub(super) fn open(&self, plugin: &Plugin) -> Book {
        let keeps = plugin.definition.grants.read.is_empty();
        let text = keeps.then(|| self.cache.recall(&self.name(plugin))).flatten();
        Book { keeps, ..Book::parse(text.as_deref().unwrap_or_default()) }
    }

    /// Keeps what was said just now. That it can't be kept is no reason to fail.
    pub(super) fn close(&self, plugin: &Plugin, book: &Book) {
        if book.is_changed
            && let Err(error) = self.cache.keep(&self.name(plugin), book.text().as_bytes())
        {
            tracing::debug!("what `{}` says can't be kept: {error}", plugin.identity.name);
        }
    }

    fn name(&self, plugin: &Plugin) -> String {
        let digest = plugin.identity.digest.as_deref().unwrap_or_default();
        format!("{}-{}.answers", digest.trim_start_matches("sha256:"), self.project)
    }
}

/// A digest over everything that a policy was told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(String);

impl Key {
    /// The same with something else that it rests on.
    pub(super) fn with(&self, more: &str) -> Self {
        Key(hex(&Sha256::new().chain_update(&self.0).chain_update(more).finalize()))
    }
}

/// What is known of a question.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Entry {
    Report(LintReport),
    /// It rests on facts about the target, with which it has to be looked for again.
    RestsOnFacts,
}

/// The answers of one plugin.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// As they stand in the file; parsed when they are wanted.
    old: HashMap<String, String>,
    /// Of use just now.
    used: HashMap<String, String>,
    circumstances: Option<String>,
    keeps: bool,
    is_changed: bool,
}

/// The first line of a file. Another program may cut files into statements in another way, so it asks anew.
fn form() -> &'static str {
    static FORM: OnceLock<String> = OnceLock::new();
    FORM.get_or_init(|| {
        let program = std::env::current_exe().and_then(|path| path.metadata()).ok();
        let made = program.as_ref().and_then(|program| program.modified().ok());
        let made = made.and_then(|made| made.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or_default();
        let length = program.map_or(0, |program| program.len());
        format!("runner lint answers 2, {}, {length}, {}", env!("CARGO_PKG_VERSION"), made.as_nanos())
    })
}

const EMPTY: &str = "-";
const RESTS_ON_FACTS: &str = "facts";

impl Book {
    fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        if lines.next() != Some(form()) {
            return Book::default();
        }
        let entry = |line: &str| line.split_once(' ').map(|(key, entry)| (key.to_owned(), entry.to_owned()));
        Book { old: lines.filter_map(entry).collect(), ..Book::default() }
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n", form());
        for (key, entry) in self.used.iter().chain(&self.old).take(MOST) {
            if text.len() + entry.len() > LARGEST {
                break;
            }
            let _ = writeln!(text, "{key} {entry}");
        }
        text
    }

    /// Everything that is told, as one digest. The circumstances must be the same in all calls.
    pub(super) fn key(
        &mut self,
        circumstances: &LintCircumstances,
        subject: &Subject,
        surroundings: &Surroundings,
    ) -> Key {
        let shared = self.circumstances.get_or_insert_with(|| hex(&Sha256::digest(json(circumstances))));
        let hasher = Sha256::new().chain_update(shared.as_bytes()).chain_update(subject.digest);
        Key(hex(&hasher.chain_update(json(&(&subject.file, subject.planned, surroundings))).finalize()))
    }

    pub(super) fn find(&mut self, key: &Key) -> Option<Entry> {
        let written = self.old.remove(&key.0)?;
        let entry = match written.as_str() {
            RESTS_ON_FACTS => Some(Entry::RestsOnFacts),
            EMPTY => Some(Entry::Report(LintReport { findings: Vec::new(), locks: Vec::new(), notes: Vec::new() })),
            report => serde_json::from_str(report).ok().map(Entry::Report),
        };
        if entry.is_some() {
            self.used.insert(key.0.clone(), written);
        }
        entry
    }

    pub(super) fn keep(&mut self, key: Key, entry: &Entry) {
        if !self.keeps {
            return;
        }
        let written = match entry {
            Entry::RestsOnFacts => RESTS_ON_FACTS.to_owned(),
            Entry::Report(report)
                if report.findings.is_empty() && report.locks.is_empty() && report.notes.is_empty() =>
            {
                EMPTY.to_owned()
            }
            Entry::Report(report) => json(report),
        };
        self.used.insert(key.0, written);
        self.is_changed = true;
    }
}

/// Our own data always has a JSON form.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
