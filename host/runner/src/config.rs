//! Configuration: command line over environment over `runner.toml` over defaults.

mod file;
mod plugins;
mod template;
pub(crate) mod toml_error;

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use runner_database::DatabaseUrl;
use runner_database::TransactionMode;
use runner_policy::PluginDefinition;
use runner_policy::PluginSet;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use file::File;
pub(crate) use plugins::settings_from_toml;
use template::Template;

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
    /// Folder of the revision files.
    pub migrations: PathBuf,
    /// The same as people call it: relative to the project.
    pub migrations_shown: String,
    database: DatabaseSettings,
    plugins: plugins::Plugins,
    plugin_set: String,
}

#[derive(Debug)]
struct DatabaseSettings {
    url: Option<Result<DatabaseUrl>>,
    options: runner_database::Options,
    transaction: TransactionMode,
    lock_wait: Duration,
}

/// Reads variables of the process environment.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Config {
    /// Reads `runner.toml` and puts environment and overrides on top.
    ///
    /// # Errors
    /// There is no configuration, it is no TOML, holds unknown keys or wrong values, or needs a variable that is not set.
    pub fn load(overrides: &Overrides) -> Result<Self> {
        let path = overrides.config.clone().unwrap_or_else(|| PathBuf::from(FILE_NAME));
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        let file: File = toml::from_str(&text).map_err(|error| toml_error::explain(&path, &text, &error))?;
        let root = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        let fill = Fill { path: &path };
        let environment = environment(&file, overrides, &fill)?;
        let database = database(&file, overrides, &fill, &root)?;
        let migrations_shown = fill.or_default(file.migrations.dir.as_ref(), "migrations.dir", "migrations")?;
        let plugin_set = match (&overrides.plugin_set, variable("RUNNER_PLUGINS")) {
            (Some(set), _) => set.clone(),
            (None, Some(set)) if !set.is_empty() => set,
            _ => fill.or_default(file.plugin_set.as_ref(), "plugin-set", "default")?,
        };
        let plugins = plugins::Plugins::new(file.plugins, file.plugin_sets, &root, &fill)?;
        Ok(Config {
            migrations: root.join(&migrations_shown),
            migrations_shown,
            root,
            environment,
            database,
            plugins,
            plugin_set,
        })
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

    /// A plugin as `[plugins.NAME]` configures it, or a built-in one.
    pub(crate) fn plugin(&self, name: &str) -> Option<PluginDefinition> {
        self.plugins.plugin(name)
    }

    /// Names of all plugins that are configured or built in.
    pub(crate) fn plugin_names(&self) -> Vec<&str> {
        self.plugins.names()
    }

    /// The plugin set in force.
    ///
    /// # Errors
    /// There is no such set, or it names a plugin that is not configured.
    pub fn plugin_set(&self) -> Result<PluginSet> {
        self.plugins.set(&self.plugin_set)
    }
}

/// Fills templates, with errors that name the key.
struct Fill<'a> {
    path: &'a Path,
}

impl Fill<'_> {
    fn fill(&self, template: &Template, key: &str) -> Result<String> {
        template.fill(&variable).map_err(|error| {
            let message = format!("{error}, and `{key}` in `{}` needs it", self.path.display());
            Error::new(ErrorKind::Configuration, message).help("set it, or write a default as in `${NAME:-default}`")
        })
    }

    fn or_default(&self, template: Option<&Template>, key: &str, default: &str) -> Result<String> {
        template.map_or_else(|| Ok(default.to_owned()), |template| self.fill(template, key))
    }

    fn wrong(&self, key: &str, message: impl std::fmt::Display) -> Error {
        Error::new(ErrorKind::Configuration, format!("`{key}` in `{}`: {message}", self.path.display()))
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    let shown = path.display();
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::new(ErrorKind::Configuration, format!("there is no configuration `{shown}`"))
                .help("`runner init` starts a project here; `--config` names a file elsewhere")
        }
        std::io::ErrorKind::InvalidData => {
            Error::new(ErrorKind::Configuration, format!("the configuration `{shown}` is not UTF-8 text"))
        }
        _ => Error::new(ErrorKind::Configuration, format!("the configuration `{shown}` can't be read: {error}")),
    }
}

fn environment(file: &File, overrides: &Overrides, fill: &Fill<'_>) -> Result<String> {
    if let Some(environment) = &overrides.environment {
        return Ok(environment.clone());
    }
    let set = ["ENVIRONMENT", "ENV"].into_iter().find_map(|name| variable(name).filter(|value| !value.is_empty()));
    match set {
        Some(environment) => Ok(environment),
        None => fill.or_default(file.environment.as_ref(), "environment", "development"),
    }
}

fn database(file: &File, overrides: &Overrides, fill: &Fill<'_>, root: &Path) -> Result<DatabaseSettings> {
    let section = &file.database;
    // A URL given here and now is relative to here; one in the file is relative to the file.
    let here = match (&overrides.database_url, variable("DATABASE_URL").filter(|url| !url.is_empty())) {
        (Some(url), _) => Some(url.0.clone()),
        (None, url) => url,
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
