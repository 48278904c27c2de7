//! Configuration: command line over environment over `runner.toml` over defaults.

mod backup;
mod channels;
mod file;
pub(crate) mod lint;
mod plugins;
mod template;
pub(crate) mod toml_error;

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use runner_chain::Revision;
use runner_chain::directory::Location;
use runner_database::DatabaseUrl;
use runner_database::TransactionMode;
use runner_delivery::Channels;
use runner_policy::PluginDefinition;
use runner_policy::PluginSet;
use runner_policy::PublicKey;
use runner_policy::Trust;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
pub(crate) use backup::BackupSettings;
use file::File;
pub(crate) use plugins::ActiveSet;
pub(crate) use plugins::LockEntry;
pub(crate) use plugins::LockFile;
pub(crate) use plugins::Member;
pub(crate) use plugins::settings_from_toml;
use template::Template;
use template::TemplateError;

/// The file that a project is configured in.
pub const FILE_NAME: &str = "runner.toml";

/// What the command line (or the caller of the library) says. It wins over everything else.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--database-url`
    pub database_url: Option<Secret>,
    /// `--env`
    pub environment: Option<String>,
    /// `--plugins`
    pub plugin_set: Option<String>,
    /// `--locked`
    pub locked: bool,
    /// `--lock-wait`
    pub lock_wait: Option<Duration>,
}

/// A text that is never shown.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text, for whoever needs it to be secret no more.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Ok(Secret::new(text))
    }
}

/// The configuration in force.
#[derive(Debug)]
pub struct Config {
    /// Folder of `runner.toml`; relative paths start here.
    pub root: PathBuf,
    /// Name of the environment, as configured.
    pub environment: String,
    /// Folders of the revision files, at least one, named as people call them: relative to the project.
    pub migrations: Vec<Location>,
    database: DatabaseSettings,
    plugins: PluginSettings,
    lint: ProjectLint,
    notifications: Result<channels::Notifications>,
    backup: Result<BackupSettings>,
    rehearsals: Result<Option<(PathBuf, String)>>,
}

#[derive(Debug)]
struct PluginSettings {
    /// Those of `runner.toml`.
    project: plugins::Plugins,
    /// The set in force.
    set: SetChoice,
    /// Whether every plugin must be in the lock file.
    locked: bool,
    /// Whether components may be fetched only by commands that are there for it.
    offline: bool,
}

/// What `runner.toml` says of lint, and where that is.
#[derive(Debug)]
struct ProjectLint {
    written: lint::Lint,
    path: PathBuf,
}

/// Which plugin set is in force.
#[derive(Debug)]
enum SetChoice {
    /// One that is built in or in `runner.toml`.
    Named(String),
    /// One in a file of its own.
    File {
        path: PathBuf,
        /// As people call it.
        name: String,
    },
}

#[derive(Debug)]
struct DatabaseSettings {
    url: Option<Result<DatabaseUrl>>,
    options: runner_database::Options,
    transaction: TransactionMode,
    lock_wait: Duration,
}

/// Reads variables of the process environment. What is not text was meant to say something, so it does not count as not set.
fn variable(name: &str) -> Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            let message = format!("the variable `{name}` is not UTF-8 text");
            Err(Error::new(ErrorKind::Configuration, message).help("set it anew, or unset it"))
        }
    }
}

/// The same, where an empty one counts as not set.
fn filled_variable(name: &str) -> Result<Option<String>> {
    Ok(variable(name)?.filter(|value| !value.is_empty()))
}

impl Config {
    /// Reads `runner.toml` and puts environment and overrides on top.
    ///
    /// # Errors
    /// There is no configuration, it is no TOML, holds unknown keys or wrong values, or needs a variable that is not set.
    pub fn load(overrides: &Overrides) -> Result<Self> {
        let path = overrides.config.clone().unwrap_or_else(|| PathBuf::from(FILE_NAME));
        let text = read(&path, "configuration")?;
        let file: File = toml::from_str(&text).map_err(|error| toml_error::explain(&path, &text, &error))?;
        let root = folder(&path);
        let fill = Fill { path: &path };
        let environment = environment(&file, overrides, &fill)?;
        let database = database(&file, overrides, &fill, &root)?;
        let migrations = migrations(&file, &fill, &root)?;
        let plugins = PluginSettings {
            set: set_choice(&file, overrides, &fill, &root)?,
            project: plugins::Plugins::new(file.plugins, file.plugin_sets, file.trust, &root, &fill)?,
            locked: overrides.locked || flag("RUNNER_LOCKED")?,
            offline: flag("RUNNER_OFFLINE")?,
        };
        let lint = ProjectLint { written: file.lint, path: path.clone() };
        // Whoever notifies nobody does not need what only channels need.
        let notifications = channels::Notifications::new(file.channels, &file.notifications, &root, &fill);
        // Nor does whoever makes no backup need their passphrase.
        let backup = BackupSettings::new(&file.backup, &root, &fill);
        let rehearsals = file.test.record.as_ref().map(|name| fill.fill(name, "test.record")).transpose();
        let rehearsals = rehearsals.map(|name| name.map(|name| (root.join(&name), name)));
        Ok(Config { migrations, root, environment, database, plugins, lint, notifications, backup, rehearsals })
    }

