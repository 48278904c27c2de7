//! What the plan has made, dropped and renamed, told by names. What excuses a drop must be sure, so names count as the same
//! only if both are written with the same schema or both without one.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

use runner_policy_sdk::revision_lint::Note;

use crate::deed::Name;

const CREATES: &str = "creates table ";
const MAY_CREATE: &str = "creates if missing table ";
const DROPS: &str = "drops table ";
const KEEPS: &str = "keeps rows in table ";

/// The name of a table in lower case, as far as it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// First, so that tables of one name stand together in their order.
    name: String,
    schema: Option<String>,
}

impl Key {
    fn of(name: &Name) -> Self {
        Key { schema: name.schema.as_ref().map(|schema| schema.to_lowercase()), name: name.name.to_lowercase() }
    }

    /// Whether both may be the same table: a schema that is not written may be any.
    fn may_be(&self, other: &Key) -> bool {
        self.name == other.name && (self.schema == other.schema || self.schema.is_none() || other.schema.is_none())
    }

    /// As [`to_string`](ToString::to_string) writes it.
    fn read(text: &str) -> Option<Self> {
        let (first, rest) = part(text)?;
        if rest.is_empty() {
            return Some(Key { schema: None, name: first });
        }
        let (name, rest) = part(rest.strip_prefix('.')?)?;
        rest.is_empty().then_some(Key { schema: Some(first), name })
    }
}

/// The first part of a written name, and what is after it.
fn part(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('`') else {
        let end = text.find('.').unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    loop {
        let (piece, after) = rest.split_once('`')?;
        name.push_str(piece);
        let Some(after_quote) = after.strip_prefix('`') else { return Some((name, after)) };
        name.push('`');
        rest = after_quote;
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.schema.iter().chain([&self.name]).enumerate() {
            if index > 0 {
                formatter.write_str(".")?;
            }
            if part.contains(['.', '`']) || part.is_empty() {
                write!(formatter, "`{}`", part.replace('`', "``"))?;
            } else {
                formatter.write_str(part)?;
            }
        }
        Ok(())
    }
}

/// A table that the plan makes.
#[derive(Clone, Copy, Debug)]
struct Made {
    /// False for `IF NOT EXISTS`, which makes none if there is one.
    certain: bool,
    /// Whether an earlier step has noted it.
    told: bool,
}

/// How new a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Newness {
    /// It was there before the plan, or may have been.
    Old,
    /// It is new if the target had no table of that name before the plan.
    Likely,
    New,
}

/// Tables as the plan has left them.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    created: BTreeMap<Key, Made>,
    /// Surely not there, because the revision has dropped or renamed it.
    absent: BTreeMap<Key, ()>,
    /// Old tables under names that the plan has given to them.
    kept: BTreeMap<Key, bool>,
    /// Dropped or renamed by this revision, which later steps have to know.
    dropped: BTreeSet<Key>,
    /// Names of temporary tables, which hide others of the same name.
    temporary: BTreeSet<String>,
    /// Whether names without a schema do not mean the session's schema any longer.
    is_elsewhere: bool,
}

impl Tables {
    /// What earlier steps have noted, in their order. What others have written is no matter.
    pub(crate) fn told(notes: &[String]) -> Self {
        let mut tables = Tables::default();
        for note in notes {
            if let Some(key) = note.strip_prefix(CREATES).and_then(Key::read) {
                tables.kept.remove(&key);
                tables.created.insert(key, Made { certain: true, told: true });
            } else if let Some(key) = note.strip_prefix(MAY_CREATE).and_then(Key::read) {
                tables.created.entry(key).or_insert(Made { certain: false, told: true });
            } else if let Some(key) = note.strip_prefix(DROPS).and_then(Key::read) {
                tables.kept.remove(&key);
                tables.take_back(&key);
            } else if let Some(key) = note.strip_prefix(KEEPS).and_then(Key::read) {
                tables.take_back(&key);
                tables.kept.insert(key, true);
            }
        }
        tables
    }

    pub(crate) fn newness(&self, name: &Name) -> Newness {
        let key = Key::of(name);
        match self.created.get(&key) {
            Some(made) if made.certain => Newness::New,
            Some(_) if key.schema.is_none() && !self.is_elsewhere && !self.is_kept(name) => Newness::Likely,
            _ => Newness::Old,
        }
    }

    /// Whether it may be an old table under a name that the plan has given to it.
    pub(crate) fn is_kept(&self, name: &Name) -> bool {
        let key = Key::of(name);
        alike(&self.kept, &key).next().is_some()
    }

