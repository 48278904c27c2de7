//! The outbox: messages that wait for delivery, in a table of their own in the target.
//!
//! It is not part of the ledger: rows are changed and, long after they were sent, deleted. The table is made when the first
//! message is stored. Times are the database's own, so that runners with different clocks agree on them. What a channel's
//! address is stands nowhere here.
//!
//! A runner claims what it is about to send, for a limited time. Channels are claimed as a whole: as long as one runner has
//! messages of a channel in its hands, no other sends to it, which keeps their order.

mod sql;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::backend::Backend;
use crate::error::Error;
use crate::error::Result;

pub(crate) use self::sql::Speech;
pub(crate) use self::sql::name_beside;

/// So many waiting messages of a channel are looked at, and so many of them claimed at once.
const MOST_SEEN: usize = 100;
/// So many bytes of messages are stored with one text: what servers take in one packet is limited, and a literal may be twice
/// as long as what it stands for.
const MOST_STORED: usize = 256 * 1024;
/// How often the table is looked for and made, because other runners make it at the same time.
const TRIES: usize = 3;

/// A message as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Its idempotency key, at most 128 characters. Keys sort by time. A key that is there already is not stored again.
    pub key: String,
    /// Name of the channel, at most 64 characters.
    pub channel: String,
    /// Name of the event, at most 64 characters.
    pub event: String,
    /// The run, at most 128 characters.
    pub run_id: String,
    /// What is to be delivered.
    pub content: String,
    /// When it was worded, RFC 3339 in UTC.
    pub created_at: String,
    /// Attempts so far.
    pub attempts: u32,
    /// Whether it can't be delivered like this.
    pub is_dead: bool,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// A message that is not delivered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Its idempotency key.
    pub key: String,
    /// Name of the channel.
    pub channel: String,
    /// Name of the event.
    pub event: String,
    /// The run.
    pub run_id: String,
    /// What is to be delivered.
    pub content: String,
    /// When it was worded, RFC 3339 in UTC.
    pub created_at: String,
    /// Attempts so far.
    pub attempts: u32,
    /// When the next attempt is due; `None`: now.
    pub next_attempt_at: Option<String>,
    /// When it was given up; `None`: it still waits.
    pub failed_at: Option<String>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// What is to be claimed.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// A unique name of whoever claims.
    pub by: &'a str,
    /// After this time others may take over.
    pub lease: Duration,
    /// The channels that can be delivered to.
    pub channels: &'a [&'a str],
    /// Those of them that are tried even before their next attempt is due, unless a receiver itself has named the time.
    pub eager: &'a [&'a str],
}

/// What came of trying to deliver a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// It is delivered.
    Sent,
    /// It can't be delivered like this.
    Dead {
        /// What went wrong.
        error: String,
    },
    /// It has to be tried again.
    Waits {
        /// What went wrong.
        error: String,
        /// Not before this time has passed.
        after: Duration,
        /// Whether the receiver itself asked for that.
        is_asked: bool,
    },
}

/// A message that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledMessage {
    /// Its idempotency key.
    pub key: String,
    /// Attempts in all.
    pub attempts: u32,
    /// What came of it.
    pub settlement: Settlement,
}

/// Whether the outbox was there to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Done,
    NoTable,
}

/// A row as the driver gives it.
pub(crate) type Texts = Vec<Option<String>>;

/// Stores messages, in transactions of their own. What is stored before it fails stays so; its keys are known the next time.
pub(crate) async fn store(backend: &mut dyn Backend, messages: &[NewMessage]) -> Result<()> {
    for part in parts(messages) {
        store_part(backend, part).await?;
    }
    Ok(())
}

/// Messages in groups that are not too large. A single one may be.
fn parts(messages: &[NewMessage]) -> Vec<&[NewMessage]> {
    let (mut parts, mut begin, mut bytes) = (Vec::new(), 0, 0);
    for (index, message) in messages.iter().enumerate() {
        let size = message.content.len() + message.last_error.as_ref().map_or(0, String::len);
        if index > begin && bytes + size > MOST_STORED {
            parts.extend(messages.get(begin..index));
            (begin, bytes) = (index, 0);
        }
        bytes += size;
    }
    parts.extend(messages.get(begin..).filter(|rest| !rest.is_empty()));
    parts
}