    /// The folders of the revision files as messages name them.
    pub fn migrations_shown(&self) -> String {
        let names: Vec<&str> = self.migrations.iter().map(|location| location.shown_as.as_str()).collect();
        names.join("`, `")
    }

    /// Where a revision file is.
    pub fn file(&self, revision: &Revision) -> PathBuf {
        self.root.join(&revision.file)
    }

    /// The folder of a revision file.
    pub fn location_of(&self, revision: &Revision) -> Option<&Location> {
        self.migrations.iter().find(|location| {
            let name = Path::new(&revision.file).file_name().unwrap_or_default();
            location.file(&name.to_string_lossy()) == revision.file
        })
    }

    /// What tells the migrations of this project from those of others.
    pub(crate) fn migrations_key(&self) -> String {
        let paths: Vec<_> = self.migrations.iter().map(|location| location.path.to_string_lossy()).collect();
        paths.join("\0")
    }

    /// The database.
    ///
    /// # Errors
    /// None is configured, or its URL is wrong.
    pub fn database_url(&self) -> Result<&DatabaseUrl> {
        match &self.database.url {
            Some(Ok(url)) => Ok(url),
            Some(Err(error)) => Err(error.clone()),
            None => Err(Error::new(ErrorKind::Configuration, "no database is configured")
                .help("set `url` in `[database]` of `runner.toml`, `DATABASE_URL` or `--database-url`")
                .help("for example `sqlite://runner.db`")),
        }
    }

    /// Names of the runner's tables and other options of the connection.
    pub fn database_options(&self) -> &runner_database::Options {
        &self.database.options
    }

    /// One transaction a revision, or one for the whole run.
    pub fn transaction(&self) -> TransactionMode {
        self.database.transaction
    }

    /// How long to wait for the lock.
    pub fn lock_wait(&self) -> Duration {
        self.database.lock_wait
    }

    /// A plugin as `[plugins.NAME]` configures it, or a built-in one, to be tried out: nothing follows from what it says, so
    /// it need not prove that it is the pinned one, or signed. `None`: there is no such plugin.
    ///
    /// # Errors
    /// The file of the set in force, or the lock file, can't be read.
    pub(crate) fn plugin(&self, name: &str) -> Result<Option<PluginDefinition>> {
        self.with_plugins(|plugins, _| {
            let Some((mut definition, _)) = plugins.plugin(name) else { return Ok(None) };
            // For the manifest that its tag stands for.
            plugins.pin(std::iter::once(&mut definition), false)?;
            definition.trust = Trust::default();
            Ok(Some(definition))
        })
    }

    /// The same, with what it must prove before it is loaded.
    ///
    /// # Errors
    /// The file of the set in force, or the lock file, can't be read, or is missing although everything must be in it.
    pub(crate) fn trusted_plugin(&self, name: &str) -> Result<Option<PluginDefinition>> {
        self.with_plugins(|plugins, _| {
            let Some((mut definition, _)) = plugins.plugin(name) else { return Ok(None) };
            plugins.pin(std::iter::once(&mut definition), self.plugins.locked)?;
            Ok(Some(definition))
        })
    }

    /// Names of all plugins that are configured or built in.
    ///
    /// # Errors
    /// The file of the set in force can't be read.
    pub(crate) fn plugin_names(&self) -> Result<Vec<String>> {
        self.with_plugins(|plugins, _| Ok(plugins.plugin_names().into_iter().map(str::to_owned).collect()))
    }

    /// The channels that messages go to.
    ///
    /// # Errors
    /// One of them is wrong, or needs a variable that is not set.
    pub fn channels(&self) -> Result<&Channels> {
        self.notifications.as_ref().map(|notifications| &notifications.channels).map_err(Clone::clone)
    }

