//! `runner notify discard`

use runner_database::Access;
use runner_database::Session;
use serde_json::json;

use crate::args::Global;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::pipeline::outbox;

/// Delete messages that nobody needs any more
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
#[command(after_help = "\
Examples:
  runner notify discard 20261121T120000000Z-1a2b3c4d-000001
  runner notify discard --dead   everything that was given up")]
pub(crate) struct Args {
    /// Keys, as `runner notify list` shows them
    #[arg(value_name = "KEY", group = "which")]
    keys: Vec<String>,
    /// Everything that was given up
    #[arg(long, group = "which")]
    dead: bool,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let found = outbox::read(&config, None).await;
        if let Some(problem) = found.problems.first() {
            return Err(Error::new(ErrorKind::Database, problem.clone()));
        }
        let keys: Vec<&str> = if self.dead {
            found.dead().map(|message| message.key.as_str()).collect()
        } else {
            self.keys.iter().map(String::as_str).collect()
        };
        if let Some(unknown) = keys.iter().find(|key| !found.messages.iter().any(|message| message.key == **key)) {
            let shown = runner_policy::printable(unknown);
            return Err(Error::new(ErrorKind::Selector, format!("no message `{shown}` waits"))
                .help("`runner notify list` shows the keys"));
        }
        if found.messages.iter().any(|message| !message.is_in_file) {
            let mut session = Session::open(config.database_url()?, config.database_options(), Access::Write).await?;
            session.discard_messages(&keys).await?;
            session.close().await?;
        }
        outbox::discard_spooled(&config, &keys)?;
        printer.say(match keys.len() {
            1 => "1 message is deleted".to_owned(),
            count => format!("{count} messages are deleted"),
        });
        printer.document(&json!({ "discarded": keys }));
        Ok(exit::DONE)
    }
}
