//! Findings that are accepted: those of revisions that are applied everywhere, and can't be mended any more.
//!
//! The file is JSON with one entry a line, sorted, so that two branches that accept something can be merged. An entry names
//! the statement by a fingerprint, so that it stays with it when lines move.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use super::own_rules::OwnRule;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// The form of the file.
const VERSION: u32 = 1;

/// What is accepted, and how often.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) revision: String,
    /// Whose rule it is: two policies may have rules of one name.
    pub(crate) plugin: String,
    pub(crate) rule: String,
    /// Of the statement.
    pub(crate) fingerprint: String,
}

/// Accepted findings.
#[derive(Debug, Default)]
pub(crate) struct Baseline {
    /// The file, as people call it.
    file: String,
    /// Each with how often it may be found, and the line of the file.
    entries: BTreeMap<Key, (u32, u32)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    findings: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    revision: String,
    plugin: String,
    rule: String,
    fingerprint: String,
    count: u32,
}

impl Baseline {
    /// Reads a baseline. `shown` is how people call the file.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`]: it is missing, damaged, or of another version.
    pub(crate) fn read(path: &Path, shown: &str) -> Result<Self> {
        let wrong = |message: String| Error::new(ErrorKind::Configuration, message);
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => wrong(format!("there is no baseline `{shown}`"))
                .help("`runner lint --write-baseline` writes it, with everything that is found now"),
            _ => wrong(format!("the baseline `{shown}` can't be read: {error}")),
        })?;
        let written: Written = serde_json::from_str(&text).map_err(|error| {
            wrong(format!("the baseline `{shown}` is damaged: {}", runner_policy::printable(&error.to_string())))
                .help("put it back from version control, or write it anew with `runner lint --write-baseline`")
        })?;
        if written.version != VERSION {
            return Err(wrong(format!(
                "the baseline `{shown}` has version {}, and this runner reads version {VERSION}",
                written.version
            ))
            .help("write it anew with `runner lint --write-baseline`"));
        }
        let lines = lines(&text, written.findings.len());
        let mut entries: BTreeMap<Key, (u32, u32)> = BTreeMap::new();
        for (index, entry) in written.findings.into_iter().enumerate() {
            let Entry { revision, plugin, rule, fingerprint, count } = entry;
            let line = lines.get(index).copied().unwrap_or(1);
            // Two branches may have accepted the same.
            let known = entries.entry(Key { revision, plugin, rule, fingerprint }).or_insert((0, line));
            known.0 = known.0.max(count);
        }
        Ok(Baseline { file: shown.to_owned(), entries })
    }

    /// The file, as people call it.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// Begins to compare findings with it.
    pub(crate) fn compare(&self) -> Comparison<'_> {
        Comparison { baseline: self, found: BTreeMap::new() }
    }
}

/// The line of each entry: as the file is written they have one each. Of a file that was laid out anew they are not known.
fn lines(text: &str, entries: usize) -> Vec<u32> {
    let with_entry = text.lines().enumerate().filter(|(_, line)| line.contains("\"fingerprint\""));
    let lines: Vec<u32> = with_entry.map(|(index, _)| super::places::number(index + 1)).collect();
    if lines.len() == entries { lines } else { Vec::new() }
}

/// Findings that are compared with a baseline.
pub(crate) struct Comparison<'a> {
    baseline: &'a Baseline,
    found: BTreeMap<Key, u32>,
}

impl Comparison<'_> {
    /// Whether a finding is accepted. Of several that are alike, as many are as the baseline says.
    pub(crate) fn accepts(&mut self, key: &Key) -> bool {
        let Some((count, _)) = self.baseline.entries.get(key) else { return false };
        let found = self.found.entry(key.clone()).or_insert(0);
        *found += 1;
        *found <= *count
    }

    /// What is accepted and was not found. `was_looked_at` says of a revision whether it was: others are left alone.
    pub(crate) fn stale(&self, was_looked_at: impl Fn(&str) -> bool) -> Vec<runner_policy::LintFinding> {
        let is_stale = |(key, (count, _)): &(&Key, &(u32, u32))| {
            was_looked_at(&key.revision) && self.found.get(key).copied().unwrap_or(0) < *count
        };
        let entries = self.baseline.entries.iter().filter(is_stale);
        entries
            .map(|(key, (count, line))| {
                let found = self.found.get(key).copied().unwrap_or(0);
                let message = match found {
                    0 => {
                        format!("`{}` of revision `{}` is accepted, and is not found any more", key.rule, key.revision)
                    }
                    _ => format!(
                        "`{}` of revision `{}` is accepted {count} times, and is found {found} times",
                        key.rule, key.revision
                    ),
                };
                let mut finding = OwnRule::StaleBaseline.finding(&message);
                finding.verdict.file = Some(self.baseline.file.clone());
                finding.verdict.line = Some(*line);
                finding.verdict.help = Some("`runner lint --write-baseline` takes it away".to_owned());
                finding
            })
            .collect()
    }
}

/// Writes a baseline, as a whole or not at all.
///
/// # Errors
/// The file can't be written.
pub(crate) fn save(path: &Path, text: &str) -> Result<()> {
    let work = || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".lint-baseline-").tempfile_in(folder)?;
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        #[cfg(unix)]
        {
            // What is shared by version control is no secret.
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
            let permissions = std::fs::metadata(path).map_or(mode, |about| about.permissions());
            file.as_file().set_permissions(permissions)?;
        }
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    work().map_err(|error: std::io::Error| {
        Error::new(ErrorKind::Io, format!("failed to write `{}`: {error}", path.display()))
    })
}