    /// How backups are kept.
    ///
    /// # Errors
    /// `[backup]` says something wrong, or needs a variable that is not set.
    pub(crate) fn backup(&self) -> Result<&BackupSettings> {
        self.backup.as_ref().map_err(Clone::clone)
    }

    /// Where rehearsals are recorded besides the user's cache, and as people call it.
    ///
    /// # Errors
    /// `[test]` needs a variable that is not set.
    pub(crate) fn rehearsals(&self) -> Result<Option<&(PathBuf, String)>> {
        self.rehearsals.as_ref().map(Option::as_ref).map_err(Clone::clone)
    }

    /// Whether the plugin set in force wants a backup before something is destroyed: a strict one does, and any that says so.
    ///
    /// # Errors
    /// As for [`Config::plugin_set`].
    pub(crate) fn requires_backup(&self) -> Result<bool> {
        let active = self.active_set()?;
        Ok(active.requires_backup || active.strict().next().is_some())
    }

    /// How long delivering may take after a run.
    pub fn notification_time(&self) -> Duration {
        self.notifications.as_ref().map_or(Duration::ZERO, |notifications| notifications.time)
    }

    /// The plugin set in force.
    ///
    /// # Errors
    /// There is no such set, it names a plugin that is not configured, it loosens what a strict set demands, or the lock file
    /// can't be read or is missing although everything must be in it.
    pub fn plugin_set(&self) -> Result<PluginSet> {
        Ok(self.active_set()?.into_set())
    }

    /// The plugin set in force, and why its plugins are as they are.
    pub(crate) fn active_set(&self) -> Result<ActiveSet> {
        self.with_plugins(|plugins, name| {
            let mut active = plugins.active(name, self.plugins.locked)?;
            if matches!(self.plugins.set, SetChoice::File { .. }) {
                let unseen = self.plugins.project.configured();
                let reason = format!("`{name}` takes nothing from `{}`", self.plugins.project.path().display());
                active.inactive.extend(unseen.map(|plugin| (plugin.to_owned(), reason.clone())));
            }
            Ok(active)
        })
    }

    /// The plugins of all sets of the file that holds the set in force, each once, and the file.
    pub(crate) fn plugins_of_all_sets(&self) -> Result<(Vec<PluginDefinition>, PathBuf)> {
        self.with_plugins(|plugins, _| Ok((plugins.of_all_sets()?, plugins.path().to_owned())))
    }

    /// The same, with what the lock file says of them.
    pub(crate) fn pinned_plugins_of_all_sets(&self) -> Result<Vec<PluginDefinition>> {
        self.with_plugins(|plugins, _| {
            let mut all = plugins.of_all_sets()?;
            plugins.pin(all.iter_mut(), self.plugins.locked)?;
            Ok(all)
        })
    }

    /// What is said about lint: by the file of the set in force, if it has one of its own, and by `runner.toml`, which can
    /// then make things stricter alone.
    ///
    /// # Errors
    /// The file of the set in force can't be read, or a variable is needed that is not set.
    pub(crate) fn lint(&self) -> Result<lint::LintSettings> {
        let project = &self.lint;
        let layer = |file: &Path, written: &lint::Lint, only_stricter| lint::LintLayer {
            file: file.display().to_string(),
            only_stricter,
            fail_on: written.fail_on,
            rules: written.rules.clone(),
        };
        let of_set = match &self.plugins.set {
            SetChoice::Named(_) => None,
            SetChoice::File { path, name } => {
                Some(plugins::Plugins::of_set_file(path, name)?.lint().map(|written| layer(path, written, false)))
            }
        };
        let only_stricter = of_set.is_some();
        let mut layers: Vec<lint::LintLayer> = of_set.flatten().into_iter().collect();
        layers.push(layer(&project.path, &project.written, only_stricter));
        let fill = Fill { path: &project.path };
        let baseline = project.written.baseline.as_ref().map(|name| fill.fill(name, "lint.baseline")).transpose()?;
        Ok(lint::LintSettings { layers, baseline: baseline.map(|name| (self.root.join(&name), name)) })
    }

    /// Whose signatures count.
    pub(crate) fn trusted_keys(&self) -> Result<Vec<PublicKey>> {
        self.with_plugins(|plugins, _| plugins.trusted_keys())
    }

    /// Whether every plugin must be in the lock file.
    pub(crate) fn is_locked(&self) -> bool {
        self.plugins.locked
    }

