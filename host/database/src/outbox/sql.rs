//! The SQL of the outbox. It is the same for every database but for a few words.

use std::time::Duration;

use runner_chain::Dialect;

use crate::error::Result;
use crate::options::TableName;

use super::NewMessage;
use super::SettledMessage;
use super::Settlement;

/// What is read of a message, in this order.
pub(super) const COLUMNS: [&str; 10] = [
    "message_key",
    "channel",
    "event",
    "run_id",
    "message",
    "created_at",
    "attempts",
    "next_attempt_at",
    "failed_at",
    "last_error",
];

/// Delivered messages are kept for so long: a message that comes again from a file is known by its key.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

const UNSENT: &str = "sent_at IS NULL AND failed_at IS NULL";

/// How a database wants to be spoken to.
pub(crate) struct Speech {
    pub(crate) dialect: Dialect,
    /// The table's name as SQL text.
    pub(crate) table: String,
    /// A text as SQL text.
    pub(crate) literal: fn(&str) -> Result<String>,
}

/// The outbox's name, made from the ledger's: `runner_ledger` and `runner_outbox`.
pub(crate) fn name_beside(ledger: &TableName) -> TableName {
    /// Names of 63 and 64 characters are the longest that servers know.
    const LONGEST_STEM: usize = 55;
    let stem = ledger.name.strip_suffix("_ledger").filter(|stem| !stem.is_empty()).unwrap_or(&ledger.name);
    let stem: String = stem.chars().take(LONGEST_STEM).collect();
    TableName { schema: ledger.schema.clone(), name: format!("{stem}_outbox") }
}

impl Speech {
    /// Makes the table if it is not there.
    pub(super) fn create(&self) -> String {
        let (text, options) = match self.dialect {
            Dialect::Mysql => ("LONGTEXT", " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"),
            Dialect::Sqlite | Dialect::Postgres => ("TEXT", ""),
        };
        format!(
            "CREATE TABLE IF NOT EXISTS {} (message_key VARCHAR(128) NOT NULL PRIMARY KEY, channel VARCHAR(64) NOT NULL, \
             event VARCHAR(64) NOT NULL, run_id VARCHAR(128) NOT NULL, message {text} NOT NULL, \
             created_at VARCHAR(32) NOT NULL, attempts INTEGER NOT NULL, next_attempt_at VARCHAR(32), \
             is_asked INTEGER NOT NULL, sent_at VARCHAR(32), failed_at VARCHAR(32), last_error {text}, \
             claimed_by VARCHAR(128), claimed_until VARCHAR(32)){options}",
            self.table
        )
    }

    /// Adds messages whose keys are not there yet.
    pub(super) fn insert(&self, messages: &[NewMessage]) -> Result<String> {
        let mut rows = Vec::with_capacity(messages.len());
        for message in messages {
            let fields = [
                self.text(&message.key)?,
                self.text(&message.channel)?,
                self.text(&message.event)?,
                self.text(&message.run_id)?,
                self.text(&message.content)?,
                self.text(&message.created_at)?,
                message.attempts.to_string(),
                "0".to_owned(),
                if message.is_dead { self.time(Duration::ZERO) } else { "NULL".to_owned() },
                message.last_error.as_deref().map_or_else(|| Ok("NULL".to_owned()), |error| self.text(error))?,
            ];
            rows.push(format!("({})", fields.join(", ")));
        }
        let (insert, unless_there) = match self.dialect {
            Dialect::Mysql => ("INSERT IGNORE", ""),
            Dialect::Sqlite | Dialect::Postgres => ("INSERT", " ON CONFLICT (message_key) DO NOTHING"),
        };
        Ok(format!(
            "{insert} INTO {table} (message_key, channel, event, run_id, message, created_at, attempts, is_asked, \
             failed_at, last_error) VALUES\n{rows}{unless_there}",
            table = self.table,
            rows = rows.join(",\n"),
        ))
    }

