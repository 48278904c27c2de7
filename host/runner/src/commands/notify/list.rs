//! `runner notify list`

use serde_json::json;

use crate::args::Global;
use crate::config::Config;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::Style;
use crate::output::Table;
use crate::pipeline::outbox;
use crate::pipeline::outbox::Waiting;

/// List the messages that are not delivered: since when, and why
///
/// Oldest first, from the database and from files that hold what it could not. Writes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner notify list
  runner notify list --json")]
pub(crate) struct Args {}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let channels = config.channels()?;
        let found = outbox::read(&config, None).await;
        for problem in &found.problems {
            printer.warn(problem);
        }
        let mut table = Table::new();
        for message in &found.messages {
            let state = match message {
                Waiting { is_dead: true, .. } => "given up".to_owned(),
                message if channels.get(&message.channel).is_none() => "no such channel".to_owned(),
                Waiting { next_attempt_at: Some(at), .. } => format!("waits until {at}"),
                _ => "waits".to_owned(),
            };
            let attempts = match message.attempts {
                1 => "1 attempt".to_owned(),
                count => format!("{count} attempts"),
            };
            let place = if message.is_in_file { "in a file" } else { "" };
            table.row([
                message.created_at.clone(),
                message.channel.clone(),
                message.event.clone(),
                state,
                attempts,
                message.key.clone(),
                message.last_error.clone().unwrap_or_default(),
                place.to_owned(),
            ]);
        }
        for line in table.lines() {
            printer.line(line);
        }
        if found.messages.is_empty() {
            printer.say("nothing waits to be delivered");
        } else if found.dead().next().is_some() {
            printer.say(Style::Faint.paint("`runner notify flush --dead` tries again what was given up"));
        }
        let messages: Vec<_> = found.messages.iter().map(entry).collect();
        printer.document(&json!({ "messages": messages }));
        Ok(exit::DONE)
    }
}

fn entry(message: &Waiting) -> serde_json::Value {
    json!({
        "key": message.key, "channel": message.channel, "event": message.event, "run_id": message.run_id,
        "created_at": message.created_at, "attempts": message.attempts, "next_attempt_at": message.next_attempt_at,
        "dead": message.is_dead, "error": message.last_error, "title": message.title,
        "stored": if message.is_in_file { "file" } else { "database" },
    })
}