    /// Whether a run may fetch a component that is not in the store.
    pub(crate) fn may_fetch(&self) -> bool {
        !self.plugins.locked && !self.plugins.offline
    }

    fn with_plugins<T>(&self, work: impl FnOnce(&plugins::Plugins, &str) -> Result<T>) -> Result<T> {
        match &self.plugins.set {
            SetChoice::Named(name) => work(&self.plugins.project, name),
            SetChoice::File { path, name } => work(&plugins::Plugins::of_set_file(path, name)?, name),
        }
    }
}

/// Where components of registries are kept; `None` if this system has no such place.
pub(crate) fn store() -> Option<runner_policy::Store> {
    plugins::store()
}

/// Which set is in force. A file named here and now is relative to here; one named in `runner.toml` is relative to that.
fn set_choice(file: &File, overrides: &Overrides, fill: &Fill<'_>, root: &Path) -> Result<SetChoice> {
    let here = match &overrides.plugin_set {
        Some(set) => Some(set.clone()),
        None => filled_variable("RUNNER_PLUGINS")?,
    };
    let (name, base) = match here {
        Some(name) => (name, Path::new("")),
        None => (fill.or_default(file.plugin_set.as_ref(), "plugin-set", "default")?, root),
    };
    Ok(match plugins::names_a_file(&name) {
        true => SetChoice::File { path: base.join(&name), name },
        false => SetChoice::Named(name),
    })
}

/// A variable that is `true` or `false`.
fn flag(name: &str) -> Result<bool> {
    let value = std::env::var_os(name).unwrap_or_default();
    match value.to_string_lossy().as_ref() {
        "" | "false" | "0" => Ok(false),
        "true" | "1" => Ok(true),
        other => {
            let message =
                format!("`{name}` is `{}`, and it must be `true` or `false`", runner_policy::printable(other));
            Err(Error::new(ErrorKind::Configuration, message))
        }
    }
}

/// How patient to be with registries.
pub(crate) fn registry_options() -> Result<runner_registry::Options> {
    const LONGEST: Duration = Duration::from_hours(24);
    let Some(text) = filled_variable("RUNNER_REGISTRY_TIMEOUT")? else {
        return Ok(runner_registry::Options::default());
    };
    let wrong = |what: &str| {
        let shown = runner_policy::printable(&text);
        Error::new(ErrorKind::Configuration, format!("`RUNNER_REGISTRY_TIMEOUT`: `{shown}` is {what}"))
    };
    let timeout = duration(&text).ok().filter(|timeout| !timeout.is_zero());
    let timeout = timeout.ok_or_else(|| wrong("not a duration such as `30s`"))?;
    if timeout > LONGEST {
        return Err(wrong("longer than a day").help("at most `24h` is possible"));
    }
    Ok(runner_registry::Options { timeout })
}

/// The folder that relative paths in a file start at.
fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Reads a file of configuration.
fn read(path: &Path, what: &str) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, what, &error))
}

/// Fills templates, with errors that name the key.
struct Fill<'a> {
    path: &'a Path,
}

impl Fill<'_> {
    fn fill(&self, template: &Template, key: &str) -> Result<String> {
        let of_process = |name: &str| variable(name).map_err(|_| TemplateError::NotText(name.to_owned()));
        template.fill(&of_process).map_err(|error| {
            let message = format!("{error}, and `{key}` in `{}` needs it", self.path.display());
            let help = match error {
                TemplateError::NotText(_) => "set it anew",
                _ => "set it, or write a default as in `${NAME:-default}`",
            };
            Error::new(ErrorKind::Configuration, message).help(help)
        })
    }

    fn or_default(&self, template: Option<&Template>, key: &str, default: &str) -> Result<String> {
        template.map_or_else(|| Ok(default.to_owned()), |template| self.fill(template, key))
    }

    fn wrong(&self, key: &str, message: impl std::fmt::Display) -> Error {
        Error::new(ErrorKind::Configuration, format!("`{key}` in `{}`: {message}", self.path.display()))
    }
}

fn migrations(file: &File, fill: &Fill<'_>, root: &Path) -> Result<Vec<Location>> {
    let given = file.migrations.dir.iter().flat_map(|dir| &dir.0);
    let mut shown: Vec<String> = given.map(|template| fill.fill(template, "migrations.dir")).collect::<Result<_>>()?;
    if file.migrations.dir.is_none() {
        shown.push("migrations".to_owned());
    }
    let locations: Vec<Location> = shown.iter().map(|shown| Location::new(root.join(shown), shown)).collect();
    let repeated = locations.iter().enumerate().find(|(index, location)| locations[..*index].contains(location));
    match (locations.is_empty(), repeated) {
        (true, _) => Err(fill.wrong("migrations.dir", "it names no folder")),
        (_, Some((_, location))) => {
            Err(fill.wrong("migrations.dir", format!("`{}` is there twice", location.shown_as)))
        }
        _ => Ok(locations),
    }
}

