//! `runner environments`

use runner_policy::Policies;
use runner_policy::Role;
use runner_policy::data;
use serde_json::json;

use crate::args::Global;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::Style;
use crate::output::Table;
use crate::pipeline::plugin_set;
use crate::pipeline::policy_context;
use crate::pipeline::policy_host;

/// List environments and their levels, as the environment policy defines them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner environments
  runner environments --plugins strict-prod --json")]
pub(crate) struct Args {}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let set = plugin_set(&config).await?;
        let policies = Policies::load(&policy_host(), &set, &[Role::Environment]).await;
        let context = policy_context(&config, data::Operation::Upgrade, true, config.database_url().ok());
        let levels = policies.levels(&context).await.map_err(|verdict| match verdict {
            Some(verdict) => Error::new(ErrorKind::Refused, verdict.message).maybe_help(verdict.help),
            None => Error::new(
                ErrorKind::Configuration,
                format!("the plugin set `{}` has no plugin with the role `environment`", set.name),
            ),
        })?;
        let identity = policies.identify(&context).await;
        let mut table = Table::new();
        for level in &levels {
            let current = if level.name == identity.name { Style::Good.paint("current") } else { String::new() };
            let production = if level.production { "production" } else { "" };
            let aliases = level.aliases.join(", ");
            table.row([level.name.clone(), level.level.to_string(), production.to_owned(), aliases, current]);
        }
        for line in table.lines() {
            printer.line(line);
        }
        if let Some(refused) = &identity.refused {
            printer.warn(&refused.message);
        }
        let levels: Vec<_> = levels
            .into_iter()
            .map(|level| {
                json!({
                    "name": level.name, "level": level.level,
                    "production": level.production, "aliases": level.aliases,
                })
            })
            .collect();
        let current = identity.level.is_some().then_some(identity.name);
        printer.document(&json!({ "environments": levels, "current": current }));
        Ok(exit::DONE)
    }
}
