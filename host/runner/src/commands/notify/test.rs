//! `runner notify test`

use std::time::Duration;

use jiff::Timestamp;
use runner_delivery::Attempt;
use runner_delivery::Channel;
use runner_delivery::Field;
use runner_delivery::Notice;
use runner_delivery::Occasion;
use runner_delivery::Severity;
use runner_delivery::Wording;
use serde_json::json;

use crate::args::Global;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::pipeline::actor;
use crate::pipeline::host;
use crate::pipeline::run_id;
use crate::suggest::nearest;

/// How long the one attempt may take.
const TIME: Duration = Duration::from_secs(15);

/// Send a test message to a channel, and say what came of it
///
/// Tries once, stores nothing and needs no database. Exits with 1 if the message could not be delivered.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner notify test team
  runner notify test team --json")]
pub(crate) struct Args {
    /// Name of a configured channel
    #[arg(value_name = "CHANNEL")]
    channel: String,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let channel = self.find(&config)?;
        let notice = notice(&config, channel);
        if channel.is_spoken() {
            printer.message(&notice.message);
        }
        let attempt = channel.attempt(&notice, TIME).await;
        let (outcome, error) = match attempt {
            Attempt::Delivered => ("delivered", None),
            Attempt::Again { why, .. } => ("failed", Some((why, "a real message would be tried again"))),
            Attempt::Never { why } => ("refused", Some((why, "a real message would not be tried again"))),
        };
        let document = json!({
            "channel": channel.name(), "kind": channel.kind(), "key": notice.key, "outcome": outcome,
            "error": error.as_ref().map(|(why, _)| why),
        });
        printer.document(&document);
        let Some((why, next)) = error else {
            printer.say(format_args!("the channel `{}` ({}) has the message", channel.name(), channel.kind()));
            return Ok(exit::DONE);
        };
        let message = format!("the channel `{}` ({}) has not got the message: {why}", channel.name(), channel.kind());
        printer.error_text(&Error::new(ErrorKind::Io, message).help(next));
        Ok(exit::FAILED)
    }

    fn find<'a>(&self, config: &'a Config) -> Result<&'a Channel> {
        let channels = config.channels()?;
        if let Some(channel) = channels.get(&self.channel) {
            return Ok(channel);
        }
        let shown = runner_policy::printable(&self.channel);
        if channels.is_off(&self.channel) {
            let message = format!("the channel `{shown}` is off here, because its address is empty");
            return Err(Error::new(ErrorKind::Configuration, message).help("set the variable that holds it"));
        }
        let known: Vec<&str> = channels.iter().map(Channel::name).collect();
        let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let help = match known.as_slice() {
            [] => "no channel is configured; `[channels.NAME]` in `runner.toml` adds one".to_owned(),
            _ => format!("known are {list}"),
        };
        Err(Error::new(ErrorKind::Configuration, format!("there is no channel `{shown}`"))
            .maybe_help(nearest(&self.channel, &known).map(|nearest| format!("did you mean `{nearest}`?")))
            .help(help))
    }
}

fn notice(config: &Config, channel: &Channel) -> Notice {
    let run_id = run_id();
    let target = config.database_url().map(ToString::to_string).unwrap_or_default();
    let field = |name: &str, value: String| Field { name: name.to_owned(), value };
    Notice {
        key: format!("{run_id}-test"),
        created_at: format!("{:.3}", Timestamp::now()),
        channel: channel.name().to_owned(),
        message: Wording {
            severity: Severity::Info,
            title: "Test message of runner".to_owned(),
            text: "Nothing happened. Somebody wanted to know whether this channel works.".to_owned(),
            fields: vec![field("Environment", config.environment.clone()), field("By", actor())],
        },
        occasion: Occasion {
            event: "test".to_owned(),
            details: serde_json::Map::new(),
            run_id,
            operation: "notify test".to_owned(),
            environment: config.environment.clone(),
            production: None,
            target,
            actor: actor(),
            host: host(),
            plan_hash: String::new(),
        },
    }
}
