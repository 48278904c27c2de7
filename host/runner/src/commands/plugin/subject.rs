//! The plugin that a command is about: a file, a built-in one, or one that `runner.toml` configures.

use std::path::Path;
use std::path::PathBuf;

use runner_policy::Grants;
use runner_policy::Limits;
use runner_policy::Mode;
use runner_policy::PluginDefinition;
use runner_policy::PluginReport;
use runner_policy::ReadGrant;
use runner_policy::Source;
use runner_policy::Trust;
use runner_policy::builtin_definition;
use runner_policy::builtin_names;
use serde_json::Map;
use serde_json::Value;

use crate::args::Global;
use crate::bounded;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::output::Printer;
use crate::output::Style;
use crate::suggest::nearest;

/// What the plugin is given for the occasion.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Given {
    /// Its settings, a JSON object or `@FILE` that holds one, in place of the configured ones
    #[arg(long, value_name = "JSON")]
    settings: Option<String>,
    /// Variables that it is granted, besides the configured ones
    #[arg(long, value_name = "NAME", num_args = 1..)]
    grant_env: Vec<String>,
    /// Folders that it is granted to read, besides the configured ones
    #[arg(long, value_name = "FOLDER", num_args = 1..)]
    grant_read: Vec<String>,
    /// It is granted facts about the target
    #[arg(long)]
    grant_facts: bool,
}

impl Given {
    /// The plugin that `file` names, with what it is given.
    pub(super) fn plugin(&self, file: &str, global: &Global) -> Result<PluginDefinition> {
        self.applied_to(find(file, global, Config::plugin)?)
    }

    /// A plugin with what it is given.
    pub(super) fn applied_to(&self, mut plugin: PluginDefinition) -> Result<PluginDefinition> {
        if let Some(settings) = &self.settings {
            plugin.settings = settings_of(settings)?;
        }
        plugin.grants.env.extend(self.grant_env.iter().cloned());
        let folder = |name: &String| ReadGrant { path: PathBuf::from(name), name: name.clone() };
        plugin.grants.read.extend(self.grant_read.iter().map(folder));
        plugin.grants.facts |= self.grant_facts;
        Ok(plugin)
    }

    /// The settings, if there are any on the command line.
    pub(super) fn settings(&self) -> Result<Option<Map<String, Value>>> {
        self.settings.as_deref().map(settings_of).transpose()
    }
}

/// How a name is looked up in the configuration.
type Lookup = fn(&Config, &str) -> Result<Option<PluginDefinition>>;

/// The plugin that a path, `builtin:NAME` or a name in `runner.toml` stands for, with what one in `runner.toml` must prove.
pub(super) fn find_trusted(file: &str, global: &Global) -> Result<PluginDefinition> {
    find(file, global, Config::trusted_plugin)
}

fn find(file: &str, global: &Global, lookup: Lookup) -> Result<PluginDefinition> {
    if let Some(name) = file.strip_prefix("builtin:") {
        let known: Vec<&str> = builtin_names().collect();
        return builtin_definition(name).ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("there is no built-in plugin `{name}`"))
                .maybe_help(nearest(name, &known).map(|nearest| format!("did you mean `builtin:{nearest}`?")))
                .help(format!("built in are {}", known.join(", ")))
        });
    }
    let path = Path::new(file);
    let looks_like_a_path =
        file.contains(std::path::MAIN_SEPARATOR) || path.extension().is_some_and(|extension| extension == "wasm");
    if path.is_file() || looks_like_a_path {
        return of_file(file);
    }
    named(file, global, lookup)
}

fn of_file(file: &str) -> Result<PluginDefinition> {
    let path = PathBuf::from(file);
    if !path.exists() {
        return Err(Error::new(ErrorKind::Usage, format!("there is no file `{file}`"))
            .help("give the path of a component, `builtin:NAME`, or the name of a plugin in `runner.toml`"));
    }
    let name = path.file_stem().map_or_else(|| file.to_owned(), |stem| stem.to_string_lossy().into_owned());
    Ok(PluginDefinition {
        name,
        source: Source::File { path, shown: file.to_owned() },
        settings: Map::new(),
        grants: Grants::default(),
        limits: Limits::default(),
        mode: Mode::Enforce,
        trust: Trust::default(),
    })
}

fn named(name: &str, global: &Global, lookup: Lookup) -> Result<PluginDefinition> {
    let unknown = |known: &[&str]| {
        Error::new(ErrorKind::Usage, format!("there is neither a file nor a plugin `{name}`"))
            .maybe_help(nearest(name, known).map(|nearest| format!("did you mean `{nearest}`?")))
            .help("give the path of a component, `builtin:NAME`, or the name of a plugin in `runner.toml`")
    };
    if !global.config_file().exists() {
        return builtin_definition(name).ok_or_else(|| unknown(&builtin_names().collect::<Vec<_>>()));
    }
    let config = Config::load(&global.overrides())?;
    match lookup(&config, name)? {
        Some(plugin) => Ok(plugin),
        None => Err(unknown(&config.plugin_names()?.iter().map(String::as_str).collect::<Vec<_>>())),
    }
}

/// Settings as the command line gives them.
fn settings_of(text: &str) -> Result<Map<String, Value>> {
    let (shown, json) = match text.strip_prefix('@') {
        Some(file) => {
            let read = bounded::text(bounded::file(Path::new(file))).map_err(|error| {
                Error::new(ErrorKind::Usage, format!("the settings `{file}` can't be read: {error}"))
            })?;
            (file.to_owned(), read)
        }
        None => ("--settings".to_owned(), text.to_owned()),
    };
    match serde_json::from_str(&json) {
        Ok(Value::Object(settings)) => Ok(settings),
        Ok(_) => Err(Error::new(ErrorKind::Usage, format!("`{shown}` holds no JSON object"))
            .help("settings are written as `{\"key\": value}`")),
        Err(error) => Err(Error::new(ErrorKind::Usage, format!("`{shown}` is not JSON: {error}"))
            .help("settings are written as `{\"key\": value}`")),
    }
}

/// One line that says which plugin was asked.
pub(super) fn heading(printer: &Printer, report: Option<&PluginReport>) {
    let Some(report) = report else { return };
    let version = report.version.as_deref().unwrap_or("?");
    let roles: Vec<&str> = report.roles.iter().map(|role| role.name()).collect();
    let rest = [report.source.as_str(), &roles.join(", ")].join("  ");
    printer.say(format_args!("{} {version}  {}", Style::Strong.paint(&report.name), rest.trim_end()));
}

/// A number with a space after every three digits.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(' ');
        }
        shown.push(digit);
    }
    shown
}
