//! What lint policies have said, kept on disk: a file for each component, beside its native code.
//!
//! Whoever can write here can hide findings, as they could put code of their own beside; so the folder and the file must
//! belong to the user alone, as [`cache`](crate::cache) has it. An answer is found by a digest over everything that the policy
//! was told, so nothing that is remembered can be about anything else. A damaged file counts as empty.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;
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
        let kept = keeps.then(|| self.cache.recall(&self.name(plugin))).flatten();
        let text = kept.and_then(|kept| String::from_utf8(kept).ok());
        Book { keeps, ..Book::parse(text.unwrap_or_default()) }
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
pub(super) struct Key([u8; 32]);

impl Key {
    /// The same with something else that it rests on.
    pub(super) fn with(&self, more: &str) -> Self {
        Key(Sha256::new().chain_update(self.0).chain_update(more).finalize().into())
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut key = [0; 32];
        if digits.len() != 2 * key.len() {
            return None;
        }
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
        }
        Some(Key(key))
    }
}

/// A digest over a revision and what is around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Print([u8; 32]);

impl Print {
    pub(super) fn of(subject: &Subject, surroundings: &Surroundings) -> Self {
        let around = json(&(&subject.file, subject.planned, surroundings));
        Print(Sha256::new().chain_update(subject.digest).chain_update(around).finalize().into())
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
    /// The file.
    text: String,
    /// Where the answers stand in it; parsed when they are wanted.
    old: HashMap<Key, Range<usize>>,
    /// Of use just now.
    used: HashMap<Key, Written>,
    circumstances: Option<[u8; 32]>,
    keeps: bool,
    is_changed: bool,
}

/// An answer as a file has it.
#[derive(Debug)]
enum Written {
    /// In the text of the book.
    Old(Range<usize>),
    New(String),
}

/// The first line of a file. Another program may cut files into statements in another way, so it asks anew.
fn form() -> &'static str {
    static FORM: OnceLock<String> = OnceLock::new();
    FORM.get_or_init(|| {
        let program = std::env::current_exe().and_then(|path| path.metadata()).ok();
        let made = program.as_ref().and_then(|program| program.modified().ok());
        let made = made.and_then(|made| made.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or_default();
        let length = program.map_or(0, |program| program.len());
        format!("runner lint answers 3, {}, {length}, {}", env!("CARGO_PKG_VERSION"), made.as_nanos())
    })
}

const EMPTY: &str = "-";
const RESTS_ON_FACTS: &str = "facts";

impl Book {
    fn parse(text: String) -> Self {
        let mut lines = text.split_inclusive('\n');
        let first = lines.next().unwrap_or_default();
        if first.trim_end() != form() {
            return Book::default();
        }
        let (mut old, mut at) = (HashMap::new(), first.len());
        for line in lines {
            let whole = line.trim_end_matches('\n');
            if let Some((key, entry)) = whole.split_once(' ')
                && let Some(key) = Key::parse(key)
            {
                let end = at + whole.len();
                old.insert(key, end - entry.len()..end);
            }
            at += line.len();
        }
        Book { text, old, ..Book::default() }
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n", form());
        let used = self.used.iter().map(|(key, written)| match written {
            Written::Old(range) => (key, &self.text[range.clone()]),
            Written::New(entry) => (key, entry.as_str()),
        });
        let old = self.old.iter().map(|(key, range)| (key, &self.text[range.clone()]));
        for (key, entry) in used.chain(old).take(MOST) {
            if text.len() + entry.len() > LARGEST {
                break;
            }
            let _ = writeln!(text, "{} {entry}", hex(&key.0));
        }
        text
    }

    /// Everything that is told, as one digest. The circumstances must be the same in all calls.
    pub(super) fn key(&mut self, circumstances: &LintCircumstances, print: Print) -> Key {
        let shared = self.circumstances.get_or_insert_with(|| Sha256::digest(json(circumstances)).into());
        Key(Sha256::new().chain_update(shared).chain_update(print.0).finalize().into())
    }

    pub(super) fn find(&mut self, key: &Key) -> Option<Entry> {
        let written = self.old.remove(key)?;
        let entry = match &self.text[written.clone()] {
            RESTS_ON_FACTS => Some(Entry::RestsOnFacts),
            EMPTY => Some(Entry::Report(LintReport { findings: Vec::new(), locks: Vec::new(), notes: Vec::new() })),
            report => serde_json::from_str(report).ok().map(Entry::Report),
        };
        if entry.is_some() {
            self.used.insert(key.clone(), Written::Old(written));
        }
        entry
    }

    /// Keeps an answer as [`written`] has it.
    pub(super) fn keep(&mut self, key: Key, written: String) {
        if self.keeps {
            self.used.insert(key, Written::New(written));
            self.is_changed = true;
        }
    }

    /// Keeps that an answer rests on facts.
    pub(super) fn keep_dependence(&mut self, key: Key) {
        self.keep(key, RESTS_ON_FACTS.to_owned());
    }
}

/// An answer as it is kept.
pub(super) fn written(report: &LintReport) -> String {
    match report.findings.is_empty() && report.locks.is_empty() && report.notes.is_empty() {
        true => EMPTY.to_owned(),
        false => json(report),
    }
}

/// Our own data always has a JSON form.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