async fn store_part(backend: &mut dyn Backend, messages: &[NewMessage]) -> Result<()> {
    let speech = backend.outbox()?;
    let insert = speech.insert(messages)?;
    for _ in 0..TRIES {
        match backend.write_outbox(insert.clone()).await? {
            Written::Done => return Ok(()),
            // Another runner may make it at this moment, which some databases count as an error.
            Written::NoTable => match backend.write_outbox(speech.create()).await {
                Ok(_) => {}
                Err(error @ (Error::ConnectionLost { .. } | Error::Busy { .. })) => return Err(error),
                Err(error) => tracing::debug!(%error, "the outbox could not be made"),
            },
        }
    }
    let message = "the table of the outbox could not be made".to_owned();
    Err(Error::Database { doing: "storing messages", message, code: None })
}

/// Forgets what was delivered long ago.
pub(crate) async fn prune(backend: &mut dyn Backend) -> Result<()> {
    let sql = backend.outbox()?.prune();
    backend.write_outbox(sql).await.map(drop)
}

/// Messages that are not delivered, oldest first.
pub(crate) async fn unsent(backend: &mut dyn Backend, limit: usize) -> Result<Vec<OutboxMessage>> {
    let speech = backend.outbox()?;
    let rows = backend.read_outbox(speech.select_unsent(limit)).await?;
    rows.unwrap_or_default().iter().map(message).collect()
}

/// Claims what can be sent now.
pub(crate) async fn claim(backend: &mut dyn Backend, claim: &Claim<'_>) -> Result<Vec<OutboxMessage>> {
    let speech = backend.outbox()?;
    if claim.channels.is_empty() {
        return Ok(Vec::new());
    }
    let candidates = speech.select_candidates(claim.by, claim.channels, MOST_SEEN)?;
    let Some(rows) = backend.read_outbox(candidates).await? else {
        return Ok(Vec::new());
    };
    let keys = sendable(&rows, claim);
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    backend.write_outbox(speech.claim(claim.by, claim.lease, &keys)?).await?;
    let rows = backend.read_outbox(speech.select_claimed(claim.by, &keys)?).await?;
    rows.unwrap_or_default().iter().map(message).collect()
}

/// Whether another than `by` has messages of one of these channels in its hands.
pub(crate) async fn is_claimed_by_another(backend: &mut dyn Backend, by: &str, channels: &[&str]) -> Result<bool> {
    if channels.is_empty() {
        return Ok(false);
    }
    let sql = backend.outbox()?.select_claimed_by_others(by, channels)?;
    Ok(backend.read_outbox(sql).await?.is_some_and(|rows| !rows.is_empty()))
}

/// Records what came of claimed messages. One that somebody else has claimed meanwhile is recorded as well if it was sent:
/// better once too often in the books than once too often in a channel.
pub(crate) async fn settle(backend: &mut dyn Backend, by: &str, settled: &[SettledMessage]) -> Result<()> {
    if settled.is_empty() {
        return Ok(());
    }
    // In one order, so that two runners never wait for each other.
    let mut settled = settled.to_vec();
    settled.sort_by(|one, other| one.key.cmp(&other.key));
    let sql = backend.outbox()?.settle(by, &settled)?;
    backend.write_outbox(sql).await.map(drop)
}

/// Gives back what is claimed and not settled.
pub(crate) async fn release(backend: &mut dyn Backend, by: &str) -> Result<()> {
    let sql = backend.outbox()?.release(by)?;
    backend.write_outbox(sql).await.map(drop)
}

/// Has dead letters tried again; all, or those of these keys.
pub(crate) async fn revive(backend: &mut dyn Backend, keys: Option<&[&str]>) -> Result<()> {
    let sql = backend.outbox()?.revive(keys)?;
    backend.write_outbox(sql).await.map(drop)
}

/// Deletes messages that are not sent.
pub(crate) async fn discard(backend: &mut dyn Backend, keys: &[&str]) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let sql = backend.outbox()?.discard(keys)?;
    backend.write_outbox(sql).await.map(drop)
}