fn unreadable(path: &Path, what: &str, error: &std::io::Error) -> Error {
    let shown = path.display();
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            let missing = Error::new(ErrorKind::Configuration, format!("there is no {what} `{shown}`"));
            match what {
                "configuration" => {
                    missing.help("`runner init` starts a project here; `--config` names a file elsewhere")
                }
                _ => missing.help("a name with a `/` in it, or with `.toml` at its end, is that of a file"),
            }
        }
        std::io::ErrorKind::InvalidData => {
            Error::new(ErrorKind::Configuration, format!("the {what} `{shown}` is not UTF-8 text"))
        }
        _ => Error::new(ErrorKind::Configuration, format!("the {what} `{shown}` can't be read: {error}")),
    }
}

fn environment(file: &File, overrides: &Overrides, fill: &Fill<'_>) -> Result<String> {
    if let Some(environment) = &overrides.environment {
        return Ok(environment.clone());
    }
    for name in ["ENVIRONMENT", "ENV"] {
        if let Some(environment) = filled_variable(name)? {
            return Ok(environment);
        }
    }
    fill.or_default(file.environment.as_ref(), "environment", "development")
}

fn database(file: &File, overrides: &Overrides, fill: &Fill<'_>, root: &Path) -> Result<DatabaseSettings> {
    let section = &file.database;
    // A URL given here and now is relative to here; one in the file is relative to the file.
    let here = match &overrides.database_url {
        Some(url) => Some(url.0.clone()),
        None => filled_variable("DATABASE_URL")?,
    };
    let (url, base) = match here {
        Some(url) => (Some(url), Path::new(".")),
        None => (section.url.as_ref().map(|url| fill.fill(url, "database.url")).transpose()?, root),
    };
    let defaults = runner_database::Options::default();
    let options = runner_database::Options {
        version_table: fill.or_default(
            section.version_table.as_ref(),
            "database.version-table",
            &defaults.version_table,
        )?,
        ledger_table: fill.or_default(
            section.ledger_table.as_ref(),
            "database.ledger-table",
            &defaults.ledger_table,
        )?,
        foreign_keys: section.foreign_keys.unwrap_or(defaults.foreign_keys),
        lock_timeout: timeout(section.lock_timeout.as_ref(), "database.lock-timeout", fill)?,
        statement_timeout: timeout(section.statement_timeout.as_ref(), "database.statement-timeout", fill)?,
        retries: section.retries.unwrap_or(defaults.retries),
        ..defaults
    };
    options.validate().map_err(|error| fill.wrong("database", error))?;
    let lock_wait = match (overrides.lock_wait, &section.lock_wait) {
        (Some(wait), _) => wait,
        (None, Some(wait)) => {
            let wait = fill.fill(wait, "database.lock-wait")?;
            duration(&wait).map_err(|message| fill.wrong("database.lock-wait", message))?
        }
        (None, None) => Duration::from_secs(60),
    };
    Ok(DatabaseSettings {
        url: url.map(|url| DatabaseUrl::parse(&url, base).map_err(Error::from)),
        options: runner_database::Options { busy_wait: lock_wait, ..options },
        transaction: match section.transaction {
            Some(file::Transaction::PerRun) => TransactionMode::PerRun,
            Some(file::Transaction::PerRevision) | None => TransactionMode::PerRevision,
        },
        lock_wait,
    })
}

fn timeout(template: Option<&Template>, key: &str, fill: &Fill<'_>) -> Result<Option<Duration>> {
    let Some(template) = template else { return Ok(None) };
    let timeout = duration(&fill.fill(template, key)?).map_err(|message| fill.wrong(key, message))?;
    if timeout.is_zero() {
        return Err(fill
            .wrong(key, "must be longer than nothing")
            .help("leave it out to wait as long as the server lets you"));
    }
    Ok(Some(timeout))
}

/// Reads a duration such as `60s`, `500ms` or `2m`.
pub fn duration(text: &str) -> std::result::Result<Duration, String> {
    text.parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| format!("`{text}` is not a duration such as `60s` or `500ms`"))
}
