//! Messages as the database, the files and the courier have them.

use runner_database::NewMessage;
use runner_database::OutboxMessage;
use runner_database::SettledMessage;
use runner_database::Settlement;
use runner_delivery::Fate;
use runner_delivery::Letter;
use runner_delivery::Notice;
use runner_delivery::Settled;
use runner_delivery::Spooled;

use super::Delivery;

pub(super) fn spooled(message: &NewMessage) -> Option<Spooled> {
    let notice: Notice = serde_json::from_str(&message.content).ok()?;
    Some(Spooled {
        notice,
        attempts: message.attempts,
        is_dead: message.is_dead,
        last_error: message.last_error.clone(),
    })
}

pub(super) fn stored(message: &Spooled) -> Option<NewMessage> {
    let notice = &message.notice;
    Some(NewMessage {
        key: notice.key.clone(),
        channel: notice.channel.clone(),
        event: notice.occasion.event.clone(),
        run_id: notice.occasion.run_id.clone(),
        content: serde_json::to_string(notice).ok()?,
        created_at: notice.created_at.clone(),
        attempts: message.attempts,
        is_dead: message.is_dead,
        last_error: message.last_error.clone(),
    })
}

/// Messages as letters, and those that make no sense as dead ones.
pub(super) fn letters(messages: Vec<OutboxMessage>) -> (Vec<Letter>, Vec<SettledMessage>) {
    let (mut letters, mut damaged) = (Vec::new(), Vec::new());
    for message in messages {
        match serde_json::from_str::<Notice>(&message.content) {
            // The columns are what claims go by.
            Ok(notice) => letters.push(Letter {
                notice: Notice { key: message.key, channel: message.channel, ..notice },
                attempts: message.attempts,
            }),
            Err(error) => damaged.push(SettledMessage {
                key: message.key,
                attempts: message.attempts,
                settlement: Settlement::Dead { error: format!("the stored message makes no sense: {error}") },
            }),
        }
    }
    (letters, damaged)
}

pub(super) fn record(settled: &Settled) -> SettledMessage {
    SettledMessage {
        key: settled.key.clone(),
        attempts: settled.attempts,
        settlement: match settled.fate.clone() {
            Fate::Delivered => Settlement::Sent,
            Fate::Dead { why } => Settlement::Dead { error: why },
            Fate::Waits { why, after, is_asked } => Settlement::Waits { error: why, after, is_asked },
        },
    }
}

pub(super) fn delivery(settled: Settled) -> Delivery {
    let Settled { key, channel, attempts, fate } = settled;
    Delivery { key, channel, attempts, fate }
}