    /// Deletes what was sent long ago.
    pub(super) fn prune(&self) -> String {
        format!("DELETE FROM {} WHERE sent_at < {}", self.table, self.time_ago(KEPT))
    }

    pub(super) fn select_unsent(&self, limit: usize) -> String {
        format!(
            "SELECT {} FROM {} WHERE sent_at IS NULL ORDER BY message_key LIMIT {limit}",
            self.columns(),
            self.table
        )
    }

    /// Key, channel, whether it is due, whether the receiver named the time, whether another runner has it. Of each channel so
    /// many, lest one that nobody answers hides the others.
    pub(super) fn select_candidates(&self, by: &str, channels: &[&str], limit: usize) -> Result<String> {
        let now = self.time(Duration::ZERO);
        let flag = |condition: String| self.as_text(&format!("CASE WHEN {condition} THEN 1 ELSE 0 END"));
        let columns = [
            self.as_text("message_key"),
            self.as_text("channel"),
            flag(format!("next_attempt_at IS NULL OR next_attempt_at <= {now}")),
            self.as_text("is_asked"),
            flag(format!("claimed_until >= {now} AND claimed_by <> {}", self.text(by)?)),
        ]
        .join(", ");
        let mut selects = Vec::with_capacity(channels.len());
        for (index, channel) in channels.iter().enumerate() {
            selects.push(format!(
                "SELECT * FROM (SELECT {columns} FROM {} WHERE {UNSENT} AND channel = {} \
                 ORDER BY message_key LIMIT {limit}) AS channel_{index}",
                self.table,
                self.text(channel)?,
            ));
        }
        Ok(selects.join("\nUNION ALL\n"))
    }

    /// A row if another has messages of these channels in its hands.
    pub(super) fn select_claimed_by_others(&self, by: &str, channels: &[&str]) -> Result<String> {
        Ok(format!(
            "SELECT {} FROM {} WHERE {UNSENT} AND channel IN ({}) AND claimed_until >= {} AND claimed_by <> {} LIMIT 1",
            self.as_text("message_key"),
            self.table,
            self.list(channels)?,
            self.time(Duration::ZERO),
            self.text(by)?,
        ))
    }

    /// Claims messages unless somebody was quicker.
    pub(super) fn claim(&self, by: &str, lease: Duration, keys: &[&str]) -> Result<String> {
        Ok(format!(
            "UPDATE {} SET claimed_by = {by}, claimed_until = {} WHERE message_key IN ({}) AND {UNSENT} \
             AND (claimed_until IS NULL OR claimed_until < {} OR claimed_by = {by})",
            self.table,
            self.time(lease),
            self.list(keys)?,
            self.time(Duration::ZERO),
            by = self.text(by)?,
        ))
    }

    /// Those of the messages that were claimed in fact.
    pub(super) fn select_claimed(&self, by: &str, keys: &[&str]) -> Result<String> {
        Ok(format!(
            "SELECT {} FROM {} WHERE {UNSENT} AND claimed_by = {} AND message_key IN ({}) ORDER BY message_key",
            self.columns(),
            self.table,
            self.text(by)?,
            self.list(keys)?,
        ))
    }

    pub(super) fn settle(&self, by: &str, settled: &[SettledMessage]) -> Result<String> {
        let mut sql = Vec::with_capacity(settled.len());
        for SettledMessage { key, attempts, settlement } in settled {
            let now = self.time(Duration::ZERO);
            let (changes, condition) = match settlement {
                Settlement::Sent => (
                    format!("sent_at = {now}, failed_at = NULL, last_error = NULL, next_attempt_at = NULL"),
                    String::new(),
                ),
                Settlement::Dead { error } => (
                    format!("failed_at = {now}, last_error = {}, next_attempt_at = NULL", self.text(error)?),
                    format!(" AND claimed_by = {}", self.text(by)?),
                ),
                Settlement::Waits { error, after, is_asked } => (
                    format!(
                        "next_attempt_at = {}, is_asked = {}, last_error = {}",
                        self.time(*after),
                        u8::from(*is_asked),
                        self.text(error)?
                    ),
                    format!(" AND claimed_by = {}", self.text(by)?),
                ),
            };
            sql.push(format!(
                "UPDATE {} SET {changes}, attempts = {attempts}, claimed_by = NULL, claimed_until = NULL \
                 WHERE message_key = {} AND sent_at IS NULL{condition}",
                self.table,
                self.text(key)?
            ));
        }
        Ok(sql.join(";\n"))
    }

