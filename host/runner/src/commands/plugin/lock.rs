//! `runner plugin lock`

use std::path::Path;

use runner_policy::Digest;
use runner_policy::OciSource;
use runner_policy::PluginDefinition;
use runner_policy::Source;
use runner_policy::digest_of;
use runner_policy::printable;
use runner_registry::Reference;
use serde_json::Value;
use serde_json::json;

use super::component;
use super::sign::replace;
use crate::args::Global;
use crate::config::Config;
use crate::config::LockEntry;
use crate::config::LockFile;
use crate::config::registry_options;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::Table;

/// Pin the component of every plugin in `runner.lock`
///
/// Writes the digest of each plugin of each set beside the configuration, so that a run refuses a component that has changed
/// until it is locked again. Tags of registries are looked up anew. For a set in a file of its own (`--plugins FILE`) the lock
/// file is beside that, with the ending `.lock`. With `--check` nothing is written and no registry is asked; it exits with 4
/// if the lock file is not up to date.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner plugin lock
  runner plugin lock --check
  runner plugin lock --plugins ci/strict-prod.toml")]
pub(crate) struct Args {
    /// Write nothing, and say whether it is up to date
    #[arg(long)]
    check: bool,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        if config.is_locked() && !self.check {
            return Err(Error::new(
                ErrorKind::Usage,
                "`--locked` keeps the lock file as it is, so it can't be written",
            )
            .help("leave `--locked` and `RUNNER_LOCKED` out, or use `--check`"));
        }
        let (plugins, configuration) = config.plugins_of_all_sets()?;
        let before = match LockFile::beside(&configuration) {
            // A damaged one is what this command is there to replace.
            Err(_) if !self.check => LockFile::of(&configuration, Vec::new()),
            before => before?.unwrap_or_else(|| LockFile::of(&configuration, Vec::new())),
        };
        let (after, unknown) = self.locked(&plugins, &configuration, &before, printer).await?;
        let changes = changes(&before, &after, &unknown);
        let shown = after.path().display().to_string();
        let is_there = after.path().exists();
        let is_new = !changes.is_empty() || !is_there || (!self.check && !is_as_written(&after));
        show(printer, &changes);
        let up_to_date = !is_new;
        if is_new && !self.check {
            replace(after.path(), &after.to_string())?;
            printer.say(format_args!("wrote {shown}: {} plugins", after.entries().len()));
        } else if is_new {
            printer.say(format_args!("{shown} is not up to date; `runner plugin lock` writes it"));
        } else {
            printer.say(format_args!("{shown} is up to date: {} plugins", after.entries().len()));
        }
        printer.document(&json!({
            "file": shown, "up_to_date": up_to_date, "written": is_new && !self.check,
            "plugins": after.entries().len(), "changes": changes.iter().map(Change::document).collect::<Vec<_>>(),
        }));
        Ok(if self.check && is_new { exit::PROBLEMS } else { exit::DONE })
    }

    /// What the lock file should say, and the plugins of which only a registry knows that.
    async fn locked(
        &self,
        plugins: &[PluginDefinition],
        configuration: &Path,
        before: &LockFile,
        printer: &Printer,
    ) -> Result<(LockFile, Vec<String>)> {
        let (mut entries, mut unknown) = (Vec::new(), Vec::new());
        for plugin in plugins {
            let source = plugin.source.to_string();
            let (manifest, digest) = match &plugin.source {
                Source::Oci(oci) if self.check => {
                    let known = before.entries().get(&plugin.name).filter(|entry| entry.source == source);
                    // What the tag stands for now is not asked, so what is pinned is right unless the source says otherwise.
                    let known = known.filter(|entry| oci.manifest.is_none() || entry.manifest == oci.manifest);
                    match known {
                        Some(entry) => (entry.manifest, entry.digest),
                        None => {
                            unknown.push(plugin.name.clone());
                            continue;
                        }
                    }
                }
                Source::Oci(oci) => {
                    printer.say(format_args!("asking for {source}"));
                    let (manifest, digest) = Box::pin(resolve(&plugin.name, oci)).await?;
                    (Some(manifest), digest)
                }
                Source::Builtin(_) | Source::File { .. } => {
                    let digest = digest_of(&plugin.source).map_err(|refusal| {
                        component::refused(&plugin.name, &refusal)
                            .help(format!("check `source` in `[plugins.{}]`; nothing was written", plugin.name))
                    })?;
                    (None, digest)
                }
            };
            entries.push(LockEntry { name: plugin.name.clone(), source, manifest, digest });
        }
        Ok((LockFile::of(configuration, entries), unknown))
    }
}

async fn resolve(plugin: &str, source: &OciSource) -> Result<(Digest, Digest)> {
    let reference = Reference::parse(&source.shown)
        .map_err(|error| Error::new(ErrorKind::Configuration, error.to_string()).help(error.help()))?;
    let store = component::store()?;
    let fetched = runner_registry::fetch(&reference, &store, registry_options()?)
        .await
        .map_err(|error| component::registry_failed(plugin, &error))?;
    Ok((fetched.manifest, fetched.artifact.component))
}

/// Whether the file holds exactly this text; somebody may have edited it without changing what it says.
fn is_as_written(lock: &LockFile) -> bool {
    std::fs::read_to_string(lock.path()).is_ok_and(|text| text == lock.to_string())
}

struct Change {
    name: String,
    /// Whether only a registry knows what it should be.
    is_unknown: bool,
    before: Option<LockEntry>,
    after: Option<LockEntry>,
}

impl Change {
    fn word(&self) -> &'static str {
        match (&self.before, &self.after) {
            _ if self.is_unknown => "not locked",
            (None, _) => "added",
            (Some(_), None) => "removed",
            (Some(_), Some(_)) => "changed",
        }
    }

    fn document(&self) -> Value {
        let entry = |entry: &Option<LockEntry>| {
            entry.as_ref().map(|entry| {
                json!({
                    "source": entry.source, "digest": entry.digest.to_string(),
                    "manifest": entry.manifest.map(|manifest| manifest.to_string()),
                })
            })
        };
        json!({ "name": self.name, "change": self.word(), "before": entry(&self.before), "after": entry(&self.after) })
    }
}

fn changes(before: &LockFile, after: &LockFile, unknown: &[String]) -> Vec<Change> {
    let mut names: Vec<&String> = before.entries().keys().chain(after.entries().keys()).chain(unknown).collect();
    names.sort();
    names.dedup();
    let change = |name: &String| {
        let (before, after) = (before.entries().get(name), after.entries().get(name));
        let is_unknown = unknown.contains(name);
        (is_unknown || before != after).then(|| Change {
            name: name.clone(),
            is_unknown,
            before: before.cloned(),
            after: after.cloned(),
        })
    };
    names.into_iter().filter_map(change).collect()
}

fn show(printer: &Printer, changes: &[Change]) {
    let mut table = Table::new();
    for change in changes {
        let entry = |entry: &LockEntry| format!("{}  {}", printable(&entry.source), entry.digest);
        let lines = match (&change.before, &change.after) {
            (Some(before), Some(after)) => vec![format!("from {}", entry(before)), format!("to   {}", entry(after))],
            (before, after) => before.iter().chain(after).map(entry).collect(),
        };
        let mut head = [change.word().to_owned(), printable(&change.name)];
        if lines.is_empty() {
            table.row(head.clone());
        }
        for line in lines {
            let [word, name] = std::mem::take(&mut head);
            table.row([word, name, line]);
        }
    }
    for line in table.lines() {
        printer.say(line);
    }
}
