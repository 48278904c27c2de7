//! Who runs what, where and when, in the form that policies and the ledger get it.

use std::path::PathBuf;

use jiff::Timestamp;
use runner_database::DatabaseUrl;
use runner_database::Dialect;
use runner_database::Holder;
use runner_policy::Cache;
use runner_policy::Host;
use runner_policy::data;

use crate::config::Config;

/// What somebody is called whose name can't be told.
const NOBODY: &str = "unknown";

/// Login name of whoever runs the command; `RUNNER_ACTOR` lets a deployment say on whose behalf. Where no variable names
/// anybody, as in a container or a scheduled job, it is the name of the process's account; `unknown` if it has none.
pub(crate) fn actor() -> String {
    let named = ["RUNNER_ACTOR", "USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()));
    let account = || whoami::username().ok().filter(|name| !name.trim().is_empty());
    named.or_else(account).unwrap_or_else(|| NOBODY.to_owned())
}

pub(crate) fn host() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

/// This process, as others see it who wait for the lock.
pub(crate) fn me(command: &str) -> Holder {
    Holder {
        pid: std::process::id(),
        host: host(),
        actor: actor(),
        command: command.to_owned(),
        since: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        note: None,
    }
}

/// What plugins are loaded with.
pub(crate) fn policy_host() -> Host {
    Host::new(cache())
}

/// Where native code is kept, and whatever else can be made again: in `RUNNER_CACHE_DIR`, or in the user's place for caches.
pub(crate) fn cache() -> Cache {
    let configured = std::env::var_os("RUNNER_CACHE_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    Cache::of_user(configured.map(|folder| std::path::absolute(&folder).unwrap_or(folder)))
}

/// The context of a command, before the environment is identified and the database is connected.
pub(crate) fn policy_context(
    config: &Config,
    operation: data::Operation,
    dry_run: bool,
    url: Option<&DatabaseUrl>,
) -> data::Context {
    let now = Timestamp::now();
    data::Context {
        operation,
        dry_run,
        now: data::Timestamp {
            seconds: now.as_second(),
            nanoseconds: u32::try_from(now.subsec_nanosecond()).unwrap_or(0),
        },
        actor: data::Actor { name: actor(), host: host() },
        target: data::Target {
            dialect: url.map_or(data::Dialect::Sqlite, |url| dialect(url.dialect())),
            name: url.map(ToString::to_string).unwrap_or_default(),
            server_version: String::new(),
        },
        environment: data::Environment { name: config.environment.clone(), level: None, production: None },
        settings: "{}".to_owned(),
        variables: Vec::new(),
    }
}

fn dialect(dialect: Dialect) -> data::Dialect {
    match dialect {
        Dialect::Sqlite => data::Dialect::Sqlite,
        Dialect::Postgres => data::Dialect::Postgres,
        Dialect::Mysql => data::Dialect::Mysql,
    }
}
