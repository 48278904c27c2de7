//! What waits to be delivered, wherever it is stored.

use runner_database::Access;
use runner_database::Session;
use runner_delivery::Notice;
use runner_policy::printable;

use super::mail;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// So many messages are looked at.
const MOST: usize = 10_000;

/// A message that is not delivered.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) key: String,
    pub(crate) channel: String,
    pub(crate) event: String,
    pub(crate) run_id: String,
    pub(crate) title: String,
    pub(crate) created_at: String,
    pub(crate) attempts: u32,
    pub(crate) next_attempt_at: Option<String>,
    pub(crate) is_dead: bool,
    pub(crate) last_error: Option<String>,
    pub(crate) is_in_file: bool,
}

/// Everything that is not delivered, and what keeps it from being seen.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// Oldest first.
    pub(crate) messages: Vec<Waiting>,
    pub(crate) problems: Vec<String>,
}

impl Outbox {
    /// Messages that will be tried again.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.messages.iter().filter(|message| !message.is_dead)
    }

    /// Messages that were given up.
    pub(crate) fn dead(&self) -> impl Iterator<Item = &Waiting> {
        self.messages.iter().filter(|message| message.is_dead)
    }
}

/// Looks at what waits, and changes nothing. Without a session one is opened.
pub(crate) async fn read(config: &Config, session: Option<&mut Session>) -> Outbox {
    let mut found = Outbox::default();
    let stored = match session {
        Some(session) => session.unsent_messages(MOST).await.map_err(Error::from),
        None => stored(config).await,
    };
    match stored {
        Ok(messages) => found.messages = messages.iter().map(of_database).collect(),
        Err(error) => found.problems.push(format!("what waits in the database can't be seen: {error}")),
    }
    let spooled = mail::spool(config).map_or_else(|| Ok(Vec::new()), |spool| spool.list());
    match spooled {
        Ok(messages) => {
            for message in messages {
                // Killed in the middle of moving it, a runner leaves a message in both places.
                if found.messages.iter().all(|other| other.key != message.notice.key) {
                    found.messages.push(of_file(&message));
                }
            }
        }
        Err(error) => found.problems.push(format!("messages in files can't be read: {error}")),
    }
    found.messages.sort_by(|one, other| one.key.cmp(&other.key));
    found
}

async fn stored(config: &Config) -> Result<Vec<runner_database::OutboxMessage>> {
    let mut session = Session::open(config.database_url()?, config.database_options(), Access::Read).await?;
    let messages = session.unsent_messages(MOST).await?;
    session.close().await?;
    Ok(messages)
}

/// Has messages in files tried again that were given up.
pub(crate) fn revive_spooled(config: &Config) -> Result<()> {
    change_spooled(config, |messages| {
        messages.iter_mut().for_each(|message| message.is_dead = false);
    })
}

/// Deletes messages in files.
pub(crate) fn discard_spooled(config: &Config, keys: &[&str]) -> Result<()> {
    change_spooled(config, |messages| messages.retain(|message| !keys.contains(&message.notice.key.as_str())))
}

fn change_spooled(config: &Config, change: impl FnOnce(&mut Vec<runner_delivery::Spooled>)) -> Result<()> {
    let Some(spool) = mail::spool(config) else { return Ok(()) };
    let failed =
        |error: std::io::Error| Error::new(ErrorKind::Io, format!("messages in files can't be changed: {error}"));
    if let Some(taken) = spool.take().map_err(failed)? {
        let mut messages = taken.messages().to_vec();
        change(&mut messages);
        taken.replace(&messages).map_err(failed)?;
    }
    Ok(())
}

/// The table may hold what others wrote.
fn of_database(message: &runner_database::OutboxMessage) -> Waiting {
    let notice = serde_json::from_str::<Notice>(&message.content).ok();
    Waiting {
        title: notice.map(|notice| printable(&notice.message.title)).unwrap_or_default(),
        key: printable(&message.key),
        channel: printable(&message.channel),
        event: printable(&message.event),
        run_id: printable(&message.run_id),
        created_at: printable(&message.created_at),
        attempts: message.attempts,
        next_attempt_at: message.next_attempt_at.as_deref().map(printable),
        is_dead: message.failed_at.is_some(),
        last_error: message.last_error.as_deref().map(printable),
        is_in_file: false,
    }
}

fn of_file(message: &runner_delivery::Spooled) -> Waiting {
    let notice = &message.notice;
    Waiting {
        key: printable(&notice.key),
        channel: printable(&notice.channel),
        event: printable(&notice.occasion.event),
        run_id: printable(&notice.occasion.run_id),
        title: printable(&notice.message.title),
        created_at: printable(&notice.created_at),
        attempts: message.attempts,
        next_attempt_at: None,
        is_dead: message.is_dead,
        last_error: message.last_error.as_deref().map(printable),
        is_in_file: true,
    }
}