    pub(crate) fn create(&mut self, name: &Name, if_not_exists: bool) {
        let key = Key::of(name);
        // `IF NOT EXISTS` may leave an old table as it is.
        let certain = !if_not_exists || self.absent.remove(&key).is_some();
        if self.created.get(&key).is_some_and(|made| made.certain) && !certain {
            return;
        }
        if certain {
            self.kept.remove(&key);
            self.absent.remove(&key);
        }
        self.created.insert(key, Made { certain, told: false });
    }

    /// A temporary table is no table that a later `DROP TABLE` surely means.
    pub(crate) fn create_temporary(&mut self, name: &Name) {
        self.temporary.insert(name.name.to_lowercase());
    }

    pub(crate) fn drop(&mut self, name: &Name) {
        let key = Key::of(name);
        self.take_back(&key);
        self.dropped.insert(key.clone());
        // It may have been the temporary one, and the other one is still there.
        if !self.temporary.remove(&key.name) {
            self.kept.remove(&key);
            self.absent.insert(key, ());
        }
    }

    pub(crate) fn drop_temporary(&mut self, name: &Name) {
        self.temporary.remove(&name.name.to_lowercase());
    }

    /// A table gets another name; `is_new`: it is new under the old one.
    pub(crate) fn rename(&mut self, old: &Name, new: &Name, is_new: bool) {
        self.drop(old);
        let mut key = Key::of(new);
        // PostgreSQL and SQLite write the new name without the schema, in which it stays.
        if key.schema.is_none() {
            key.schema = old.schema.as_ref().map(|schema| schema.to_lowercase());
        }
        self.take_back(&key);
        self.is_there(&key);
        if is_new {
            self.created.insert(key, Made { certain: true, told: false });
        } else {
            self.kept.insert(key, false);
        }
    }

    /// A table that was rebuilt holds the rows of the one that it replaces.
    pub(crate) fn fill(&mut self, table: &str) {
        let key = Key { schema: None, name: table.to_lowercase() };
        self.take_back(&key);
        self.is_there(&key);
        self.kept.insert(key, false);
    }

    /// Bare names mean other tables from now on.
    pub(crate) fn leave_schema(&mut self) {
        self.created.retain(|key, _| key.schema.is_some());
        self.absent.retain(|key, ()| key.schema.is_some());
        self.is_elsewhere = true;
    }

    fn take_back(&mut self, key: &Key) {
        let alike: Vec<Key> = alike(&self.created, key).cloned().collect();
        for key in alike {
            self.created.remove(&key);
        }
    }

    fn is_there(&mut self, key: &Key) {
        let alike: Vec<Key> = alike(&self.absent, key).cloned().collect();
        for key in alike {
            self.absent.remove(&key);
        }
    }

    /// What later steps of the plan have to know.
    pub(crate) fn notes(&self) -> Vec<Note> {
        let note = |verb: &str, key: &Key| Note::about(&key.name, format!("{verb}{key}"));
        let kept = self.kept.iter().filter(|(_, told)| !**told);
        let is_sure = |key: &Key| key.schema.is_some() || !self.is_elsewhere;
        let made = self.created.iter().filter(|(key, made)| !made.told && is_sure(key));
        let mut notes: Vec<Note> = self.dropped.iter().map(|key| note(DROPS, key)).collect();
        notes.extend(kept.map(|(key, _)| note(KEEPS, key)));
        notes.extend(made.map(|(key, made)| note(if made.certain { CREATES } else { MAY_CREATE }, key)));
        notes
    }
}

/// Those that may be the same table.
fn alike<'a, V>(map: &'a BTreeMap<Key, V>, key: &Key) -> impl Iterator<Item = &'a Key> {
    let first = Key { name: key.name.clone(), schema: None };
    let key = key.clone();
    let name = key.name.clone();
    let named = map.range(first..).map(|(other, _)| other).take_while(move |other| other.name == name);
    named.filter(move |other| other.may_be(&key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for (schema, name) in [(None, "visit"), (Some("app"), "visit"), (None, "app.visit"), (Some("a`b"), "c d.`e``")]
        {
            let key = Key { schema: schema.map(str::to_owned), name: name.to_owned() };
            assert_eq!(Key::read(&key.to_string()), Some(key));
        }
        for text in ["", ".", "a.", "a.b.c", "`a", "`a`b"] {
            assert_eq!(Key::read(text), None, "{text}");
        }
    }
}