    pub(super) fn release(&self, by: &str) -> Result<String> {
        Ok(format!(
            "UPDATE {} SET claimed_by = NULL, claimed_until = NULL WHERE sent_at IS NULL AND claimed_by = {}",
            self.table,
            self.text(by)?
        ))
    }

    pub(super) fn revive(&self, keys: Option<&[&str]>) -> Result<String> {
        let which = match keys {
            Some(keys) => format!(" AND message_key IN ({})", self.list(keys)?),
            None => String::new(),
        };
        Ok(format!(
            "UPDATE {} SET failed_at = NULL, next_attempt_at = NULL, is_asked = 0 \
             WHERE sent_at IS NULL AND failed_at IS NOT NULL{which}",
            self.table
        ))
    }

    pub(super) fn discard(&self, keys: &[&str]) -> Result<String> {
        Ok(format!("DELETE FROM {} WHERE sent_at IS NULL AND message_key IN ({})", self.table, self.list(keys)?))
    }

    fn columns(&self) -> String {
        COLUMNS.map(|column| self.as_text(column)).join(", ")
    }

    fn as_text(&self, expression: &str) -> String {
        match self.dialect {
            Dialect::Mysql => format!("CAST({expression} AS CHAR CHARACTER SET utf8mb4)"),
            Dialect::Sqlite | Dialect::Postgres => format!("CAST({expression} AS TEXT)"),
        }
    }

    fn text(&self, text: &str) -> Result<String> {
        // Some databases store no NUL, and nobody misses it in a message.
        if text.contains('\0') { (self.literal)(&text.replace('\0', "\u{fffd}")) } else { (self.literal)(text) }
    }

    fn list(&self, texts: &[&str]) -> Result<String> {
        Ok(texts.iter().map(|text| self.text(text)).collect::<Result<Vec<_>>>()?.join(", "))
    }

    /// So long from now by the clock of the database, as a text that sorts by time.
    fn time(&self, from_now: Duration) -> String {
        self.shifted("+", from_now)
    }

    fn time_ago(&self, ago: Duration) -> String {
        self.shifted("-", ago)
    }

    fn shifted(&self, sign: &str, by: Duration) -> String {
        let milliseconds = by.as_millis();
        match self.dialect {
            Dialect::Sqlite => {
                let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
                format!("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '{sign}{seconds}.{rest:03} seconds')")
            }
            Dialect::Postgres => format!(
                "pg_catalog.to_char((pg_catalog.clock_timestamp() {sign} interval '{milliseconds} milliseconds') \
                 AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
            ),
            Dialect::Mysql => format!(
                "CONCAT(LEFT(DATE_FORMAT(UTC_TIMESTAMP(6) {sign} INTERVAL {} MICROSECOND, '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z')",
                by.as_micros()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_follows_the_ledger() {
        let beside = |text: &str| name_beside(&TableName::parse("ledger_table", text).unwrap()).quoted();
        assert_eq!(beside("runner_ledger"), "\"runner_outbox\"");
        assert_eq!(beside("app.acme_ledger"), "\"app\".\"acme_outbox\"");
        assert_eq!(beside("books"), "\"books_outbox\"");
        assert_eq!(beside("_ledger"), "\"_ledger_outbox\"");
        assert!(beside(&"l".repeat(63)).len() <= 64);
    }
}
