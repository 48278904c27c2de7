//! `runner.lock`: which component each plugin is.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use runner_policy::Digest;
use runner_policy::Pin;
use runner_policy::PluginDefinition;
use runner_policy::Source;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error as _;

use crate::config::toml_error;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

const HEADER: &str = "\
# Written by `runner plugin lock`: the component that each plugin is. A run refuses any other until `runner plugin lock`
# accepts it, so a change shows here. With `--locked` whatever is not listed is refused as well.
";

/// The version of the form.
const VERSION: i64 = 1;

/// What a lock file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LockFile {
    path: PathBuf,
    entries: BTreeMap<String, LockEntry>,
}

/// What it says of one plugin.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct LockEntry {
    pub(crate) name: String,
    pub(crate) source: String,
    /// Of a registry: the manifest that its tag stood for.
    #[serde(default, deserialize_with = "maybe_digest")]
    pub(crate) manifest: Option<Digest>,
    #[serde(deserialize_with = "digest")]
    pub(crate) digest: Digest,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    #[serde(rename = "version", deserialize_with = "version")]
    _version: (),
    #[serde(default)]
    plugin: Vec<LockEntry>,
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<(), D::Error> {
    match i64::deserialize(deserializer)? {
        VERSION => Ok(()),
        other => Err(D::Error::custom(format!("version {other} is not known, this runner writes version {VERSION}"))),
    }
}

fn digest<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Digest, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

fn maybe_digest<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Digest>, D::Error> {
    digest(deserializer).map(Some)
}

impl LockFile {
    /// The lock file that belongs to a configuration file: beside it, with the ending `.lock`. It may be absent.
    pub(crate) fn path_beside(configuration: &Path) -> PathBuf {
        configuration.with_extension("lock")
    }

    /// Reads the lock file that belongs to a configuration file, if there is one.
    pub(crate) fn beside(configuration: &Path) -> Result<Option<Self>> {
        let path = Self::path_beside(configuration);
        let shown = path.display();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let message = format!("the lock file `{shown}` can't be read: {error}");
                return Err(Error::new(ErrorKind::Configuration, message));
            }
        };
        let written: Written = toml::from_str(&text).map_err(|error| {
            toml_error::explain(&path, &text, &error)
                .help(format!("{} writes it anew; look at what it accepts", command(&path)))
        })?;
        let mut entries = BTreeMap::new();
        for entry in written.plugin {
            if let Some(twice) = entries.insert(entry.name.clone(), entry) {
                let message =
                    format!("the lock file `{shown}` names `{}` twice", runner_policy::printable(&twice.name));
                return Err(
                    Error::new(ErrorKind::Configuration, message).help(format!("{} writes it anew", command(&path)))
                );
            }
        }
        Ok(Some(LockFile { path, entries }))
    }

    /// A lock file with these entries.
    pub(crate) fn of(configuration: &Path, entries: Vec<LockEntry>) -> Self {
        let entries = entries.into_iter().map(|entry| (entry.name.clone(), entry)).collect();
        LockFile { path: Self::path_beside(configuration), entries }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What it says, by name.
    pub(crate) fn entries(&self) -> &BTreeMap<String, LockEntry> {
        &self.entries
    }

    /// Writes down what it demands of a plugin. What is built in ships with the runner, so where it is listed as such it is
    /// compared only if everything is `locked`; only then must a plugin be listed at all.
    pub(super) fn pin(&self, plugin: &mut PluginDefinition, locked: bool) {
        let shown = self.path.display().to_string();
        let source = plugin.source.to_string();
        let is_built_in = matches!(plugin.source, Source::Builtin(_));
        let refused = |what: String| Pin::Refused {
            what,
            help: format!("{} brings `{shown}` up to date; look at what it accepts", command(&self.path)),
        };
        plugin.trust.pin = match self.entries.get(&plugin.name) {
            None if locked => refused(format!("is not in `{shown}`, and `--locked` refuses what is not")),
            None => Pin::None,
            Some(entry) if is_built_in && !locked && entry.source == source => Pin::None,
            Some(entry) if locked && entry.source != source => {
                let pinned = runner_policy::printable(&entry.source);
                refused(format!("comes from `{source}`, and `{shown}` pins `{pinned}`"))
            }
            Some(entry) => {
                if let Source::Oci(oci) = &mut plugin.source
                    && entry.source == source
                {
                    oci.manifest = oci.manifest.or(entry.manifest);
                }
                Pin::Digest { digest: entry.digest, file: shown }
            }
        };
    }
}

/// The text of the file: the same for the same entries.
impl std::fmt::Display for LockFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        writeln!(formatter, "{HEADER}version = {VERSION}")?;
        for entry in self.entries.values() {
            write!(formatter, "\n[[plugin]]\nname = {}\nsource = {}\n", quoted(&entry.name), quoted(&entry.source))?;
            if let Some(manifest) = &entry.manifest {
                writeln!(formatter, "manifest = \"{manifest}\"")?;
            }
            writeln!(formatter, "digest = \"{}\"", entry.digest)?;
        }
        Ok(())
    }
}

/// There is no lock file, and there has to be.
pub(super) fn missing(configuration: &Path) -> Error {
    let path = LockFile::path_beside(configuration);
    let message = format!("`--locked` refuses what is not in `{}`, and there is no such file", path.display());
    Error::new(ErrorKind::Configuration, message)
        .help(format!("{} writes it; keep it beside the configuration", command(&path)))
}

fn command(path: &Path) -> String {
    runner_policy::lock_command(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, source: &str, manifest: bool) -> LockEntry {
        LockEntry {
            name: name.to_owned(),
            source: source.to_owned(),
            manifest: manifest.then(|| Digest::of(b"manifest")),
            digest: Digest::of(name.as_bytes()),
        }
    }

    #[test]
    fn a_lock_file_reads_back_as_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let configuration = folder.path().join("runner.toml");
        assert_eq!(LockFile::beside(&configuration).unwrap(), None);
        let entries = vec![
            entry("odd \"name\"\n", "dir\\with 'quotes'/é.wasm", false),
            entry("lint", "oci://ghcr.io/acme/lint:1", true),
            entry("a", "builtin:a", false),
        ];
        let lock = LockFile::of(&configuration, entries);
        std::fs::write(lock.path(), lock.to_string()).unwrap();
        assert_eq!(LockFile::beside(&configuration).unwrap(), Some(lock));
    }
}