/// The text of a baseline with all these findings, and how many entries it has. Entries of revisions that were not looked at
/// are taken over from an older one.
pub(crate) fn write(
    findings: impl IntoIterator<Item = Key>,
    older: Option<&Baseline>,
    was_looked_at: impl Fn(&str) -> bool,
) -> (String, usize) {
    let mut entries: BTreeMap<Key, u32> = BTreeMap::new();
    for key in findings {
        *entries.entry(key).or_insert(0) += 1;
    }
    let kept = older.into_iter().flat_map(|older| &older.entries).filter(|(key, _)| !was_looked_at(&key.revision));
    entries.extend(kept.map(|(key, (count, _))| (key.clone(), *count)));
    let mut text = format!("{{\n  \"version\": {VERSION},\n  \"findings\": [");
    let json = |text: &str| serde_json::Value::from(text).to_string();
    for (index, (key, count)) in entries.iter().enumerate() {
        let Key { revision, plugin, rule, fingerprint } = key;
        let separator = if index == 0 { "" } else { "," };
        // Writing into a string cannot fail.
        let _ = write!(
            text,
            "{separator}\n    {{\"revision\": {}, \"plugin\": {}, \"rule\": {}, \"fingerprint\": {}, \"count\": {count}}}",
            json(revision),
            json(plugin),
            json(rule),
            json(fingerprint)
        );
    }
    text.push_str(if entries.is_empty() { "]\n}\n" } else { "\n  ]\n}\n" });
    (text, entries.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(revision: &str, rule: &str) -> Key {
        Key {
            revision: revision.to_owned(),
            plugin: "p".to_owned(),
            rule: rule.to_owned(),
            fingerprint: "0123".to_owned(),
        }
    }

    fn read(text: &str) -> Result<Baseline> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.json");
        std::fs::write(&path, text).unwrap();
        Baseline::read(&path, "b.json")
    }

    #[test]
    fn what_is_written_is_read_back() {
        let (text, count) = write([key("b", "x"), key("a", "y"), key("b", "x")], None, |_| true);
        assert_eq!(count, 2);
        assert_eq!(
            text,
            "{\n  \"version\": 1,\n  \"findings\": [\n    {\"revision\": \"a\", \"plugin\": \"p\", \"rule\": \"y\", \"fingerprint\": \"0123\", \"count\": 1},\n    {\"revision\": \"b\", \"plugin\": \"p\", \"rule\": \"x\", \"fingerprint\": \"0123\", \"count\": 2}\n  ]\n}\n"
        );
        let baseline = read(&text).unwrap();
        let mut comparison = baseline.compare();
        let accepted = [("b", "x"), ("b", "x"), ("b", "x"), ("b", "y"), ("a", "x")]
            .map(|(revision, rule)| comparison.accepts(&key(revision, rule)));
        assert_eq!(accepted, [true, true, false, false, false]);
        let stale = comparison.stale(|_| true);
        assert_eq!(stale.len(), 1);
        assert_eq!(stale[0].verdict.message, "`y` of revision `a` is accepted, and is not found any more");
        assert_eq!((stale[0].verdict.file.as_deref(), stale[0].verdict.line), (Some("b.json"), Some(4)));
        assert!(comparison.stale(|revision| revision == "b").is_empty());
        assert!(read(&write([], None, |_| true).0).unwrap().entries.is_empty());
    }

    #[test]
    fn fewer_than_accepted_are_told() {
        let baseline = read(&write([key("a", "x"), key("a", "x")], None, |_| true).0).unwrap();
        let mut comparison = baseline.compare();
        assert!(comparison.accepts(&key("a", "x")));
        assert_eq!(
            comparison.stale(|_| true)[0].verdict.message,
            "`x` of revision `a` is accepted 2 times, and is found 1 times"
        );
    }

    #[test]
    fn what_was_not_looked_at_is_kept() {
        let older = read(&write([key("a", "x"), key("b", "x")], None, |_| true).0).unwrap();
        let (text, count) = write([key("b", "y")], Some(&older), |revision| revision == "b");
        assert_eq!(count, 2);
        assert!(text.contains("\"a\"") && text.contains("\"y\"") && !text.contains("\"b\", \"rule\": \"x\""));
    }

    #[test]
    fn a_damaged_file_is_refused() {
        for (text, expected) in [
            ("", "is damaged: EOF while parsing a value at line 1 column 0"),
            ("{\"version\": 1, \"findings\": [{}]}", "missing field `revision` at line 1"),
            ("{\"version\": 2, \"findings\": []}", "has version 2"),
            ("{\"version\": 1, \"findings\": [], \"more\": 1}", "unknown field `more`"),
            ("<<<<<<< HEAD\n{}", "is damaged: expected value at line 1 column 1"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.to_string().contains(expected), "{text}: {error}");
            assert_eq!(error.kind(), ErrorKind::Configuration);
        }
        let missing = Baseline::read(Path::new("/nonexistent/b.json"), "b.json").unwrap_err();
        assert_eq!(missing.to_string(), "there is no baseline `b.json`");
    }
}