/// The keys that may be sent now, of candidates in the order of their keys. A channel's oldest message decides for all of
/// them, because they are sent in order.
fn sendable<'r>(rows: &'r [Texts], claim: &Claim<'_>) -> Vec<&'r str> {
    struct Line<'r> {
        keys: Vec<&'r str>,
        is_free: bool,
    }
    let mut lines: BTreeMap<&str, Line<'_>> = BTreeMap::new();
    for row in rows {
        let column = |index: usize| row.get(index).and_then(Option::as_deref).unwrap_or_default();
        let (key, channel) = (column(0), column(1));
        let (is_due, is_asked, is_taken) = (column(2) == "1", column(3) == "1", column(4) == "1");
        let line = lines.entry(channel).or_insert_with(|| {
            let is_eager = !is_asked && claim.eager.contains(&channel);
            Line { keys: Vec::new(), is_free: is_due || is_eager }
        });
        line.is_free &= !is_taken;
        line.keys.push(key);
    }
    lines.into_values().filter(|line| line.is_free).flat_map(|line| line.keys).collect()
}

/// A row of [`sql::COLUMNS`].
fn message(row: &Texts) -> Result<OutboxMessage> {
    let text = |index: usize| row.get(index).cloned().flatten();
    let required = |index: usize| {
        text(index).ok_or_else(|| Error::Database {
            doing: "reading the outbox",
            message: format!("`{}` is missing in a row", sql::COLUMNS.get(index).copied().unwrap_or_default()),
            code: None,
        })
    };
    Ok(OutboxMessage {
        key: required(0)?,
        channel: required(1)?,
        event: required(2)?,
        run_id: required(3)?,
        content: required(4)?,
        created_at: required(5)?,
        attempts: required(6)?.parse().unwrap_or_default(),
        next_attempt_at: text(7),
        failed_at: text(8),
        last_error: text(9),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_stored_in_parts() {
        let message = |bytes: usize| NewMessage {
            key: String::new(),
            channel: String::new(),
            event: String::new(),
            run_id: String::new(),
            content: "x".repeat(bytes),
            created_at: String::new(),
            attempts: 0,
            is_dead: false,
            last_error: None,
        };
        let sizes = |bytes: &[usize]| -> Vec<usize> {
            parts(&bytes.iter().map(|bytes| message(*bytes)).collect::<Vec<_>>())
                .iter()
                .map(|part| part.len())
                .collect()
        };
        let most = MOST_STORED;
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&[1, 2, 3]), [3]);
        assert_eq!(sizes(&[most, 1]), [1, 1]);
        assert_eq!(sizes(&[1, most * 2, 1, 1]), [1, 1, 2]);
        assert_eq!(sizes(&[most / 2, most / 2, most / 2]), [2, 1]);
    }

    fn row(key: &str, channel: &str, is_due: bool, is_asked: bool, is_taken: bool) -> Texts {
        let flag = |flag: bool| Some(u8::from(flag).to_string());
        vec![Some(key.to_owned()), Some(channel.to_owned()), flag(is_due), flag(is_asked), flag(is_taken)]
    }

    fn sendable_of(rows: &[Texts], eager: &[&str]) -> Vec<String> {
        let claim = Claim { by: "me", lease: Duration::from_secs(1), channels: &["a", "b"], eager };
        sendable(rows, &claim).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn a_channel_is_taken_as_a_whole() {
        let rows =
            [row("1", "a", true, false, false), row("2", "b", true, false, false), row("3", "a", true, false, true)];
        assert_eq!(sendable_of(&rows, &[]), ["2"]);
    }

    #[test]
    fn the_oldest_decides_when_a_channel_is_tried_again() {
        let rows = [row("1", "a", false, false, false), row("2", "a", true, false, false)];
        assert_eq!(sendable_of(&rows, &[]), [""; 0]);
        assert_eq!(sendable_of(&rows, &["a"]), ["1", "2"]);
        let asked = [row("1", "a", false, true, false), row("2", "a", true, false, false)];
        assert_eq!(sendable_of(&asked, &["a"]), [""; 0]);
    }
}
